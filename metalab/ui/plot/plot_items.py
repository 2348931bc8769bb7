"""Qt items of a plot: lines, bands, discs, lines across.

pyqtgraph has items for all of them, too. They look for their extent and their pixels anew
in every frame and paint on a scaled painter, which takes three times as long.
"""

from typing import Protocol, runtime_checkable

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap, QPolygonF, QTransform
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from metalab.engine.events import Array
from metalab.ui.plot.painting import draw_mark, draw_segments

_TEXT_GAP = 5.0


@runtime_checkable
class PlotItem(Protocol):
    """What `Plot` needs of everything that stands in it."""

    def set_area(self, area: QRectF) -> None:
        """Say which part of the axes is shown."""
        ...


def _on_pixels(painter: QPainter) -> QTransform:
    """Let a painter paint in pixels; return where the axes were."""
    to_pixels = painter.worldTransform()
    painter.setWorldTransform(QTransform())
    return to_pixels


class LineItem(QGraphicsItem):
    """A line through points, with gaps."""

    def __init__(self) -> None:
        super().__init__()
        self._area = QRectF()
        self._x = self._y = np.empty(0)
        self._pen = QPen()
        self._smooth = False

    def set_area(self, area: QRectF) -> None:
        """Say which part of the axes is shown."""
        self.prepareGeometryChange()
        self._area = area

    def set_points(self, x: Array, y: Array) -> None:
        """Go through other points, [point]."""
        self._x, self._y = x, y
        self.update()

    def set_pen(self, pen: QPen, *, smooth: bool) -> None:
        """Look different.

        Args:
            pen: Its width is in pixels.
            smooth: Whether to antialias.
        """
        self._pen, self._smooth = pen, smooth
        self.update()

    def boundingRect(self) -> QRectF:
        """Return all of the plot: nobody needs to know better."""
        return self._area

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionGraphicsItem,
        widget: QWidget | None = None,
    ) -> None:
        """Paint in pixels."""
        del option, widget
        if len(self._x) == 0:
            return
        painter.save()
        to_pixels = _on_pixels(painter)
        x = self._x * to_pixels.m11() + to_pixels.dx()
        y = self._y * to_pixels.m22() + to_pixels.dy()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=self._smooth)
        painter.setPen(self._pen)
        if self._pen.style() == Qt.PenStyle.SolidLine:
            draw_segments(painter, x, y)
        else:
            # Dashes run on from piece to piece only along a path.
            known = np.isfinite(x) & np.isfinite(y)
            points = map(QPointF, x[known].tolist(), y[known].tolist())
            painter.drawPolyline(QPolygonF(list(points)))
        painter.restore()


class BandItem(QGraphicsItem):
    """The area between two lines."""

    def __init__(self) -> None:
        super().__init__()
        self._area = QRectF()
        self._outline = QPolygonF()
        self._fill = QColor()

    def set_area(self, area: QRectF) -> None:
        """Say which part of the axes is shown."""
        self.prepareGeometryChange()
        self._area = area

    def set_edges(self, x: Array, low: Array, high: Array) -> None:
        """Fill another area, all finite, [point]."""
        upper = map(QPointF, x.tolist(), high.tolist())
        lower = map(QPointF, x[::-1].tolist(), low[::-1].tolist())
        self._outline = QPolygonF([*upper, *lower])
        self.update()

    def set_colour(self, fill: QColor) -> None:
        """Look different."""
        self._fill = fill
        self.update()

    def boundingRect(self) -> QRectF:
        """Return all of the plot: nobody needs to know better."""
        return self._area

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionGraphicsItem,
        widget: QWidget | None = None,
    ) -> None:
        """Fill the area."""
        del option, widget
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._fill)
        painter.drawPolygon(self._outline)


