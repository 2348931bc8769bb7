"""Plot items of a landscape: its colours, and the paths over it."""

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QImage,
    QPainter,
    QPen,
    QPolygonF,
    QTransform,
)
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from metalab.engine.events import Array
from metalab.ui.workspaces.landscape.colours import HALO, OUTER, PATH

_FAINT = 0.35
"""How opaque a picture is that is about to be replaced."""

_BEYOND = 0.6
"""How opaque a path is beyond training's K."""

_HEAD, _HEAD_WIDTH, _SHORTEST_WITH_HEAD = 7.0, 3.2, 9.0
_HALO_WIDTH = 2.4
_DOT, _START = 9.0, 7.0
_ROOM_FOR_NAME, _NAME_GAP = 14.0, 15.0
_FAR = 1e5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Paths:
    """What goes over a landscape.

    Attributes:
        inner: theta_0 ... theta_K' of each task, [task, inner step, 2]; the first task
            is emphasised.
        names: What is written at the end of each.
        outer: States of the outer loop, [state, 2].
        trained: K.
        step: The inner step at which each has its dot.
    """

    inner: Array
    names: tuple[str, ...]
    outer: Array
    trained: int
    step: int


class _Item(QGraphicsItem):
    """Abstract: fills the area of data, and may be dimmed."""

    def __init__(self) -> None:
        super().__init__()
        self._area = QRectF()

    def set_area(self, area: QRectF) -> None:
        """Say which part of the axes is shown."""
        self.prepareGeometryChange()
        self._area = area

    def set_dimmed(self, *, dimmed: bool) -> None:
        """Look as if about to be replaced, or not."""
        self.setOpacity(_FAINT if dimmed else 1.0)

    def boundingRect(self) -> QRectF:
        """Return all of the plot."""
        return self._area


class HeatItem(_Item):
    """A square of colours, smooth between the points that are known."""

    def __init__(self) -> None:
        super().__init__()
        self._image = QImage()
        self._square = QRectF()

    def set_picture(self, image: QImage, square: QRectF) -> None:
        """Show another picture.

        Args:
            image: Its outermost pixels have their middles on the square's edge.
            square: In coordinates of the axes.
        """
        self._image, self._square = image, square
        self.update()

    @property
    def image(self) -> QImage:
        """The picture, one pixel a point."""
        return self._image

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionGraphicsItem,
        widget: QWidget | None = None,
    ) -> None:
        """Paint in pixels: there, the picture's first row is the upper one."""
        del option, widget
        if self._image.isNull():
            return
        painter.save()
        to_pixels = painter.worldTransform()
        painter.setWorldTransform(QTransform())
        square = to_pixels.mapRect(self._square)
        half = square.width() / max(self._image.width() - 1, 1) / 2
        painter.setClipRect(square, Qt.ClipOperation.IntersectClip)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(square.adjusted(-half, -half, half, half), self._image)
        painter.restore()


