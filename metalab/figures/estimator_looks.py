"""Looks of the hypergradient estimators: alike in every table, plot and figure.

A colour a family, a mark and dashes a member. They go by name: what else is measured
beside an estimator does not change them. Imports no matplotlib.
"""

import zlib
from dataclasses import dataclass

from metalab.figures.drawing import BLUE, GREEN, VERMILION

ORANGE, SKY, PURPLE, GREY = "#e69f00", "#56b4e9", "#cc79a7", "#888888"
"""Okabe and Ito's, and a grey that is seen on black and on white."""

DISC, SQUARE, TRIANGLE, DIAMOND = "disc", "square", "triangle", "diamond"

_MARKS = (DISC, SQUARE, TRIANGLE)
_DASHES = {DISC: (), SQUARE: (4.0, 2.0), TRIANGLE: (1.0, 1.5), DIAMOND: (4, 2, 1, 2)}

_FAMILIES = {
    BLUE: ("unrolled", "checkpointed", "forward-mode"),
    VERMILION: ("first-order", "imaml-repository"),
    GREEN: ("reptile", "joint"),
    ORANGE: ("truncated", "t1-t2"),
    PURPLE: ("implicit-cg", "implicit-neumann", "implicit-nystrom"),
    SKY: ("difference-product", "finite-differences"),
    GREY: ("evolution", "persistent-evolution", "forward-gradient"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Colour and mark of an estimator.

    Attributes:
        colour: "#rrggbb", readable on dark and light.
        mark: "disc", "square", "triangle" or "diamond".
    """

    colour: str
    mark: str

    @property
    def dashes(self) -> tuple[float, ...]:
        """Dashes and gaps of its line, in widths; empty for a solid one."""
        return _DASHES[self.mark]


_KNOWN = {
    name: Look(colour=colour, mark=mark)
    for colour, names in _FAMILIES.items()
    for name, mark in zip(names, _MARKS, strict=False)
}


def look_of(name: str) -> Look:
    """Return the look of an estimator, by its name in the catalogue.

    One that another package brings is a diamond, in a colour that its name decides.
    """
    known = _KNOWN.get(name)
    if known is not None:
        return known
    colours = tuple(_FAMILIES)
    return Look(colour=colours[zlib.crc32(name.encode()) % len(colours)], mark=DIAMOND)
