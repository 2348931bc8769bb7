"""Means, medians and intervals of losses over tasks, and of results over training seeds.

Losses are as a rule positive, skewed, and after several inner steps may have tails so heavy that a
task in a hundred thousand carries the mean: no interval of the mean covers then (Bahadur
and Savage 1956), and none is given. The median and the interquartile mean always have one.

Two questions are kept apart. An interval over *tasks* says how well the tasks that were
drawn tell the loss of *this network*; one over *training seeds* says how well the networks
that were trained tell the loss of the *method*, and needs at least two of them.

Every interval is of 95 %, every loss in its own unit (y² for the squared error).
Imports no torch: the window needs it from its first frame.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from metalab.engine.events import Array

Mask = NDArray[np.bool_]

LEVEL = 0.95
"""Of every interval."""

EXPLODED = 1e3
"""A loss beyond anything that a task can cost, whatever its unit: the zero function costs
a sine of the largest amplitude a squared error of 12.5."""

FEWEST = 5
"""Values below which no interval of tasks is given."""

MOST_SKEWED = 0.5
"""Largest sample skewness over the square root of the number of values.

The ratio lies between 0 and 1. It goes to 0 as values are added where three moments are
finite, and stays where they are not: the largest value then is of the size of all others
together, and it reaches 1. The correction for skewness is the first term of a series in
this ratio; beyond a half it is no correction any more."""


def exploded(values: Array) -> Mask:
    """Return which losses are above `EXPLODED` or not finite: steps too large there."""
    # Not `values > EXPLODED`: NaN is above nothing.
    return ~(np.asarray(values) <= EXPLODED)


RISE = 1.01
"""A support loss that grows by more than this factor has risen, whatever rounding does."""

ROUNDING = 1e-6
"""What rounding makes of a loss, relative to the one before adaptation."""


def rising(support_loss: Array) -> Mask:
    """Return for which tasks the inner loop was unstable at some step so far.

    Gradient descent of step size lr lowers a loss wherever lr times its largest curvature
    is below 2. Where it is above, a step multiplies what is left along that direction by
    |1 - lr L| > 1, so losses after several steps are products of numbers that differ from
    task to task: their tail is heavy (Kesten 1973), and the sample does not show how far
    it reaches. A single step does not compound, so the first is not looked at.

    Args:
        support_loss: After 0 ... K' inner steps, [task, inner step].

    Returns:
        [task, inner step]; false at steps 0 and 1.
    """
    loss = np.asarray(support_loss, dtype=np.float64)
    found = np.zeros(loss.shape, dtype=bool)
    with np.errstate(invalid="ignore", over="ignore"):
        # Of a loss below zero, which a likelihood may have, the smaller share is more.
        most = np.maximum(RISE * loss[:, 1:-1], loss[:, 1:-1] / RISE)
        allowed = most + ROUNDING * np.abs(loss[:, :1])
        # What is not a number has not fallen.
        found[:, 2:] = ~(loss[:, 2:] <= allowed)
    return np.logical_or.accumulate(found, axis=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A number and the ends of its 95 % interval.

    Attributes:
        value: The number.
        low: Lower end; NaN where no interval is given.
        high: Upper end; likewise.
    """

    value: float
    low: float
    high: float

    @property
    def given(self) -> bool:
        """Whether there is an interval."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def half_width(self) -> float:
        """Half the length of the interval; NaN where none is given."""
        return (self.high - self.low) / 2


@lru_cache(maxsize=256)
def t_quantile(probability: float, freedom: int) -> float:
    """Return a quantile of Student's t distribution.

    By bisection of the distribution function, which is a finite sum for a whole number of
    degrees of freedom (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4).

    Args:
        probability: Above a half, below 1.
        freedom: Degrees of freedom, at least 1.
    """
    low, high = 0.0, 1.0
    while _t_below(high, freedom) < probability:
        low, high = high, 2 * high
    for _ in range(80):
        middle = (low + high) / 2
        if _t_below(middle, freedom) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _t_below(t: float, freedom: int) -> float:
    """Return the probability that Student's t is below a positive number."""
    angle = math.atan(t / math.sqrt(freedom))
    cosine, sine = math.cos(angle), math.sin(angle)
    odd = freedom % 2
    first = 2 if odd else 1
    # Of the sum, term j is the one before times (j - 1) / j cos².
    term, total = (cosine if odd else 1.0), 0.0
    for j in range(first, freedom, 2):
        total += term
        term *= cosine**2 * j / (j + 1)
    inside = (angle + sine * total) * 2 / math.pi if odd else sine * total
    return (1 + inside) / 2


