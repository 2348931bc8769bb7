"""Closing the window: ask, stop, save, leave no thread."""

import pytest
from PySide6.QtWidgets import QCheckBox, QDialog, QPushButton

from metalab.runs.record.status import RunStatus
from metalab.ui.session.phase import Phase
from tests.support.fake_worker import small_config
from tests.ui.conftest import until

pytestmark = pytest.mark.gui


@pytest.fixture
def training(lab, workshop):
    lab.session.set_config(small_config())
    lab.session.toggle_run()
    workshop.worker.play(6)
    lab.clock.tick()
    return lab


def press(dialog, text: str) -> None:
    next(b for b in dialog.findChildren(QPushButton) if b.text() == text).click()


def test_without_a_run_the_window_just_closes(lab, qtbot):
    with qtbot.waitSignal(lab.window.closed):
        assert lab.window.close()
    assert lab.closer.dialog is None
    assert not lab.clock.running


def test_closing_while_training_asks_and_training_goes_on(training, workshop):
    assert not training.window.close()
    dialog = training.closer.dialog
    assert dialog.isVisible()
    assert training.session.phase is Phase.RUNNING
    assert not training.window.close()
    assert training.closer.dialog is dialog
    press(dialog, "Cancel")
    assert training.closer.dialog is None
    assert training.window.isVisible()
    assert not workshop.worker.control.stopping
    assert not training.window.close()
    assert training.closer.dialog.isVisible()


def test_stop_and_save_waits_for_the_thread(training, workshop, qtbot):
    training.window.close()
    press(training.closer.dialog, "&Stop and save")
    assert workshop.worker.control.stopping
    assert training.window.isVisible()
    assert not training.window.close()
    with qtbot.waitSignal(training.window.closed, timeout=5000):
        workshop.worker.end(RunStatus.STOPPED)
    assert not training.window.isVisible()
    assert not training.session.busy
    assert not training.preferences.current.close_without_asking


def test_a_person_can_choose_not_to_be_asked_again(training, workshop, qtbot):
    training.window.close()
    dialog = training.closer.dialog
    dialog.findChild(QCheckBox).click()
    press(dialog, "&Stop and save")
    assert training.preferences.current.close_without_asking
    with qtbot.waitSignal(training.window.closed, timeout=5000):
        workshop.worker.end(RunStatus.STOPPED)


def test_then_no_question_is_asked(training, workshop, qtbot):
    training.preferences.change("close_without_asking", value=True)
    training.window.close()
    assert training.closer.dialog is None
    with qtbot.waitSignal(training.window.closed, timeout=5000):
        workshop.worker.end(RunStatus.STOPPED)


@pytest.mark.parametrize("asking", [False, True])
def test_a_signal_is_no_reason_to_ask(training, workshop, qtbot, asking):
    if asking:
        training.window.close()
    training.closer.close_unasked(training.window)
    assert training.closer.dialog is None
    assert workshop.worker.control.stopping
    with qtbot.waitSignal(training.window.closed, timeout=5000):
        workshop.worker.end(RunStatus.STOPPED)


def test_a_run_that_ends_during_the_question_still_closes(training, workshop, qtbot):
    training.window.close()
    workshop.worker.end()
    training.clock.tick()
    with qtbot.waitSignal(training.window.closed, timeout=5000):
        press(training.closer.dialog, "&Stop and save")


def test_other_dialogs_go_with_the_window(lab, qtbot):
    lab.commands.shortcuts()
    dialogs = [d for d in lab.window.findChildren(QDialog) if d.isVisible()]
    assert len(dialogs) == 1
    with qtbot.waitSignal(lab.window.closed):
        lab.window.close()
    assert not any(d.isVisible() for d in lab.window.findChildren(QDialog))


def test_closing_while_the_engine_is_loading(open_lab, qtbot):
    lab = open_lab(load=False)
    with qtbot.waitSignal(lab.window.closed):
        lab.window.close()
    lab.close()


def test_the_end_of_the_application_ends_the_run_too(training, workshop):
    training.close()
    assert workshop.worker.control.stopping
    assert not workshop.worker.alive
    training.close()


def test_layout_and_workspace_are_kept(open_lab, qtbot):
    first = open_lab()
    first.window.resize(1200, 760)
    first.actions["show_experiment"].trigger()
    first.window.close()
    second = open_lab()
    until(qtbot, second, lambda: second.session.loaded)
    assert second.window.experiment.isHidden()
    assert not second.actions["show_experiment"].isChecked()
    assert (
        second.preferences.current.workspaces["live"] == first.window.live.save_state()
    )
