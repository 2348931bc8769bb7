"""Held-out loss against inner step, now and at a few earlier outer steps."""

import numpy as np

from metalab.experiment.loss_words import with_unit
from metalab.figures.axes import for_losses, labels, loss_axis, whole_ticks
from metalab.figures.base import FigureChoices, FigureSpec
from metalab.figures.drawing import GREY, VERMILION, Call, Drawing, number_of, ramp
from metalab.figures.errors import FigureError
from metalab.figures.intervals import interval_label, over_tasks
from metalab.figures.legend import with_legend
from metalab.figures.sizes import FigureSize
from metalab.figures.table import Column, Table
from metalab.runs.record.history import RunHistory

_MARKERS = ("s", "^", "D", "o")
_SHARES = (0.0, 0.03, 0.2)
"""Earlier outer steps to show, as shares of the last: most changes early."""

_MOST_MARKERS = 12


def _shown(history: RunHistory, choices: FigureChoices) -> list[int]:
    """Return the evaluations to show, the last one last.

    Raises:
        FigureError: There is no evaluation, or none of that inner step.
    """
    steps = history.evaluations.steps
    if len(steps) == 0:
        raise FigureError(
            "figure 'inner-loss' needs a held-out evaluation; this run has none yet"
        )
    last = history.evaluations.query_mean.shape[1] - 1
    if choices.inner_step is not None and choices.inner_step > last:
        raise FigureError(f"inner_step is {choices.inner_step}; allowed: 0 to {last}")
    shares = (*_SHARES[: choices.num_earlier], 1.0)
    nearest = (int(np.argmin(np.abs(steps - share * steps[-1]))) for share in shares)
    return sorted(set(nearest))


def _table(history: RunHistory, choices: FigureChoices) -> Table:
    shown, words = _shown(history, choices), history.config_at().loss_words
    evaluations = history.evaluations
    num_points = evaluations.query_mean.shape[1]
    if choices.inner_step is not None:
        num_points = choices.inner_step + 1
    columns = [
        Column("outer_step", np.repeat(evaluations.steps[shown], num_points)),
        Column("inner_step", np.tile(np.arange(num_points, dtype=float), len(shown))),
    ]
    for name, values in (
        ("query_loss", evaluations.query_mean),
        ("query_loss_low", evaluations.query_low),
        ("query_loss_high", evaluations.query_high),
        ("query_loss_median", evaluations.query_median),
        ("query_loss_iqm", evaluations.query_iqm),
        ("support_loss", evaluations.support_mean),
    ):
        unit = words.support_unit if name == "support_loss" else words.query_unit
        columns.append(Column(name, values[shown, :num_points].ravel(), unit))
    exploded = evaluations.query_exploded[shown, :num_points].ravel()
    columns.append(Column("tasks_exploded", exploded))
    return Table(tuple(columns))


def _draw(history: RunHistory, choices: FigureChoices, size: FigureSize) -> Drawing:
    words = history.config_at().loss_words
    choices = for_losses(choices, words)
    table = _table(history, choices)
    shown = _shown(history, choices)
    steps = [int(history.evaluations.steps[index]) for index in shown]
    markers = _MARKERS[-len(steps) :]
    looks = zip(steps, ramp(len(steps)), markers, strict=True)
    last = history.evaluations.query_mean.shape[1] - 1
    losses = [table.numbers(name) for name in ("query_loss", "support_loss")]
    calls = [
        *(
            _query(step, colour, marker, last=last, size=size)
            for step, colour, marker in looks
        ),
        _support(steps[-1], size),
        _interval(
            steps[-1],
            ramp(1)[0],
            interval_label(history.evaluations, slice(None), rows=slice(-1, None)),
        ),
        _training_mark(history.num_inner_steps, size),
        *labels("Inner step", with_unit("Held-out loss", words.both_units)),
        *whole_ticks("x"),
        *loss_axis(losses, choices),
        Call(method="ax.margins", options={"x": 0.02}),
    ]
    return Drawing(
        table=table,
        caption=_caption(history, choices, steps),
        calls=with_legend(
            calls,
            choices,
            size,
            title=f"Loss against inner step: {history.name}",
        ),
    )


def _query(step: int, colour: str, marker: str, *, last: int, size: FigureSize) -> Call:
    return Call(
        method="ax.plot",
        columns=("inner_step", "query_loss"),
        where={"outer_step": step},
        options={
            "color": colour,
            "linewidth": 1.3 * size.line,
            "marker": marker,
            "markevery": 1 + last // _MOST_MARKERS,
            "label": f"Query, outer step {step:,}",
            "zorder": 4,
        },
    )


def _support(step: int, size: FigureSize) -> Call:
    return Call(
        method="ax.plot",
        columns=("inner_step", "support_loss"),
        where={"outer_step": step},
        options={
            "color": VERMILION,
            "linestyle": (0, (3.5, 1.5)),
            "linewidth": 1.3 * size.line,
            "label": f"Support, outer step {step:,}",
            "zorder": 3,
        },
    )


def _interval(step: int, colour: str, label: str) -> Call:
    return Call(
        method="ax.fill_between",
        columns=("inner_step", "query_loss_low", "query_loss_high"),
        where={"outer_step": step},
        options={
            "color": colour,
            "alpha": 0.2,
            "linewidth": 0,
            "label": label,
            "zorder": 2,
        },
    )


def _training_mark(k: int, size: FigureSize) -> Call:
    return Call(
        method="ax.axvline",
        arguments=(k,),
        options={
            "color": GREY,
            "linestyle": (0, (1, 1.5)),
            "linewidth": 1.2 * size.line,
            "label": f"K = {k} in training",
            "zorder": 1,
        },
    )


def _caption(history: RunHistory, choices: FigureChoices, steps: list[int]) -> str:
    held_out = number_of(history.config_at().evaluation.num_tasks, "held-out task")
    earlier = ", ".join(f"{step:,}" for step in steps[:-1])
    interval = over_tasks(history.evaluations, slice(None), rows=slice(-1, None))
    text = (
        f"Loss of {history.name} against inner step, mean over {held_out}, at "
        f"outer step {steps[-1]:,} with the {interval} of the query loss"
    )
    if earlier:
        text = f"{text}, and at earlier outer steps {earlier}"
    if choices.inner_step is not None:
        text = f"{text}; shown up to inner step {choices.inner_step}"
    return f"{text}."


FIGURE = FigureSpec(
    name="inner-loss",
    title="Loss against inner step",
    heeds=frozenset({"log_y", "legend"}),
    draw=_draw,
)
