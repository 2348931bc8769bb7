"""Tests of order and groups."""

import math
from dataclasses import replace

import pytest

from metalab.core.errors import UserError
from metalab.runs.library.entry import Score, differing_fields
from metalab.runs.library.order import grouped, sorted_entries
from tests.runs.library.test_filter import RUN


def run(seed, loss, group="g", **config):
    last = None if loss is None else Score(10, loss)
    return replace(RUN, seed=seed, last=last, best=last, group=group, config=config)


def test_what_is_not_known_is_last_in_either_direction():
    runs = [run(0, None), run(1, 2.0), run(2, math.nan), run(3, 1.0)]
    for descending, seeds in ((False, [3, 1, 0, 2]), (True, [1, 3, 0, 2])):
        found = sorted_entries(runs, "loss", descending=descending)
        assert [entry.seed for entry in found] == seeds


def test_a_setting_sorts_too_and_another_word_is_refused():
    runs = [
        run(0, 1.0, **{"inner.inner_lr": 0.5}),
        run(1, 1.0, **{"inner.inner_lr": 0.1}),
    ]
    assert [e.seed for e in sorted_entries(runs, "inner.inner_lr")] == [1, 0]
    with pytest.raises(UserError, match="sort is 'beauty'; allowed: name, state"):
        sorted_entries(runs, "beauty")


def test_replicates_are_one_group_with_mean_and_deviation():
    groups = grouped([run(2, 1.0), run(0, 3.0, "other"), run(1, 2.0)])
    assert [[e.seed for e in group.entries] for group in groups] == [[1, 2], [0]]
    assert groups[0].last == 1.5
    assert groups[0].deviation == pytest.approx(math.sqrt(0.5))
    assert groups[1].deviation is None


def test_settings_that_differ_come_with_those_of_the_method_first():
    first = {"evaluation.every": 1, "inner.inner_lr": 0.1, "model.kind": "mlp"}
    second = {"evaluation.every": 2, "inner.inner_lr": 0.2, "model.kind": "mlp"}
    runs = [run(0, 1.0, "a", **first), run(1, 1.0, "b", **second)]
    assert differing_fields(runs) == ("inner.inner_lr", "evaluation.every")
