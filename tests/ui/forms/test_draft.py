"""Drafts: what the form holds, valid or not."""

from dataclasses import replace

import pytest

from metalab.catalog.recipes import presets
from metalab.experiment.changes import Baseline
from metalab.experiment.config import ExperimentConfig, preset_config
from metalab.experiment.fields import FieldProblem, fields_of, with_overrides
from metalab.ui.forms.draft import (
    baselines,
    check,
    draft_of,
    layout_of,
    with_value,
)
from metalab.ui.forms.reading import Unread


@pytest.mark.parametrize("name", presets())
def test_every_preset_survives(name: str) -> None:
    config = preset_config(name)
    draft = draft_of(config)
    assert check(draft).config == config
    assert [info.path for info in layout_of(draft)] == [
        info.path for info in fields_of(config)
    ]


def test_what_no_field_shows_is_kept(preset: ExperimentConfig) -> None:
    named = preset.model_copy(update={"name": "mine"})
    changed = with_value(draft_of(named), "run.seed", 7, reference=preset)
    config = check(changed).config
    assert config is not None
    assert (config.name, config.run.seed) == ("mine", 7)


def test_a_value_out_of_bounds_is_kept_and_named(preset: ExperimentConfig) -> None:
    draft = with_value(draft_of(preset), "inner.num_inner_steps", 0, reference=preset)
    verdict = check(draft)
    assert draft.values["inner.num_inner_steps"] == 0
    assert verdict.config is None
    assert verdict.problems == (
        FieldProblem("inner.num_inner_steps", "is 0; allowed: 1 to 1,000 steps"),
    )


def test_unreadable_text_is_named_as_it_was_typed(preset: ExperimentConfig) -> None:
    draft = draft_of(preset)
    for path, text in (("inner.inner_lr", "1e"), ("run.seed", "")):
        draft = with_value(draft, path, Unread(text), reference=preset)
    assert check(draft).problems == (
        FieldProblem("inner.inner_lr", "is '1e'; allowed: above 0, up to 10"),
        FieldProblem(
            "run.seed", "is empty; allowed: a whole number, 0 to 2,147,483,647"
        ),
    )


def test_choosing_a_component_brings_its_options(preset: ExperimentConfig) -> None:
    draft = with_value(
        draft_of(preset), "outer.optimizer.kind", "sgd", reference=preset
    )
    assert check(draft).config == with_overrides(
        preset, [("outer.optimizer.kind", "sgd")]
    )
    assert "outer.optimizer.beta1" not in draft.values


def test_choosing_the_reference_s_component_brings_its_values() -> None:
    reference = preset_config("reptile-sine")
    draft = draft_of(reference)
    for kind in ("adam", "sgd"):
        draft = with_value(draft, "outer.optimizer.kind", kind, reference=reference)
    assert check(draft).config == reference


def test_choosing_the_same_component_changes_nothing(preset: ExperimentConfig) -> None:
    draft = with_value(
        draft_of(preset), "outer.optimizer.outer_lr", 0.5, reference=preset
    )
    same = with_value(draft, "outer.optimizer.kind", "adam", reference=preset)
    assert same == draft


def test_a_component_can_be_chosen_while_another_field_is_invalid(
    preset: ExperimentConfig,
) -> None:
    draft = with_value(draft_of(preset), "run.seed", -1, reference=preset)
    draft = with_value(draft, "outer.optimizer.kind", "sgd", reference=preset)
    assert "outer.optimizer.momentum" in draft.values
    assert [problem.path for problem in check(draft).problems] == ["run.seed"]


def test_options_are_compared_with_the_preset_s_component_or_the_default(
    preset: ExperimentConfig,
) -> None:
    draft = with_value(
        draft_of(preset), "outer.optimizer.kind", "sgd", reference=preset
    )
    found = baselines(draft, reference=preset)
    assert found["outer.optimizer.kind"] == Baseline("adam", from_preset=True)
    assert found["outer.optimizer.outer_lr"] == Baseline(0.01, from_preset=False)
    assert found["outer.num_steps"] == Baseline(70_000, from_preset=True)
    assert found.keys() == draft.values.keys()


def test_drafts_are_equal_by_what_they_hold(preset: ExperimentConfig) -> None:
    draft = draft_of(preset)
    assert draft == replace(draft, values=dict(draft.values))
    assert draft != with_value(draft, "run.seed", 3, reference=preset)
