"""Edits of the support sets of a run's held-out tasks."""

from dataclasses import replace

import numpy as np

from metalab.analysis.edited_support import EditedSupport, SupportEditResult
from metalab.engine.events import Curves, HeldOutTasks
from metalab.runs.record.history import RunHistory


class EditedSupports:
    """A run, and the moved points of its tasks, in one history to show.

    Tasks and curves that are shown are the same objects for as long as nothing changes.

    Points stay for as long as runs have the same tasks, which is how two of them are
    compared on the points of a person.
    """

    def __init__(self) -> None:
        self._history: RunHistory | None = None
        self._tasks: HeldOutTasks | None = None
        self._curves: Curves | None = None
        self._known: HeldOutTasks | None = None
        self._points: dict[int, EditedSupport] = {}
        self._answers: dict[int, SupportEditResult] = {}
        self._shown_tasks: HeldOutTasks | None = None
        self._shown_curves: Curves | None = None

    def set_history(self, history: RunHistory | None) -> bool:
        """Take in the run as it is now; return whether it has other tasks."""
        before, self._history = self._history, history
        if before is None or history is None or not history.is_same_run(before):
            self._answers.clear()
        tasks = None if history is None else history.held_out_tasks
        curves = None if history is None else history.curves
        others = tasks is not self._tasks
        if not others and curves is self._curves:
            return False
        if others and tasks is not None:
            self._keep_points_of(tasks)
        self._tasks, self._curves = tasks, curves
        self._lay_over()
        return others

    def _keep_points_of(self, tasks: HeldOutTasks) -> None:
        """Forget the points of every task that these do not hold."""
        known, self._known = self._known, tasks
        if known is not None:
            self._points = {
                task: points
                for task, points in self._points.items()
                if _same_task(known, tasks, task)
            }

    def points(self, task: int) -> EditedSupport | None:
        """Return a task's support set if a person has moved points of it."""
        return self._points.get(task)

    @property
    def moved(self) -> tuple[int, ...]:
        """The tasks whose points a person has moved, counted from 0."""
        return tuple(sorted(self._points))

    def own_points(self, task: int) -> EditedSupport:
        """Return a task's support set as the run has it."""
        assert self._tasks is not None, "there are no tasks yet"
        return EditedSupport.own(self._tasks, task)

    def move(self, shot: int, x: float, y: float, *, task: int) -> EditedSupport:
        """Put one point of a task elsewhere; return the task's support set."""
        moved = (self.points(task) or self.own_points(task)).with_point(shot, x, y)
        self._points[task] = moved
        self._lay_over()
        return moved

    def reset(self, task: int) -> None:
        """Put all points of a task back."""
        self._points.pop(task, None)
        self._answers.pop(task, None)
        self._lay_over()

    def restore(self, points: EditedSupport) -> None:
        """Have all points of a task where a person had put them."""
        self._points[points.task] = points
        self._lay_over()

    def take_in(self, answer: SupportEditResult) -> None:
        """Show how a task is adapted to, if its points are still moved."""
        task = answer.points.task
        if task in self._points:
            self._answers[task] = answer
            self._lay_over()

    def answer(self, task: int) -> SupportEditResult | None:
        """Return how a task with moved points is adapted to, if that is known."""
        return self._answers.get(task)

    @property
    def shown(self) -> RunHistory | None:
        """The run with what a person has made of its tasks."""
        if self._history is None or not self._points:
            return self._history
        return replace(
            self._history, held_out_tasks=self._shown_tasks, curves=self._shown_curves
        )

    def _lay_over(self) -> None:
        """Put moved points and their curves into the place of the run's own."""
        self._shown_tasks, self._shown_curves = self._tasks, self._curves
        if self._shown_tasks is None:
            return
        for points in self._points.values():
            self._shown_tasks = points.shown_in(self._shown_tasks)
        if self._shown_curves is None:
            return
        for answer in self._answers.values():
            self._shown_curves = answer.shown_in(self._shown_curves)


def _same_task(tasks: HeldOutTasks, others: HeldOutTasks, task: int) -> bool:
    """Return whether a task is in both, with the same support set."""
    return task < min(tasks.num_gallery, others.num_gallery) and all(
        np.array_equal(mine[task], theirs[task])
        for mine, theirs in (
            (tasks.support.x, others.support.x),
            (tasks.support.y, others.support.y),
        )
    )
