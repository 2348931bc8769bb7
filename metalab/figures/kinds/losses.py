"""Losses over training: query loss before and after adaptation, held-out evaluation."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metalab.engine.events import Array
from metalab.experiment.loss_words import with_unit
from metalab.figures.axes import for_losses, labels, loss_axis, whole_ticks
from metalab.figures.base import X_AXES, FigureChoices, FigureSpec
from metalab.figures.drawing import (
    BLUE,
    GREY,
    VERMILION,
    Call,
    Drawing,
    number_of,
    tint,
)
from metalab.figures.errors import FigureError
from metalab.figures.intervals import interval_label, over_tasks
from metalab.figures.legend import with_legend
from metalab.figures.sizes import FigureSize
from metalab.figures.smooth import smoothed
from metalab.figures.table import Column, Table
from metalab.figures.training_axis import TRAINING_AXES, training_x
from metalab.runs.record.history import RunHistory

_NUM_MARKERS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class _Series:
    """How a training loss is drawn.

    Attributes:
        column: Its column in the table; the average's has "_smoothed" behind.
        colour: Of the average; the raw line is a tint of it.
        marker: On the average, so that colour is not the only difference.
        lone_marker: After a single outer step, when there is no line yet.
        width: Of the average, in ordinary lines.
    """

    column: str
    colour: str
    marker: str
    lone_marker: str
    width: float


_BEFORE = _Series(
    column="outer_loss_before", colour=GREY, marker="s", lone_marker="s", width=1.0
)
_AFTER = _Series(
    column="outer_loss", colour=BLUE, marker="", lone_marker="D", width=1.6
)


def _table(history: RunHistory, choices: FigureChoices) -> Table:
    if len(history.steps) == 0:
        raise FigureError("figure 'losses' needs outer steps; this run has made none")
    evaluations = history.evaluations
    k, unit = history.num_inner_steps, history.config_at().loss_words.query_unit
    steps = np.union1d(history.steps, evaluations.steps)
    training_rows = np.searchsorted(steps, history.steps)
    evaluation_rows = np.searchsorted(steps, evaluations.steps)

    def column(name: str, rows: NDArray[np.intp], values: Array) -> Column:
        spread = np.full(len(steps), np.nan)
        spread[rows] = values
        return Column(name, spread, unit)

    columns = [
        Column(axis.column, training_x(history, name, steps), axis.unit)
        for name, axis in TRAINING_AXES.items()
        if name in X_AXES
    ]
    for name in (_BEFORE.column, _AFTER.column):
        raw = history.metrics[name]
        average = smoothed(
            raw,
            history.steps,
            choices.smoothing,
            log=choices.log_y,
            spans=history.spans(name, log=choices.log_y),
        )
        columns.append(column(name, training_rows, raw))
        columns.append(column(f"{name}_smoothed", training_rows, average))
    for name, values in (
        ("held_out_query_loss", evaluations.query_mean),
        ("held_out_query_loss_low", evaluations.query_low),
        ("held_out_query_loss_high", evaluations.query_high),
        ("held_out_query_loss_median", evaluations.query_median),
        ("held_out_query_loss_iqm", evaluations.query_iqm),
    ):
        columns.append(column(name, evaluation_rows, values[:, k]))
    exploded = column("x", evaluation_rows, evaluations.query_exploded[:, k])
    columns.append(Column("held_out_tasks_exploded", exploded.values))
    pieces = column("x", evaluation_rows, _pieces(history))
    columns.append(Column("interval_piece", pieces.values))
    return Table(tuple(columns))


def _draw(history: RunHistory, choices: FigureChoices, size: FigureSize) -> Drawing:
    words = history.config_at().loss_words
    choices = for_losses(choices, words)
    table = _table(history, choices)
    axis = TRAINING_AXES[choices.x]
    x = axis.column
    adapted = f"after {number_of(history.num_inner_steps, 'inner step')}"
    losses = [
        table.numbers(name)
        for name in (_BEFORE.column, _AFTER.column, "held_out_query_loss")
    ]
    before, after = "Before adaptation", adapted.capitalize()
    draw = _averaged if choices.smoothing > 0 else _raw_alone
    calls = [
        *draw(_BEFORE, before, x=x, num_rows=len(history.steps), size=size),
        *draw(_AFTER, after, x=x, num_rows=len(history.steps), size=size),
        *_held_out(x, history, size, label=f"Held-out, {adapted}"),
        *labels(axis.label, with_unit("Query loss", words.query_unit)),
        *(whole_ticks("x") if axis.whole else ()),
        *loss_axis(losses, choices),
        Call(method="ax.margins", options={"x": 0.01}),
    ]
    return Drawing(
        table=table,
        caption=_caption(history, choices),
        calls=with_legend(
            calls, choices, size, title=f"Losses over training: {history.name}"
        ),
    )


def _raw_alone(
    series: _Series, label: str, *, x: str, num_rows: int, size: FigureSize
) -> list[Call]:
    options = {
        "color": series.colour,
        "linewidth": 0.5 * size.line,
        "marker": "" if num_rows > 1 else series.lone_marker,
        "label": label,
        "zorder": 1,
    }
    return [Call(method="ax.plot", columns=(x, series.column), options=options)]


def _averaged(
    series: _Series, label: str, *, x: str, num_rows: int, size: FigureSize
) -> list[Call]:
    raw = {
        "color": tint(series.colour, 0.26),
        "linewidth": 0.5 * size.line,
        "zorder": 1,
    }
    average = {
        "color": series.colour,
        "linewidth": series.width * size.line,
        "marker": series.marker if num_rows > 1 else series.lone_marker,
        "markerfacecolor": "white",
        "markevery": _marked(num_rows),
        "label": label,
        "zorder": 3,
    }
    return [
        Call(method="ax.plot", columns=(x, series.column), options=raw),
        Call(
            method="ax.plot", columns=(x, f"{series.column}_smoothed"), options=average
        ),
    ]


def _held_out(
    x: str, history: RunHistory, size: FigureSize, *, label: str
) -> list[Call]:
    count = len(history.evaluations)
    if count == 0:
        return []
    name = "held_out_query_loss"
    return [
        Call(
            method="ax.plot",
            columns=(x, name),
            options={
                "color": VERMILION,
                "linewidth": 0.9 * size.line,
                "marker": "o",
                "markerfacecolor": "white",
                "markevery": _marked(count),
                "label": label,
                "zorder": 4,
            },
        ),
        *_bands(x, name, history),
    ]


def _bands(x: str, name: str, history: RunHistory) -> list[Call]:
    """Return the calls for the intervals: none is drawn across where there is none."""
    look = {"color": VERMILION, "alpha": 0.22, "linewidth": 0, "zorder": 2}
    label = interval_label(history.evaluations, history.num_inner_steps)
    pieces = _pieces(history)
    return [
        Call(
            method="ax.fill_between",
            columns=(x, f"{name}_low", f"{name}_high"),
            where={"interval_piece": piece},
            options=look | ({"label": label} if piece == 1 else {}),
        )
        for piece in range(1, max(int(pieces.max(initial=0)), 1) + 1)
    ]


def _pieces(history: RunHistory) -> Array:
    """Return in which run of evaluations with intervals each one is; 0 without one."""
    given = np.isfinite(history.evaluations.query_low[:, history.num_inner_steps])
    begins = given & ~np.concatenate([[False], given[:-1]])
    return np.where(given, np.cumsum(begins), 0).astype(float)


def _marked(count: int) -> int:
    """Return every how many points of a line carry a marker."""
    return max(1, count // _NUM_MARKERS)


def _caption(history: RunHistory, choices: FigureChoices) -> str:
    held_out = number_of(history.config_at().evaluation.num_tasks, "held-out task")
    mean = "geometric mean" if choices.log_y else "average"
    average = (
        f"moving {mean} over {100 * choices.smoothing:.3g}\N{NO-BREAK SPACE}% of what is "
        f"shown; raw values pale"
        if choices.smoothing > 0
        else "raw values"
    )
    evaluations, k = history.evaluations, history.num_inner_steps
    return (
        f"Query loss of {history.name} during training: mean over the "
        f"{number_of(history.config_at().outer.num_tasks, 'task')} of each outer step "
        f"({average}), and mean over {held_out} with its {over_tasks(evaluations, k)}."
    )


FIGURE = FigureSpec(
    name="losses",
    title="Losses over training",
    heeds=frozenset({"x", "smoothing", "log_y", "legend"}),
    draw=_draw,
    over_training=True,
)
