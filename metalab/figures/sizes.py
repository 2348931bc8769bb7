"""Size presets: a figure is made at the size at which it is read."""

from dataclasses import dataclass, replace
from typing import Any

from metalab.figures.errors import FigureError

WIDTH_RANGE = (40.0, 600.0)
"""Admissible widths of a figure, in mm."""

FONT_SIZE_RANGE = (3.0, 60.0)
"""Admissible sizes of its text, in points."""

LINE_WIDTH_RANGE = (0.2, 10.0)
"""Admissible widths of an ordinary line, in points."""

DEFAULT_FONT = "DejaVu Sans"
"""The font that matplotlib brings along, so that a figure looks the same, and is the same
file, on every machine."""

MM_PER_INCH = 25.4
POINTS_PER_INCH = 72

_PANEL_EMS = 13
"""Least width of a panel, its numbers included, in heights of its text."""

_LEGEND = {
    "legend.handlelength": 2.2,
    "legend.handletextpad": 0.6,
    "legend.columnspacing": 1.4,
}
LEGEND_COLUMN_EMS = sum(_LEGEND.values())
"""Width of a legend's column beside its text, in heights of the text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureSize:
    """A size with the type and line widths that are right for it.

    Attributes:
        name: Unique, for the command line.
        title: One line for menus.
        width: In mm.
        height: In mm.
        text: Axis labels, in points.
        small_text: Ticks and legend, in points.
        line: An ordinary line, in points.
        titled: Whether the figure carries its title; on paper the caption does.
        font: Family of all text. What it lacks is taken from the default one.
        svg_text: Whether text in an SVG stays text, for programs that edit it, rather
            than outlines, which look the same where the font is missing.
    """

    name: str
    title: str
    width: float
    height: float
    text: float
    small_text: float
    line: float
    titled: bool = False
    font: str = DEFAULT_FONT
    svg_text: bool = False

    @property
    def inches(self) -> tuple[float, float]:
        """Width and height in inches."""
        return self.width / MM_PER_INCH, self.height / MM_PER_INCH

    @property
    def points(self) -> float:
        """The width in points."""
        return self.inches[0] * POINTS_PER_INCH

    @property
    def title_text(self) -> float:
        """The title, in points."""
        return 1.25 * self.text

    @property
    def key_widths(self) -> tuple[int, int]:
        """Widths of the axes and of a colour key beside it, which is a letter wide."""
        return round(self.points / self.text), 1

    @property
    def panel_columns(self) -> int:
        """How many small panels fit beside each other."""
        return max(1, int(self.points / self.text / _PANEL_EMS))

    def style(self) -> dict[str, Any]:
        """Return the matplotlib settings for this size."""
        thin = 0.6 * self.line
        margin = 0.3 * self.text / POINTS_PER_INCH
        return {
            "font.family": list(dict.fromkeys((self.font, DEFAULT_FONT))),
            "font.size": self.small_text,
            "axes.labelsize": self.text,
            "axes.labelpad": 0.4 * self.text,
            "axes.linewidth": thin,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.axisbelow": True,
            "lines.linewidth": self.line,
            "lines.markersize": 3.2 * self.line,
            "lines.markeredgewidth": 0.7 * self.line,
            "lines.solid_capstyle": "round",
            "lines.solid_joinstyle": "round",
            "xtick.labelsize": self.small_text,
            "ytick.labelsize": self.small_text,
            "xtick.major.width": thin,
            "ytick.major.width": thin,
            "xtick.minor.width": 0.7 * thin,
            "ytick.minor.width": 0.7 * thin,
            "xtick.major.size": 0.4 * self.text,
            "ytick.major.size": 0.4 * self.text,
            "xtick.minor.size": 0.22 * self.text,
            "ytick.minor.size": 0.22 * self.text,
            "legend.fontsize": self.small_text,
            "legend.frameon": False,
            **_LEGEND,
            "legend.borderaxespad": 0.3,
            "figure.constrained_layout.w_pad": margin,
            "figure.constrained_layout.h_pad": margin,
            "figure.facecolor": "white",
            "axes.facecolor": "white",
            "savefig.facecolor": "white",
            # Editors and journals take TrueType, not matplotlib's default Type 3.
            "pdf.fonttype": 42,
            # Text as outlines unless asked for: an SVG with fonts by name looks different
            # on a machine that lacks them.
            "svg.fonttype": "none" if self.svg_text else "path",
            # Else every SVG has other identifiers, and equal figures are unequal files.
            "svg.hashsalt": "metalab",
        }


SIZES = {
    size.name: size
    for size in (
        FigureSize(
            name="single",
            title="Single column, 89 mm",
            width=89,
            height=62,
            text=8,
            small_text=7,
            line=1.0,
        ),
        FigureSize(
            name="double",
            title="Double column, 183 mm",
            width=183,
            height=84,
            text=8,
            small_text=7,
            line=1.1,
        ),
        FigureSize(
            name="slide",
            title="Slide 16:9, 254 mm",
            width=254,
            height=142.875,
            text=18,
            small_text=15,
            line=2.4,
            titled=True,
        ),
        FigureSize(
            name="square",
            title="Square, 89 mm",
            width=89,
            height=89,
            text=8,
            small_text=7,
            line=1.0,
        ),
    )
}
"""Size presets by name."""


def size_named(name: str) -> FigureSize:
    """Return a size preset.

    Raises:
        FigureError: No preset has that name.
    """
    if name not in SIZES:
        raise FigureError(f"size is {name!r}; allowed: {', '.join(SIZES)}")
    return SIZES[name]


_LEAST_EMS = 22
"""Least width of a figure in heights of its text: below, axes have no room."""


def styled_size(
    name: str,
    *,
    width: float | None = None,
    font: str = DEFAULT_FONT,
    font_size: float | None = None,
    line_width: float | None = None,
    svg_text: bool = False,
) -> FigureSize:
    """Return a size preset with what a person would have otherwise.

    Args:
        name: Of the preset.
        width: In mm; the height keeps its proportion. None takes the preset's, as below.
        font: Family of the text; `fonts.check_font` tells whether there is one.
        font_size: Of axis labels, in points; other text follows in proportion.
        line_width: Of an ordinary line, in points; others follow in proportion.
        svg_text: See `FigureSize`.

    Raises:
        FigureError: No preset has that name, or a number is not admissible.
    """
    preset = size_named(name)
    for label, value, (low, high) in (
        ("width", width, WIDTH_RANGE),
        ("font_size", font_size, FONT_SIZE_RANGE),
        ("line_width", line_width, LINE_WIDTH_RANGE),
    ):
        if value is not None and not low <= value <= high:
            raise FigureError(f"{label} is {value:g}; allowed: {low:g} to {high:g}")
    made = replace(preset, font=font, svg_text=svg_text)
    if width is not None:
        height = preset.height * width / preset.width
        made = replace(made, width=width, height=height)
    if font_size is not None:
        small = preset.small_text * font_size / preset.text
        made = replace(made, text=font_size, small_text=small)
    if line_width is not None:
        made = replace(made, line=line_width)
    most = largest_text(made.width)
    if made.text > most:
        raise FigureError(
            f"font_size is {made.text:g}; allowed at a width of {made.width:g} mm: up to "
            f"{most:g}"
        )
    return made


def largest_text(width: float) -> float:
    """Return the largest text, in points, that a figure of a width, in mm, has room for."""
    return int(10 * width / MM_PER_INCH * POINTS_PER_INCH / _LEAST_EMS) / 10
