"""Measurements of a study, and the numbers that follow from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from metalab.engine.events import Array
from metalab.engine.statistics import (
    exploded,
    interquartile_mean_interval,
    mean_interval,
    seed_interval,
)

Key = tuple[str, str]
"""Name of a method and of a protocol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What was measured of one method under one protocol.

    Attributes:
        points: What lines refer to, such as the number of inner steps, [point].
        x: Where a figure draws them, [point].
        values: One array a seed, [task, point].
        num_rising: Tasks whose inner loop was unstable, one array a seed, [point];
            none where nothing was adapted.
    """

    points: Array
    x: Array
    values: tuple[Array, ...]
    num_rising: tuple[Array, ...] = ()

    def column(self, at: float) -> Array:
        """Return the values at one point, tasks of all seeds pooled, [task]."""
        return np.concatenate(self.values)[:, self._index(at)]

    def seed_means(self, at: float) -> Array:
        """Return the mean over tasks of each seed at one point, [seed]."""
        return np.array([values.mean() for values in self.columns(at)])

    def columns(self, at: float) -> list[Array]:
        """Return the values at one point, one array a seed, [task]."""
        index = self._index(at)
        return [values[:, index] for values in self.values]

    def rising_at(self, at: float) -> int:
        """Return for how many tasks of all seeds the inner loop was unstable so far."""
        index = self._index(at)
        return int(sum(one[index] for one in self.num_rising))

    def _index(self, at: float) -> int:
        found = np.flatnonzero(self.points == at)
        assert len(found) == 1, f"no point {at:g} among {self.points}"
        return int(found[0])


Results = Mapping[Key, Series]


class Over(StrEnum):
    """What an interval is over."""

    SEEDS = "training seeds"
    TASKS = "tasks of one network"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """Our number.

    Attributes:
        mean: Over the tasks of all seeds.
        low: Lower end of its 95 % interval; NaN where none is given.
        high: Upper end.
        half_width: Half the length of that interval.
        interval_over: Training seeds, which tells of the method: Student's t of the means
            of the seeds, in whose spread that of the tasks is. Tasks of one network where
            there is one seed, which tells nothing of others.
        seed_deviation: Standard deviation of the means of the seeds; NaN for one seed.
        num_seeds: Networks that were trained.
        num_values: Tasks times seeds.
        iqm: Interquartile mean: of the middle half of the tasks, mean over seeds.
        iqm_low: Lower end of its 95 % interval, over the same.
        iqm_high: Upper end.
        median: Of all values.
        num_exploded: How many of them are above `engine.statistics.EXPLODED` or not
            finite: inner steps too large for that task, which alone decide the mean.
        num_rising: How many tasks have inner steps that are too large for them (see
            `engine.statistics.rising`): a rare one may decide the mean, so it has no
            interval.
    """

    mean: float
    low: float
    high: float
    half_width: float
    interval_over: Over
    seed_deviation: float
    num_seeds: int
    num_values: int
    iqm: float
    iqm_low: float
    iqm_high: float
    median: float
    num_exploded: int
    num_rising: int


def ours_at(series: Series, at: float) -> Ours:
    """Return our number at one point, with the intervals that it has."""
    values = series.column(at).astype(np.float64)
    means = series.seed_means(at).astype(np.float64)
    one_seed = len(means) == 1
    num_exploded, num_rising = int(exploded(values).sum()), series.rising_at(at)
    # Adaptation that explodes gives infinite losses: their spread is undefined (NaN).
    with np.errstate(invalid="ignore", over="ignore"):
        if one_seed:
            mean, low, high = (float(part) for part in mean_interval(values))
        else:
            over_seeds = seed_interval(means)
            mean, low, high = over_seeds.value, over_seeds.low, over_seeds.high
        deviation = means.std(ddof=1) if len(means) > 1 else np.nan
        median = np.median(np.nan_to_num(values, nan=np.inf, posinf=np.inf))
    if num_exploded or num_rising:
        low = high = np.nan
    iqm, iqm_low, iqm_high = _interquartile(series, at)
    return Ours(
        mean=mean,
        low=low,
        high=high,
        half_width=(high - low) / 2,
        interval_over=Over.TASKS if one_seed else Over.SEEDS,
        seed_deviation=float(deviation),
        num_seeds=len(means),
        num_values=len(values),
        iqm=iqm,
        iqm_low=iqm_low,
        iqm_high=iqm_high,
        median=float(median),
        num_exploded=num_exploded,
        num_rising=num_rising,
    )


def _interquartile(series: Series, at: float) -> tuple[float, float, float]:
    """Return the interquartile mean and its interval: over seeds, where there are any."""
    found = [interquartile_mean_interval(one) for one in series.columns(at)]
    if len(found) == 1:
        iqm, low, high = found[0]
        return float(iqm), float(low), float(high)
    over_seeds = seed_interval([float(iqm) for iqm, _, _ in found])
    return over_seeds.value, over_seeds.low, over_seeds.high


def pooled(measured: Sequence[Mapping[Key, Series]]) -> Results:
    """Return the measurements of several seeds as one."""
    return {
        key: Series(
            points=first.points,
            x=first.x,
            values=tuple(v for seed in measured for v in seed[key].values),
            num_rising=tuple(n for seed in measured for n in seed[key].num_rising),
        )
        for key, first in measured[0].items()
    }
