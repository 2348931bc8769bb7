"""The learning rates that the outer loop has learned: how large, and how many negative."""

from typing import Any

import numpy as np

from metalab.analysis.learned_rates import LearnedRates
from metalab.engine.events import Array
from metalab.figures.axes import labels, whole_ticks
from metalab.figures.base import FigureChoices, FigureSpec
from metalab.figures.drawing import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    VERMILION,
    Call,
    Drawing,
    number_of,
    tint,
)
from metalab.figures.legend import with_legend
from metalab.figures.sights import RatesSight
from metalab.figures.sizes import FigureSize
from metalab.figures.table import Column, Table

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Shares of the rates that are told of."""

_FEW = 5
"""Fewer rates of a group are drawn one by one."""

_COLOURS, _MARKERS = (BLUE, VERMILION, GREEN, BLACK, GREY), ("o", "s", "^", "D", "v")
_DASHES: tuple[Any, ...] = ("-", (0, (4, 1.5)), (0, (1, 1.2)))


def _table(rates: LearnedRates) -> Table:
    places = {name: float(place) for place, name in enumerate(rates.group_names)}
    index = np.zeros(len(rates.rates))
    for name in places:
        of_group = rates.groups == name
        index[of_group] = np.arange(1, of_group.sum() + 1)
    return Table(
        (
            Column("group", rates.groups),
            Column("place", np.array([places[name] for name in rates.groups.tolist()])),
            Column("index", index),
            Column("inner_step", rates.inner_steps),
            Column("rate", rates.rates),
        )
    )


def words_of(rates: LearnedRates) -> str:
    """Return in one sentence how many rates are negative, and their quantiles."""
    count = len(rates.rates)
    negative = rates.num_negative
    share = f"{negative:,} of {number_of(count, 'learned rate')} negative"
    if count > 1:
        share += f" ({100 * negative / count:.3g}\N{NO-BREAK SPACE}%)"
    low, _, median, _, high = rates.quantiles(QUANTILES)
    return (
        f"{share}; 5\N{NO-BREAK SPACE}%, 50\N{NO-BREAK SPACE}%, "
        f"95\N{NO-BREAK SPACE}% quantiles {low:.3g}, {median:.3g}, {high:.3g}"
    )


def _draw(sight: RatesSight, choices: FigureChoices, size: FigureSize) -> Drawing:
    rates = sight.rates
    by_step = bool(np.isfinite(rates.inner_steps).any())
    calls = _by_step(rates, size) if by_step else _by_group(rates, size)
    return Drawing(
        table=_table(rates),
        caption=_caption(sight),
        calls=with_legend(
            calls, choices, size, title=f"Learned rates: {sight.history.name}"
        ),
    )


def _by_step(rates: LearnedRates, size: FigureSize) -> list[Call]:
    """Return the calls for rates of layers that differ from step to step."""
    lines = [
        Call(
            method="ax.plot",
            columns=("inner_step", "rate"),
            where={"group": name},
            options={
                "color": _COLOURS[place % len(_COLOURS)],
                "marker": _MARKERS[place % len(_MARKERS)],
                "linestyle": _DASHES[place // len(_COLOURS) % len(_DASHES)],
                "linewidth": size.line,
                "label": name.capitalize(),
            },
        )
        for place, name in enumerate(rates.group_names)
    ]
    return [
        *lines,
        *_marks("axhline", rates, size),
        *labels("Inner step", "Learned rate"),
        *whole_ticks("x"),
    ]


def _by_group(rates: LearnedRates, size: FigureSize) -> list[Call]:
    """Return the calls for one row a group, the first on top."""
    names = rates.group_names
    places = list(range(len(names)))
    rows = [
        call
        for place, name in enumerate(names)
        for call in _row(name, place, rates.of_group(name), size)
    ]
    texts = [_row_text(name, rates.of_group(name)) for name in names]
    return [
        *rows,
        *_marks("axvline", rates, size),
        Call(method="ax.set_yticks", arguments=(places,), options={"labels": texts}),
        Call(method="ax.set_ylim", arguments=(len(names) - 0.5, -0.5)),
        Call(method="ax.tick_params", options={"axis": "y", "length": 0}),
        Call(method="ax.locator_params", options={"axis": "x", "nbins": 5}),
        Call(method="ax.set_xlabel", arguments=("Learned rate",)),
    ]


def _row_text(name: str, values: Array) -> str:
    negative = int((values < 0).sum())
    return f"{name.capitalize()}\n{negative:,} of {len(values):,} negative"


def _row(name: str, place: int, values: Array, size: FigureSize) -> list[Call]:
    where = {"group": name}
    if len(values) < _FEW:
        options = {"color": BLUE, "linestyle": "none", "marker": "o", "zorder": 3}
        columns = ("rate", "place")
        return [Call(method="ax.plot", columns=columns, where=where, options=options)]
    line = {"color": BLUE, "linewidth": size.line}
    return [
        Call(
            method="ax.boxplot",
            columns=("rate",),
            where=where,
            options={
                "positions": [place],
                "orientation": "horizontal",
                "widths": 0.5,
                "whis": (5, 95),
                "manage_ticks": False,
                "patch_artist": True,
                "boxprops": {**line, "facecolor": tint(BLUE, 0.2)},
                "whiskerprops": line,
                "capprops": line,
                "medianprops": {"color": BLACK, "linewidth": 1.4 * size.line},
                "flierprops": {
                    "marker": "o",
                    "markersize": 1.6 * size.line,
                    "markerfacecolor": tint(BLUE, 0.6),
                    "markeredgewidth": 0,
                },
            },
        )
    ]


def _marks(method: str, rates: LearnedRates, size: FigureSize) -> list[Call]:
    """Return the calls for zero, and for the rates that the run began with."""
    low, high = rates.initial
    zero = {"color": GREY, "linewidth": 0.8 * size.line, "zorder": 1}
    begun = {
        "color": VERMILION,
        "linestyle": (0, (4, 1.6)),
        "linewidth": size.line,
        "zorder": 2,
    }
    label = f"Before training: {low:g}"
    if high > low:
        label = f"Before training: {low:g} to {high:g}"
    return [
        Call(method=f"ax.{method}", arguments=(0.0,), options=zero),
        Call(
            method=f"ax.{method}", arguments=(low,), options={**begun, "label": label}
        ),
        *(
            [Call(method=f"ax.{method}", arguments=(high,), options=begun)]
            if high > low
            else []
        ),
    ]


def _caption(sight: RatesSight) -> str:
    rates = sight.rates
    boxes = (
        ""
        if np.isfinite(rates.inner_steps).any() or len(rates.rates) < _FEW
        else " Boxes: quartiles and median; whiskers: 5 to 95\N{NO-BREAK SPACE}%."
    )
    return (
        f"Inner learning rates of {sight.history.name} ({rates.granularity}) after "
        f"{number_of(sight.step, 'outer step')}: {words_of(rates)}.{boxes}"
    )


FIGURE = FigureSpec(
    name="learned-rates",
    title="Learned inner rates",
    heeds=frozenset({"legend"}),
    draw=_draw,
    sight=RatesSight,
)
