"""Looks of the hypergradient estimators: alike in every table, plot and figure.

A colour a family, a mark and dashes a member, as the estimators declare them: what else
is measured beside one does not change them. Imports no matplotlib.
"""

import zlib
from dataclasses import dataclass
from functools import cache

from metalab.core.hypergradient.family import EstimatorFamily
from metalab.figures.drawing import BLUE, GREEN, VERMILION

ORANGE, SKY, PURPLE, GREY = "#e69f00", "#56b4e9", "#cc79a7", "#888888"
"""Okabe and Ito's, and a grey that is seen on black and on white."""

DISC, SQUARE, TRIANGLE, DIAMOND = "disc", "square", "triangle", "diamond"

_MARKS = (DISC, SQUARE, TRIANGLE)
_DASHES = {DISC: (), SQUARE: (4.0, 2.0), TRIANGLE: (1.0, 1.5), DIAMOND: (4, 2, 1, 2)}

_COLOURS = {
    EstimatorFamily.UNROLLED: BLUE,
    EstimatorFamily.FIRST_ORDER: VERMILION,
    EstimatorFamily.START_AND_END: GREEN,
    EstimatorFamily.TRUNCATED: ORANGE,
    EstimatorFamily.IMPLICIT: PURPLE,
    EstimatorFamily.DIFFERENCES: SKY,
    EstimatorFamily.SAMPLED: GREY,
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


@cache
def look_of(name: str) -> Look:
    """Return the look of an estimator, by its name in the catalogue.

    One that belongs to no family has a colour that its name decides, and one without a
    place in its family is a diamond.
    """
    from metalab.catalog.slots import HYPERGRADIENTS  # noqa: PLC0415 - torch

    estimator = HYPERGRADIENTS.components.get(name)
    family = EstimatorFamily.OTHER if estimator is None else estimator.family
    place = None if estimator is None else estimator.place_in_family
    colours = tuple(_COLOURS.values())
    chosen = colours[zlib.crc32(name.encode()) % len(colours)]
    return Look(
        colour=_COLOURS.get(family, chosen),
        mark=DIAMOND if place is None else _MARKS[place],
    )
