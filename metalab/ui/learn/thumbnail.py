"""Paints the picture of a card from its arrays."""

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from metalab.engine.events import Array
from metalab.ui.learn.cards import Card
from metalab.ui.plot.painting import ramp_ink
from metalab.ui.style.theme import Theme

_MARGIN = 10.0
_SPARE = 0.08
"""Share of the range of y that is left free above and below."""

_POINT = 3.0
_WIDTH = 2.2
_LABEL_GAP = 5.0


class PlotScale:
    """Maps numbers into a frame, with some air above and below."""

    def __init__(self, frame: QRectF, x: Array, y: Array) -> None:
        self._frame = frame
        self._x = float(x.min()), float(x.max())
        spare = _SPARE * float(np.ptp(y))
        self._y = float(y.min()) - spare, float(y.max()) + spare

    def points(self, x: Array, y: Array) -> list[QPointF]:
        """Return where points with finite numbers lie."""
        low, high = self._x
        right = self._frame.left() + (x - low) / (high - low) * self._frame.width()
        low, high = self._y
        up = self._frame.bottom() - (y - low) / (high - low) * self._frame.height()
        places = zip(right.tolist(), up.tolist(), strict=True)
        return [QPointF(*place) for place in places]


def paint_thumbnail(
    painter: QPainter,
    frame: QRectF,
    card: Card,
    arrays: dict[str, Array],
    theme: Theme,
) -> None:
    """Paint the picture of a card.

    Args:
        painter: Antialiased.
        frame: Where; it is filled.
        card: Says what the arrays are.
        arrays: As `Card.thumbnail` returns them.
        theme: Colours.
    """
    painter.fillRect(frame, QColor(theme.surface))
    inside = frame.adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
    if card.drawing.kind == "adaptation":
        _adaptation(painter, inside, arrays, theme)
    else:
        _lines(painter, inside, card, arrays, theme)


def _adaptation(
    painter: QPainter, frame: QRectF, arrays: dict[str, Array], theme: Theme
) -> None:
    grid, curves, truth = arrays["grid"], arrays["curves"], arrays.get("truth")
    observed = arrays["query_y"] if truth is None else truth
    shown = np.concatenate([curves.ravel(), observed, arrays["support_y"]])
    scale = PlotScale(frame, grid, shown)
    last = len(curves) - 1
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for step, curve in enumerate(curves):
        ink = ramp_ink(step, last, last).colour(theme)
        painter.setPen(QPen(ink, _WIDTH if step == last else 1.3))
        painter.drawPolyline(scale.points(grid, curve))
    if truth is None:
        queries = scale.points(arrays["query_x"], arrays["query_y"])
        _dots(painter, queries, theme.query, theme)
    else:
        dashed = QPen(QColor(theme.truth), 1.4)
        dashed.setDashPattern((4.0, 3.0))
        painter.setPen(dashed)
        painter.drawPolyline(scale.points(grid, truth))
    support = scale.points(arrays["support_x"], arrays["support_y"])
    _dots(painter, support, theme.support, theme)


def _dots(painter: QPainter, places: list[QPointF], colour: str, theme: Theme) -> None:
    painter.setPen(QPen(QColor(theme.surface), 1.0))
    painter.setBrush(QColor(colour))
    for place in places:
        painter.drawEllipse(place, _POINT, _POINT)


def _lines(
    painter: QPainter,
    frame: QRectF,
    card: Card,
    arrays: dict[str, Array],
    theme: Theme,
) -> None:
    metrics = painter.fontMetrics()
    lines = card.drawing.lines
    room = max(metrics.horizontalAdvance(line.label) for line in lines) + _LABEL_GAP
    plot = frame.adjusted(0, 0, -room, 0)
    scale = PlotScale(plot, arrays["x"], arrays["y"])
    painter.setPen(QPen(QColor(theme.grid), 1.0))
    painter.drawPolyline([plot.topLeft(), plot.bottomLeft(), plot.bottomRight()])
    painter.setBrush(Qt.BrushStyle.NoBrush)
    half = metrics.height() / 2
    for line, values in zip(lines, arrays["y"], strict=True):
        points = scale.points(arrays["x"], values)
        colour = QColor(getattr(theme, line.role))
        painter.setPen(QPen(colour, _WIDTH))
        painter.drawPolyline(points)
        end = points[-1]
        place = QRectF(end.x() + _LABEL_GAP, end.y() - half, room, 2 * half)
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, line.label)
