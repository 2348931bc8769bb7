"""The picture of ordinary supervised training, beside that of a bilevel problem."""

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from metalab.figures.structure.model import Flow
from metalab.ui.plot.painting import mixed
from metalab.ui.style.theme import Theme
from metalab.ui.workspaces.structure.painter import FLOW_INKS, paint_arrow
from metalab.ui.workspaces.structure.text import draw_text

_RADIUS, _FRAME_RADIUS = 6.0, 10.0


@dataclass(frozen=True, slots=True)
class _Box:
    title: str
    line: str
    role: str


def supervised_sentence() -> str:
    """Return how supervised training differs, in plain words."""
    return (
        "Supervised training has one loop and one loss: one set of points, no tasks, no "
        "inner loop, and an ordinary gradient."
    )


def _boxes() -> tuple[_Box, _Box, _Box, _Box]:
    return (
        _Box("Points", "one data set", "support"),
        _Box("Parameters w", "learned", "accent"),
        _Box("Loss", "on the same points", "border"),
        _Box("Step", "w against ∇L(w)", "evaluation"),
    )


def _places(area: QRectF, line: float) -> tuple[QRectF, QRectF, QRectF, QRectF]:
    """Return the places of points, parameters, loss and step."""
    pad = 0.9 * line
    inside = area.adjusted(pad, 2.2 * line, -pad, -pad)
    if area.width() > 2 * area.height():
        gap = min(3.0 * line, 0.06 * inside.width())
        width = (inside.width() - 3 * gap) / 4
        boxes = [
            QRectF(inside.left() + i * (width + gap), inside.top(), width, 0.0)
            for i in range(4)
        ]
        for box in boxes:
            box.setHeight(min(inside.height() - line, 4.4 * line))
        return boxes[0], boxes[1], boxes[2], boxes[3]
    gap = min(2.4 * line, 0.1 * inside.height())
    height = min((inside.height() - 3 * gap) / 4, 6.0 * line)
    spread = (inside.height() - 4 * height) / 3
    indent = 1.6 * line
    rows = [
        QRectF(
            inside.left(),
            inside.top() + i * (height + spread),
            inside.width() - indent,
            height,
        )
        for i in range(4)
    ]
    return rows[0], rows[1], rows[2], rows[3]


def paint_supervised(
    painter: QPainter, area: QRectF, theme: Theme, font: QFont
) -> None:
    """Paint one loop with one loss, from left to right or from top to bottom."""
    line = QFontMetricsF(font).height()
    bold = QFont(font)
    bold.setBold(True)
    painter.setPen(QPen(QColor(theme.border), 1))
    painter.setBrush(mixed(theme.surface, theme.window, 0.45))
    painter.drawRoundedRect(area, _FRAME_RADIUS, _FRAME_RADIUS)
    painter.setPen(QColor(theme.text))
    title = QRectF(area.left() + line, area.top(), area.width() - 2 * line, 2 * line)
    draw_text(painter, title, "Supervised: one loop", font=bold)
    places = _places(area, line)
    _paint_arrows(painter, places, theme, line)
    for box, place in zip(_boxes(), places, strict=True):
        _paint_box(painter, box, place, theme, font)


def _paint_arrows(
    painter: QPainter,
    places: tuple[QRectF, QRectF, QRectF, QRectF],
    theme: Theme,
    line: float,
) -> None:
    points, weights, loss, step = places
    inks = {flow: ink.colour(theme) for flow, ink in FLOW_INKS.items()}
    across = points.top() == weights.top()
    between = (
        (points, weights, inks[Flow.DATA], 1.6),
        (weights, loss, inks[Flow.FORWARD], 1.6),
        (loss, step, inks[Flow.BACK], 2.4),
    )
    for one, other, colour, width in between:
        if across:
            y = one.center().y()
            run = QPointF(one.right(), y), QPointF(other.left(), y)
        else:
            x = one.center().x()
            run = QPointF(x, one.bottom()), QPointF(x, other.top())
        paint_arrow(painter, run, colour, width=width)
    back = inks[Flow.BACK]
    if across:
        y = step.bottom() + 0.7 * line
        x, to = step.center().x(), weights.center().x()
        corners = (
            QPointF(x, step.bottom()),
            QPointF(x, y),
            QPointF(to, y),
            QPointF(to, weights.bottom()),
        )
    else:
        x = step.right() + 1.1 * line
        y, to = step.center().y(), weights.center().y()
        corners = (
            QPointF(step.right(), y),
            QPointF(x, y),
            QPointF(x, to),
            QPointF(weights.right(), to),
        )
    paint_arrow(painter, corners, back, width=2.4)


def _paint_box(
    painter: QPainter, box: _Box, place: QRectF, theme: Theme, font: QFont
) -> None:
    edge = QColor(getattr(theme, box.role))
    base = theme.raised if theme.dark else theme.surface
    ground = QColor(base) if box.role == "border" else mixed(base, edge.name(), 0.1)
    painter.setPen(QPen(edge, 2.0 if box.role == "accent" else 1.2))
    painter.setBrush(ground)
    painter.drawRoundedRect(place, _RADIUS, _RADIUS)
    bold, small = QFont(font), QFont(font)
    bold.setBold(True)
    small.setPointSizeF(0.9 * font.pointSizeF())
    line = QFontMetricsF(font).height()
    inside = place.adjusted(0.4 * line, 0, -0.4 * line, 0)
    middle = place.center().y()
    centre = Qt.AlignmentFlag.AlignHCenter
    lines = ((box.title, bold, theme.text, -line), (box.line, small, theme.muted, 0.0))
    for text, used, colour, offset in lines:
        painter.setPen(QColor(colour))
        frame = QRectF(inside.left(), middle + offset, inside.width(), line)
        draw_text(painter, frame, text, font=used, align=centre)
