"""The page Adapt: how networks adapt to a task whose points a person has placed."""

from typing import TYPE_CHECKING, Any

import numpy as np

from metalab.analysis.adapt_request import AdaptResult
from metalab.experiment.loss_words import with_unit
from metalab.figures.axes import labels
from metalab.figures.base import FigureChoices, FigureSpec
from metalab.figures.drawing import (
    GREEN,
    GREY,
    Call,
    Drawing,
    number_of,
    ramp,
    spread,
)
from metalab.figures.kinds.adaptation import (
    BAND_DEVIATIONS,
    key_calls,
    query_look,
    support_look,
    truth_look,
)
from metalab.figures.legend import with_legend
from metalab.figures.sights import AdaptSight
from metalab.figures.sizes import FigureSize
from metalab.figures.table import Column, Table

if TYPE_CHECKING:
    from metalab.engine.events import Array

_TRUE, _SUPPORT, _PREDICTED, _FAN = "true curve", "support", "prediction", "other sets"
_OBSERVED = "other observations"
_OWN = "this run"
_NUM_CURVES = 12
"""Before adaptation and after eleven steps: all that a run with K = 1 is shown with."""

_ROOM = 0.5
"""Of the width, for axes and colour key beside a legend."""

_OTHERS = (
    (GREEN, (0, (5, 1.5))),
    ("#cc79a7", (0, (5, 1.5, 1, 1.5))),
    ("#e69f00", (0, (3, 1.5, 1, 1.5, 1, 1.5))),
    (GREY, (0, (2, 1))),
    ("#56b4e9", (0, (7, 2))),
)


def _starts(sight: AdaptSight) -> list[tuple[str, AdaptResult]]:
    return [(_OWN, sight.explored), *sight.others]


def _table(sight: AdaptSight) -> Table:
    task = sight.asked.task
    blocks: list[tuple[str, str, float, Array, Array, Array | None]] = [
        (_SUPPORT, "", np.nan, task.x, task.y, None)
    ]
    if task.truth is not None:
        blocks.append((_TRUE, "", np.nan, task.grid, task.truth, None))
    elif len(task.other_x) > 0:
        blocks.append((_OBSERVED, "", np.nan, task.other_x, task.other_y, None))
    for start, found in _starts(sight):
        for step, curve in enumerate(found.curves):
            sd = None if found.deviation is None else found.deviation[step]
            blocks.append((_PREDICTED, start, step, task.grid, curve, sd))
        blocks += [
            (_FAN, f"{start}, set {index}", np.nan, task.grid, curve, None)
            for index, curve in enumerate(found.fan, start=1)
        ]
    lengths = [len(block[3]) for block in blocks]
    columns = (
        Column("part", np.repeat([block[0] for block in blocks], lengths)),
        Column("start", np.repeat([block[1] for block in blocks], lengths)),
        Column("inner_step", np.repeat([block[2] for block in blocks], lengths)),
        Column("x", np.concatenate([block[3] for block in blocks])),
        Column("y", np.concatenate([block[4] for block in blocks])),
    )
    if sight.explored.deviation is None:
        return Table((*columns, *_losses(sight, blocks, lengths)))
    sd = np.concatenate(
        [np.full(len(b[3]), np.nan) if b[5] is None else b[5] for b in blocks]
    )
    y = columns[-1].values
    band = (
        Column("predictive_sd", sd),
        Column("y_low", y - BAND_DEVIATIONS * sd),
        Column("y_high", y + BAND_DEVIATIONS * sd),
    )
    return Table((*columns, *band, *_losses(sight, blocks, lengths)))


def _losses(
    sight: AdaptSight, blocks: list[Any], lengths: list[int]
) -> tuple[Column, ...]:
    """Return the losses of each prediction, beside its curve."""
    found = dict(_starts(sight))
    support: list[float] = []
    query: list[float] = []
    for part, start, step, *_ in blocks:
        own = found[start] if part == _PREDICTED else None
        to_truth = None if own is None else own.query_loss
        support.append(np.nan if own is None else own.support_loss[int(step)])
        query.append(np.nan if to_truth is None else to_truth[int(step)])
    words = sight.explored.start.config.loss_words
    return (
        Column("support_loss", np.repeat(support, lengths), words.support_unit),
        Column("query_loss", np.repeat(query, lengths), words.query_unit),
    )


def _axis_labels(sight: AdaptSight) -> tuple[str, str]:
    tasks = sight.history.held_out_tasks
    return ("Input x", "Output y") if tasks is None else tasks.axis_labels


def _draw(sight: AdaptSight, choices: FigureChoices, size: FigureSize) -> Drawing:
    last = len(sight.explored.curves) - 1
    marked = min(sight.inner_step, last)
    k = sight.explored.start.config.num_inner_steps
    shown = spread(last, _NUM_CURVES, keep=sorted({min(k, last), marked}))
    colours = dict(zip(shown, ramp(len(shown)), strict=True))
    name = number_of(marked, "inner step")
    calls = [
        *_fan(sight, size),
        *(
            _curve(step, colours[step], size)
            for step in shown
            if step not in (0, marked)
        ),
        _before(colours[0], size),
        *_band(sight, marked, colours[marked]),
        _marked(marked, colours[marked], size, label=f"After {name}"),
        *_others(sight, marked, size),
        *_task(sight, size),
        *key_calls(colours, k),
        *labels(*_axis_labels(sight)),
        Call(method="ax.margins", options={"x": 0.01}),
        *_limits(sight),
    ]
    title = f"Adapting by hand: {sight.history.name}"
    return Drawing(
        table=_table(sight),
        keyed=True,
        caption=_caption(sight, marked),
        calls=with_legend(calls, choices, size, title=title, room=_ROOM),
    )


