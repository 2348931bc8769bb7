"""How a table is drawn, as data: calls of matplotlib methods on named columns.

One list of calls makes the figure and is written out as the script that redraws it, so
the two cannot differ. Imports no matplotlib.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from metalab.engine.events import Array
from metalab.figures.base import FigureChoices
from metalab.figures.sizes import FigureSize
from metalab.figures.table import Table

BLACK = "#000000"
GREY = "#6e6e6e"
BLUE = "#0072b2"
VERMILLION = "#d55e00"
GREEN = "#009e73"
"""Okabe and Ito's colours, and a grey; never the only difference between two series."""

_RAMP_START = np.array([0x8A, 0xC0, 0xE6])
_RAMP_END = np.array([0x00, 0x33, 0x57])

_LEGEND_PLACES = {
    "above": {"loc": "outside upper center"},
    "right": {"loc": "outside center right"},
    "inside": {"loc": "best"},
}

_TICKS_IN_DECADE = (
    (1,),
    (1, 3),
    (1, 2, 5),
    (1, 2, 3, 4, 6, 8),
    (1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9),
)
_FEWEST_TICKS = 4
_LEAST_LOG_RATIO = 2.0
"""Below this ratio of its ends a logarithmic axis is straight, and its ticks are odd."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a matplotlib method.

    Attributes:
        method: Dotted, from one of the names `fig`, `ax` and `key` (see `Drawing`).
        columns: Columns of the table that come first among the arguments.
        where: Values of other columns that choose the table's rows.
        arguments: Further positional arguments, plain values.
        options: Keyword arguments, plain values.
    """

    method: str
    columns: tuple[str, ...] = ()
    where: Mapping[str, float | str] = field(default_factory=dict[str, float | str])
    arguments: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A figure before it is drawn.

    Attributes:
        table: Its data.
        caption: Sentences that could stand below it in a paper.
        calls: What to call, in order, on `fig` (the figure), `ax` (the axes) and, if
            there is one, `key` (a narrow second axes to the right).
        keyed: Whether there is a `key`.
    """

    table: Table
    caption: str
    calls: tuple[Call, ...]
    keyed: bool = False


def ramp(count: int) -> list[str]:
    """Return `count` colours of one hue, from light to dark."""
    shares = np.linspace(0, 1, count) if count > 1 else np.ones(1)
    mixed = _RAMP_START + shares[:, None] * (_RAMP_END - _RAMP_START)
    return [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in mixed.round().astype(int)]


def tint(colour: str, share: float) -> str:
    """Return a colour mixed with white: pale without being transparent.

    Args:
        colour: "#rrggbb".
        share: Of the colour, from 0 (white) to 1.
    """
    parts = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(255 - share * (255 - p)):02x}" for p in parts)


def spread(last: int, count: int, *, keep: Sequence[int] = ()) -> list[int]:
    """Return about `count` whole numbers from 0 to `last`, evenly, and some more.

    Args:
        last: The last of them.
        count: How many at most, without `keep`; at least 2.
        keep: Numbers that must be there.
    """
    even = np.linspace(0, last, min(count, last + 1)).round().astype(int)
    return sorted({*even.tolist(), *keep})


def number_of(count: int, what: str) -> str:
    """Return a count in words, such as "1 inner step" or "5 inner steps"."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def labels(x: str, y: str) -> list[Call]:
    """Return the calls that name the axes."""
    return [
        Call(method="ax.set_xlabel", arguments=(x,)),
        Call(method="ax.set_ylabel", arguments=(y,)),
    ]


def title(text: str, size: FigureSize) -> list[Call]:
    """Return the calls for a title, if figures of that size carry one."""
    if not size.titled:
        return []
    # A dollar sign in the name of an experiment starts no formula.
    return [
        Call(
            method="fig.suptitle",
            arguments=(text,),
            options={
                "fontsize": 1.25 * size.text,
                "x": 0.01,
                "ha": "left",
                "parse_math": False,
            },
        )
    ]


def legend(choices: FigureChoices, size: FigureSize) -> list[Call]:
    """Return the calls for a legend where it was chosen to stand."""
    if choices.legend == "none":
        return []
    columns = size.legend_columns if choices.legend == "above" else 1
    options = {**_LEGEND_PLACES[choices.legend], "ncols": columns}
    owner = "ax" if choices.legend == "inside" else "fig"
    return [Call(method=f"{owner}.legend", options=options)]


def whole_ticks(axis: str) -> list[Call]:
    """Return the calls for ticks at whole numbers, such as 10,000, on "x" or "y"."""
    return [
        Call(
            method="ax.locator_params",
            options={"axis": axis, "integer": True, "nbins": 6},
        ),
        Call(method=f"ax.{axis}axis.set_major_formatter", arguments=("{x:,.0f}",)),
    ]


def loss_axis(lines: Sequence[Array], choices: FigureChoices) -> list[Call]:
    """Return the calls for a loss axis: from 0, or logarithmic with plain numbers.

    Args:
        lines: Losses that must be in view, each [row].
        choices: Says whether the axis is to be logarithmic.
    """
    values = np.concatenate(lines)
    values = values[np.isfinite(values) & (values > 0)]
    if not choices.log_y or len(values) == 0:
        return [Call(method="ax.set_ylim", options={"bottom": 0})]
    low, high = float(values.min()), float(values.max())
    if high / low < _LEAST_LOG_RATIO:
        return []
    margin = (high / low) ** 0.05
    low, high = low / margin, high * margin
    calls = [
        Call(method="ax.set_yscale", arguments=("log",)),
        Call(method="ax.set_ylim", arguments=(low, high)),
    ]
    ticks = _log_ticks(low, high)
    if len(ticks) < _FEWEST_TICKS:
        return calls
    names = [f"{tick:g}" for tick in ticks]
    return [
        *calls,
        Call(method="ax.set_yticks", arguments=(ticks,), options={"labels": names}),
        Call(method="ax.yaxis.set_minor_formatter", arguments=("",)),
    ]


def _log_ticks(low: float, high: float) -> list[float]:
    """Return round numbers within an axis: as few as tell its scale.

    Empty over many decades, where powers of ten are better.
    """
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks: list[float] = []
    for digits in _TICKS_IN_DECADE:
        numbers = [float(f"{digit}e{decade}") for decade in decades for digit in digits]
        ticks = [number for number in numbers if low <= number <= high]
        if len(ticks) >= _FEWEST_TICKS:
            return [] if len(digits) == 1 else ticks
    return ticks
