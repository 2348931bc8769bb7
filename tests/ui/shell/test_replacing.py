"""Every way to another run asks before the one in progress ends, and leaves a way back."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QCheckBox, QDialog, QLabel, QPushButton

from metalab.experiment.config_history import ConfigHistory
from metalab.runs.record.recent import RunSummary
from metalab.runs.record.status import RunStatus
from metalab.ui.actions.table import ACTIONS
from metalab.ui.learn.lesson import own_lessons, save_lesson
from metalab.ui.session import engine_access
from metalab.ui.session.phase import Phase, Stake
from tests.support.fake_worker import small_config
from tests.ui.conftest import until

pytestmark = pytest.mark.gui


@pytest.fixture
def running(lab, workshop, monkeypatch, tmp_path):
    """A window with a run in progress, and with other runs to open."""
    lab.session.set_config(small_config())
    lab.session.toggle_run()
    workshop.worker.play(6)
    lab.clock.tick()
    shown = lab.session.history

    def stored(path):
        other = ConfigHistory(small_config(run__seed=9))
        return replace(
            shown, configs=other, path=path, status=RunStatus.STOPPED, stored_step=6
        )

    monkeypatch.setattr(engine_access, "stored_history", stored)
    return lab


def file_of(path: Path) -> Path:
    """Make something that has a run file's name: fake runs write none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def drop(lab, path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    place, copy = QPointF(400, 400), Qt.DropAction.CopyAction
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    entered = QDragEnterEvent(place.toPoint(), copy, data, left, none)
    lab.window.dragEnterEvent(entered)
    assert entered.isAccepted()
    lab.window.dropEvent(QDropEvent(place, copy, data, left, none))


def by_action(key):
    def way(lab, tmp_path):
        lab.actions[key].trigger()

    return way


def by_card(lab, tmp_path):
    lab.window.workspaces.show_page("start")
    lab.window.workspaces.current.cards.cards["reptile"].click()


def by_card_of_an_invalid_form(lab, tmp_path):
    lab.session.set_invalid("inner.inner_lr is -1")
    by_card(lab, tmp_path)


def by_lesson_file(lab, tmp_path):
    path = tmp_path / "mine.lesson.toml"
    save_lesson(path, next(iter(own_lessons().values())))
    lab.teaching.open_lesson(path)


def by_dropped_lesson(lab, tmp_path):
    path = tmp_path / "mine.lesson.toml"
    save_lesson(path, next(iter(own_lessons().values())))
    drop(lab, path)


def by_dropped_run(lab, tmp_path):
    drop(lab, file_of(tmp_path / "other.metalab"))


def by_file(lab, tmp_path):
    lab.commands.open_path(tmp_path / "other.metalab")


def by_recent_menu(lab, tmp_path):
    other = RunSummary(path=tmp_path / "other.metalab", name="other")
    lab.returning.recent.listed.emit([other])
    lab.window.recent.actions()[0].trigger()


def by_start_page_row(lab, tmp_path):
    other = RunSummary(path=tmp_path / "other.metalab", name="other")
    lab.window.workspaces.show_page("start")
    lab.returning.recent.listed.emit([other])
    lab.window.workspaces.current.cards.runs.buttons[0].click()


def by_reopening(lab, tmp_path):
    other = RunSummary(path=tmp_path / "other.metalab", name="other")
    lab.returning.recent.listed.emit([other])
    lab.actions["reopen_last"].trigger()


def by_recovery(lab, tmp_path):
    other = RunSummary(path=tmp_path / "other.metalab", name="other", cut_short=True)
    lab.window.workspaces.show_page("start")
    lab.session.set_recovered(replace(other, step=6, num_steps=60))
    buttons = lab.window.workspaces.current.cards.recovered.buttons
    buttons["recover_open"].click()


def by_going_back(lab, tmp_path):
    lab.session._visits._paths.insert(0, file_of(tmp_path / "other.metalab"))
    lab.session._visits._at = 1
    lab.session._announce()
    lab.actions["run_back"].trigger()


