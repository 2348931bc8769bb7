"""The mini-map of the outer ruler: loss, kept states, flags, bookmarks."""

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap, QPolygonF

from metalab.ui.painting import mixed
from metalab.ui.theme import Theme
from metalab.ui.timeline.model import DIVERGED, EDITED, TimelineModel

if TYPE_CHECKING:
    from metalab.ui.timeline.ruler import OuterRuler

MARGIN = 12.0
TOP, BOTTOM = 13.0, 5.0
_LEAST_DISTANCE = 3.0


def painted_map(
    ruler: "OuterRuler", model: TimelineModel | None, theme: Theme
) -> QPixmap:
    """Return the picture of a run that the playhead moves over."""
    ratio = ruler.devicePixelRatioF()
    pixmap = QPixmap(ruler.size() * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(QColor(theme.window))
    painter = QPainter(pixmap)
    area = QRectF(MARGIN, TOP, ruler.extent(), ruler.height() - TOP - BOTTOM)
    painter.fillRect(area, QColor(theme.surface))
    if model is None:
        painter.setPen(QColor(theme.muted))
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, ruler.tr("No run yet"))
    else:
        _paint_loss(painter, ruler, model, area, theme)
        _paint_marks(painter, ruler, model, area, theme)
    painter.end()
    return pixmap


def _paint_loss(
    painter: QPainter,
    ruler: "OuterRuler",
    model: TimelineModel,
    area: QRectF,
    theme: Theme,
) -> None:
    if len(model.x) == 0:
        return
    low, high = np.log(model.low), np.log(model.high)
    bottom, top = float(low.min()), float(high.max())
    extent = max(top - bottom, 1e-9)
    height = area.height() - 6
    painter.setPen(QPen(QColor(theme.after), 1.4))
    base = area.bottom() - 4
    lines = [
        QLineF(
            x := ruler.x_of(float(step)),
            base - (float(a) - bottom) / extent * height,
            x,
            base - (float(b) - bottom) / extent * height - 0.8,
        )
        for step, a, b in zip(model.x, low, high, strict=True)
    ]
    painter.drawLines(lines)
    end = ruler.x_of(model.last_step)
    rest = QRectF(end, area.top(), max(area.right() - end, 0), area.height())
    painter.fillRect(rest, mixed(theme.surface, theme.window, 0.6))


def _paint_marks(
    painter: QPainter,
    ruler: "OuterRuler",
    model: TimelineModel,
    area: QRectF,
    theme: Theme,
) -> None:
    painter.setPen(QPen(QColor(theme.muted), 1))
    last = -_LEAST_DISTANCE
    for step in model.snapshots:
        x = ruler.x_of(float(step))
        if x - last >= _LEAST_DISTANCE:
            last = x
            painter.drawLine(QPointF(x, area.bottom() - 3), QPointF(x, area.bottom()))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    roles = {DIVERGED: theme.error, EDITED: theme.evaluation}
    for flag in model.flags:
        colour = QColor(roles.get(flag.kind, theme.query))
        x = ruler.x_of(flag.step)
        painter.setPen(QPen(colour, 1.2))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        painter.setBrush(colour)
        shape = [QPointF(x, area.top()), QPointF(x + 7, area.top() + 3.5)]
        painter.drawPolygon(QPolygonF([*shape, QPointF(x, area.top() + 7)]))
    for mark in model.bookmarks:
        x = ruler.x_of(mark.step)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.support))
        top = area.top()
        shape = [(-4, 0), (4, 0), (4, 10), (0, 7), (-4, 10)]
        painter.drawPolygon(QPolygonF([QPointF(x + a, top + b) for a, b in shape]))
