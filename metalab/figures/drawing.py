"""Drawing of a table as data: calls of matplotlib methods on named columns.

One list of calls makes the figure and is written out as the script that redraws it, so
the two cannot differ. Imports no matplotlib.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from metalab.figures.sizes import FigureSize
from metalab.figures.table import Table

BLACK = "#000000"
GREY = "#6e6e6e"
BLUE = "#0072b2"
VERMILION = "#d55e00"
GREEN = "#009e73"
"""Okabe and Ito's colours, and a grey; never the only difference between two series."""

_RAMP_START = np.array([0x8A, 0xC0, 0xE6])
_RAMP_END = np.array([0x00, 0x33, 0x57])


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
            there is one, `key` (a narrow second axes to the right); with panels, on
            `fig` and `ax1`, `ax2`, ....
        keyed: Whether there is a `key`.
        panels: How many axes there are in place of `ax`, in a grid; 0 for `ax` alone.
        columns: Columns of that grid; 0 takes as many as there is room for.
        shared: Which axes all panels have in common: "x", "both" or "none".
        no_room: Why the size has no room for it, and what would be right; "" where it
            has. The table stands in any case.
        square: Whether `ax` has equal units, so that what is left of the width is on both
            sides of axes and key together.
        ratios: Widths of the columns, relative to each other; empty for equal ones.
    """

    table: Table
    caption: str
    calls: tuple[Call, ...]
    keyed: bool = False
    panels: int = 0
    columns: int = 0
    shared: str = "x"
    ratios: tuple[float, ...] = ()
    square: bool = False
    no_room: str = ""

    @property
    def layout(self) -> Literal["compressed", "constrained"]:
        """Name of matplotlib's layout."""
        return "compressed" if self.square else "constrained"

    def grid(self, size: FigureSize) -> tuple[int, int]:
        """Return rows and columns of the panels."""
        if self.columns:
            return -(-self.panels // self.columns), self.columns
        return panel_grid(self.panels, size)

    def grid_options(self) -> dict[str, Any]:
        """Return how matplotlib is to make the panels, as plain values."""
        options: dict[str, Any] = {"sharex": self.shared in ("x", "both")}
        if self.shared == "both":
            options["sharey"] = True
        if self.ratios:
            options["width_ratios"] = self.ratios
        return {**options, "squeeze": False}


def panel_grid(count: int, size: FigureSize) -> tuple[int, int]:
    """Return rows and columns for some panels: few rows, evenly filled."""
    rows = -(-count // size.panel_columns)
    return rows, -(-count // rows)


def ramp(count: int) -> list[str]:
    """Return `count` colours of one hue, from light to dark."""
    shares = np.linspace(0, 1, count) if count > 1 else np.ones(1)
    return [ramp_colour(share) for share in shares.tolist()]


def ramp_colour(share: float) -> str:
    """Return a colour of the ramp, from 0 (light) to 1 (dark)."""
    mixed = _RAMP_START + share * (_RAMP_END - _RAMP_START)
    r, g, b = mixed.round().astype(int)
    return f"#{r:02x}{g:02x}{b:02x}"


def tint(colour: str, share: float) -> str:
    """Return a colour mixed with white: pale without being transparent.

    Args:
        colour: "#rrggbb".
        share: Of the colour, from 0 (white) to 1.
    """
    parts = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(255 - share * (255 - p)):02x}" for p in parts)


_STRIDES = (1, 2, 5)


def spread(last: int, count: int, *, keep: Sequence[int] = ()) -> list[int]:
    """Return whole numbers from 0 to `last`, both included, at one round stride.

    Args:
        last: The last of them.
        count: How many at most, without `keep`; at least 2.
        keep: Numbers that must be there.
    """
    strides = (digit * 10**power for power in itertools.count() for digit in _STRIDES)
    stride = next(stride for stride in strides if -(-last // stride) < count)
    return sorted({*range(0, last + 1, stride), last, *keep})


def number_of(count: int, what: str) -> str:
    """Return a count in words, such as "1 inner step" or "5 inner steps"."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
