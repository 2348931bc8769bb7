"""Size of the smallest text of a figure, and whether it can be read."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from metalab.figures.base import FigureChoices, FigureSpec
from metalab.figures.drawing import Drawing
from metalab.figures.registry import figure_named
from metalab.figures.sights import Sight
from metalab.figures.sizes import (
    WIDTH_RANGE,
    FigureSize,
    largest_text,
    size_named,
)

LEGIBLE = 5.0
"""Least size of text, in points: journals ask for at least this on paper."""

_TEXT_OPTIONS = ("fontsize", "labelsize", "title_fontsize")
_WIDTH_STEP = 5
"""Widths that are tried, in mm."""

_ENLARGED = 2
"""Times: once the legend can be read, other text that was larger may be the smallest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallText:
    """Text of a figure that is too small to be read on paper, and what would do.

    Attributes:
        points: Size of the smallest, in points.
        width: Width in mm, a multiple of five, at which all text can be read; None where
            the figure need not be wider, or nothing helps.
        font_size: Size of the axis labels in points, at that width, with which it can;
            None where it need not be larger, or nothing helps.
    """

    points: float
    width: float | None
    font_size: float | None

    @property
    def words(self) -> str:
        """The complaint and its cure, in one line."""
        cures = [
            *([] if self.width is None else [f"a width of {self.width:g} mm"]),
            *([] if self.font_size is None else [f"a font size of {self.font_size:g}"]),
        ]
        cure = f"{' with '.join(cures)} would do" if cures else "no size mends that"
        return (
            f"the smallest text of this figure has {self.points:.1f} points, below the "
            f"{LEGIBLE:g} that can be read on paper; {cure}"
        )


def smallest_text(drawing: Drawing, size: FigureSize) -> float:
    """Return the size of a figure's smallest text, in points.

    Lowered and raised signs, such as exponents, count as the text that they belong to.
    """
    named = [
        float(call.options[option])
        for call in drawing.calls
        for option in _TEXT_OPTIONS
        if option in call.options
    ]
    return min([size.text, size.small_text, *named])


def small_text(
    figure: FigureSpec | str,
    sight: Sight,
    *,
    size: FigureSize | str = "single",
    choices: FigureChoices | None = None,
) -> SmallText | None:
    """Return what is to be said of text below `LEGIBLE`; None if all can be read.

    Args:
        figure: A figure or its name.
        sight: What is seen: the run, or what the figure's page shows (`figures.sights`).
        size: A size, or the name of a preset.
        choices: What a person chose; the defaults if None.

    Raises:
        FigureError: A name is unknown, or the history lacks what the figure shows.
    """
    spec = figure_named(figure) if isinstance(figure, str) else figure
    made = size_named(size) if isinstance(size, str) else size
    chosen = choices or FigureChoices()

    def smallest(at: FigureSize) -> float:
        return smallest_text(spec.draw(sight, chosen, at), at)

    points = smallest(made)
    if points >= LEGIBLE:
        return None
    width = _least_width(made, smallest)
    if width is not None:
        return SmallText(points=points, width=width, font_size=None)
    larger = made
    for _ in range(_ENLARGED):
        larger = _larger_text(larger, smallest(_wide(larger, WIDTH_RANGE[1])))
    if smallest(larger) < LEGIBLE:
        width = _least_width(larger, smallest)
        if width is None:
            return SmallText(points=points, width=None, font_size=None)
    return SmallText(points=points, width=width, font_size=larger.text)


def _wide(size: FigureSize, width: float) -> FigureSize:
    return replace(size, width=width, height=size.height * width / size.width)


def _larger_text(size: FigureSize, points: float) -> FigureSize:
    """Return a size with text so much larger that what has some points can be read."""
    needed = -(-10 * size.text * LEGIBLE // points) / 10
    text = max(size.text, min(needed, largest_text(size.width)))
    return replace(size, text=text, small_text=size.small_text * text / size.text)


def _least_width(
    size: FigureSize, smallest: Callable[[FigureSize], float]
) -> int | None:
    """Return the least greater width, in mm, at which all text can be read, if any."""
    last = int(WIDTH_RANGE[1])
    if smallest(_wide(size, last)) < LEGIBLE:
        return None
    first = int(size.width // _WIDTH_STEP + 1) * _WIDTH_STEP
    tried = range(first, last, _WIDTH_STEP)
    return next((w for w in tried if smallest(_wide(size, w)) >= LEGIBLE), last)
