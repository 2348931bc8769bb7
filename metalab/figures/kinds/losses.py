"""Losses over training: query loss before and after adaptation, held-out evaluation."""

from dataclasses import dataclass

import numpy as np

from metalab.engine.events import METRICS, Array
from metalab.figures.base import FigureChoices, FigureError, FigureSpec
from metalab.figures.drawing import (
    BLACK,
    BLUE,
    GREY,
    Call,
    Drawing,
    labels,
    legend,
    loss_axis,
    tint,
    title,
    whole_ticks,
)
from metalab.figures.sizes import FigureSize
from metalab.figures.smooth import smoothed
from metalab.figures.table import Column, Table
from metalab.runs.history import RunHistory

_UNIT = next(info.unit for info in METRICS if info.name == "outer_loss")
_X_COLUMNS = {
    "outer step": ("outer_step", "Outer step"),
    "training time": ("training_time", "Training time (s)"),
    "tasks seen": ("tasks_seen", "Tasks seen"),
}
_NUM_MARKERS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class _Series:
    """How a training loss is drawn.

    Attributes:
        column: Its column in the table.
        label: In the legend.
        colour: Of the smoothed line; the raw one is a tint of it.
        dash: Line style.
        width: In ordinary lines.
    """

    column: str
    label: str
    colour: str
    dash: str
    width: float


def _table(history: RunHistory, choices: FigureChoices) -> Table:
    if len(history.steps) == 0:
        raise FigureError("figure 'losses' needs training rows; this run has none yet")
    evaluations = history.evaluations
    k = history.num_inner_steps
    steps = np.union1d(history.steps, evaluations.steps)
    trained = np.searchsorted(steps, history.steps)
    evaluated = np.searchsorted(steps, evaluations.steps)

    def placed(rows: Array, values: Array) -> Array:
        column = np.full(len(steps), np.nan)
        column[rows] = values
        return column

    columns = [
        Column("outer_step", steps),
        Column("training_time", _seconds_at(history, steps), "s"),
        Column("tasks_seen", steps * history.config.outer.num_tasks),
    ]
    for name in ("outer_loss_before", "outer_loss"):
        raw = history.metrics[name]
        average = smoothed(raw, choices.smoothing)
        columns += [
            Column(name, placed(trained, raw), _UNIT),
            Column(f"{name}_smoothed", placed(trained, average), _UNIT),
        ]
    for name, values in (
        ("held_out_query_loss", evaluations.query_mean),
        ("held_out_query_loss_low", evaluations.query_low),
        ("held_out_query_loss_high", evaluations.query_high),
    ):
        columns.append(Column(name, placed(evaluated, values[:, k]), _UNIT))
    return Table(tuple(columns))


def _seconds_at(history: RunHistory, steps: Array) -> Array:
    """Return the training time after each of some outer steps; 0 before the first."""
    seconds = np.concatenate([[0.0], history.seconds])
    return seconds[np.searchsorted(history.steps, steps, side="right")]


def _draw(history: RunHistory, choices: FigureChoices, size: FigureSize) -> Drawing:
    table = _table(history, choices)
    x, x_label = _X_COLUMNS[choices.x]
    k = history.num_inner_steps
    steps = f"{k} inner step" if k == 1 else f"{k} inner steps"
    training = (
        _Series(
            column="outer_loss_before",
            label="Before adaptation",
            colour=GREY,
            dash=(0, (3.2, 1.4)),
            width=1.2,
        ),
        _Series(
            column="outer_loss",
            label=f"After {steps}",
            colour=BLUE,
            dash="solid",
            width=1.5,
        ),
    )
    raw = [_raw(series, x, size) for series in training]
    average = [_average(series, x, size) for series in training]
    in_view = [table.column(series.column).values for series in training]
    held_out = table.column("held_out_query_loss").values
    return Drawing(
        table=table,
        caption=_caption(history, choices),
        calls=(
            *raw,
            *average,
            *_held_out(x, len(history.evaluations), size),
            *(whole_ticks("x") if x != "training_time" else ()),
            *labels(x_label, f"Query loss ({_UNIT})"),
            *loss_axis([*in_view, held_out], choices),
            Call(method="ax.margins", options={"x": 0.01}),
            *title(f"Losses over training: {history.config.name}", size),
            *legend(choices, size),
        ),
    )
