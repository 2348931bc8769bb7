"""Words for the losses of an experiment, and their units: the one place.

Imports no torch: the window and the figures name losses before there is any.
"""

import re
from dataclasses import dataclass
from typing import Literal

Level = Literal["support", "query"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LossWords:
    """Words for the losses of both levels.

    Attributes:
        support_unit: Of the loss on support sets, which the inner loop descends; "1" for
            none.
        query_unit: Of the loss on query sets, which the outer loop descends.
        distance: What the latter is called against a curve.
        caveat: What the derivatives of the inner loss mean for estimators; "" where they
            have no jumps.
        logarithmic: Whether axes of losses may be logarithmic: none can be below zero.
    """

    support_unit: str = "y²"
    query_unit: str = "y²"
    distance: str = "mean squared distance"
    caveat: str = ""
    logarithmic: bool = True

    def unit(self, level: Level) -> str:
        """Return the unit of a level's loss."""
        return self.support_unit if level == "support" else self.query_unit

    @property
    def both_units(self) -> str:
        """The unit of losses of both levels beside each other."""
        if self.support_unit == self.query_unit:
            return self.query_unit
        return f"support: {self.support_unit}, query: {self.query_unit}"


def in_units_of(unit: str, target: str) -> str:
    """Return the unit of a loss, such as "y²", for targets in another unit than y."""
    return re.sub(r"(?<![A-Za-z])y(?![A-Za-z])", target, unit)


def with_unit(name: str, unit: str) -> str:
    """Return a name with its unit in brackets, as axes have it."""
    return name if unit == "1" else f"{name} ({unit})"


DEFAULT_WORDS = LossWords()
"""Of the default experiment, for axes that have no run yet."""
