"""Intervals against tables, exact probabilities, and distributions whose means are known.

How often they cover is measured in `tests/studies/test_coverage.py`.
"""

import math
from itertools import pairwise

import numpy as np
import pytest

from metalab.engine.statistics import (
    FEWEST,
    WhyNot,
    exploded,
    interquartile_mean_interval,
    mean_interval,
    median_interval,
    rising,
    seed_interval,
    standard_error,
    summarise,
    t_quantile,
)


@pytest.mark.parametrize(
    ("freedom", "quantile"),
    # Of 0.975: tables of Student's t.
    [
        *((1, 12.7062), (2, 4.30265), (3, 3.18245), (4, 2.77645), (11, 2.20099)),
        *((30, 2.04227), (100, 1.98397), (599, 1.96393), (5000, 1.96044)),
    ],
)
def test_quantiles_are_those_of_the_tables(freedom, quantile):
    assert t_quantile(0.975, freedom) == pytest.approx(quantile, abs=1e-5)


def test_without_skewness_the_interval_of_a_mean_is_students():
    values = np.array([-3.0, -1.0, 0.0, 0.0, 1.0, 3.0])
    mean, low, high = mean_interval(values)
    half = 2.57058 * values.std(ddof=1) / math.sqrt(6)
    assert (mean, low, high) == pytest.approx((0, -half, half), abs=1e-5)


def test_skewed_values_have_an_interval_that_reaches_further_up():
    """Against g(x) = x + s x²/3 + s² x³/27 + s/(6n) of Hall (1992), by its roots."""
    values = np.random.default_rng(0).exponential(size=80)
    mean, low, high = mean_interval(values)
    assert high - mean > 1.1 * (mean - low)
    apart = values - values.mean()
    s = (apart**3).mean() / (apart**2).mean() ** 1.5
    t = t_quantile(0.975, 79) / math.sqrt(80)
    for end, sign in ((low, 1), (high, -1)):
        x = (mean - end) / values.std(ddof=1)
        g = x + s * x**2 / 3 + s**2 * x**3 / 27 + s / (6 * 80)
        assert g == pytest.approx(sign * t, abs=1e-10)


def test_an_interval_scales_and_shifts_with_its_values():
    values = np.random.default_rng(1).lognormal(size=(60, 2))
    found = np.array(mean_interval(values))
    np.testing.assert_allclose(
        np.array(mean_interval(3 * values + 2)), 3 * found + 2, rtol=1e-12
    )
    np.testing.assert_array_equal(np.array(mean_interval(values.T, axis=1)), found)


def test_equal_values_have_an_interval_of_no_width():
    assert mean_interval(np.full(20, 0.3)) == pytest.approx((0.3, 0.3, 0.3), abs=1e-12)


def test_the_mean_of_what_one_value_carries_has_no_interval():
    values = np.append(np.random.default_rng(2).exponential(size=199), 500.0)
    mean, low, high = mean_interval(values)
    assert mean == pytest.approx(values.mean())
    assert math.isnan(low)
    assert math.isnan(high)
    assert np.isfinite(median_interval(values)).all()
    assert np.isfinite(interquartile_mean_interval(values)).all()


@pytest.mark.parametrize("value", [np.inf, np.nan, 1e30, 1001.0])
def test_a_task_that_explodes_takes_the_interval_of_the_mean_alone(value):
    losses = np.random.default_rng(3).exponential(size=(100, 4))
    falling = np.sort(losses, axis=1)[:, ::-1]
    query = falling.astype(np.float32)
    query[7, 2:] = value
    found = summarise(query, falling)
    assert found.num_exploded.tolist() == [0, 0, 1, 1]
    assert [found.why_not(step) for step in range(4)] == [
        *(None, None),
        *(WhyNot.EXPLODED, WhyNot.EXPLODED),
    ]
    for name in ("median", "iqm"):
        for end in ("", "_low", "_high"):
            assert np.isfinite(getattr(found, f"{name}{end}")).all()


def test_one_definition_of_exploded():
    losses = np.array([0.0, 12.5, 1000.0, 1000.1, np.inf, -np.inf, np.nan])
    assert exploded(losses).tolist() == [False] * 3 + [True, True, False, True]


def test_a_step_beyond_two_over_the_curvature_is_unstable_and_no_other():
    """On L x²/2 a step multiplies the loss by (1 - lr L)²: above 1 from lr L = 2 on."""
    products = np.array([0.1, 1.0, 1.9, 1.99, 2.01, 2.1, 5.0])
    loss = (1 - products[:, None]) ** (2 * np.arange(6))
    found = rising(loss)
    assert not found[:, :2].any(), "a single step does not compound"
    np.testing.assert_array_equal(
        found[:, 2:], np.repeat(products[:, None] > 2, 4, axis=1)
    )
    # Of a loss that has come to rest, rounding makes what it likes.
    rest = np.array([[1.0, 1e-3, 1e-9, 5e-9, 2e-9]])
    assert not rising(rest).any()
    assert rising(np.array([[1.0, 2.0, np.nan, 1.0]])).tolist() == [
        [False, False, True, True]
    ]


