"""Figure of the adaptation to one held-out task: its curve after each inner step."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from metalab.engine.events import Curves, HeldOutTasks
from metalab.figures.axes import labels
from metalab.figures.base import FigureChoices, FigureSpec
from metalab.figures.drawing import (
    BLACK,
    GREEN,
    VERMILION,
    Call,
    Drawing,
    number_of,
    ramp,
    ramp_colour,
    spread,
)
from metalab.figures.errors import FigureError
from metalab.figures.legend import with_legend
from metalab.figures.sizes import FigureSize
from metalab.figures.table import Column, Table
from metalab.runs.record.history import RunHistory

_NUM_CURVES = 11
BAND_DEVIATIONS = 2
_TRUE, _SUPPORT, _QUERY, _PREDICTED = "true curve", "support", "query", "prediction"


def _parts(history: RunHistory, choices: FigureChoices) -> tuple[HeldOutTasks, Curves]:
    """Return what the figure shows.

    Raises:
        FigureError: The run has no curves, or not of that task or inner step.
    """
    tasks, curves = history.held_out_tasks, history.curves
    if tasks is None or curves is None:
        raise FigureError(
            "figure 'adaptation' needs the curves of held-out tasks; this history has "
            "none yet"
        )
    if choices.task >= tasks.num_gallery:
        raise FigureError(
            f"task is {choices.task + 1}; allowed: 1 to {tasks.num_gallery}, the "
            "held-out tasks whose curves are kept"
        )
    last = curves.curves.shape[1] - 1
    if choices.inner_step is not None and choices.inner_step > last:
        raise FigureError(f"inner_step is {choices.inner_step}; allowed: 0 to {last}")
    return tasks, curves


def _table(history: RunHistory, choices: FigureChoices) -> Table:
    tasks, curves = _parts(history, choices)
    predictions = curves.curves[choices.task]
    task = choices.task
    blocks: list[tuple[str, float, Any, Any]] = [
        (_TRUE, np.nan, *tasks.plotted_truth(task)),
        (_SUPPORT, np.nan, *tasks.support.plotted(task)),
        (_QUERY, np.nan, *tasks.query.plotted(task)),
        *((_PREDICTED, k, tasks.grid, curve) for k, curve in enumerate(predictions)),
    ]
    lengths = [len(x) for _, _, x, _ in blocks]
    band = _band(curves, choices.task, before=sum(lengths) - predictions.size)
    return Table(
        (
            Column("part", np.repeat([part for part, *_ in blocks], lengths)),
            Column("inner_step", np.repeat([k for _, k, *_ in blocks], lengths)),
            Column("x", np.concatenate([x for _, _, x, _ in blocks])),
            Column("y", np.concatenate([y for *_, y in blocks])),
            *band,
        )
    )


def _band(curves: Curves, task: int, *, before: int) -> list[Column]:
    """Return the columns of the predictive distribution; none for a method without one.

    Args:
        curves: What was predicted.
        task: Which task.
        before: Rows of the table before the predictions, which have no values.
    """
    if curves.deviation is None:
        return []
    mean, deviation = curves.curves[task].ravel(), curves.deviation[task].ravel()
    nothing = np.full(before, np.nan)
    return [
        Column(name, np.concatenate([nothing, values]))
        for name, values in (
            ("predictive_sd", deviation),
            ("y_low", mean - BAND_DEVIATIONS * deviation),
            ("y_high", mean + BAND_DEVIATIONS * deviation),
        )
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Marked:
    """The curve that stands out.

    Attributes:
        step: After which inner step.
        label: In the legend; the same in every frame of an animation, so that the legend
            keeps still.
        place: Where in the colour key it is, counted in boxes; None if a box names it.
    """

    step: int
    label: str
    place: float | None = None


def _marked(choices: FigureChoices, k: int, shown: list[int]) -> _Marked:
    step = choices.inner_step
    if step is None:
        return _Marked(step=k, label=f"After {number_of(k, 'inner step')} (K)")
    place = float(np.interp(step, shown, range(len(shown))))
    return _Marked(step=step, label="This inner step", place=place)


def _draw(history: RunHistory, choices: FigureChoices, size: FigureSize) -> Drawing:
    tasks, curves = _parts(history, choices)
    k = history.num_inner_steps
    last = curves.curves.shape[1] - 1
    shown = spread(last, _NUM_CURVES, keep=(k,))
    marked = _marked(choices, k, shown)
    colours = dict(zip(shown, ramp(len(shown)), strict=True))
    number = tasks.called(choices.task)
    banded = curves.deviation is not None
    calls = [
        *_predictions(colours, marked, size),
        *_true_curve(size, tasks),
        *_points(size),
        *([_band_call(marked.step, _colour(marked, colours))] if banded else []),
        *key_calls(colours, k),
        *_pointer(marked, size),
        *labels(*tasks.axis_labels),
        Call(method="ax.margins", options={"x": 0.01}),
    ]
    return Drawing(
        table=_table(history, choices),
        keyed=True,
        caption=_caption(history, choices, tasks),
        calls=with_legend(
            calls, choices, size, title=f"Adaptation to {number}: {history.name}"
        ),
    )


def _colour(marked: _Marked, colours: dict[int, str]) -> str:
    """Return the colour of the marked curve, between those of its neighbours."""
    if marked.place is None:
        return colours[marked.step]
    return ramp_colour(marked.place / max(len(colours) - 1, 1))


def _predictions(
    colours: dict[int, str], marked: _Marked, size: FigureSize
) -> list[Call]:
    thin = {"linewidth": 0.8 * size.line}
    bold = {"linewidth": 2.2 * size.line, "label": marked.label}
    before = {
        "linestyle": (0, (1, 1.2)),
        "linewidth": 1.6 * size.line,
        "label": "Before adaptation",
    }
    calls = [_prediction(0, colours[0], before)]
    in_frame = marked.place is not None
    for step, colour in colours.items():
        if step > 0 and (step < marked.step or not in_frame):
            calls.append(
                _prediction(step, colour, bold if step == marked.step else thin)
            )
    if in_frame:
        calls.append(_prediction(marked.step, _colour(marked, colours), bold))
    return calls


def _prediction(step: int, colour: str, options: dict[str, Any]) -> Call:
    return Call(
        method="ax.plot",
        columns=("x", "y"),
        where={"part": _PREDICTED, "inner_step": step},
        options={"color": colour, "zorder": 3, **options},
    )


def _band_call(k: int, colour: str) -> Call:
    return Call(
        method="ax.fill_between",
        columns=("x", "y_low", "y_high"),
        where={"part": _PREDICTED, "inner_step": k},
        options={
            "color": colour,
            "alpha": 0.2,
            "linewidth": 0,
            "label": f"±{BAND_DEVIATIONS} predictive sd",
            "zorder": 1,
        },
    )


def truth_look(size: FigureSize) -> dict[str, Any]:
    """Return how a true curve is drawn."""
    return {
        "color": BLACK,
        "linestyle": (0, (4, 1.6)),
        "linewidth": 1.2 * size.line,
        "label": "True curve",
        "zorder": 5,
    }


def support_look(size: FigureSize) -> dict[str, Any]:
    """Return how the points of a support set are drawn."""
    return {
        "color": VERMILION,
        "linestyle": "none",
        "marker": "o",
        "markersize": 4.6 * size.line,
        "markeredgecolor": "white",
        "label": "Support set",
        "zorder": 6,
    }


def _true_curve(size: FigureSize, tasks: HeldOutTasks) -> list[Call]:
    if tasks.true_curves is None:
        return []
    call = Call(
        method="ax.plot",
        columns=("x", "y"),
        where={"part": _TRUE},
        options=truth_look(size),
    )
    return [call]


def query_look(size: FigureSize) -> dict[str, Any]:
    """Return how the points of a query set are drawn."""
    return {
        "color": GREEN,
        "linestyle": "none",
        "marker": "x",
        "markersize": 2.4 * size.line,
        "markeredgewidth": 0.5 * size.line,
        "label": "Query set",
        "zorder": 2,
    }


def _points(size: FigureSize) -> list[Call]:
    return [
        Call(
            method="ax.plot", columns=("x", "y"), where={"part": part}, options=options
        )
        for part, options in (
            (_SUPPORT, support_look(size)),
            (_QUERY, query_look(size)),
        )
    ]


def key_calls(colours: dict[int, str], k: int) -> list[Call]:
    """Return the calls for the colour key: one box for each inner step shown."""
    rows = list(range(len(colours)))
    names = [f"{step} = K" if step == k else str(step) for step in colours]
    return [
        Call(
            method="key.barh",
            arguments=(rows, 1.0, 1.0),
            options={"color": list(colours.values()), "linewidth": 0},
        ),
        Call(method="key.set_xlim", arguments=(0, 1)),
        Call(method="key.set_ylim", arguments=(-0.5, len(colours) - 0.5)),
        Call(method="key.set_xticks", arguments=([],)),
        Call(method="key.set_yticks", arguments=(rows,), options={"labels": names}),
        Call(method="key.yaxis.tick_right"),
        Call(method="key.yaxis.set_label_position", arguments=("right",)),
        Call(method="key.tick_params", options={"length": 0}),
        Call(method="key.spines[:].set_visible", arguments=(False,)),
        Call(method="key.set_ylabel", arguments=("Inner step",)),
    ]


def _pointer(marked: _Marked, size: FigureSize) -> list[Call]:
    """Return the call for a mark beside the colour key, in a frame of an animation."""
    if marked.place is None:
        return []
    options = {
        "color": BLACK,
        "marker": ">",
        "markersize": 4.2 * size.line,
        "clip_on": False,
    }
    return [
        Call(method="key.plot", arguments=([-0.4], [marked.place]), options=options)
    ]


def _caption(history: RunHistory, choices: FigureChoices, tasks: HeldOutTasks) -> str:
    moved = " that were moved by hand" if choices.task in choices.moved else ""
    task = tasks.phrase(choices.task)
    if not tasks.names:
        task += f" ({tasks.words(choices.task, '{:.3g}'.format)})"
    assert history.curves is not None
    so_far = (
        ""
        if choices.inner_step is None
        else f", shown up to inner step {choices.inner_step}"
    )
    return (
        f"Adaptation of {history.name} to {task} from {number_of(tasks.support.num_shots, 'support point')}{moved}, "
        f"after "
        f"{number_of(history.curves.step, 'outer step')}; training adapts with "
        f"K = {history.num_inner_steps}{so_far}."
    )


FIGURE = FigureSpec(
    name="adaptation",
    title="Adaptation to one held-out task",
    heeds=frozenset({"task", "moved", "legend"}),
    of_tasks=True,
    draw=_draw,
)
