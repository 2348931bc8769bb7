"""What every recipe and preset owes: it is valid, it is itself, and it learns."""

import pytest

from metalab.catalog.recipes import merge, presets, recipes
from metalab.engine.events import EvaluationDone
from metalab.engine.trainer import Trainer
from metalab.experiment.compatibility import refusal
from metalab.experiment.config import ExperimentConfig, preset_config, recipe_of
from metalab.experiment.fields import validated, with_overrides

PRESETS = tuple(presets())
RECIPES = tuple(recipes())

SOON_ENOUGH = {"mmaml-multimodal": 25}
"""Outer steps within which a costly preset learns; others are given 150."""


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_valid_and_named(name):
    config = preset_config(name)
    _, preset = presets()[name]
    assert config.name == name
    assert preset.title
    assert preset.source
    assert refusal(config) is None
    assert validated(config.to_mapping()) == config


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_recognised_as_its_recipe(name):
    recipe, _ = presets()[name]
    assert recipe_of(preset_config(name)) is recipe


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_says_what_it_is(name):
    recipe = recipes()[name]
    assert recipe.name == name == name.lower()
    assert recipe.title
    assert recipe.source
    assert recipe.summary.endswith(".")
    assert recipe.presets
    config = validated(merge(ExperimentConfig().to_mapping(), recipe.parts))
    assert recipe_of(config) is recipe


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.sampled(3)
def test_a_preset_learns(name):
    """Held-out loss after adaptation falls within a few outer steps.

    Where nothing is learned from other tasks, adaptation alone must lower the loss.
    """
    enough = SOON_ENOUGH.get(name, 150)
    config = with_overrides(
        preset_config(name),
        [("evaluation.every", enough), ("evaluation.num_queries", 20)],
    )
    last = min(enough, config.outer.num_steps)
    trainer = Trainer(config)
    adapted = {}
    for event in trainer.run(lambda: 25):
        if isinstance(event, EvaluationDone):
            losses = event.evaluation.query_loss.mean(axis=0)
            adapted[event.evaluation.step] = float(losses[config.num_inner_steps])
            if config.outer.optimizer.kind == "none":
                assert adapted[0] < 0.8 * losses[0]
                return
        if trainer.step == last and last in adapted:
            break
    assert adapted[last] < 0.98 * adapted[0]
