"""Our numbers: what their intervals are over, and when they have none."""

import math

import numpy as np
import pytest

from metalab.engine.statistics import mean_interval
from metalab.studies.series import Over, Series, ours_at

DRAW = np.random.default_rng(0)
VALUES = tuple(mean + 0.1 * DRAW.standard_normal((200, 2)) for mean in (1.0, 1.5, 2.0))


def series(values, num_rising=()):
    points = np.arange(2.0)
    return Series(points=points, x=points, values=values, num_rising=num_rising)


def test_several_seeds_have_the_t_interval_of_their_means():
    ours = ours_at(series(VALUES), 1)
    means = np.array([one[:, 1].mean() for one in VALUES])
    assert ours.interval_over is Over.SEEDS
    assert ours.mean == pytest.approx(means.mean())
    # Student's t with 2 degrees of freedom.
    half = 4.30265 * means.std(ddof=1) / math.sqrt(3)
    assert ours.half_width == pytest.approx(half, rel=1e-5)
    assert ours.low < 1.0 < 2.0 < ours.high
    assert (ours.num_seeds, ours.num_values) == (3, 600)
    assert ours.iqm_low < ours.iqm < ours.iqm_high


def test_one_seed_has_the_interval_of_its_tasks():
    ours = ours_at(series(VALUES[:1]), 1)
    assert ours.interval_over is Over.TASKS
    found = (ours.mean, ours.low, ours.high)
    np.testing.assert_allclose(found, np.array(mean_interval(VALUES[0][:, 1])))
    assert math.isnan(ours.seed_deviation)


@pytest.mark.parametrize("count", [1, 3])
def test_what_explodes_or_is_unstable_takes_the_interval_of_the_mean_alone(count):
    wrecked = tuple(one.copy() for one in VALUES[:count])
    wrecked[0][5, 1] = np.inf
    none = tuple(np.zeros(2) for _ in wrecked)
    some = (np.array([0, 1]), *none[1:])
    for given in (series(wrecked, none), series(VALUES[:count], some)):
        before, after = ours_at(given, 0), ours_at(given, 1)
        assert math.isfinite(before.low)
        assert math.isnan(after.low)
        assert math.isnan(after.half_width)
        assert after.iqm_low < after.iqm < after.iqm_high
    assert ours_at(series(wrecked, none), 1).num_exploded == 1
    assert after.num_rising == 1
