"""Figure of two methods, task by task: loss of one against loss of the other."""

import numpy as np

from metalab.engine.events import Array
from metalab.experiment.loss_words import with_unit
from metalab.figures.axes import labels
from metalab.figures.base import FigureChoices
from metalab.figures.drawing import BLUE, GREY, Call, Drawing
from metalab.figures.legend import with_legend
from metalab.figures.sizes import FigureSize
from metalab.figures.table import Column, Table
from metalab.studies.comparison import Comparison, ComparisonError, Group

_LEAST = 1e-12
"""Losses below are drawn there: rounding, and no logarithm of zero."""


def losses_by_task(group: Group) -> Array:
    """Return the mean loss over a method's seeds of each held-out task, [task].

    Raises:
        ComparisonError: No run of it has losses.
    """
    if not group.measured:
        raise ComparisonError(f"{group.title} has no losses: all of its runs failed")
    return group.losses.mean(axis=0)


def task_marks(found: Comparison) -> list[str]:
    """Return what each held-out task is called: its name, or its numbers."""
    tasks = found.tasks
    return [
        tasks.words(task, lambda value: f"{value:.3g}")
        for task in range(len(tasks.support))
    ]


def scatter_of(found: Comparison, one: str, other: str, size: FigureSize) -> Drawing:
    """Return the figure: a point a task, on whose lower side `one` is better.

    Args:
        found: What was measured.
        one: Title of the method on the vertical axis.
        other: Of the one on the horizontal axis.
        size: Of the figure.

    Raises:
        ComparisonError: One of them has no losses.
    """
    by_title = {group.title: group for group in found.groups}
    y, x = (losses_by_task(by_title[title]) for title in (one, other))
    positive = bool((x >= 0).all() and (y >= 0).all())
    if positive:
        x, y = np.maximum(x, _LEAST), np.maximum(y, _LEAST)
    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        raise ComparisonError(f"no task has finite losses of {one} and {other}")
    ends = [float(np.min([x[known], y[known]])), float(np.max([x[known], y[known]]))]
    table = Table(
        (
            Column("task", np.arange(1.0, 1 + len(x))),
            Column("name", np.array(task_marks(found))),
            Column("x", x, found.unit),
            Column("y", y, found.unit),
        )
    )
    dots = {
        "s": 6 * size.line,
        "color": BLUE,
        "alpha": 0.5,
        "linewidths": 0,
        "label": "Held-out task",
    }
    line = {"color": GREY, "linewidth": 0.8 * size.line, "label": "Equal loss"}
    calls = [
        Call(method="ax.scatter", columns=("x", "y"), options=dots),
        Call(method="ax.plot", arguments=(ends, ends), options=line),
        *(
            Call(method=f"ax.set_{axis}scale", arguments=("log",))
            for axis in ("x", "y")
            if positive
        ),
        Call(method="ax.set_aspect", arguments=("equal",)),
        *labels(with_unit(f"Loss: {other}", found.unit), f"Loss: {one}"),
    ]
    better = int((y < x).sum())
    title = f"{one} against {other}"
    return Drawing(
        table=table,
        caption=f"Query loss of each of {len(x):,} held-out tasks after adaptation, mean "
        f"over seeds. Below the line {one} is better: {better:,} of {len(x):,} tasks.",
        calls=with_legend(calls, FigureChoices(legend="right"), size, title=title),
        square=True,
    )
