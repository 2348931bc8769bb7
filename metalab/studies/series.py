"""What was measured for a study, and the numbers that follow from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from metalab.engine.events import Array
from metalab.runs.history import Z_95

EXPLODED = 1e3
"""A loss beyond anything that a task can cost (y²): the zero function costs a sine of the
largest amplitude 12.5."""

Key = tuple[str, str]
"""Name of a method and of a protocol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What was measured of one method under one protocol.

    Attributes:
        points: What lines refer to, such as the number of inner steps, [point].
        x: Where a figure draws them, [point].
        values: One array a seed, [task, point].
    """

    points: Array
    x: Array
    values: tuple[Array, ...]

    def column(self, at: float) -> Array:
        """Return the values at one point, tasks of all seeds pooled, [task]."""
        return np.concatenate(self.values)[:, self._index(at)]

    def seed_means(self, at: float) -> Array:
        """Return the mean over tasks of each seed at one point, [seed]."""
        index = self._index(at)
        return np.array([values[:, index].mean() for values in self.values])

    def _index(self, at: float) -> int:
        found = np.flatnonzero(self.points == at)
        assert len(found) == 1, f"no point {at:g} among {self.points}"
        return int(found[0])


Results = Mapping[Key, Series]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """Our number.

    Attributes:
        mean: Over the tasks of all seeds.
        half_width: Of its 95 % interval, tasks and seeds pooled.
        seed_deviation: Standard deviation of the means of the seeds; NaN for one seed.
        num_values: Tasks times seeds.
        median: Of the same values.
        num_exploded: How many of them are above `EXPLODED` or not finite: inner steps
            too large for that task, which alone decide the mean.
    """

    mean: float
    half_width: float
    seed_deviation: float
    num_values: int
    median: float
    num_exploded: int


def ours_at(series: Series, at: float) -> Ours:
    """Return mean and 95 % interval at one point."""
    values = series.column(at).astype(np.float64)
    means = series.seed_means(at).astype(np.float64)
    # Adaptation that explodes gives infinite losses: their spread is undefined (NaN).
    with np.errstate(invalid="ignore", over="ignore"):
        half = Z_95 * values.std(ddof=1) / np.sqrt(len(values))
        deviation = means.std(ddof=1) if len(means) > 1 else np.nan
        return Ours(
            mean=float(values.mean()),
            half_width=float(half),
            seed_deviation=float(deviation),
            num_values=len(values),
            median=float(np.median(np.nan_to_num(values, nan=np.inf, posinf=np.inf))),
            num_exploded=int((~(values <= EXPLODED)).sum()),
        )


def pooled(measured: Sequence[Mapping[Key, Series]]) -> Results:
    """Return the measurements of several seeds as one."""
    return {
        key: Series(
            points=first.points,
            x=first.x,
            values=tuple(v for seed in measured for v in seed[key].values),
        )
        for key, first in measured[0].items()
    }
