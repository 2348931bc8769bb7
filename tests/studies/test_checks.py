"""Checks hold and differ where they should."""

import numpy as np
import pytest

from metalab.engine.statistics import standard_error
from metalab.studies.checks import (
    floor,
    less,
    mean_below,
    median_below,
    never_rises,
    ratio,
)
from metalab.studies.series import Series

A, B = ("a", "p", 1.0), ("b", "p", 1.0)


def results(a, b=((1.0, 1.0),)):
    """Return two series of one seed, each [task, point]."""
    return {
        (name, "p"): Series(
            points=np.arange(2.0),
            x=np.arange(2.0),
            values=(np.repeat(np.array(rows), 50, axis=0),),
        )
        for name, rows in (("a", a), ("b", b))
    }


def alike(value):
    return results([(1.0, value)])


@pytest.mark.parametrize(
    ("check", "holding", "failing"),
    [
        (ratio("", "", of=A, to=B, low=0.5, high=0.8), alike(0.6), alike(0.9)),
        (ratio("", "", of=A, to=B, low=3.0), alike(3.5), alike(2.9)),
        (less("", "", of=A, than=B), alike(0.9), alike(1.1)),
        (floor("", "", of=A, bound=2.0), alike(2.0), alike(1.9)),
        (mean_below("", "", of=A, bound=2.0), alike(1.9), alike(2.0)),
        (
            median_below("", "", of=A, bound=0.3),
            results([(1, 0.1), (1, 0.1), (1, 9.0)]),
            results([(1, 0.1), (1, 0.4), (1, 9.0)]),
        ),
        (never_rises("", "", of=("a", "p")), alike(1.0), alike(1.1)),
        (
            never_rises("", "", of=("a", "p")),
            results([(1.0, 9.0), (9.0, 1.0)]),
            results([(1.0, 9.0), (9.0, 9.0)]),
        ),
    ],
)
def test_a_check_holds_and_can_fail(check, holding, failing):
    assert check.judge(holding).holds
    assert not check.judge(failing).holds
    assert all(key in holding for key in check.needs)


def test_a_floor_allows_for_three_standard_errors():
    spread = results([(1.0, 1.0), (1.0, 2.9)])
    error = float(standard_error(spread["a", "p"].column(1.0)))
    assert 1.95 + 3 * error > 2.0
    assert floor("", "", of=A, bound=2.0).judge(spread).holds
    assert not floor("", "", of=A, bound=1.96 + 3 * error).judge(spread).holds
