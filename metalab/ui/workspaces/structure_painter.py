"""Paints the picture of a bilevel problem."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from metalab.ui.painting import Ink, mixed
from metalab.ui.theme import Theme
from metalab.ui.workspaces.structure_layout import (
    FRAMES,
    STACK,
    DiagramLayout,
    Points,
)
from metalab.ui.workspaces.structure_model import Arrow, Flow, PartKey, Structure
from metalab.ui.workspaces.structure_text import draw_text, text_width
from metalab.ui.workspaces.structure_words import PartText

FLOW_INKS: Mapping[Flow, Ink] = {
    Flow.DATA: Ink(role="support"),
    Flow.FORWARD: Ink(role="text", share=0.75),
    Flow.LEARNED: Ink(role="accent"),
    Flow.BACK: Ink(role="evaluation"),
}
"""The colour of what an arrow carries."""

_POINTS = {PartKey.SUPPORT: "support", PartKey.QUERY: "query", PartKey.LOSS: "query"}
"""Parts with a colour of their own, by role of the theme."""

_RETURN = (PartKey.SOLVE, PartKey.HYPERGRADIENT, PartKey.UPDATE)
_SYSTEM_RADIUS, _FRAME_RADIUS = 6.0, 10.0
_HEAD = 7.0
_SMALL, _LARGE = 0.9, 1.45


@dataclass(frozen=True, slots=True)
class Marks:
    """What a person points at.

    Attributes:
        hovered: The part under the pointer.
        focused: The part that the keyboard is at.
    """

    hovered: PartKey | None = None
    focused: PartKey | None = None


class StructurePainter:
    """Paints one structure at one size in one theme."""

    def __init__(
        self, structure: Structure, layout: DiagramLayout, theme: Theme, font: QFont
    ) -> None:
        self._structure = structure
        self._layout = layout
        self._theme = theme
        self._font = font
        self._bold = QFont(font)
        self._bold.setBold(True)
        self._small = _resized(font, _SMALL)

    def paint(
        self, painter: QPainter, texts: Mapping[PartKey, PartText], marks: Marks
    ) -> None:
        """Paint everything."""
        for key in FRAMES:
            self._paint_frame(painter, key, texts[key], marks)
        for arrow in self._structure.arrows:
            self._paint_arrow(painter, arrow)
        settings = self._structure.settings
        if settings.num_inner_steps > 1 and not self._structure.solved:
            self._paint_line(painter, self._layout.again(), self._ink(Flow.FORWARD))
        for key, text in texts.items():
            if key not in FRAMES:
                self._paint_box(painter, key, text, marks)
        if marks.focused is not None:
            self._paint_ring(painter, marks.focused)

    # Frames

    def _paint_frame(
        self, painter: QPainter, key: PartKey, text: PartText, marks: Marks
    ) -> None:
        theme, place = self._theme, self._layout.places[key]
        edge = QColor(theme.muted if marks.hovered is key else theme.border)
        painter.setPen(QPen(edge, 1.5 if marks.hovered is key else 1))
        painter.setBrush(self._ground(key))
        if key is PartKey.BATCH and self._structure.settings.num_tasks > 1:
            for behind in (2, 1):
                moved = place.translated(behind * STACK, behind * STACK)
                painter.drawRoundedRect(moved, _FRAME_RADIUS, _FRAME_RADIUS)
        painter.drawRoundedRect(place, _FRAME_RADIUS, _FRAME_RADIUS)
        title = self._layout.title_of(key)
        painter.setPen(QColor(theme.text))
        draw_text(painter, title, text.title, font=self._bold)
        taken = text_width(text.title, self._bold) + self._layout.line
        painter.setPen(QColor(theme.muted))
        rest = title.adjusted(taken, 0, 0, 0)
        right = Qt.AlignmentFlag.AlignRight
        align = right if key is PartKey.OUTER_LOOP else Qt.AlignmentFlag.AlignLeft
        draw_text(painter, rest, text.value, font=self._font, align=align)

    def _ground(self, key: PartKey) -> QColor:
        theme = self._theme
        depth = FRAMES.index(key)
        return mixed(theme.surface, theme.window, (0.45, 0.0, 0.45)[depth])

    # Boxes

    def _edge_role(self, key: PartKey) -> str:
        if key in self._structure.learned:
            return "accent"
        return "evaluation" if key in _RETURN else _POINTS.get(key, "border")

    def _paint_box(
        self, painter: QPainter, key: PartKey, text: PartText, marks: Marks
    ) -> None:
        theme, place = self._theme, self._layout.places[key]
        idle = key in self._structure.idle
        role = self._edge_role(key)
        edge = QColor(getattr(theme, role))
        base = theme.raised if theme.dark else theme.surface
        share = 0.16 if role == "accent" else 0.07
        ground = QColor(base) if role == "border" else mixed(base, edge.name(), share)
        if idle:
            edge = QColor(theme.muted)
            ground = QColor(theme.surface)
        width = 2.0 if role == "accent" and not idle else 1.2
        pen = QPen(edge, width + (0.8 if marks.hovered is key else 0.0))
        if idle:
            pen.setDashPattern((3.0, 3.0))
        painter.setPen(pen)
        painter.setBrush(ground)
        painter.drawRoundedRect(place, _SYSTEM_RADIUS, _SYSTEM_RADIUS)
        self._paint_text(painter, place, text, idle=idle)

    def _paint_text(
        self, painter: QPainter, place: QRectF, text: PartText, *, idle: bool
    ) -> None:
        theme, line = self._theme, self._layout.line
        large = _resized(self._bold, _LARGE)
        rows = [(text.title, self._bold, theme.muted if idle else theme.text, line)]
        if text.value:
            font = large if place.height() > 6.2 * line else self._bold
            height = QFontMetricsF(font).height()
            rows.append((text.value, font, theme.muted if idle else theme.text, height))
        rows += [(entry, self._small, theme.muted, 0.95 * line) for entry in text.lines]
        room = place.height() - 0.5 * line
        while sum(row[3] for row in rows) > room and len(rows) > 1:
            rows.pop()
        spacing = min(0.22 * line, (room - sum(r[3] for r in rows)) / len(rows))
        total = sum(row[3] for row in rows) + spacing * (len(rows) - 1)
        y = place.center().y() - total / 2
        inside = place.adjusted(0.4 * line, 0, -0.4 * line, 0)
        for entry, font, colour, height in rows:
            painter.setPen(QColor(colour))
            frame = QRectF(inside.left(), y, inside.width(), height)
            centre = Qt.AlignmentFlag.AlignHCenter
            draw_text(painter, frame, entry, font=font, align=centre)
            y += height + spacing

    def _paint_ring(self, painter: QPainter, key: PartKey) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(self._theme.text), 2))
        radius = _FRAME_RADIUS if key in FRAMES else _SYSTEM_RADIUS
        around = self._layout.places[key].adjusted(-3, -3, 3, 3)
        if key is PartKey.OUTER_LOOP:
            around = self._layout.places[key].adjusted(2, 2, -2, -2)
        painter.drawRoundedRect(around, radius + 2, radius + 2)

    # Arrows

    def _ink(self, flow: Flow) -> QColor:
        return FLOW_INKS[flow].colour(self._theme)

    def _paint_arrow(self, painter: QPainter, arrow: Arrow) -> None:
        colour = self._ink(arrow.flow)
        if arrow.flow is Flow.DATA:
            role = _POINTS.get(arrow.source, "muted")
            colour = QColor(getattr(self._theme, role))
        idle = self._structure.idle
        is_idle = arrow.flow is not Flow.BACK and (
            arrow.source in idle or arrow.target in idle
        )
        if is_idle:
            colour = mixed(self._theme.surface, self._theme.muted, 0.7)
        width = 2.4 if arrow.flow is Flow.BACK else 1.6
        self._paint_line(
            painter,
            self._layout.points(arrow),
            colour,
            width=width,
            dashed=arrow.straight or is_idle,
        )

    def _paint_line(
        self,
        painter: QPainter,
        points: Points,
        colour: QColor,
        *,
        width: float = 1.6,
        dashed: bool = False,
    ) -> None:
        paint_arrow(painter, points, colour, width=width, dashed=dashed)


def paint_arrow(
    painter: QPainter,
    points: Points,
    colour: QColor,
    *,
    width: float = 1.6,
    dashed: bool = False,
) -> None:
    """Paint a line through points, with a head at the last one."""
    end, before = points[-1], points[-2]
    length = math.hypot(end.x() - before.x(), end.y() - before.y()) or 1.0
    along = (end - before) / length
    head = min(_HEAD + width, 0.8 * length)
    neck = end - along * head
    across = QPointF(-along.y(), along.x()) * (0.5 * head)
    pen = QPen(colour, width)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    if dashed:
        pen.setDashPattern((2.5, 1.8))
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolyline(QPolygonF([*points[:-1], neck]))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawPolygon(QPolygonF([end, neck + across, neck - across]))


def _resized(font: QFont, factor: float) -> QFont:
    resized = QFont(font)
    resized.setPointSizeF(factor * font.pointSizeF())
    return resized