class DotsItem(QGraphicsItem):
    """Equal marks. One is painted, the others are stamped."""

    def __init__(self, size: float, mark: str = "disc") -> None:
        """Make no marks.

        Args:
            size: Diameter of the outline's middle, in pixels.
            mark: Shape, as `draw_mark` knows it.
        """
        super().__init__()
        self._size = size
        self._mark = mark
        self._area = QRectF()
        self._points: list[tuple[float, float]] = []
        self._fill = QColor()
        self._ring = QPen(Qt.PenStyle.NoPen)
        self._stamp: QPixmap | None = None

    def set_area(self, area: QRectF) -> None:
        """Say which part of the axes is shown."""
        self.prepareGeometryChange()
        self._area = area

    def set_points(self, x: Array, y: Array) -> None:
        """Stand at other points, all finite, [point]."""
        self._points = list(zip(x.tolist(), y.tolist(), strict=True))
        self.update()

    def set_size(self, size: float) -> None:
        """Have another diameter, in pixels; `set_colours` comes next."""
        self._size = size

    def set_colours(self, fill: QColor, ring: QPen) -> None:
        """Look different."""
        self._fill, self._ring = fill, ring
        self._stamp = None
        self.update()

    def boundingRect(self) -> QRectF:
        """Return all of the plot: nobody needs to know better."""
        return self._area

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionGraphicsItem,
        widget: QWidget | None = None,
    ) -> None:
        """Stamp the disc at every point."""
        del option, widget
        if not self._points:
            return
        painter.save()
        to_pixels = _on_pixels(painter)
        stamp = self._stamp_for(painter.deviceTransform().m11())
        half = stamp.width() / stamp.devicePixelRatioF() / 2
        for x, y in self._points:
            place = to_pixels.map(QPointF(x, y))
            painter.drawPixmap(QPointF(place.x() - half, place.y() - half), stamp)
        painter.restore()

    def _stamp_for(self, ratio: float) -> QPixmap:
        if self._stamp is not None and self._stamp.devicePixelRatioF() == ratio:
            return self._stamp
        # The corners of a triangle or a diamond lie further out.
        reach = 1.0 if self._mark == "disc" else 1.3
        edge = reach * self._size + self._ring.widthF() + 2
        stamp = QPixmap(int(np.ceil(edge * ratio)), int(np.ceil(edge * ratio)))
        stamp.setDevicePixelRatio(ratio)
        stamp.fill(Qt.GlobalColor.transparent)
        painter = QPainter(stamp)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(self._ring)
        painter.setBrush(self._fill)
        middle = stamp.width() / ratio / 2
        draw_mark(painter, self._mark, QPointF(middle, middle), self._size / 2)
        painter.end()
        self._stamp = stamp
        return stamp


class AcrossItem(QGraphicsItem):
    """A vertical line from one end of the plot to the other, and a word beside it."""

    def __init__(self) -> None:
        super().__init__()
        self._area = QRectF()
        self._x = 0.0
        self._text = ""
        self._pen = QPen()

    def set_area(self, area: QRectF) -> None:
        """Say which part of the axes is shown."""
        self.prepareGeometryChange()
        self._area = area

    def set_place(self, x: float, text: str) -> None:
        """Stand somewhere else, and say something else."""
        self._x, self._text = x, text
        self.update()

    def set_pen(self, pen: QPen) -> None:
        """Look different."""
        self._pen = pen
        self.update()

    def boundingRect(self) -> QRectF:
        """Return all of the plot: nobody needs to know better."""
        return self._area

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionGraphicsItem,
        widget: QWidget | None = None,
    ) -> None:
        """Paint the line, and the word on the side with more room."""
        del option, widget
        painter.save()
        to_pixels = _on_pixels(painter)
        area = to_pixels.mapRect(self._area)
        x = round(to_pixels.map(QPointF(self._x, 0)).x())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
        painter.setPen(self._pen)
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        if self._text:
            self._paint_text(painter, x, area)
        painter.restore()

    def _paint_text(self, painter: QPainter, x: float, area: QRectF) -> None:
        metrics = painter.fontMetrics()
        width = metrics.horizontalAdvance(self._text)
        left = x + _TEXT_GAP
        if left + width > area.right():
            left = x - _TEXT_GAP - width
        painter.drawText(QPointF(left, area.top() + metrics.ascent() + 1), self._text)