def _predicted(start: str, step: int, options: dict[str, Any]) -> Call:
    return Call(
        method="ax.plot",
        columns=("x", "y"),
        where={"part": _PREDICTED, "start": start, "inner_step": step},
        options=options,
    )


def _curve(step: int, colour: str, size: FigureSize) -> Call:
    options = {"color": colour, "linewidth": 0.7 * size.line, "zorder": 3}
    return _predicted(_OWN, step, options)


def _before(colour: str, size: FigureSize) -> Call:
    options = {
        "color": colour,
        "linestyle": (0, (1, 1.2)),
        "linewidth": 1.6 * size.line,
        "label": "Before adaptation",
        "zorder": 3,
    }
    return _predicted(_OWN, 0, options)


def _marked(step: int, colour: str, size: FigureSize, *, label: str) -> Call:
    options = {
        "color": colour,
        "linewidth": 2.2 * size.line,
        "label": label,
        "zorder": 4,
    }
    return _predicted(_OWN, step, options)


def _band(sight: AdaptSight, step: int, colour: str) -> list[Call]:
    if sight.explored.deviation is None:
        return []
    options = {
        "color": colour,
        "alpha": 0.2,
        "linewidth": 0,
        "label": f"±{BAND_DEVIATIONS} predictive sd",
        "zorder": 1,
    }
    return [
        Call(
            method="ax.fill_between",
            columns=("x", "y_low", "y_high"),
            where={"part": _PREDICTED, "start": _OWN, "inner_step": step},
            options=options,
        )
    ]


def _others(sight: AdaptSight, marked: int, size: FigureSize) -> list[Call]:
    calls: list[Call] = []
    for (title, found), (colour, dashes) in zip(sight.others, _OTHERS, strict=False):
        step = min(marked, len(found.curves) - 1)
        options = {
            "color": colour,
            "linestyle": dashes,
            "linewidth": 1.5 * size.line,
            "label": title,
            "zorder": 4,
        }
        calls.append(_predicted(title, step, options))
    return calls


def _fan(sight: AdaptSight, size: FigureSize) -> list[Call]:
    options = {
        "color": GREY,
        "alpha": 0.35,
        "linewidth": 0.5 * size.line,
        "zorder": 2,
    }
    return [
        Call(
            method="ax.plot",
            columns=("x", "y"),
            where={"part": _FAN, "start": f"{_OWN}, set {index}"},
            options={
                **options,
                **({"label": "Other support sets"} if index == 1 else {}),
            },
        )
        for index in range(1, len(sight.explored.fan) + 1)
    ]


def _task(sight: AdaptSight, size: FigureSize) -> list[Call]:
    """Return the calls for the points, and the curve behind them."""
    looks = [(_SUPPORT, support_look(size))]
    if sight.asked.task.truth is not None:
        looks.insert(0, (_TRUE, truth_look(size)))
    elif len(sight.asked.task.other_x) > 0:
        looks.insert(0, (_OBSERVED, query_look(size) | {"label": "Other observations"}))
    return [
        Call(method="ax.plot", columns=("x", "y"), where={"part": part}, options=look)
        for part, look in looks
    ]


def _limits(sight: AdaptSight) -> list[Call]:
    """Return the call that keeps the axis on the task where a prediction explodes."""
    task = sight.asked.task
    seen = [task.y, task.other_y] if task.truth is None else [task.y, task.truth]
    around = np.concatenate(seen)
    around = around[np.isfinite(around)]
    curves = np.concatenate([found.curves.ravel() for _, found in _starts(sight)])
    if len(around) == 0:
        return []
    low, high = float(around.min()), float(around.max())
    reach = 2 * ((high - low) or 1.0)
    if np.isfinite(curves).all() and (np.abs(curves - (low + high) / 2) <= reach).all():
        return []
    return [Call(method="ax.set_ylim", arguments=(low - reach / 2, high + reach / 2))]


def _caption(sight: AdaptSight, marked: int) -> str:
    found, asked = sight.explored, sight.asked
    k = found.start.config.num_inner_steps
    words = found.start.config.loss_words
    losses, units = f"support loss {found.support_loss[marked]:.3g}", words.support_unit
    if found.query_loss is not None:
        units = words.both_units
        value = f"{found.query_loss[marked]:.3g}"
        if asked.task.truth is None:
            losses += f", on its {asked.task.measured_on} {value}"
        else:
            losses += f", {words.distance} to the true curve {value}"
    rate = "" if asked.inner_lr is None else f" at inner lr {asked.inner_lr:.3g}"
    others = (
        ""
        if not sight.others
        else (f"; beside it, after as many: {', '.join(t for t, _ in sight.others)}")
    )
    return (
        f"{sight.history.name} after {number_of(sight.step, 'outer step')} adapts to "
        f"{sight.task} from {number_of(len(asked.task.x), 'support point')}{rate}; after "
        f"{number_of(marked, 'inner step')}: {with_unit(losses, units)}. Training adapts with "
        f"K = {k}{others}."
    )


FIGURE = FigureSpec(
    name="adapt",
    title="Adapting by hand",
    heeds=frozenset({"legend"}),
    of_tasks=True,
    draw=_draw,
    page="adapt",
    sight=AdaptSight,
)
