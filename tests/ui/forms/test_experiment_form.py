"""The whole form, driven by keys and mouse."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from metalab.catalog.recipes import presets
from metalab.catalog.slots import SLOTS
from metalab.core.tasks import Targets
from metalab.experiment.config import ExperimentConfig, preset_config
from metalab.experiment.fields import (
    ConfigError,
    FieldProblem,
    fields_of,
    with_overrides,
)
from metalab.experiment.naming import experiment_name
from metalab.ui.forms.experiment_form import ExperimentForm
from tests.ui.forms.asking import KIND, LR, header, text, value

Enter = Callable[..., None]
KINDS = [
    (slot, kind)
    for slot, registry in SLOTS.items()
    for kind, component in registry.components.items()
    # No family here draws classes.
    if getattr(component, "targets", Targets.NUMBERS) is Targets.NUMBERS
]


@pytest.mark.parametrize("name", presets())
@pytest.mark.sampled(4)
def test_every_preset_round_trips(form: ExperimentForm, name: str) -> None:
    config = preset_config(name)
    form.set_config(config, reference=config)
    assert form.config() == config
    for info in fields_of(config):
        assert form.row(info.path).editor.value == info.value
        assert form.row(info.path).reset_button.isHidden()


@pytest.mark.parametrize(("slot", "kind"), KINDS)
@pytest.mark.sampled(5)
def test_every_component_of_the_catalog_has_its_rows(
    form: ExperimentForm, preset: ExperimentConfig, slot: str, kind: str
) -> None:
    try:
        config = with_overrides(preset, [(f"{slot}.kind", kind)])
    except ConfigError:
        # Some ask for a regularised inner problem, the closed form for a quadratic one.
        meta = "ridge-head" if kind == "closed-form" else "anchor"
        config = with_overrides(preset, [("meta", meta), (f"{slot}.kind", kind)])
    form.set_config(config)
    assert form.config() == config
    assert text(form, f"{slot}.kind") == SLOTS[slot].components[kind].title
    for info in fields_of(config):
        editor = form.row(info.path).editor
        assert editor.value == info.value
        assert editor.accessibleName() == info.spec.label
        for part in (info.spec.label, info.path):
            assert part in editor.toolTip()


def test_typing_changes_the_experiment(
    form: ExperimentForm, preset: ExperimentConfig, enter: Enter, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(form.config_changed, timeout=1000) as heard:
        enter(form, LR, "1e-3")
    assert heard.args == [with_overrides(preset, [(LR, 0.001)])]
    assert [form.config()] == heard.args


def test_typing_counts_after_a_pause_without_leaving_the_field(
    form: ExperimentForm, enter: Enter, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(form.config_changed, timeout=3000):
        enter(form, LR, "0.20", end=None)
    assert value(form, LR) == 0.2
    assert text(form, LR) == "0.20"


def test_asking_for_the_experiment_takes_in_what_is_being_typed(
    form: ExperimentForm, enter: Enter
) -> None:
    enter(form, LR, "0.3", end=None)
    assert value(form, LR) == 0.3


def test_setting_an_experiment_is_not_an_edit(
    form: ExperimentForm, enter: Enter, qtbot: QtBot
) -> None:
    enter(form, LR, "0.3", end=None)
    with qtbot.assertNotEmitted(form.config_changed, wait=0):
        form.set_config(preset_config("reptile-sine"))
        assert form.config() == preset_config("reptile-sine")
    assert not form.undo_stack.canUndo()


def test_a_value_out_of_bounds_is_kept_and_explained(
    form: ExperimentForm, enter: Enter, qtbot: QtBot
) -> None:
    path = "inner.num_inner_steps"
    with qtbot.waitSignal(form.validity_changed, timeout=1000) as heard:
        enter(form, path, "0")
    assert heard.args == [False]
    assert form.config() is None
    assert form.problems() == (FieldProblem(path, "is 0; allowed: 1 to 1,000 steps"),)
    row = form.row(path)
    assert text(form, path) == "0"
    assert row.message == "is 0; allowed: 1 to 1,000 steps"
    assert "allowed: 1 to 1,000" in row.editor.accessibleDescription()
    with qtbot.waitSignals([form.validity_changed, form.config_changed], timeout=1000):
        enter(form, path, "3")
    assert row.message == ""
    assert form.problems() == ()


def test_text_that_is_no_number_is_kept_and_explained(
    form: ExperimentForm, enter: Enter
) -> None:
    enter(form, LR, "fast", end=Qt.Key.Key_Tab)
    assert form.config() is None
    assert text(form, LR) == "fast"
    assert form.row(LR).message == "is 'fast'; allowed: above 0, up to 10"


def test_a_problem_within_a_section_stands_below_its_header(
    form: ExperimentForm, enter: Enter
) -> None:
    enter(form, "tasks.family.phase_max", "-1")
    group = form.group("tasks")
    assert group.problems == "phase_max is -1; it must be at least phase_min, 0"
    assert form.config() is None
    assert form.row("tasks.family.phase_max").message == ""
    form.undo_stack.undo()
    assert group.problems == ""


def test_a_problem_between_sections_stands_at_the_top(
    form: ExperimentForm, enter: Enter
) -> None:
    enter(form, "inner.inner_batch_size", "50")
    assert "inner.inner_batch_size is 50" in header(form).problems
    enter(form, "inner.inner_batch_size", "5")
    assert header(form).problems == ""


def test_one_field_is_reset(
    form: ExperimentForm, enter: Enter, qtbot: QtBot, preset: ExperimentConfig
) -> None:
    enter(form, LR, "0.5")
    button = form.row(LR).reset_button
    assert button.isVisible()
    assert button.toolTip() == "Preset: 0.01"
    assert button.accessibleName() == "Reset Inner lr to 0.01"
    assert header(form).summary == "1 field differs from maml-sine"
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert form.config() == preset
    assert button.isHidden()
    assert header(form).summary == "Same as maml-sine"


def test_a_field_is_reset_by_keyboard_and_keeps_the_focus(
    form: ExperimentForm, enter: Enter, qtbot: QtBot, preset: ExperimentConfig
) -> None:
    enter(form, LR, "0.5")
    qtbot.keyClick(form.row(LR).editor, Qt.Key.Key_Tab)
    button = form.row(LR).reset_button
    assert QApplication.focusWidget() is button
    qtbot.keyClick(button, Qt.Key.Key_Space)
    assert form.config() == preset
    assert QApplication.focusWidget() is form.row(LR).editor


def test_an_invalid_field_is_reset(
    form: ExperimentForm, enter: Enter, qtbot: QtBot, preset: ExperimentConfig
) -> None:
    enter(form, LR, "fast")
    qtbot.mouseClick(form.row(LR).reset_button, Qt.MouseButton.LeftButton)
    assert form.config() == preset
    assert text(form, LR) == "0.01"


def test_everything_is_reset_and_that_is_one_edit(
    form: ExperimentForm, enter: Enter, qtbot: QtBot, preset: ExperimentConfig
) -> None:
    enter(form, LR, "0.5")
    enter(form, "run.seed", "3")
    changed = form.config()
    assert header(form).summary == "2 fields differ from maml-sine"
    qtbot.mouseClick(header(form).reset_all_button, Qt.MouseButton.LeftButton)
    assert form.config() == preset
    assert header(form).reset_all_button.isHidden()
    form.undo_stack.undo()
    assert form.config() == changed


def test_differences_are_shown_from_the_reference(form: ExperimentForm) -> None:
    reference = preset_config("reptile-sine")
    form.set_config(with_overrides(reference, [("run.seed", 4)]), reference=reference)
    assert header(form).summary == "1 field differs from reptile-sine"
    assert form.row("run.seed").reset_button.isVisible()


def test_another_component_brings_other_rows_and_keeps_the_focus(
    form: ExperimentForm, preset: ExperimentConfig, qtbot: QtBot
) -> None:
    form.reveal(KIND)
    box = form.row(KIND).editor
    for kind in ("none", "sgd"):
        qtbot.keyClick(box, Qt.Key.Key_Down)
        assert form.config() == with_overrides(preset, [(KIND, kind)])
    assert form.row(KIND).editor is box
    assert QApplication.focusWidget() is box
    assert form.row("outer.optimizer.momentum").editor.value == 0.0
    with pytest.raises(KeyError):
        form.row("outer.optimizer.beta1")
    # Options that came with the choice do not count as differences of their own.
    assert header(form).summary == "1 field differs from maml-sine"
    for _ in ("none", "adam"):
        qtbot.keyClick(box, Qt.Key.Key_Up)
    assert form.config() == preset


def test_fields_stay_editable_while_a_run_is_in_progress(
    form: ExperimentForm, enter: Enter
) -> None:
    form.set_locked(True)
    assert header(form).note == "Learning rates change at once; the rest, in a new run"
    enter(form, LR, "0.5")
    assert value(form, LR) == 0.5
    form.set_locked(False)
    assert header(form).note == ""


def test_the_name_follows_the_settings(
    form: ExperimentForm, enter: Enter, qtbot: QtBot
) -> None:
    name = header(form).name
    assert (name.text(), name.placeholderText()) == ("", "maml-sine")
    enter(form, LR, "0.3")
    assert name.placeholderText() == "maml-sine, inner_lr 0.3"
    form.undo_stack.undo()
    assert name.placeholderText() == "maml-sine"


def test_a_name_that_a_person_gives_stays(
    form: ExperimentForm, preset: ExperimentConfig, enter: Enter, qtbot: QtBot
) -> None:
    name = header(form).name
    name.setFocus()
    qtbot.keyClicks(name, "Monday")
    with qtbot.waitSignal(form.config_changed) as heard:
        qtbot.keyClick(name, Qt.Key.Key_Return)
    (config,) = heard.args
    assert (config.name, config.preset) == ("Monday", "maml-sine")
    enter(form, LR, "0.3")
    assert experiment_name(form.config()) == name.text() == "Monday"
    assert name.placeholderText() == "maml-sine, inner_lr 0.3"
    # Cleared, it is derived again; undone, it is back.
    name.clear()
    qtbot.keyClick(name, Qt.Key.Key_Return)
    assert experiment_name(form.config()) == "maml-sine, inner_lr 0.3"
    form.undo_stack.undo()
    assert name.text() == "Monday"


def test_a_name_that_is_not_allowed_is_told(form: ExperimentForm, qtbot: QtBot) -> None:
    name = header(form).name
    name.setFocus()
    qtbot.keyClicks(name, "a/b")
    qtbot.keyClick(name, Qt.Key.Key_Return)
    assert form.config() is None
    assert "name is 'a/b'; allowed: text without slashes" in header(form).problems


def test_escape_takes_back_what_is_typed(form: ExperimentForm, qtbot: QtBot) -> None:
    name = header(form).name
    name.setFocus()
    qtbot.keyClicks(name, "Mon")
    qtbot.keyClick(name, Qt.Key.Key_Escape)
    qtbot.keyClick(name, Qt.Key.Key_Return)
    assert (name.text(), form.config().name) == ("", "maml-sine")


def test_the_count_of_differences_lists_them(
    form: ExperimentForm, qtbot: QtBot
) -> None:
    button = header(form).differences_button
    with qtbot.waitSignal(form.differences_requested):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    button.setFocus()
    with qtbot.waitSignal(form.differences_requested):
        qtbot.keyClick(button, Qt.Key.Key_Space)


def test_typed_points_are_understood_in_words_or_refused(
    form: ExperimentForm, preset: ExperimentConfig, enter: Enter
) -> None:
    path = "tasks.family.points"
    config = with_overrides(preset, [("tasks.family.kind", "points")])
    form.set_config(config)
    assert form.row(path).message == "7 points, separated by commas; x from -5 to 5"
    enter(form, path, "1,5; 2,5")
    assert "can be read in two ways, as (1, 5), (2, 5) and" in form.row(path).message
    assert form.config() is None
    enter(form, path, "1,5 2; 2,5 3")
    told = "2 points, decimal comma, separated by blanks; x from 1.5 to 2.5"
    assert form.row(path).message == told
    assert form.config() is not None


def test_points_of_an_old_run_keep_their_meaning(
    form: ExperimentForm, preset: ExperimentConfig
) -> None:
    changes = [("tasks.family.kind", "points"), ("tasks.family.points", "1,5; 2,5")]
    config = with_overrides(preset, changes)
    form.set_config(config)
    assert form.config() == config