def test_unstable_steps_take_the_interval_of_the_mean():
    losses = np.sort(np.random.default_rng(4).exponential(size=(50, 4)), axis=1)
    falling = losses[:, ::-1].copy()
    assert np.isfinite(summarise(falling, falling).mean_low).all()
    rising = falling.copy()
    rising[3, 2] = 3 * falling[3, 1]
    found = summarise(falling, rising)
    assert found.num_rising.tolist() == [0, 0, 1, 1]
    assert np.isfinite(found.mean_low).tolist() == [True, True, False, False]
    assert found.why_not(3) is WhyNot.UNSTABLE


@pytest.mark.parametrize("count", [6, 7, 20, 100, 601, 2_000])
def test_the_median_lies_between_order_statistics_of_the_right_level(count):
    """Of 0, 1, 2, ... the ends are ranks; their levels follow from binomials."""
    median, low, high = median_interval(np.arange(count, dtype=float))
    assert median == (count - 1) / 2
    assert low + high == pytest.approx(count - 1)

    def level(rank):
        """Return the probability that the median is between two order statistics."""
        outside = sum(math.comb(count, j) for j in range(rank))
        return 1 - 2 * (outside / 2**count)

    rank = int(low) + 1
    assert level(rank) >= 0.95 > level(rank + 1)


def test_too_few_values_have_no_interval():
    for count in range(1, FEWEST):
        values = np.arange(1.0, 1 + count)
        for interval in (mean_interval, median_interval, interquartile_mean_interval):
            middle, low, high = interval(values)
            assert middle == pytest.approx(values.mean())
            assert np.isnan([low, high]).all()
    assert summarise(np.ones((2, 1)), np.ones((2, 1))).why_not(0) is WhyNot.FEW
    # The smallest and the largest of five hold the median with 1 - 2 / 2^5 = 0.9375.
    assert math.isnan(median_interval(np.arange(5.0))[1])


def test_the_interquartile_mean_is_tukeys_and_mclaughlins():
    values = np.arange(20.0)
    iqm, low, high = interquartile_mean_interval(
        np.random.default_rng(0).permuted(values)
    )
    assert iqm == pytest.approx(9.5)
    winsorised = np.clip(values, 5, 14)
    error = winsorised.std(ddof=1) / (0.5 * math.sqrt(20))
    # Nine degrees of freedom: ten of the twenty are left.
    assert (low, high) == pytest.approx((9.5 - 2.26216 * error, 9.5 + 2.26216 * error))


def test_a_quarter_that_explodes_does_not_reach_the_middle_half():
    values = np.arange(1.0, 101)
    values[-25:] = np.inf
    assert np.isfinite(interquartile_mean_interval(values)).all()
    values[-26:] = np.nan
    assert not np.isfinite(interquartile_mean_interval(values)[2])


def test_the_interval_over_seeds_is_students():
    found = seed_interval([1.0, 2.0, 3.0])
    assert found.value == 2.0
    assert found.half_width == pytest.approx(4.30265 / math.sqrt(3), abs=1e-5)
    assert not seed_interval([1.0]).given
    assert not seed_interval([1.0, np.inf]).given


def test_more_values_narrow_an_interval():
    draw = np.random.default_rng(5)
    widths = [
        float(np.subtract(*mean_interval(draw.exponential(size=n))[:0:-1]))
        for n in (50, 500, 5000)
    ]
    assert all(a > 2 * b for a, b in pairwise(widths))
    assert standard_error(np.array([1.0, 3.0])) == pytest.approx(1.0)
    assert math.isnan(standard_error(np.array([1.0])))


@pytest.mark.parametrize("interval", [mean_interval, interquartile_mean_interval])
def test_few_losses_have_no_negative_ends_and_cover_as_often(interval):
    """Lognormal losses, 5 to 20 tasks: clipping at 0 changes no coverage."""
    rng = np.random.default_rng(0)
    below = 0
    for count in (5, 8, 20):
        losses = np.exp(1.5 * rng.normal(size=(count, 2_000)))
        mean, low, high = interval(losses)
        # Shifted up, nothing is clipped, and the ends are what they would have been.
        shifted = np.concatenate([losses, losses])[:count] - 1e6
        _, free, _ = interval(shifted)
        free = free + 1e6
        given = np.isfinite(low)
        below += int((free[given] < -1e-3).sum())
        assert (low[given] >= 0).all()
        np.testing.assert_allclose(
            low[given], np.maximum(free[given], 0.0), rtol=1e-4, atol=1e-4
        )
        truth = float(np.mean(mean))
        covered = (low[given] <= truth) & (truth <= high[given])
        unclipped = (free[given] <= truth) & (truth <= high[given])
        assert covered.tolist() == unclipped.tolist()
    assert below > 0, "else this shows nothing"


def test_a_loss_below_zero_rises_as_one_above_it_does():
    falling, still = [-1.0, -1.2, -1.3, -1.4], [-1.0, -1.2, -1.2, -1.2]
    climbing = [-1.0, -1.2, -1.1, -1.3]
    found = rising(np.array([falling, still, climbing]))
    assert found.any(axis=1).tolist() == [False, False, True]