def by_going_forward(lab, tmp_path):
    lab.session._visits._paths.append(file_of(tmp_path / "other.metalab"))
    lab.session._announce()
    lab.actions["run_forward"].trigger()


def by_halving(lab, tmp_path):
    lab.session.halve("inner.inner_lr")


NEW_RUN = {
    **{
        key: by_action(key)
        for key in ("start", "reset", "reset_new_seed", "fork", "lesson_1", "lesson_4")
    },
    "card": by_card,
    "card of an invalid form": by_card_of_an_invalid_form,
    "lesson file": by_lesson_file,
    "dropped lesson": by_dropped_lesson,
    "halve": by_halving,
}
STORED_RUN = {
    "file": by_file,
    "dropped run": by_dropped_run,
    "recent menu": by_recent_menu,
    "row of the Start page": by_start_page_row,
    "reopen": by_reopening,
    "recovery": by_recovery,
    "back": by_going_back,
    "forward": by_going_forward,
}
WAYS = NEW_RUN | STORED_RUN


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.sampled(10)
def test_cancel_leaves_the_run_and_its_form_alone(running, workshop, tmp_path, way):
    form = running.window.experiment.form
    WAYS[way](running, tmp_path)
    before = form.config()
    dialog = running.replacing.dialog
    assert dialog.isVisible()
    # Training goes on while it is asked.
    workshop.worker.play(1)
    running.clock.tick()
    assert running.session.phase is Phase.RUNNING
    dialog.reject()
    running.clock.tick()
    assert running.replacing.dialog is None
    assert workshop.workers == [workshop.worker]
    assert not workshop.worker.control.stopping
    assert running.session.phase is Phase.RUNNING
    assert form.config() == before
    assert not running.teaching.lesson.isVisible()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.sampled(10)
def test_stop_and_keep_keeps_it_and_leaves_a_way_back(
    running, workshop, tmp_path, qtbot, way
):
    first = workshop.worker
    path = file_of(first.live.path)
    WAYS[way](running, tmp_path)
    running.replacing.dialog.accept()
    assert first.control.stopping
    first.end(RunStatus.STOPPED)
    until(qtbot, running, lambda: running.session.phase is not Phase.STOPPING)
    if way in NEW_RUN:
        assert len(workshop.workers) == 2
    else:
        assert running.session.history.path == tmp_path / "other.metalab"
        assert running.window.workspaces.current_key != "start"
    if way == "back":
        assert running.session.run_after == path
    else:
        assert running.session.run_before == path
        running.actions["run_back"].trigger()
        if running.replacing.dialog is not None:
            running.replacing.dialog.accept()
            workshop.worker.end(RunStatus.STOPPED)
        until(qtbot, running, lambda: running.session.history.path == path)
    assert running.faults.snapshot() == ()


ENDS_OR_PAUSES = {"stop", "quit", "toggle_run", "step_1", "step_10", "step_100"}
NO_QUESTIONS = {"ask_first"}
"""Takes the question away, which is what it is there for."""


@pytest.mark.parametrize("paused", [False, True])
@pytest.mark.sampled(2)
def test_no_action_ends_a_run_unasked(running, workshop, paused):
    """Also none that will be added to the table: each is tried."""
    worker = workshop.worker
    if paused:
        running.session.toggle_run()
    phase = running.session.phase
    for spec in ACTIONS:
        if spec.key in ENDS_OR_PAUSES | NO_QUESTIONS:
            continue
        running.actions[spec.key].trigger()
        running.clock.tick()
        for dialog in running.window.findChildren(QDialog):
            dialog.reject()
        running.clock.tick()
        assert not worker.control.stopping, spec.key
        assert running.session.phase is phase, spec.key
        assert workshop.workers == [worker], spec.key


def test_the_question_says_what_would_become_of_which_run(running):
    running.actions["start"].trigger()
    dialog = running.replacing.dialog
    text = "\n".join(label.text() for label in dialog.findChildren(QLabel))
    assert running.session.history.name in text
    step = running.session.history.step
    assert f"outer step {step:,} of 60. To start a new run, it is stopped" in text
    assert "can go on later" in text


