"""The mini-map of the outer ruler: loss, kept states, flags, bookmarks."""

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPen, QPixmap, QPolygonF

from metalab.ui.plot.painting import mixed
from metalab.ui.style.theme import Theme
from metalab.ui.timeline.model import DIVERGED, EDITED, FORKED, TimelineModel

if TYPE_CHECKING:
    from metalab.engine.events import Array
    from metalab.ui.timeline.ruler import OuterRuler

MARGIN = 12.0
_LEAST_DISTANCE = 3.0
_TICK = 3.0
_BAND_SHARE, _LINE_WIDTH = 0.4, 2.0
_END_AIR = 6.0

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
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, "No run yet")
    else:
        _paint_rest(painter, ruler, model, area, theme)
        _paint_loss(painter, ruler, model, area, theme)
        _paint_end(painter, ruler, model, area, theme)
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
    """Paint the loss, logarithmic: its extremes as a band, its mean as a line."""
    if len(model.x) == 0:
        return
    low, high, middle = (np.log(part) for part in (model.low, model.high, model.middle))
    bottom = float(low.min())
    extent = max(float(high.max()) - bottom, 1e-9)
    height, base = area.height() - 6, area.bottom() - 4
    across = [ruler.x_of(step) for step in model.x.tolist()]

    def outline(values: "Array") -> list[QPointF]:
        up = base - (values - bottom) / extent * height
        return [QPointF(*place) for place in zip(across, up.tolist(), strict=True)]

    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(mixed(theme.surface, theme.after, _BAND_SHARE))
    painter.drawPolygon(QPolygonF([*outline(high), *reversed(outline(low))]))
    pen = QPen(QColor(theme.after), _LINE_WIDTH * theme.scale)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    line = outline(middle)
    if len(line) == 1:
        # The first step alone is a dot.
        painter.drawPoint(line[0])
    painter.drawPolyline(QPolygonF(line))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)


def _paint_end(
    painter: QPainter,
    ruler: "OuterRuler",
    model: TimelineModel,
    area: QRectF,
    theme: Theme,
) -> None:
    """Say where the ruler ends, as long as that is not the end of the run."""
    if model.end_step == model.num_steps:
        return
    painter.setFont(ruler.label_font())
    text = "{} of {}".format(f"{model.end_step:,}", f"{model.num_steps:,}")
    metrics = painter.fontMetrics()
    width = metrics.horizontalAdvance(text) + 2 * _END_AIR
    plate = QRectF(area.right() - width, area.top(), width, metrics.height())
    painter.fillRect(plate, QColor(theme.surface))
    painter.setPen(QColor(theme.muted))
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, text)


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
