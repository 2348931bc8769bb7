"""Support points that a person has moved, and how their task is then adapted to.

This module imports no torch, so that the window can hold its types from the start.
"""

from dataclasses import dataclass, replace

import numpy as np

from metalab.engine.events import Array, Curves, HeldOutTasks, Points, frozen


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EditedSupport:
    """The support set that a person has made of a held-out task's own.

    Attributes:
        task: Which task of the gallery, counted from 0.
        x: Places on the x axis of plots, [shot].
        y: Targets, [shot].
    """

    task: int
    x: Array
    y: Array

    @classmethod
    def own(cls, tasks: HeldOutTasks, task: int) -> "EditedSupport":
        """Return a task's own points: none of them has been moved."""
        x, y = tasks.support.plotted(task)
        return cls(task=task, x=x, y=y)

    def with_point(self, shot: int, x: float, y: float) -> "EditedSupport":
        """Return the set with one point in another place."""
        return replace(self, x=_with(self.x, shot, x), y=_with(self.y, shot, y))

    def shown_in(self, tasks: HeldOutTasks) -> HeldOutTasks:
        """Return the tasks of a run with these points in the place of one's own."""
        support, shown = tasks.support, slice(len(self.x))
        moved = Points(
            x=_with(support.x, (self.task, shown, 0), self.x),
            y=_with(support.y, (self.task, shown, 0), self.y),
        )
        return replace(tasks, support=moved)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SupportEditResult:
    """How a task with moved points is adapted to at some outer step.

    Attributes:
        points: The support set.
        step: Outer steps made.
        curves: Predictions on the grid after 0 ... K' inner steps, [inner step, point].
        support_loss: On the moved points, [inner step].
        query_loss: On the task's own query set, [inner step].
        deviation: Predictive standard deviation at `curves`, or None; see `Curves`.
    """

    points: EditedSupport
    step: int
    curves: Array
    support_loss: Array
    query_loss: Array
    deviation: Array | None

    def shown_in(self, curves: Curves) -> Curves:
        """Return the curves of a run with this task's in the place of its own."""
        task, deviation = self.points.task, curves.deviation
        if deviation is not None and self.deviation is not None:
            deviation = _with(deviation, task, self.deviation)
        return replace(
            curves,
            curves=_with(curves.curves, task, self.curves),
            support_loss=_with(curves.support_loss, task, self.support_loss),
            query_loss=_with(curves.query_loss, task, self.query_loss),
            deviation=deviation,
        )


_Index = int | tuple[int | slice, ...]


def _with(values: Array, index: _Index, value: float | Array) -> Array:
    """Return a read-only copy of an array with another entry, or row, at an index."""
    changed = np.array(values)
    changed[index] = value
    return frozen(changed)
