"""Handles of a plot's items, which views keep and give new data.

A handle holds the data as they are; the plot says how they look on its axes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QPen

from metalab.engine.events import Array
from metalab.ui.plot.painting import Ink
from metalab.ui.plot.plot_items import AcrossItem, BandItem, DotsItem, LineItem
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import current_theme

OnAxis = Callable[[Array], Array]
"""From values to coordinates of the vertical axis; NaN where there are none."""

_EMPTY: Array = np.empty(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stroke:
    """How a line looks.

    Attributes:
        ink: Its colour.
        width: In pixels; 1 for long, noisy series: wider ones cost a hundred times more.
        dashes: Lengths of strokes and gaps in widths; only where data change rarely.
        smooth: Whether it is antialiased; only for few points.
    """

    ink: Ink
    width: float = 1.0
    dashes: tuple[float, ...] = ()
    smooth: bool = False

    def pen(self, theme: Theme) -> QPen:
        """Return Qt's pen."""
        # Its square caps close the joints; round ones take seven times as long.
        pen = QPen(self.ink.colour(theme), self._width_in(theme))
        if self.dashes:
            pen.setDashPattern(self.dashes)
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        return pen

    def _width_in(self, theme: Theme) -> float:
        # Long, noisy series stay as thin as they are, in every theme.
        thin = self.width <= 1 and not self.dashes and not self.smooth
        return self.width if thin else self.width * theme.scale


@dataclass(frozen=True, slots=True, kw_only=True)
class Dots:
    """How points look.

    Attributes:
        fill: Colour of the disc.
        ring: Colour of its outline; None for no outline.
        size: Diameter in pixels.
        ring_width: In pixels.
        mark: Shape, as `draw_mark` knows it.
    """

    fill: Ink
    ring: Ink | None = None
    size: float = 6.0
    ring_width: float = 1.5
    mark: str = "disc"


class Curve:
    """A line through points."""

    def __init__(self, item: LineItem, stroke: Stroke, on_axis: OnAxis) -> None:
        """Wrap Qt's item; made by `Plot.line`."""
        self._item = item
        self._stroke = stroke
        self._on_axis = on_axis
        self._x = self._y = _EMPTY

    @property
    def data(self) -> tuple[Array, Array]:
        """What was given last."""
        return self._x, self._y

    @property
    def stroke(self) -> Stroke:
        """How the line looks."""
        return self._stroke

    def set_data(self, x: Array, y: Array) -> None:
        """Draw other points, [point]; NaN makes a gap."""
        self._x, self._y = x, y
        self.redraw()

    def set_stroke(self, stroke: Stroke) -> None:
        """Change how the line looks."""
        if stroke != self._stroke:
            self._stroke = stroke
            self.recolour(current_theme())

    def recolour(self, theme: Theme) -> None:
        """Take a theme's colours; called by the plot."""
        self._item.set_pen(self._stroke.pen(theme), smooth=self._stroke.smooth)

    def redraw(self) -> None:
        """Draw the data again: the axis has changed."""
        self._item.set_points(self._x, self._on_axis(self._y))


class PointMarks:
    """Discs at points."""

    def __init__(self, item: DotsItem, dots: Dots, on_axis: OnAxis) -> None:
        """Wrap Qt's item; made by `Plot.points`."""
        self._item = item
        self._dots = dots
        self._on_axis = on_axis
        self._x = self._y = _EMPTY

    @property
    def data(self) -> tuple[Array, Array]:
        """What was given last."""
        return self._x, self._y

    def set_data(self, x: Array, y: Array) -> None:
        """Draw other points, [point]; points that are not finite are left out."""
        self._x, self._y = x, y
        self.redraw()

    def recolour(self, theme: Theme) -> None:
        """Take a theme's colours; called by the plot."""
        ring = self._dots.ring
        pen = QPen(Qt.PenStyle.NoPen)
        if ring is not None:
            pen = QPen(ring.colour(theme), self._dots.ring_width * theme.scale)
        self._item.set_size(self._dots.size * theme.scale)
        self._item.set_colours(self._dots.fill.colour(theme), pen)

    def redraw(self) -> None:
        """Draw the data again: the axis has changed."""
        y = self._on_axis(self._y)
        known = np.isfinite(self._x) & np.isfinite(y)
        self._item.set_points(self._x[known], y[known])


class Band:
    """The area between two lines."""

    def __init__(self, item: BandItem, ink: Ink, on_axis: OnAxis) -> None:
        """Wrap Qt's item; made by `Plot.band`."""
        self._item = item
        self._ink = ink
        self._on_axis = on_axis
        self._x = self._low = self._high = _EMPTY

    @property
    def data(self) -> tuple[Array, Array, Array]:
        """What was given last: x, lower and upper line."""
        return self._x, self._low, self._high

    def set_data(self, x: Array, low: Array, high: Array) -> None:
        """Fill another area, [point]; points that are not finite are left out."""
        self._x, self._low, self._high = x, low, high
        self.redraw()

    def recolour(self, theme: Theme) -> None:
        """Take a theme's colours; called by the plot."""
        self._item.set_colour(self._ink.colour(theme))

    def redraw(self) -> None:
        """Draw the data again: the axis has changed."""
        low, high = self._on_axis(self._low), self._on_axis(self._high)
        # On a logarithmic axis an interval may reach to nothing: it ends at the value
        # that is the lowest of the others.
        known_low = low[np.isfinite(low)]
        floor = known_low.min() if len(known_low) else np.nan
        low = np.where(np.isfinite(low) | ~np.isfinite(high), low, floor)
        known = np.isfinite(low) & np.isfinite(high)
        self._item.set_edges(self._x[known], low[known], high[known])


class VerticalLine:
    """A line across the plot at one x, with a word beside it."""

    def __init__(self, item: AcrossItem, stroke: Stroke) -> None:
        """Wrap Qt's item; made by `Plot.vertical_line`."""
        self._item = item
        self._stroke = stroke
        self._x: float | None = None
        self._text = ""

    @property
    def x(self) -> float | None:
        """Where the line stands; None while it is hidden."""
        return self._x

    @property
    def text(self) -> str:
        """The word beside the line."""
        return self._text

    def show_at(self, x: float | None, text: str = "") -> None:
        """Move the line and change its word; None hides it."""
        if (x, text) == (self._x, self._text):
            return
        self._x, self._text = x, text
        self._item.setVisible(x is not None)
        if x is not None:
            self._item.set_place(x, text)

    def redraw(self) -> None:
        """Do nothing: a vertical line does not depend on the vertical axis."""

    def recolour(self, theme: Theme) -> None:
        """Take a theme's colours; called by the plot."""
        self._item.set_pen(self._stroke.pen(theme))


Handle = Curve | PointMarks | Band | VerticalLine