class PathsItem(_Item):
    """Inner paths as arrows, the outer loop's path, and where each of them is."""

    def __init__(self) -> None:
        super().__init__()
        self._paths: Paths | None = None
        self._pointer: QPointF | None = None
        self._scale = 1.0

    def set_paths(self, paths: Paths | None) -> None:
        """Draw other paths; None for none."""
        self._paths = paths
        self.update()

    def set_pointer(self, place: QPointF | None) -> None:
        """Mark a place that the keyboard points at, or none."""
        self._pointer = place
        self.update()

    def set_scale_of_lines(self, scale: float) -> None:
        """Draw thicker lines and larger dots."""
        self._scale = scale
        self.update()

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionGraphicsItem,
        widget: QWidget | None = None,
    ) -> None:
        """Paint in pixels."""
        del option, widget
        painter.save()
        to_pixels = painter.worldTransform()
        painter.setWorldTransform(QTransform())
        painter.setClipRect(to_pixels.mapRect(self._area))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._paths is not None:
            self._paint_paths(painter, to_pixels, self._paths)
        if self._pointer is not None:
            _cross(painter, to_pixels.map(self._pointer), 2 * _START)
        painter.restore()

    def _paint_paths(
        self, painter: QPainter, to_pixels: QTransform, paths: Paths
    ) -> None:
        if len(paths.outer) > 1:
            outer = _mapped(to_pixels, paths.outer)
            for pen in self._pens(OUTER, 2.2):
                painter.setPen(pen)
                painter.drawPolyline(QPolygonF(outer))
            self._dot(painter, outer[0], _START, OUTER)
        lines = [_mapped(to_pixels, path) for path in paths.inner]
        # The first task is drawn last, over the others.
        for index, line in reversed(list(enumerate(lines))):
            self._arrows(painter, line, paths.trained, strong=index == 0)
        for index, line in reversed(list(enumerate(lines))):
            if not line:
                continue
            at = line[min(paths.step, len(line) - 1)]
            size = _DOT if index == 0 else _DOT - 3
            self._dot(painter, at, size * self._scale, PATH)
        if lines and lines[0]:
            _cross(painter, lines[0][0], _START * self._scale)
        _name(painter, lines, paths.names)

    def _pens(self, colour: QColor, width: float) -> tuple[QPen, QPen]:
        """Return the pens of a line's dark edge and of itself."""
        width *= self._scale
        cap, join = Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin
        edge = QPen(HALO, width + _HALO_WIDTH, Qt.PenStyle.SolidLine, cap, join)
        return edge, QPen(colour, width, Qt.PenStyle.SolidLine, cap, join)

    def _arrows(
        self, painter: QPainter, line: list[QPointF], trained: int, *, strong: bool
    ) -> None:
        """Draw one arrow for each inner step; those beyond K are paler."""
        for pen in self._pens(PATH, 2.2 if strong else 1.3):
            for step in range(len(line) - 1):
                painter.setOpacity(
                    self.effectiveOpacity() * (1.0 if step < trained else _BEYOND)
                )
                painter.setPen(pen)
                painter.drawLine(line[step], line[step + 1])
                self._head(painter, line[step], line[step + 1], pen)
        painter.setOpacity(self.effectiveOpacity())

    def _head(self, painter: QPainter, start: QPointF, end: QPointF, pen: QPen) -> None:
        along = end - start
        length = float(np.hypot(along.x(), along.y()))
        if length < _SHORTEST_WITH_HEAD:
            return
        along = along * (1 / length)
        across = QPointF(-along.y(), along.x())
        back = end - along * (_HEAD * self._scale)
        side = across * (_HEAD_WIDTH * self._scale)
        painter.setBrush(pen.color())
        painter.drawPolygon(QPolygonF([end, back + side, back - side]))

    def _dot(
        self, painter: QPainter, place: QPointF, size: float, colour: QColor
    ) -> None:
        painter.setPen(QPen(HALO, 1.5))
        painter.setBrush(colour)
        painter.drawEllipse(place, size / 2, size / 2)


def _mapped(to_pixels: QTransform, points: Array) -> list[QPointF]:
    """Return where points are in pixels, up to the first that is not finite."""
    finite = np.isfinite(points).all(axis=1)
    count = len(points) if finite.all() else int(finite.argmin())
    places = [to_pixels.map(QPointF(x, y)) for x, y in points[:count].tolist()]
    # What lies far outside cannot be seen, and would be too much for Qt's rasteriser.
    return [
        QPointF(min(max(at.x(), -_FAR), _FAR), min(max(at.y(), -_FAR), _FAR))
        for at in places
    ]


def _cross(painter: QPainter, at: QPointF, size: float) -> None:
    """Draw a cross with a dark edge."""
    half = size / 2
    for pen in (QPen(HALO, 4.0), QPen(PATH, 1.8)):
        painter.setPen(pen)
        painter.drawLine(at - QPointF(half, 0), at + QPointF(half, 0))
        painter.drawLine(at - QPointF(0, half), at + QPointF(0, half))


def _name(
    painter: QPainter, lines: list[list[QPointF]], names: tuple[str, ...]
) -> None:
    """Write names at the ends of lines, where they are apart from start and others."""
    taken = [line[0] for line in lines[:1] if line]
    for line, name in zip(lines, names, strict=False):
        if not line:
            continue
        distances = [(line[-1] - place).manhattanLength() for place in taken]
        if min(distances) > _ROOM_FOR_NAME:
            taken.append(line[-1])
            _label(painter, line[-1], line[-1] - line[0], name)


def _label(painter: QPainter, end: QPointF, along: QPointF, text: str) -> None:
    """Write beyond the end of a line, with a dark edge."""
    metrics = painter.fontMetrics()
    length = float(np.hypot(along.x(), along.y()))
    middle = end + along * (_NAME_GAP / max(length, 1.0))
    half = metrics.horizontalAdvance(text) / 2
    place = middle + QPointF(-half, metrics.ascent() / 2 - 1)
    painter.setPen(HALO)
    for x, y in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        painter.drawText(place + QPointF(x, y), text)
    painter.setPen(PATH)
    painter.drawText(place, text)
