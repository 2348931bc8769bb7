"""Intervals and tests for losses of several training seeds on the same held-out tasks.

All runs of a comparison adapt to the same tasks, so that losses are crossed: x[s, t] of
seed s and task t. Two things were drawn at random, seeds and tasks, and an interval counts
both: what is estimated is the loss over *other* seeds and *other* tasks. The variance of
the mean of a balanced crossed design is estimated without bias by

    MS_seeds / (S T) + (MS_tasks - MS_rest) / (S T),

with the mean squares of the two-way analysis of variance (Searle, Casella and McCulloch
1992, chapter 4). Few seeds tell the first part with few degrees of freedom, many tasks the
second one with many, so each part gets the quantile of its own t distribution, and the
squares are added (Howe 1974; Graybill and Wang 1980). One quantile for the sum, with
Satterthwaite's degrees of freedom, covers 91 % where it says 95 with three seeds. With one
seed the interval is over tasks, and says so.

The interquartile mean and its differences go the same way by their influence values: a
task beyond the quartiles counts as the quartile (Tukey and McLaughlin 1963).
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from jaxtyping import Float

from metalab.engine.events import Array
from metalab.engine.statistics import LEVEL, TRIMMED, Interval, exploded

FEWEST_TO_PERMUTE = 6
"""Seeds below which no permutation can be as rare as 5 %: 2 of 2^5 are 6 %."""

MOST_EXACT = 14
"""Seeds up to which all 2^S permutations are gone through."""

NUM_PERMUTATIONS = 10_000


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the variance of a mean.

    Attributes:
        variance: Its estimate.
        freedom: Degrees of freedom of that.
    """

    variance: float
    freedom: float


@dataclass(frozen=True, slots=True)
class Spread:
    """The variance of a mean over seeds and tasks, in independent parts."""

    parts: tuple[Part, ...]

    @property
    def variance(self) -> float:
        """Of the mean."""
        return sum(part.variance for part in self.parts)

    def half_width(self, level: float = LEVEL) -> float:
        """Return half the length of an interval (Howe 1974)."""
        from scipy.stats import t  # noqa: PLC0415 - half a second

        quantiles = [float(t.ppf((1 + level) / 2, part.freedom)) for part in self.parts]
        return math.sqrt(
            sum(q**2 * p.variance for q, p in zip(quantiles, self.parts, strict=True))
        )

    def p_value(self, difference: float) -> float:
        """Return one minus the level of the interval that just reaches 0."""
        from scipy.optimize import brentq  # noqa: PLC0415 - half a second

        size = abs(difference)
        if self.variance == 0:
            return 1.0 if size == 0 else 0.0
        if self.half_width(1 - _SMALLEST_P) <= size:
            return _SMALLEST_P

        def beyond(p: float) -> float:
            return self.half_width(1 - p) - size

        return cast("float", brentq(beyond, _SMALLEST_P, 1.0))


_SMALLEST_P = 1e-12
"""Least p value that rounding leaves a meaning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """A test of no difference.

    Attributes:
        p: Probability of a difference at least as large where there is none.
        name: What kind of test it is.
    """

    __test__ = False  # for pytest, which collects classes by their names

    p: float
    name: str


def spread(x: Float[Array, "seed task"]) -> Spread:
    """Return the variance of the mean over both axes; one seed counts tasks alone."""
    num_seeds, num_tasks = x.shape
    count, mean = num_seeds * num_tasks, x.mean()
    of_tasks = num_seeds * _mean_square(x.mean(axis=0) - mean, num_tasks - 1)
    if num_seeds < 2:
        return Spread((Part(of_tasks / count, num_tasks - 1),))
    of_seeds = num_tasks * _mean_square(x.mean(axis=1) - mean, num_seeds - 1)
    return Spread(
        (
            Part(of_seeds / count, num_seeds - 1),
            Part(max(of_tasks - _rest(x), 0.0) / count, num_tasks - 1),
        )
    )


def spread_of_unpaired(
    one: Float[Array, "seed task"], other: Float[Array, "seed2 task"]
) -> Spread:
    """Return the variance of the difference of means: same tasks, seeds of their own."""
    num_tasks = one.shape[1]
    apart = one.mean(axis=0) - other.mean(axis=0)
    of_tasks = _mean_square(apart - apart.mean(), num_tasks - 1) / num_tasks
    parts = list[Part]()
    for x in (one, other):
        if len(x) > 1:
            means = x.mean(axis=1)
            own = _mean_square(means - means.mean(), len(x) - 1) / len(x)
            parts.append(Part(own, len(x) - 1))
            # In the differences of tasks, and in the means of seeds: counted once.
            of_tasks -= _rest(x) / (len(x) * num_tasks)
    return Spread((*_pooled(parts), Part(max(of_tasks, 0.0), num_tasks - 1)))


def _pooled(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Return parts of about equal freedom as one, by Satterthwaite's (1946) formula."""
    total = sum(part.variance for part in parts)
    if total == 0:
        return tuple(parts[:1])
    squares = sum(part.variance**2 / part.freedom for part in parts)
    return (Part(total, total**2 / squares),)


