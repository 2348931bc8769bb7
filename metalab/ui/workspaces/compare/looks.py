"""Looks of methods: the same colour in every plot of the page."""

from dataclasses import dataclass

from PySide6.QtGui import QColor

from metalab.studies.drawing import LOOKS
from metalab.ui.plot.painting import FixedInk, Ink, mixed
from metalab.ui.style.theme import Theme

_BLACK = "#000000"


def ink_of(index: int) -> Ink:
    """Return the colour of a method, by its place among them."""
    value = LOOKS[index % len(LOOKS)][0]
    # Black is no colour on a dark surface; the text's is one on both.
    return Ink(role="text") if value == _BLACK else FixedInk(value=value)


DASHES = ((), (4.0, 2.0), (6.0, 2.0, 1.0, 2.0), (1.0, 1.5))
"""Of means, so that colour is not the only difference."""


def dashes_of(index: int) -> tuple[float, ...]:
    """Return the dashes of a method's mean."""
    return DASHES[index % len(DASHES)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _FaintInk(Ink):
    """Some of another ink over the surface: opaque, hence fast to paint.

    Attributes:
        of: The ink.
    """

    role: str = "text"
    of: Ink

    def colour(self, theme: Theme) -> QColor:
        """Return the colour in a theme."""
        return mixed(theme.surface, self.of.colour(theme).name(), self.share)


@dataclass(frozen=True, slots=True, kw_only=True)
class _ClearInk(Ink):
    """Another ink that lets what is below shine through; only for few points.

    Attributes:
        of: The ink.
    """

    role: str = "text"
    of: Ink

    def colour(self, theme: Theme) -> QColor:
        """Return the colour in a theme."""
        found = QColor(self.of.colour(theme))
        found.setAlphaF(self.share)
        return found


def clear(ink: Ink, share: float) -> Ink:
    """Return an ink that is transparent but for a share: bands overlap."""
    return _ClearInk(of=ink, share=share)


def faint(ink: Ink, share: float) -> Ink:
    """Return an ink of which there is but a share."""
    return _FaintInk(of=ink, share=share)
