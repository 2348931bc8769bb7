"""The mini-map of the outer ruler: loss, kept states, flags, bookmarks."""

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPen, QPixmap, QPolygonF

from metalab.ui.painting import mixed
from metalab.ui.theme import Theme
from metalab.ui.timeline.model import DIVERGED, EDITED, FORKED, TimelineModel

if TYPE_CHECKING:
    from metalab.ui.timeline.ruler import OuterRuler

MARGIN = 12.0
_LEAST_DISTANCE = 3.0
_TICK = 3.0

# Kinds differ in shape too, for those who cannot tell the colours apart.
_FLAGS = {
    EDITED: ((0.0, 0.0), (7.0, 3.5), (0.0, 7.0)),
    DIVERGED: ((0.0, 0.0), (7.0, 0.0), (7.0, 7.0), (0.0, 7.0)),
    FORKED: ((0.0, 0.0), (8.0, 0.0), (5.0, 3.5), (8.0, 7.0), (0.0, 7.0)),
}
_BOOKMARK = ((-4.0, -10.0), (4.0, -10.0), (4.0, 0.0), (0.0, -3.0), (-4.0, 0.0))


def painted_map(
    ruler: "OuterRuler", model: TimelineModel | None, theme: Theme
) -> QPixmap:
    """Return the picture of a run that the playhead moves over."""
    ratio = ruler.devicePixelRatioF()
    pixmap = QPixmap(ruler.size() * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(QColor(theme.window))
    painter = QPainter(pixmap)
    area = ruler.area()
    painter.fillRect(area, QColor(theme.surface))
    if model is None:
        painter.setPen(QColor(theme.muted))
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, ruler.tr("No run yet"))
    else:
        _paint_rest(painter, ruler, model, area, theme)
        _paint_loss(painter, ruler, model, area, theme)
        _paint_snapshots(painter, ruler, model, area, theme)
        _paint_flags(painter, ruler, model, area, theme)
        _paint_bookmarks(painter, ruler, model, area, theme)
    painter.end()
    return pixmap


def _paint_rest(
    painter: QPainter,
    ruler: "OuterRuler",
    model: TimelineModel,
    area: QRectF,
    theme: Theme,
) -> None:
    """Hatch what has not been trained yet."""
    end = ruler.x_of(model.last_step)
    rest = QRectF(end, area.top(), max(area.right() - end, 0), area.height())
    painter.fillRect(rest, mixed(theme.surface, theme.window, 0.6))
    painter.fillRect(rest, QBrush(QColor(theme.border), Qt.BrushStyle.BDiagPattern))


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


def _paint_snapshots(
    painter: QPainter,
    ruler: "OuterRuler",
    model: TimelineModel,
    area: QRectF,
    theme: Theme,
) -> None:
    tick = _TICK * theme.scale
    painter.setPen(QPen(QColor(theme.muted), 1))
    last = -_LEAST_DISTANCE
    for step in model.snapshots:
        x = ruler.x_of(float(step))
        if x - last >= _LEAST_DISTANCE:
            last = x
            painter.drawLine(
                QPointF(x, area.bottom() - tick), QPointF(x, area.bottom())
            )


def _paint_flags(
    painter: QPainter,
    ruler: "OuterRuler",
    model: TimelineModel,
    area: QRectF,
    theme: Theme,
) -> None:
    roles = {DIVERGED: theme.error, EDITED: theme.evaluation, FORKED: theme.query}
    for flag in model.flags:
        colour = QColor(roles[flag.kind])
        top = QPointF(ruler.x_of(flag.step), area.top())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
        painter.setPen(QPen(colour, theme.scale))
        painter.drawLine(top, QPointF(top.x(), area.bottom()))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawPolygon(_shape(_FLAGS[flag.kind], top, theme.scale))


def _paint_bookmarks(
    painter: QPainter,
    ruler: "OuterRuler",
    model: TimelineModel,
    area: QRectF,
    theme: Theme,
) -> None:
    """Paint them at the foot: flags hang at the top, and neither hides the other."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.support))
    foot = area.bottom() - _TICK * theme.scale - 1
    for mark in model.bookmarks:
        place = QPointF(ruler.x_of(mark.step), foot)
        painter.drawPolygon(_shape(_BOOKMARK, place, theme.scale))


def _shape(
    corners: tuple[tuple[float, float], ...], place: QPointF, scale: float
) -> QPolygonF:
    return QPolygonF([place + QPointF(scale * x, scale * y) for x, y in corners])
