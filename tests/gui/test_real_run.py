"""The whole window in this process, with a real run in a real thread."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from metalab.runs.record.reader import open_run
from metalab.runs.record.status import RunStatus
from metalab.ui.session.phase import Phase
from metalab.ui.shell.app import create_window
from metalab.ui.shell.controller import Controller
from tests.support.fake_worker import small_config

pytestmark = pytest.mark.gui

TIMEOUT_MS = 30_000
LONG = 1_000_000


@pytest.fixture
def wait(qtbot: QtBot) -> Callable[[Callable[[], bool]], None]:
    def until(condition: Callable[[], bool]) -> None:
        qtbot.waitUntil(condition, timeout=TIMEOUT_MS)

    return until


@pytest.fixture
def lab(qapp: QApplication, qtbot: QtBot, wait) -> Iterator[Controller]:
    lab = create_window(qapp)
    lab.window.resize(1100, 700)
    lab.start()
    wait(lambda: lab.session.loaded)
    yield lab
    lab.closer.close_unasked(lab.window)
    wait(lambda: not lab.window.isVisible())
    lab.close()
    assert not lab.session.busy
    assert lab.faults.snapshot() == ()
    lab.window.deleteLater()
    lab.deleteLater()


def show(lab: Controller, **changes: object) -> None:
    """Put a small experiment into the form, as opening a file would."""
    config = small_config(**changes)
    lab.session.config_replaced.emit(config, config)
    lab.session.set_config(config)


def at_least(lab: Controller, step: int) -> Callable[[], bool]:
    return lambda: lab.session.history is not None and lab.session.history.step >= step


def test_run_pause_step_resume_stop_and_go_on(lab, wait):
    show(lab, outer__num_steps=LONG)
    actions, session = lab.actions, lab.session
    actions["toggle_run"].trigger()
    wait(at_least(lab, 30))
    actions["toggle_run"].trigger()
    wait(lambda: session.history.status is RunStatus.PAUSED)
    here = session.history.step
    actions["step_10"].trigger()
    wait(at_least(lab, here + 10))
    wait(lambda: session.history.status is RunStatus.PAUSED)
    assert session.history.step == here + 10
    # The gallery catches up with where the run stands.
    wait(lambda: session.history.curves.step == here + 10)
    actions["toggle_run"].trigger()
    wait(at_least(lab, here + 30))
    actions["stop"].trigger()
    wait(lambda: session.phase is Phase.IDLE)
    stopped = session.history
    assert stopped.status is RunStatus.STOPPED
    assert stopped.stored_step == stopped.step
    assert actions["toggle_run"].iconText() == "Resume"
    actions["step_1"].trigger()
    wait(lambda: session.phase is Phase.PAUSED)
    wait(at_least(lab, stopped.step + 1))
    assert session.history.path == stopped.path
    assert len(session.history.steps) == stopped.step + 1


def test_a_reset_repeats_the_run_and_keeps_the_first(lab, wait):
    show(lab, outer__num_steps=LONG)
    lab.actions["step_10"].trigger()
    wait(at_least(lab, 10))
    first = lab.session.history
    lab.actions["reset"].trigger()
    lab.replacing.dialog.accept()
    wait(lambda: lab.session.phase is Phase.PAUSED)
    # At step 0 it waits, with what can be seen before the first step.
    wait(lambda: len(lab.session.history.evaluations) == 1)
    assert lab.session.history.step == 0
    assert lab.session.history.path != first.path
    lab.actions["step_10"].trigger()
    wait(at_least(lab, 10))
    again = lab.session.history
    for name, column in first.metrics.items():
        np.testing.assert_array_equal(column[:10], again.metrics[name][:10], name)
    assert open_run(first.path).history.step == 10


def test_a_divergence_can_be_accepted(lab, wait):
    show(lab, outer__num_steps=LONG, inner__inner_lr=2.0)
    lab.actions["toggle_run"].trigger()
    wait(lambda: lab.session.history is not None and lab.session.history.diverged)
    wait(lambda: lab.session.history.status is RunStatus.PAUSED)
    stood = lab.session.history.diverged
    wait(lab.window.banners.isVisible)
    anyway = lab.window.banners.buttons()[1]
    anyway.click()
    wait(lambda: lab.session.history.diverged != stood)


def test_a_finished_run_can_be_opened_from_its_file(lab, wait):
    show(lab)
    lab.actions["toggle_run"].trigger()
    wait(lambda: lab.session.phase is Phase.IDLE)
    finished = lab.session.history
    assert finished.status is RunStatus.FINISHED
    lab.session.open_preset("reptile-sine")
    lab.session.open_file(finished.path)
    wait(lambda: lab.session.phase is Phase.IDLE)
    opened = lab.session.history
    assert opened is not finished
    assert np.array_equal(opened.metrics["outer_loss"], finished.metrics["outer_loss"])
    assert opened.curves.step == 60
    assert lab.window.experiment.form.config() == finished.next_config
    assert lab.actions["toggle_run"].iconText() == "Run"


def test_points_move_in_a_run_paused_or_not_and_in_its_file(lab, wait):
    show(lab, outer__num_steps=LONG)
    view, session = lab.window.live.adaptation, lab.session
    lab.actions["toggle_run"].trigger()
    wait(at_least(lab, 30))

    def answered() -> bool:
        answer = view.readaptation
        return answer is not None and answer.points is view.moved

    # The plots of a run take turns: before theirs, there are no points to choose.
    wait(view.ruler.isEnabled)
    QTest.keyClick(view.plot, Qt.Key.Key_Tab)
    QTest.keyClick(view.plot, Qt.Key.Key_Up)
    wait(answered)
    first = view.readaptation
    # It goes on from the run's newest meta-parameters.
    wait(lambda: view.readaptation.step > first.step)
    lab.actions["toggle_run"].trigger()
    wait(lambda: session.history.status is RunStatus.PAUSED)
    QTest.keyClick(view.plot, Qt.Key.Key_Up)
    wait(answered)
    wait(lambda: view.readaptation.step == session.history.step)
    lab.actions["stop"].trigger()
    wait(lambda: session.phase is Phase.IDLE)
    QTest.keyClick(view.plot, Qt.Key.Key_Up)
    wait(answered)
    live, moved = view.readaptation, view.moved
    session.open_file(session.history.path)
    wait(lambda: session.phase is Phase.IDLE)
    # The file has the same tasks: the points stay, and give the same curves.
    wait(lambda: view.readaptation is not None and view.readaptation is not live)
    assert view.moved is moved
    assert view.readaptation.step == session.history.step == live.step
    np.testing.assert_allclose(view.readaptation.curves, live.curves, atol=1e-5)
    assert view.reset.isVisible()
