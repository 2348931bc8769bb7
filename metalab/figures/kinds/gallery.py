"""The gallery: how every held-out task whose curves are kept is adapted to."""

import math
from typing import Any

import numpy as np

from metalab.engine.events import Curves, HeldOutTasks
from metalab.experiment.loss_words import with_unit
from metalab.figures.base import BY_TASK, FigureChoices, FigureSpec
from metalab.figures.drawing import (
    BLACK,
    BLUE,
    GREY,
    VERMILION,
    Call,
    Drawing,
    number_of,
)
from metalab.figures.errors import FigureError
from metalab.figures.kinds.adaptation import query_look
from metalab.figures.legend import shortened, text_ems, with_legend
from metalab.figures.sizes import FigureSize
from metalab.figures.table import Column, Table
from metalab.figures.tiles import order_of
from metalab.runs.record.history import RunHistory

_TRUE, _SUPPORT, _BEFORE, _AFTER = "true curve", "support", "before", "after"
_OBSERVED = "other observations"
_POINTS_PER_INCH, _TILES_SHARE, _GAP_EMS = 72.0, 0.72, 0.8

_MARGIN = 0.12
"""Of the range of the true curves, beyond it: a wild curve does not flatten the others."""


def _parts(history: RunHistory) -> tuple[HeldOutTasks, Curves]:
    """Return what the figure shows.

    Raises:
        FigureError: The run has no curves.
    """
    if history.held_out_tasks is None or history.curves is None:
        raise FigureError(
            "figure 'gallery' needs the curves of held-out tasks; this history has none "
            "yet"
        )
    return history.held_out_tasks, history.curves


def _table(tasks: HeldOutTasks, curves: Curves, order: list[int], unit: str) -> Table:
    k, grid = tasks.num_inner_steps, tasks.grid
    blocks: list[tuple[int, str, float, np.ndarray, np.ndarray]] = []
    for task in order:
        blocks += [
            (task, _TRUE, math.nan, *tasks.plotted_truth(task)),
            (task, _OBSERVED, math.nan, *tasks.other_observations(task)),
            (task, _SUPPORT, math.nan, *tasks.support.plotted(task)),
            (task, _BEFORE, 0, grid, curves.curves[task, 0]),
            (task, _AFTER, k, grid, curves.curves[task, k]),
        ]
    lengths = [len(x) for *_, x, _ in blocks]
    losses = [
        math.nan if math.isnan(step) else curves.query_loss[task, int(step)]
        for task, _, step, *_ in blocks
    ]
    return Table(
        (
            Column("task", np.repeat([task + 1.0 for task, *_ in blocks], lengths)),
            Column("part", np.repeat([part for _, part, *_ in blocks], lengths)),
            Column("inner_step", np.repeat([block[2] for block in blocks], lengths)),
            Column("query_loss", np.repeat(losses, lengths), unit),
            Column("x", np.concatenate([block[3] for block in blocks])),
            Column("y", np.concatenate([block[4] for block in blocks])),
        )
    )