def mean_interval(
    values: Array, axis: int = 0, *, num_rising: Array | int = 0
) -> tuple[Array, Array, Array]:
    """Return the mean over tasks and the ends of its interval.

    Student's interval is too short above where values are skewed to the right: the sample
    mean and the sample spread are then small together. Hall's (1992, *On the removal of
    skewness by transformation*, J. R. Stat. Soc. B 54) corrects for that with the third
    moment, and is as easily computed.

    Args:
        values: Losses of independent tasks of one network.
        axis: That of the tasks.
        num_rising: Tasks whose inner loop was unstable, without that axis.

    Returns:
        Mean, lower and upper end, without that axis. The ends are NaN where no interval
        is given: fewer than `FEWEST` tasks, a task that exploded, one whose inner loop
        was unstable, or values that are dominated by the largest (`MOST_SKEWED`).
    """
    given = np.moveaxis(np.asarray(values, dtype=np.float64), axis, 0)
    count = given.shape[0]
    # Adaptation that explodes gives infinite losses: the mean then is not a number.
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        mean = given.mean(axis=0)
        if count < FEWEST:
            return mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan)
        apart = given - mean
        deviation = np.sqrt(np.square(apart).sum(axis=0) / (count - 1))
        skew = _skewness(apart)
        ends = [mean - deviation * _untransformed(skew, t, count) for t in _ends(count)]
        bad = exploded(given).any(axis=0) | (np.asarray(num_rising) > 0)
        bad |= np.abs(skew) / math.sqrt(count) > MOST_SKEWED
        low, high = (np.where(bad, np.nan, end) for end in ends)
    return mean, _not_below_zero(low, given), high


def standard_error(values: Array, axis: int = 0) -> Array:
    """Return the standard error of the mean; NaN for a single value."""
    given = np.moveaxis(np.asarray(values, dtype=np.float64), axis, 0)
    if len(given) < 2:
        return np.full(given.shape[1:], np.nan)
    with np.errstate(invalid="ignore", over="ignore"):
        return given.std(axis=0, ddof=1) / math.sqrt(len(given))


def _skewness(apart: Array) -> Array:
    """Return the third standardised moment; 0 where values do not differ."""
    second = np.square(apart).mean(axis=0)
    third = (apart**3).mean(axis=0)
    return np.where(second > 0, third / np.maximum(second, _TINY) ** 1.5, 0.0)


_TINY = np.finfo(np.float64).tiny
_STRAIGHT = 1e-6
"""Skewness that makes no difference, and would divide by zero."""


def _ends(count: int) -> tuple[float, float]:
    """Return the quantiles of the mean over its standard error, over sqrt(count)."""
    t = t_quantile((1 + LEVEL) / 2, count - 1) / math.sqrt(count)
    return t, -t


def _untransformed(skew: Array, t: float, count: int) -> Array:
    """Return the inverse of Hall's transformation, in standard deviations.

    It is g(x) = x + s x² / 3 + s² x³ / 27 + s / (6 n) for skewness s.
    """
    s = np.where(np.abs(skew) < _STRAIGHT, _STRAIGHT, skew)
    return (np.cbrt(1 + s * (t - s / (6 * count))) - 1) * 3 / s


