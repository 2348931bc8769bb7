"""The map of a landscape: colours, lines of equal loss, paths, colour bar."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from metalab.engine.events import Array
from metalab.ui.plot.plot_items import LineItem
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import current_theme, follow_theme
from metalab.ui.workspaces.landscape.colours import (
    CONTOUR,
    ColourScale,
    on_scale,
    picture_of_losses,
    viridis,
)
from metalab.ui.workspaces.landscape.contours import contours
from metalab.ui.workspaces.landscape.items import HeatItem, Paths, PathsItem
from metalab.ui.workspaces.landscape.plot import SquarePlot

if TYPE_CHECKING:
    from metalab.analysis.landscape_request import Landscape

NUM_CONTOURS = 12
_PIXELS_A_TICK = 34
_BAR, _BAR_GAP = 14, 6
_TOP, _BOTTOM = 8, 46
_FINE = 241
"""Pixels a side of the picture: interpolating losses is smoother than mixing colours."""


class LandscapeMap(QWidget):
    """The plot of a landscape with its colour bar.

    Attributes:
        place_pointed: The place that is pointed at, a `QPointF`, or None.
    """

    place_pointed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._landscape: Landscape | None = None
        self._log = True
        self.plot = SquarePlot(
            x_label="Direction u", y_label="Direction v", parent=self
        )
        self.bar = ColourBar(self)
        self.heat, self.lines, self.paths = HeatItem(), LineItem(), PathsItem()
        for z, item in enumerate((self.heat, self.lines, self.paths), start=1):
            self.plot.area.add(item, float(z))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.plot, 1)
        layout.addWidget(self.bar)
        self.plot.place_pointed.connect(self._on_place_pointed)
        follow_theme(self._take_theme)

    @property
    def landscape(self) -> "Landscape | None":
        """What is shown."""
        return self._landscape

    @property
    def scale(self) -> ColourScale | None:
        """Which loss has which colour."""
        return self.bar.scale

    def show_landscape(self, landscape: "Landscape | None", *, log: bool) -> None:
        """Show a landscape; None shows none."""
        if landscape is self._landscape and log == self._log:
            return
        self._landscape, self._log = landscape, log
        if landscape is None:
            self.heat.set_picture(QImage(), QRectF())
            self.lines.set_points(np.empty(0), np.empty(0))
            self.bar.set_scale(None)
            return
        scale = ColourScale.of(landscape.losses, log=log)
        x, y = landscape.plane.coordinates(landscape.per_side)
        side = landscape.plane.side
        square = QRectF(float(x[0]), float(y[0]), side, side)
        values = on_scale(landscape.losses, log=log)
        fine = resampled(values, _FINE)
        shown = 10**fine if log else fine
        self.heat.set_picture(picture_of_losses(shown, scale), square)
        self.lines.set_points(*contours(x, y, values, scale.levels(NUM_CONTOURS)))
        self.bar.set_scale(scale)
        self.plot.show_square(square)

    def show_paths(self, paths: Paths | None) -> None:
        """Draw paths over it."""
        self.paths.set_paths(paths)

    def set_dimmed(self, *, dimmed: bool) -> None:
        """Show that what is seen is about to be replaced."""
        for item in (self.heat, self.paths):
            item.set_dimmed(dimmed=dimmed)
        self.lines.setOpacity(self.heat.opacity())

    def _take_theme(self, theme: Theme) -> None:
        self.paths.set_scale_of_lines(theme.scale)
        self.lines.set_pen(_contour_pen(theme.scale), smooth=True)

    def loss_at(self, place: QPointF) -> float | None:
        """Return the loss at the nearest known point; None beside the landscape."""
        shown = self._landscape
        if shown is None:
            return None
        left, bottom = shown.plane.corner
        last = shown.per_side - 1
        column = round((place.x() - left) / shown.plane.side * last)
        row = round((place.y() - bottom) / shown.plane.side * last)
        if not (0 <= column <= last and 0 <= row <= last):
            return None
        return float(shown.losses[row, column])

    def _on_place_pointed(self, place: QPointF | None) -> None:
        self.paths.set_pointer(place if self.plot.hasFocus() else None)
        self.place_pointed.emit(place)


class ColourBar(QWidget):
    """Which loss has which colour."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scale: ColourScale | None = None
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Colours of the loss")

    @property
    def scale(self) -> ColourScale | None:
        """What is shown."""
        return self._scale

    def set_scale(self, scale: ColourScale | None) -> None:
        """Show a scale, or none."""
        self._scale = scale
        if scale is not None:
            ticks = scale.ticks(self._most_ticks())
            self.setAccessibleDescription(", ".join(text for _, text in ticks))
        self.update()

    def sizeHint(self) -> QSize:
        """Return room for the bar and its numbers."""
        number = self.fontMetrics().horizontalAdvance("0.00005")
        return QSize(_BAR + 2 * _BAR_GAP + number, 100)

    def _most_ticks(self) -> int:
        return max(2, (self.height() - _TOP - _BOTTOM) // _PIXELS_A_TICK)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint bar and numbers."""
        del event
        scale = self._scale
        if scale is None:
            return
        painter = QPainter(self)
        frame = QRectF(0, _TOP, _BAR, max(self.height() - _TOP - _BOTTOM, 1))
        colours = viridis(np.linspace(1.0, 0.0, 256))[:, None]
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(frame, _image(colours))
        theme = current_theme()
        painter.setPen(QColor(theme.border))
        painter.drawRect(frame)
        painter.setPen(QColor(theme.muted))
        middle = painter.fontMetrics().ascent() / 2 - 1
        for value, text in scale.ticks(self._most_ticks()):
            share = (value - scale.low) / (scale.high - scale.low)
            y = frame.bottom() - share * frame.height()
            painter.drawLine(QPointF(_BAR, y), QPointF(_BAR + 3, y))
            painter.drawText(QPointF(_BAR + _BAR_GAP, y + middle), text)


def resampled(values: Array, per_side: int) -> Array:
    """Return a square grid at another number of points a side, bilinearly."""
    places = np.linspace(0.0, len(values) - 1.0, per_side)
    below = np.minimum(places.astype(np.intp), len(values) - 2)
    share = places - below
    rows = values[below] * (1 - share)[:, None] + values[below + 1] * share[:, None]
    return rows[:, below] * (1 - share) + rows[:, below + 1] * share


def _contour_pen(width: float) -> QPen:
    # Flat caps: where two pieces meet, square ones would show twice.
    return QPen(CONTOUR, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap)


def _image(pixels: NDArray[np.uint8]) -> QImage:
    rows, columns = pixels.shape[:2]
    data = np.ascontiguousarray(pixels).tobytes()
    shown = QImage(data, columns, rows, 3 * columns, QImage.Format.Format_RGB888)
    return shown.copy()
