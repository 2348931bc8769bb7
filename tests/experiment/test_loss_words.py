"""What the losses of an experiment are called."""

import pytest

from metalab.catalog.slots import LOSSES
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.fields import with_overrides
from metalab.experiment.loss_words import DEFAULT_WORDS, LossWords, with_unit


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
