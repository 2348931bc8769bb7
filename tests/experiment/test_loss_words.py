"""What the losses of an experiment are called."""

import pytest

from metalab.catalog.slots import LOSSES
from metalab.experiment.config import ExperimentConfig, preset_config
from metalab.experiment.fields import with_overrides
from metalab.experiment.loss_words import (
    DEFAULT_WORDS,
    LossWords,
    in_units_of,
    with_unit,
)


def words_with(*changes):
    return with_overrides(ExperimentConfig(), changes).loss_words


def test_those_without_an_experiment_are_of_the_default_one():
    assert ExperimentConfig().loss_words == DEFAULT_WORDS


@pytest.mark.parametrize("level", ["support", "query"])
def test_each_level_has_the_unit_of_its_loss(level):
    words = words_with(("loss.kind", "absolute-error"), ("query_loss.kind", "gaussian"))
    assert words.unit(level) == {"support": "y", "query": "nats"}[level]
    assert words.both_units == "support: y, query: nats"
    assert words.distance == "mean negative log likelihood"
    assert not words.logarithmic


def test_one_loss_has_one_unit_and_its_error_is_a_distance():
    words = words_with(("loss.kind", "absolute-error"))
    assert words.both_units == "y"
    assert words.distance == "mean absolute distance"
    assert words.logarithmic


def test_only_jumps_of_the_inner_loss_are_told():
    for name, loss in LOSSES.components.items():
        smooth = loss.twice_differentiable
        assert (loss.caveat() == "") == smooth, name
    assert words_with(("query_loss.kind", "huber")).caveat == ""
    assert words_with(("loss.kind", "huber")).caveat.startswith("The second derivative")


def test_a_loss_without_a_unit_has_no_brackets():
    assert with_unit("Loss", LossWords(query_unit="1").query_unit) == "Loss"
    assert with_unit("Loss", "nats") == "Loss (nats)"


@pytest.mark.parametrize(
    ("scaling", "unit"), [("standardise", "sd²"), ("log", "(log y)²"), ("raw", "y²")]
)
def test_of_a_table_the_unit_is_that_of_the_scaled_target(scaling, unit):
    config = preset_config("maml-gapminder")
    config = with_overrides(config, [("tasks.family.y_scaling", scaling)])
    assert config.loss_words.both_units == unit


def test_only_y_itself_is_replaced():
    assert in_units_of("y per day", "sd") == "sd per day"
    assert in_units_of("nats", "sd") == "nats"