def _draw(history: RunHistory, choices: FigureChoices, size: FigureSize) -> Drawing:
    tasks, curves = _parts(history)
    order = order_of(tasks, curves, choices.sort)
    columns = _columns(len(order), size)
    calls: list[Call] = []
    for place, task in enumerate(order):
        axes = f"ax{place + 1}"
        loss = float(curves.query_loss[task, tasks.num_inner_steps])
        calls += _tile(axes, task, tasks, size, labelled=place == 0)
        calls += _head(axes, tasks.mark(task), loss, size, columns)
    rows = -(-len(order) // columns)
    for place in range(len(order), rows * columns):
        above = {"labelbottom": True}
        calls += [
            Call(method=f"ax{place + 1}.set_visible", arguments=(False,)),
            Call(method=f"ax{place + 1 - columns}.tick_params", options=above),
        ]
    calls += _axes(tasks, size)
    return Drawing(
        table=_table(tasks, curves, order, history.config_at().loss_words.query_unit),
        caption=_caption(history, tasks, choices),
        panels=len(order),
        columns=columns,
        shared="both",
        calls=with_legend(
            calls, choices, size, title=f"Held-out tasks: {history.name}"
        ),
    )


def _columns(count: int, size: FigureSize) -> int:
    """Return how many tiles stand beside each other: as a grid of the figure's shape."""
    wide = size.width / size.height > 1.5
    return max(1, math.ceil(math.sqrt(count * (1.8 if wide else 1.0)) - 1e-9))


def _tile(
    axes: str, task: int, tasks: HeldOutTasks, size: FigureSize, *, labelled: bool
) -> list[Call]:
    k, known = tasks.num_inner_steps, tasks.true_curves is not None
    thin = 0.8 * size.line
    looks = (
        (_BEFORE, "Before", {"color": GREY, "linewidth": thin, "zorder": 2}),
        (
            _AFTER,
            f"After K = {k}",
            {"color": BLUE, "linewidth": 1.6 * thin, "zorder": 3},
        ),
        (
            _TRUE,
            "True curve",
            {
                "color": BLACK,
                "linewidth": thin,
                "linestyle": (0, (3, 2)),
                "zorder": 4,
            },
        ),
        (
            _OBSERVED,
            "Other observations",
            _plain(query_look(size)) | {"markersize": 1.6 * size.line},
        ),
        (
            _SUPPORT,
            "Support set",
            {
                "color": VERMILION,
                "linestyle": "none",
                "marker": "o",
                "markersize": 2.2 * size.line,
                "markeredgewidth": 0,
                "zorder": 5,
            },
        ),
    )
    return [
        Call(
            method=f"{axes}.plot",
            columns=("x", "y"),
            where={"task": task + 1, "part": part},
            options={**options, **({"label": label} if labelled else {})},
        )
        for part, label, options in looks
        if part not in (_TRUE, _OBSERVED) or known == (part == _TRUE)
    ]


def _plain(look: dict[str, Any]) -> dict[str, Any]:
    """Return a look without its own entry in the legend."""
    return {name: value for name, value in look.items() if name != "label"}


def _head(
    axes: str, mark: str, loss: float, size: FigureSize, columns: int
) -> list[Call]:
    """Return the calls for name or number and loss, above the tile: never on a curve."""
    options = {"fontsize": 0.85 * size.small_text, "pad": 0.2 * size.text}
    known = f"{loss:.2g}" if math.isfinite(loss) else "–"
    return [
        Call(
            method=f"{axes}.set_title",
            arguments=(shortened(mark, _room(columns, size, known)),),
            options={**options, "loc": "left", "color": GREY},
        ),
        Call(
            method=f"{axes}.set_title",
            arguments=(known,),
            options={**options, "loc": "right"},
        ),
    ]


def _room(columns: int, size: FigureSize, loss: str) -> float:
    """Return what a name above a tile may take, in heights of its letters."""
    # Axes and gaps take the rest of the width.
    tile = _TILES_SHARE * size.inches[0] * _POINTS_PER_INCH / columns
    return max(tile / (0.85 * size.small_text) - text_ems(loss) - _GAP_EMS, 2.0)


def _axes(tasks: HeldOutTasks, size: FigureSize) -> list[Call]:
    low, high = tasks.plotted_range()
    margin = _MARGIN * ((high - low) or 1.0)
    text = {"fontsize": size.text}
    return [
        Call(method="ax1.set_ylim", arguments=(low - margin, high + margin)),
        Call(method="ax1.locator_params", options={"axis": "x", "nbins": 2}),
        Call(method="ax1.locator_params", options={"axis": "y", "nbins": 2}),
        Call(method="fig.supxlabel", arguments=(tasks.axis_labels[0],), options=text),
        Call(method="fig.supylabel", arguments=(tasks.axis_labels[1],), options=text),
    ]


def _caption(history: RunHistory, tasks: HeldOutTasks, choices: FigureChoices) -> str:
    assert history.curves is not None
    called = "name" if tasks.names else "number"
    order = "" if choices.sort == BY_TASK else f", sorted by {choices.sort}"
    loss = with_unit("query loss", history.config_at().loss_words.query_unit)
    return (
        f"How {history.name} adapts to {number_of(tasks.num_gallery, 'held-out task')} "
        f"from {number_of(tasks.support.num_shots, 'support point')}, after "
        f"{number_of(history.curves.step, 'outer step')}{order}: before and after "
        f"K = {tasks.num_inner_steps} inner steps. Above each tile: its {called}, and the "
        f"{loss} after adaptation."
    )


FIGURE = FigureSpec(
    name="gallery",
    title="Held-out tasks side by side",
    heeds=frozenset({"sort", "legend"}),
    of_tasks=True,
    draw=_draw,
)
