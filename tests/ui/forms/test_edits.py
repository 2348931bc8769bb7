"""Undo and redo of edits."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from metalab.experiment.config import ExperimentConfig
from metalab.ui.forms.experiment_form import ExperimentForm
from tests.ui.forms.asking import KIND, LR, text, value

Enter = Callable[..., None]


def test_undo_and_redo_by_keyboard_from_inside_a_field(
    form: ExperimentForm, enter: Enter, qtbot: QtBot, preset: ExperimentConfig
) -> None:
    enter(form, LR, "0.5")
    changed = form.config()
    editor = form.row(LR).editor
    control, shift = (
        Qt.KeyboardModifier.ControlModifier,
        Qt.KeyboardModifier.ShiftModifier,
    )
    with qtbot.waitSignal(form.config_changed, timeout=1000) as heard:
        qtbot.keyClick(editor, Qt.Key.Key_Z, control)
    assert heard.args == [preset]
    assert text(form, LR) == "0.01"
    qtbot.keyClick(editor, Qt.Key.Key_Z, control | shift)
    assert form.config() == changed
    assert text(form, LR) == "0.5"


def test_undo_takes_back_what_is_being_typed(
    form: ExperimentForm, enter: Enter, qtbot: QtBot, preset: ExperimentConfig
) -> None:
    enter(form, LR, "9", end=None)
    editor = form.row(LR).editor
    qtbot.keyClick(editor, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert form.config() == preset
    assert text(form, LR) == "0.01"


def test_edits_of_one_field_in_a_row_are_one(
    form: ExperimentForm, enter: Enter, preset: ExperimentConfig
) -> None:
    for typed in ("0.2", "0.3", "0.4"):
        enter(form, LR, typed)
    enter(form, "run.seed", "5")
    assert form.undo_stack.count() == 2
    form.undo_stack.undo()
    assert value(form, LR) == 0.4
    form.undo_stack.undo()
    assert form.config() == preset


def test_an_edit_taken_back_by_hand_is_none(form: ExperimentForm, enter: Enter) -> None:
    enter(form, LR, "0.2")
    enter(form, LR, "0.01")
    assert form.undo_stack.count() == 0


def test_undo_of_a_component_brings_its_options_back(
    form: ExperimentForm, enter: Enter, qtbot: QtBot
) -> None:
    enter(form, "outer.optimizer.beta1", "0.5")
    before = form.config()
    form.reveal(KIND)
    qtbot.keyClick(form.row(KIND).editor, Qt.Key.Key_Down)
    form.undo_stack.undo()
    assert form.config() == before
    assert form.row("outer.optimizer.beta1").editor.value == 0.5


def test_undo_by_the_window_forgets_half_typed_text(
    form: ExperimentForm, enter: Enter, qtbot: QtBot
) -> None:
    form.reveal(KIND)
    for _ in ("none", "sgd"):
        qtbot.keyClick(form.row(KIND).editor, Qt.Key.Key_Down)
    enter(form, "outer.optimizer.momentum", "0.9", end=None)
    form.undo_stack.undo()
    assert value(form, KIND) == "adam"
