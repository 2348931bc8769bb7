"""A whole window whose run does only what a test tells it to."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from metalab.runs.running.manager import RunManager
from metalab.runs.system.preload import Preload
from metalab.ui.shell.controller import Controller, WindowOptions
from metalab.ui.style.theme import DARK
from metalab.ui.style.theming import change_theme, current_theme
from tests.support.fake_worker import Workshop


@pytest.fixture(autouse=True)
def _dark_again() -> Iterator[None]:
    """Begin every test in the theme that the application begins in."""
    yield
    if current_theme() != DARK:
        change_theme(DARK)


@pytest.fixture
def no_leaks(qapp: QApplication) -> Iterator[None]:
    """Check that a test leaves no window and no thread."""
    before = set(qapp.topLevelWidgets())
    # A library of another test may have some for as long as the process lives.
    running = set(threading.enumerate())
    yield
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    left = [w for w in qapp.topLevelWidgets() if w not in before and w.isVisible()]
    assert left == []
    others = [t for t in threading.enumerate() if t not in running]
    for thread in others:
        # What was asked to end comes to its end beside the window, which does not wait.
        thread.join(timeout=20)
    assert [thread for thread in others if thread.is_alive()] == []


@pytest.fixture
def workshop() -> Workshop:
    return Workshop()


@pytest.fixture
def open_lab(
    no_leaks: None, qtbot: QtBot, qapp: QApplication, workshop: Workshop
) -> Iterator[Callable[..., Controller]]:
    """Open windows whose frame clock is ticked by hand; close them in the end."""
    labs: list[Controller] = []
    # A test before may have left the pointer where something lights up under it.
    QCursor.setPos(qapp.primaryScreen().geometry().bottomRight())

    def open_one(
        *,
        load: bool = True,
        example: bool = False,
        file: Path | None = None,
        **options: object,
    ) -> Controller:
        given = {
            "slot": RunManager(workshop),
            "preload": Preload(("torch",), kernels=False),
        } | options
        lab = Controller(qapp, WindowOptions(example=example, file=file), **given)
        labs.append(lab)
        lab.window.resize(1280, 800)
        lab.start()
        lab.clock.stop()
        if load:
            until(qtbot, lab, lambda: lab.session.loaded)
        return lab

    yield open_one
    for lab in labs:
        lab.close()
        lab.session.poll()
        lab.window.close()
        lab.window.deleteLater()
        lab.deleteLater()


def until(qtbot: QtBot, lab: Controller, condition: Callable[[], object]) -> None:
    """Tick the frame clock until something is so."""

    def ticked() -> bool:
        lab.clock.tick()
        return bool(condition())

    qtbot.waitUntil(ticked, timeout=20_000)


@pytest.fixture
def lab(open_lab: Callable[..., Controller]) -> Controller:
    """Return a window with the default preset in its form."""
    return open_lab()
