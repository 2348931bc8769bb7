"""Intervals and tests over seeds and tasks: known cases, and simulated studies."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from metalab.analysis import crossed
from metalab.analysis.crossed import (
    difference_of,
    holm,
    influence,
    interquartile_mean_of,
    mean_of,
    sign_flip,
    spread,
    spread_of_unpaired,
)


def test_with_one_seed_the_interval_is_students_over_tasks():
    x = np.random.default_rng(0).normal(3, 1, (1, 40))
    found = mean_of(x)
    right = stats.t.interval(0.95, 39, x.mean(), stats.sem(x[0]))
    assert (found.low, found.high) == pytest.approx(right, rel=1e-12)


def test_without_differences_of_tasks_it_is_students_over_seeds():
    seeds = np.array([1.0, 1.2, 0.7, 1.4])
    found = mean_of(np.repeat(seeds[:, None], 50, axis=1))
    right = stats.t.interval(0.95, 3, seeds.mean(), stats.sem(seeds))
    assert (found.low, found.high) == pytest.approx(right, rel=1e-9)


def test_the_variance_is_without_bias():
    """Over many studies of a + b + e, against its own formula."""
    rng = np.random.default_rng(1)
    num_seeds, num_tasks, of_seeds, of_tasks, rest = 4, 30, 0.5, 0.8, 1.1
    found = [
        spread(
            of_seeds * rng.standard_normal((num_seeds, 1))
            + of_tasks * rng.standard_normal((1, num_tasks))
            + rest * rng.standard_normal((num_seeds, num_tasks))
        ).variance
        for _ in range(4000)
    ]
    right = (
        of_seeds**2 / num_seeds
        + of_tasks**2 / num_tasks
        + rest**2 / (num_seeds * num_tasks)
    )
    assert np.mean(found) == pytest.approx(right, rel=0.04)


def study(rng, num_seeds, num_tasks, task, spread_of_seeds=0.15):
    """Return losses as training gives them: positive, skewed, seeds a factor each."""
    seeds = np.exp(spread_of_seeds * rng.standard_normal((num_seeds, 1)))
    return (
        seeds
        * np.exp(-(spread_of_seeds**2) / 2)
        * task
        * rng.gamma(4, 0.25, (num_seeds, num_tasks))
    )


TRUE_MEAN = 1.0


def true_iqm():
    rng = np.random.default_rng(7)
    count = 4_000_000
    x = study(rng, count, 1, rng.gamma(1.5, 1 / 1.5, (count, 1)))
    return float(np.sort(x.ravel())[count // 4 : 3 * count // 4].mean())


@pytest.mark.parametrize("paired", [True, False])
def test_intervals_cover_and_tests_of_nothing_reject_as_often_as_they_say(paired):
    """A thousand studies of 5 seeds on 200 tasks: 93 to 97 %, and 3 to 7 %."""
    rng, iqm = np.random.default_rng(0), true_iqm()
    covered, num_studies = np.zeros(4), 1000
    for _ in range(num_studies):
        task = rng.gamma(1.5, 1 / 1.5, 200)
        one, other = (study(rng, 5, 200, task) for _ in range(2))
        mean, middle = mean_of(one), interquartile_mean_of(one)
        apart = difference_of(one, other, paired=paired)
        test = crossed.test_of_difference(one, other, paired=paired)
        covered += (
            mean.low <= TRUE_MEAN <= mean.high,
            middle.low <= iqm <= middle.high,
            apart.low <= 0 <= apart.high,
            test.p >= 0.05,
        )
    print(covered / num_studies)
    assert (covered >= 0.93 * num_studies).all()
    assert (covered <= 0.97 * num_studies).all()


def test_a_permutation_of_eight_seeds_rejects_as_often_as_it_says():
    rng, rejected = np.random.default_rng(3), 0
    for _ in range(1000):
        task = rng.gamma(1.5, 1 / 1.5, 50)
        one, other = (study(rng, 8, 50, task) for _ in range(2))
        test = crossed.test_of_difference(one, other, paired=True)
        assert test.name.startswith("permutation")
        rejected += test.p < 0.05
    assert 30 <= rejected <= 70


@pytest.mark.parametrize("count", [3, 6, 10])
def test_signs_are_all_gone_through(count):
    differences = np.random.default_rng(count).normal(0.4, 1, count)
    sums = [
        abs(sum(s * d for s, d in zip(signs, differences, strict=True)))
        for signs in itertools.product((1, -1), repeat=count)
    ]
    seen = abs(differences.sum())
    right = np.mean([total >= seen * (1 - 1e-12) for total in sums])
    assert sign_flip(differences) == pytest.approx(right)
    assert sign_flip(np.ones(count)) == 2 / 2**count


def test_many_seeds_are_permuted_at_random_and_never_to_zero():
    p = sign_flip(np.ones(20))
    assert p == pytest.approx(1 / 10_001)


def test_holms_correction():
    """The example of Holm's table: 0.01, 0.04, 0.03, 0.005."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    found = holm([math.nan, 0.02, 0.9])
    assert math.isnan(found[0])
    assert found[1:] == (0.04, 0.9)


def test_influence_values_have_the_interquartile_mean():
    x = np.random.default_rng(5).lognormal(0, 1, (3, 80))
    flat = np.sort(x.ravel())
    assert influence(x).mean() == pytest.approx(flat[60:180].mean())
    exploded = x.copy()
    exploded[0, :10] = np.inf
    found = interquartile_mean_of(exploded)
    assert found.given
    assert not mean_of(exploded).given
    shift = difference_of(exploded, x, paired=True)
    assert not shift.given
    assert math.isnan(crossed.test_of_difference(exploded, x, paired=True).p)


def test_equal_methods_have_no_difference():
    x = np.random.default_rng(6).gamma(2, 1, (5, 30))
    assert crossed.test_of_difference(x, x, paired=True).p == 1.0
    assert difference_of(x, x, paired=True).value == 0.0


def test_unpaired_seeds_of_a_method_with_one_count_tasks():
    rng = np.random.default_rng(8)
    task = rng.gamma(2, 1, 100)
    one, other = study(rng, 1, 100, task), study(rng, 4, 100, task)
    found = spread_of_unpaired(one, other)
    assert found.variance > 0
    assert difference_of(one, other, paired=False).given