def test_a_person_can_choose_not_to_be_asked_again(running, workshop):
    running.actions["start"].trigger()
    running.replacing.dialog.findChild(QCheckBox).click()
    running.replacing.dialog.accept()
    assert running.preferences.current.replace_without_asking
    assert not running.preferences.current.close_without_asking
    workshop.worker.end(RunStatus.STOPPED)
    running.clock.tick()
    workshop.worker.play(6)
    running.clock.tick()
    running.actions["start"].trigger()
    assert running.replacing.dialog is None
    assert workshop.worker.control.stopping
    # And to be asked again.
    asks = running.actions["ask_first"]
    assert not asks.isChecked()
    asks.trigger()
    assert asks.isChecked()
    assert not running.preferences.current.replace_without_asking


@pytest.mark.slow
def test_a_run_that_waits_to_begin_is_replaced_without_a_word(lab, workshop):
    lab.session.set_config(small_config())
    lab.session.toggle_run()
    workshop.worker.play(6)
    workshop.worker.end()
    lab.clock.tick()
    lab.actions["reset"].trigger()
    lab.clock.tick()
    assert lab.session.phase is Phase.PAUSED
    lab.actions["reset_new_seed"].trigger()
    assert lab.replacing.dialog is None


@pytest.mark.slow
def test_a_run_that_ends_during_the_question_makes_room_all_the_same(running, workshop):
    running.actions["start"].trigger()
    workshop.worker.end()
    running.clock.tick()
    running.replacing.dialog.accept()
    assert len(workshop.workers) == 2
    assert running.session.phase is Phase.RUNNING


@pytest.mark.slow
def test_a_second_way_while_it_is_asked_does_nothing(running, workshop):
    running.actions["start"].trigger()
    dialog = running.replacing.dialog
    running.session.reset()
    assert running.replacing.dialog is dialog
    dialog.accept()
    workshop.worker.end(RunStatus.STOPPED)
    running.clock.tick()
    assert len(workshop.workers) == 2


def test_a_run_that_has_ended_is_no_reason_to_ask_while_its_thread_lives_on(
    running, workshop
):
    live = workshop.worker.live
    live.set_stored(live.snapshot().step)
    live.set_status(RunStatus.FINISHED)
    running.clock.tick()
    assert workshop.worker.alive
    running.actions["start"].trigger()
    assert running.replacing.dialog is None
    workshop.worker.alive = False
    running.clock.tick()
    assert len(workshop.workers) == 2


def test_a_run_that_failed_is_asked_about_while_its_thread_lives_on(running, workshop):
    workshop.worker.live.set_stored(1)
    workshop.worker.live.set_status(RunStatus.FAILED)
    running.clock.tick()
    assert workshop.worker.alive
    running.actions["start"].trigger()
    assert running.replacing.dialog is not None


def failed_with_unsaved_steps(lab, workshop):
    workshop.worker.play(4)
    workshop.worker.live.set_stored(1)
    workshop.worker.alive = False
    workshop.worker.live.set_status(RunStatus.FAILED)
    lab.clock.tick()
    assert lab.session.stake is Stake.STEPS


def test_steps_that_no_file_has_are_not_lost_unasked(running, workshop):
    failed_with_unsaved_steps(running, workshop)
    running.preferences.change("replace_without_asking", value=True)
    running.actions["start"].trigger()
    dialog = running.replacing.dialog
    assert "outer steps 2 to" in dialog.findChild(QLabel).text()
    assert dialog.findChild(QCheckBox).isHidden()
    dialog.reject()
    assert len(workshop.workers) == 1
    running.actions["start"].trigger()
    running.replacing.dialog.accept()
    assert len(workshop.workers) == 2


