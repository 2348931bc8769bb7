"""A random walk through the window while it trains: no error, and no run is lost."""

import faulthandler
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from metalab.runs.record.reader import open_run
from metalab.runs.running.manager import RunManager
from metalab.runs.system.preload import Preload
from metalab.ui.shell.controller import Controller, WindowOptions
from tests.gui.walk import StartedRuns, Walk
from tests.support.fake_worker import small_config

pytestmark = [
    pytest.mark.gui,
    # The offscreen platform says so when a dock is dragged, as of keyboards and popups.
    pytest.mark.qt_log_ignore("This plugin does not support grabbing the mouse"),
]

Walked = Callable[..., tuple[Walk, StartedRuns]]


@pytest.fixture
def walked(
    qapp: QApplication,
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Walked:
    """Walk over a real window with real runs, close it, return what there was."""
    # File dialogs begin where the process stands.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("PySide6.QtGui.QDesktopServices.openUrl", lambda _url: True)

    def walk(num_events: int, *, seed: int, timeout: float) -> tuple[Walk, StartedRuns]:
        started = StartedRuns()
        preload = Preload(("torch",), kernels=False)
        lab = Controller(
            qapp, WindowOptions(example=True), slot=RunManager(started), preload=preload
        )
        lab.start()
        qtbot.waitUntil(lambda: lab.session.loaded, timeout=30_000)
        config = small_config(run__provider="autodiff", outer__num_steps=100_000)
        lab.session.config_replaced.emit(config, config)
        lab.session.set_config(config)
        lab.session.toggle_run()
        walk = Walk(lab, seed=seed, num_events=num_events)
        walk.start()
        qtbot.waitUntil(lambda: walk.finished, timeout=round(1000 * timeout))
        lab.closer.close_unasked(lab.window)
        qtbot.waitUntil(lambda: not lab.window.isVisible(), timeout=30_000)
        lab.close()
        walk.faults |= {str(fault) for fault in lab.faults.snapshot()}
        lab.window.deleteLater()
        lab.deleteLater()
        return walk, started

    return walk


def expect_nothing_lost(started: StartedRuns, home: Path) -> None:
    steps = started.steps
    made = {path for path, step in steps.items() if step > 0}
    assert made
    files = {path for path in (home / "runs").glob("*.metalab") if path.is_file()}
    assert made <= files
    # The others are copies, under whatever name the walk has typed.
    for path in files - set(steps):
        assert open_run(path).history.step in range(max(steps.values()) + 1)
    for path in files & set(steps):
        history = open_run(path).history
        assert history.status.ended, path
        assert history.step == steps[path]


def test_a_short_walk_breaks_nothing(walked, tmp_path):
    walk, started = walked(150, seed=13, timeout=60)
    assert walk.faults == set()
    assert walk.done.total() == 150
    expect_nothing_lost(started, tmp_path / "home")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_walk_of_5000_events_breaks_nothing(walked, tmp_path):
    # It takes longer than a test may before its threads are listed; to list those that run
    # Python meanwhile has ended the process.
    faulthandler.cancel_dump_traceback_later()
    walk, started = walked(5000, seed=4, timeout=1700)
    assert walk.faults == set()
    assert walk.done.total() == 5000
    assert len(started.workers) > 10
    # Every action but the one that ends the window, and every preset.
    assert walk.untried == set()
    expect_nothing_lost(started, tmp_path / "home")