def median_interval(values: Array, axis: int = 0) -> tuple[Array, Array, Array]:
    """Return the median over tasks and the ends of its interval, whatever the tails.

    Between order statistics, whose ranks follow from the binomial distribution,
    interpolated to the level (Hettmansperger and Sheather 1986; Nyblom 1992).

    Args:
        values: Losses of independent tasks; NaN counts as infinite.
        axis: That of the tasks.

    Returns:
        Median, lower and upper end. The ends are NaN for fewer than 6 tasks: their
        smallest and largest are no interval of 95 %.
    """
    ordered = _ordered(values, axis)
    count = ordered.shape[0]
    with np.errstate(invalid="ignore"):
        median = np.median(ordered, axis=0)
        rank, share = _median_ranks(count)
        if rank == 0:
            return median, np.full_like(median, np.nan), np.full_like(median, np.nan)
        low = _between(ordered[rank - 1], ordered[rank], share)
        high = _between(ordered[count - rank], ordered[count - rank - 1], share)
    return median, low, high


def _between(outer: Array, inner: Array, share: float) -> Array:
    # Equal infinities have no difference.
    return np.where(outer == inner, outer, (1 - share) * outer + share * inner)


def _ordered(values: Array, axis: int) -> Array:
    """Return values in order along the first axis; what is not a number comes last."""
    given = np.moveaxis(np.asarray(values, dtype=np.float64), axis, 0)
    return np.sort(np.where(np.isnan(given), np.inf, given), axis=0)


@lru_cache(maxsize=256)
def _median_ranks(count: int) -> tuple[int, float]:
    """Return the rank of the lower end, from 1, and how far towards the next one it is.

    0 and 0 where the smallest and the largest value are too close together.
    """
    k = np.arange(1, count + 1)
    log_share = np.concatenate([[0.0], np.cumsum(np.log((count + 1 - k) / k))])
    share = np.exp(log_share - count * math.log(2))
    # P(the median lies between the order statistics of ranks d and n + 1 - d), by d.
    level = 1 - 2 * np.cumsum(share)
    rank = int(np.searchsorted(-level, -LEVEL, side="right"))
    if rank == 0:
        return 0, 0.0
    kept, next_one = level[rank - 1], level[rank]
    part = (kept - LEVEL) / (kept - next_one)
    return rank, float((count - rank) * part / (rank + (count - 2 * rank) * part))


TRIMMED = 0.25
"""Share of the tasks at either end that the interquartile mean leaves out."""


def interquartile_mean_interval(
    values: Array, axis: int = 0
) -> tuple[Array, Array, Array]:
    """Return the mean of the middle half of the tasks and the ends of its interval.

    With the winsorised variance and Student's t (Tukey and McLaughlin 1963): what a task
    beyond the quartiles costs counts for nothing, that it is there counts.

    Args:
        values: Losses of independent tasks; NaN counts as infinite.
        axis: That of the tasks.

    Returns:
        Interquartile mean, lower and upper end; NaN for fewer than `FEWEST` tasks, and
        where a quarter of the tasks or more have no finite loss.
    """
    ordered = _ordered(values, axis)
    count = ordered.shape[0]
    cut = int(TRIMMED * count)
    middle = ordered[cut : count - cut]
    with np.errstate(invalid="ignore", over="ignore"):
        mean = middle.mean(axis=0)
        if count < FEWEST:
            return mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan)
        drawn_in = np.clip(ordered, middle[0], middle[-1])
        deviation = drawn_in.std(axis=0, ddof=1)
        error = deviation / ((1 - 2 * cut / count) * math.sqrt(count))
        half = t_quantile((1 + LEVEL) / 2, len(middle) - 1) * error
    return mean, _not_below_zero(mean - half, ordered), mean + half


def _not_below_zero(low: Array, values: Array) -> Array:
    """Return lower ends, at 0 where they are below it and no value is.

    The mean of what is never negative is not, so an interval that covers it covers it
    still, and as often.

    Args:
        low: Without the first axis of the values.
        values: What the mean is of.
    """
    with np.errstate(invalid="ignore"):
        return np.where((values >= 0).all(axis=0), np.maximum(low, 0.0), low)