def test_nor_with_the_window(running, workshop, qtbot):
    failed_with_unsaved_steps(running, workshop)
    running.preferences.change("close_without_asking", value=True)
    assert not running.window.close()
    running.closer.dialog.reject()
    assert running.window.isVisible()
    assert not running.window.close()
    with qtbot.waitSignal(running.window.closed, timeout=5000):
        running.closer.dialog.accept()


# A run that is finished


@pytest.fixture
def finished(running, workshop):
    workshop.worker.end()
    running.clock.tick()
    assert running.session.repeats
    return running


def press(lab, qtbot, key, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    lab.window.activateWindow()
    lab.window.live.setFocus()
    qtbot.waitUntil(lab.window.live.hasFocus, timeout=5000)
    qtbot.keyClick(lab.window.windowHandle(), key, modifier)


def test_space_and_run_do_not_repeat_a_finished_run_unasked(finished, workshop, qtbot):
    shown = finished.session.history
    press(finished, qtbot, Qt.Key.Key_Space)
    finished.window.toolbar.run_button.click()
    finished.actions["step_10"].trigger()
    assert len(workshop.workers) == 1
    assert finished.session.history is shown
    spec = finished.window.banners.spec
    assert spec.title == "This run is finished"
    assert "same numbers" in spec.text
    again, other_seed = finished.window.banners.buttons()
    other_seed.click()
    assert workshop.worker.live.config.run.seed != shown.config_at().run.seed
    assert finished.session.phase is Phase.RUNNING
    assert finished.window.banners.isHidden()
    del again


def test_it_can_be_repeated_by_choice_and_gone_back_to(finished, workshop, qtbot):
    path = file_of(finished.session.history.path)
    press(finished, qtbot, Qt.Key.Key_Space)
    finished.window.banners.buttons()[0].click()
    assert len(workshop.workers) == 2
    assert workshop.worker.live.config == workshop.workers[0].live.config
    toast = finished.window.toasts.toasts[-1]
    assert "is kept, at outer step" in toast.text.text()
    file_of(workshop.worker.live.path)
    workshop.worker.end()
    finished.clock.tick()
    press(finished, qtbot, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    until(qtbot, finished, lambda: finished.session.history.path == path)
    press(finished, qtbot, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    second = workshop.worker.live.path
    until(qtbot, finished, lambda: finished.session.history.path == second)
    assert not finished.actions["run_forward"].isEnabled()
    assert finished.actions["run_back"].isEnabled()


@pytest.mark.slow
def test_the_button_of_the_toast_goes_back(finished, workshop, qtbot):
    path = file_of(finished.session.history.path)
    finished.actions["start"].trigger()
    workshop.worker.end()
    finished.clock.tick()
    button = finished.window.toasts.toasts[-1].findChild(QPushButton)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    until(qtbot, finished, lambda: finished.session.history.path == path)
    assert finished.window.toasts.toasts == []


@pytest.mark.slow
def test_a_run_before_whose_file_is_gone_is_told(finished, workshop):
    finished.actions["start"].trigger()
    workshop.worker.end()
    finished.clock.tick()
    finished.actions["run_back"].trigger()
    assert finished.window.banners.spec.title == "That run has no file"


def test_after_an_edit_run_means_the_edited_experiment(finished, workshop, qtbot):
    finished.session.toggle_run()
    finished.session.set_config(small_config(outer__num_tasks=5))
    assert finished.window.banners.isHidden()
    press(finished, qtbot, Qt.Key.Key_Space)
    assert workshop.worker.live.config.outer.num_tasks == 5


# Changes in the form


def test_changes_that_a_preset_replaces_can_be_put_back(lab):
    edited = small_config(outer__num_tasks=7)
    lab.session.replace(edited)
    assert lab.window.toasts.toasts == []
    lab.session.open_preset("reptile-sine")
    (toast,) = lab.window.toasts.toasts
    toast.button.click()
    assert lab.window.experiment.form.config() == edited
    # What a run was made of, or is a preset, is not lost.
    lab.session.open_preset("reptile-sine")
    lab.window.toasts.clear()
    lab.session.open_preset("maml-sine")
    assert lab.window.toasts.toasts == []