def _rest(x: Float[Array, "seed task"]) -> float:
    """Return the mean square of what neither seeds nor tasks explain."""
    rest = x - x.mean(axis=1, keepdims=True) - x.mean(axis=0, keepdims=True) + x.mean()
    return _mean_square(rest.ravel(), (x.shape[0] - 1) * (x.shape[1] - 1))


def mean_of(x: Float[Array, "seed task"]) -> Interval:
    """Return the mean over seeds and tasks; no ends where a task exploded."""
    value = float(x.mean())
    if bool(exploded(x).any()) or x.shape[1] < 2:
        return Interval(value=value, low=math.nan, high=math.nan)
    half = spread(x).half_width()
    low = value - half
    # What is never negative has no negative mean.
    return Interval(
        value=value,
        low=max(low, 0.0) if bool((x >= 0).all()) else low,
        high=value + half,
    )


def influence(x: Float[Array, "seed task"]) -> Float[Array, "seed task"]:
    """Return values whose mean is the interquartile mean of x, and whose spread its own.

    Infinite losses are beyond the quartiles, like any other large one.
    """
    flat = np.sort(np.where(np.isnan(x), np.inf, x).ravel())
    cut = int(TRIMMED * len(flat))
    middle = flat[cut : len(flat) - cut]
    drawn_in = np.clip(np.where(np.isnan(x), np.inf, x), middle[0], middle[-1])
    share = 1 - 2 * cut / len(flat)
    return middle.mean() + (drawn_in - drawn_in.mean()) / share


def interquartile_mean_of(x: Float[Array, "seed task"]) -> Interval:
    """Return the mean of the middle half of all losses, with its interval."""
    values = influence(x)
    if not np.isfinite(values).all() or x.shape[1] < 2:
        return Interval(value=float(values.mean()), low=math.nan, high=math.nan)
    value, half = float(values.mean()), spread(values).half_width()
    low = value - half
    return Interval(
        value=value,
        low=max(low, 0.0) if bool((x >= 0).all()) else low,
        high=value + half,
    )


def difference_of(
    one: Float[Array, "seed task"],
    other: Float[Array, "seed2 task"],
    *,
    paired: bool,
) -> Interval:
    """Return how much more `one` costs than `other` on the same tasks.

    Args:
        one: Losses of a method.
        other: Of another one, on the same tasks.
        paired: Whether rows are of the same seeds.
    """
    value = float(one.mean() - other.mean())
    if bool(exploded(one).any() | exploded(other).any()):
        return Interval(value=value, low=math.nan, high=math.nan)
    found = spread(one - other) if paired else spread_of_unpaired(one, other)
    half = found.half_width()
    return Interval(value=value, low=value - half, high=value + half)


def test_of_difference(
    one: Float[Array, "seed task"],
    other: Float[Array, "seed2 task"],
    *,
    paired: bool,
) -> Test:
    """Return a test of no difference over other seeds and other tasks.

    Of at least `FEWEST_TO_PERMUTE` paired seeds the signs of their differences are
    permuted (Fisher 1935); else it is the t test that belongs to `difference_of`.
    """
    if bool(exploded(one).any() | exploded(other).any()):
        return Test(p=math.nan, name="none: tasks exploded")
    if paired and len(one) >= FEWEST_TO_PERMUTE:
        p = sign_flip((one - other).mean(axis=1))
        return Test(p=p, name="permutation of signs over seeds")
    found = spread(one - other) if paired else spread_of_unpaired(one, other)
    p = found.p_value(float(one.mean() - other.mean()))
    return Test(p=p, name="t test over seeds and tasks")


test_of_difference.__test__ = False  # type: ignore[attr-defined]


def sign_flip(differences: Float[Array, " seed"]) -> float:
    """Return the share of all signs that make the mean at least as far from zero."""
    count = len(differences)
    if count <= MOST_EXACT:
        signs = np.array(list(itertools.product((1.0, -1.0), repeat=count)))
        extra = 0
    else:
        rng = np.random.default_rng(0)
        signs = rng.choice((1.0, -1.0), (NUM_PERMUTATIONS, count))
        extra = 1  # the one that was seen
    seen = abs(float(differences.sum()))
    # Sums in another order differ in their last digit.
    reached = np.abs(signs @ differences) >= seen * (1 - 1e-12)
    return float((reached.sum() + extra) / (len(signs) + extra))


def holm(p: Sequence[float]) -> tuple[float, ...]:
    """Return p values corrected for how many tests there are (Holm 1979).

    A NaN is no test, and stays.
    """
    known = [i for i, value in enumerate(p) if not math.isnan(value)]
    adjusted, most = list(p), 0.0
    for rank, index in enumerate(sorted(known, key=lambda i: p[i])):
        most = max(most, min(1.0, (len(known) - rank) * p[index]))
        adjusted[index] = most
    return tuple(adjusted)


def _mean_square(deviations: Array, freedom: int) -> float:
    return float(np.square(deviations).sum() / freedom)