class WhyNot(StrEnum):
    """Why no interval of the mean is given."""

    FEW = "too few tasks"
    EXPLODED = "tasks exploded"
    UNSTABLE = "unstable steps"
    HEAVY_TAIL = "heavy tail"


def why_not(
    low: float, *, num_exploded: float, num_rising: float, num_tasks: int = FEWEST
) -> WhyNot | None:
    """Return why a mean has no interval; None if it has one.

    Args:
        low: Its lower end.
        num_exploded: Tasks that exploded.
        num_rising: Tasks whose inner loop was unstable.
        num_tasks: Tasks in all.
    """
    if math.isfinite(low):
        return None
    if num_tasks < FEWEST:
        return WhyNot.FEW
    if num_exploded > 0:
        return WhyNot.EXPLODED
    return WhyNot.UNSTABLE if num_rising > 0 else WhyNot.HEAVY_TAIL


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSummary:
    """Losses of the tasks of one network, summed up. Everything is [inner step].

    Attributes:
        num_tasks: How many there are.
        mean: Over tasks; infinite or NaN where a loss is.
        mean_low: Lower end of the 95 % interval of the mean; NaN where none is given.
        mean_high: Upper end.
        median: Over tasks.
        median_low: Lower end of its 95 % interval.
        median_high: Upper end.
        iqm: Interquartile mean: of the middle half of the tasks.
        iqm_low: Lower end of its 95 % interval.
        iqm_high: Upper end.
        num_exploded: Tasks with a loss above `EXPLODED` or not finite.
        num_rising: Tasks whose support loss rose at a step after the first.
    """

    num_tasks: int
    mean: Array
    mean_low: Array
    mean_high: Array
    median: Array
    median_low: Array
    median_high: Array
    iqm: Array
    iqm_low: Array
    iqm_high: Array
    num_exploded: Array
    num_rising: Array

    def __len__(self) -> int:
        """Return the number of inner steps, 0 included."""
        return len(self.mean)

    def why_not(self, step: int) -> WhyNot | None:
        """Return why the mean has no interval after some inner step; None if it has."""
        return why_not(
            self.mean_low[step],
            num_exploded=self.num_exploded[step],
            num_rising=self.num_rising[step],
            num_tasks=self.num_tasks,
        )


def summarise(query_loss: Array, support_loss: Array) -> TaskSummary:
    """Sum up the losses of independent tasks of one network.

    Args:
        query_loss: What is summed up, [task, inner step].
        support_loss: What the inner loop went down on, [task, inner step].
    """
    num_rising = rising(support_loss).sum(axis=0)
    mean, mean_low, mean_high = mean_interval(query_loss, num_rising=num_rising)
    median, median_low, median_high = median_interval(query_loss)
    iqm, iqm_low, iqm_high = interquartile_mean_interval(query_loss)
    return TaskSummary(
        num_tasks=len(query_loss),
        mean=mean,
        mean_low=mean_low,
        mean_high=mean_high,
        median=median,
        median_low=median_low,
        median_high=median_high,
        iqm=iqm,
        iqm_low=iqm_low,
        iqm_high=iqm_high,
        num_exploded=exploded(query_loss).sum(axis=0),
        num_rising=num_rising,
    )


def seed_interval(results: Sequence[float] | Array) -> Interval:
    """Return the mean over training seeds and its interval, that of the method.

    Student's t of one number a seed. Each is of other tasks, too, so what the tasks add
    is in their spread.

    Args:
        results: One number a training seed, such as its mean over tasks.

    Returns:
        The mean; without an interval for one seed, or where a number is not finite.
    """
    found = np.asarray(results, dtype=np.float64)
    count = len(found)
    with np.errstate(invalid="ignore", over="ignore"):
        mean = float(found.mean())
        if count < 2 or not np.isfinite(found).all():
            return Interval(value=mean, low=math.nan, high=math.nan)
        error = float(found.std(ddof=1)) / math.sqrt(count)
    half = t_quantile((1 + LEVEL) / 2, count - 1) * error
    return Interval(value=mean, low=mean - half, high=mean + half)
