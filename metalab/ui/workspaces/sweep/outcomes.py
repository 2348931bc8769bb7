"""What came of the runs of a sweep, as pictures show it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from metalab.engine.events import Array
from metalab.experiment.sweep_file import SweepPoint, Value

SEED = "seed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepOutcomes:
    """The runs of a sweep with their held-out losses.

    Attributes:
        axes: Paths along which runs differ, then `SEED` where there are several seeds.
        values: Of each run, one for each axis.
        losses: Held-out loss of each run, [run]: NaN while unknown, infinite where it
            diverged.
    """

    axes: tuple[str, ...]
    values: tuple[tuple[Value, ...], ...]
    losses: Array

    @classmethod
    def of(
        cls, points: Sequence[SweepPoint], losses: Mapping[int, float | None]
    ) -> "SweepOutcomes":
        """Return the outcomes of the runs of a plan."""
        paths = tuple(points[0].values) if points else ()
        seeds = {point.config.run.seed for point in points}
        several = len(seeds) > 1
        known = [losses.get(index) for index in range(len(points))]
        return cls(
            axes=(*paths, SEED) if several else paths,
            values=tuple(
                (*point.values.values(), *([point.config.run.seed] if several else []))
                for point in points
            ),
            losses=np.array([math.nan if loss is None else loss for loss in known]),
        )

    def levels(self, axis: str) -> tuple[Value, ...]:
        """Return the different values along an axis: numbers rising, words as they come."""
        column = self.axes.index(axis)
        found = {_key(row[column]): row[column] for row in self.values}
        levels = list(found.values())
        if all(isinstance(level, int | float) for level in levels):
            levels.sort(key=_number)
        return tuple(levels)

    def places(self, axis: str) -> list[int]:
        """Return of each run which of the axis's levels it has."""
        column = self.axes.index(axis)
        order = {_key(level): n for n, level in enumerate(self.levels(axis))}
        return [order[_key(row[column])] for row in self.values]

    def best(self) -> tuple[int, ...]:
        """Return the runs, one a seed, whose mean loss is the lowest; none if unknown.

        A combination counts once all its seeds have ended.
        """
        groups: dict[str, list[int]] = {}
        width = len(self.axes) - (SEED in self.axes)
        for index, row in enumerate(self.values):
            groups.setdefault(_key(row[:width]), []).append(index)
        means = {
            tuple(members): float(np.mean(self.losses[members]))
            for members in groups.values()
        }
        finite = {runs: mean for runs, mean in means.items() if math.isfinite(mean)}
        return min(finite, key=lambda runs: finite[runs], default=())


def _key(value: object) -> str:
    return repr(value)


def _number(value: Value) -> float:
    assert isinstance(value, int | float), "it was looked at before"
    return float(value)


def axis_label(path: str) -> str:
    """Return what an axis is called where there is little room."""
    return path.rsplit(".", 1)[-1].replace("_", " ")


def value_label(value: Value) -> str:
    """Return a value in few letters."""
    if isinstance(value, float):
        return f"{value:.3g}"
    return str(value)
