"""Horizontal axes of losses over training."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

import numpy as np

from metalab.engine.events import Array
from metalab.runs.record.history import RunHistory
from metalab.ui.plot.decimate import Rows
from metalab.ui.plot.limits import Limits, round_end


@dataclass(frozen=True, slots=True, kw_only=True)
class LossAxis:
    """One of `metalab.figures.base.X_AXES`, for a run as it is now.

    Attributes:
        column: x of each row, ascending, before scaling, [row]. Never scaled as a whole:
            a frame must not cost more in a longer run.
        scale: What to multiply `column` with.
        steps: Outer step of each row, [row].
        timed: Whether x is training time.
        planned: x of the last planned step; 0 where nobody knows.
    """

    column: Array
    scale: float
    steps: Array
    timed: bool
    planned: float

    def of_rows(self, rows: Rows | slice) -> Array:
        """Return x of some rows."""
        return self.column[rows] * self.scale

    def of_step(self, step: float) -> float:
        """Return x of an outer step, of which there need be no row."""
        if not self.timed:
            return step * self.scale
        row = bisect_right(self.steps, step) - 1
        return float(self.column[row]) if row >= 0 else 0.0

    def nearest(self, x: float) -> int:
        """Return the row nearest to an x; there must be one."""
        wanted = x / self.scale
        right = min(bisect_left(self.column, wanted), len(self.column) - 1)
        left = max(right - 1, 0)
        closer = wanted - self.column[left] < self.column[right] - wanted
        return left if closer else right

    def window(self, limits: Limits) -> slice:
        """Return the rows between two x, and one more at either end."""
        low = bisect_left(self.column, limits[0] / self.scale)
        high = bisect_right(self.column, limits[1] / self.scale)
        return slice(max(low - 1, 0), high + 1)

    def limits(self, end: float, *, ended: bool) -> Limits:
        """Return limits that grow in steps, so that the axis stands still in between.

        Args:
            end: Last x that is drawn.
            ended: Whether no more will come.
        """
        if end <= 0:
            return (0.0, 1.0)
        if ended:
            return (0.0, end)
        if self.planned > 0:
            return (0.0, max(min(round_end(end), self.planned), end))
        return (0.0, round_end(end))


def loss_axis(history: RunHistory, axis: str) -> LossAxis:
    """Return the axis that a person chose, one of `metalab.figures.base.X_AXES`."""
    timed = axis == "training time"
    scale = float(history.config_at().outer.num_tasks) if axis == "tasks seen" else 1.0
    return LossAxis(
        column=history.seconds if timed else history.steps,
        scale=scale,
        steps=history.steps,
        timed=timed,
        planned=0.0 if timed else history.num_steps * scale,
    )


def sparse(count: int, most: int) -> Rows:
    """Return at most `most` + 1 of `count` rows, evenly, and the last one.

    The distance is a power of two, so that rows once chosen stay while others come.
    """
    every = 1
    while count > most * every:
        every *= 2
    rows = np.arange(0, count, every)
    return rows if count == 0 or rows[-1] == count - 1 else np.append(rows, count - 1)
