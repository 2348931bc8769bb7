"""Paints the picture of a bilevel problem."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from metalab.figures.structure.layout import BACK_HEIGHT, FRAMES, STACK
from metalab.figures.structure.model import (
    Arrow,
    Flow,
    PartKey,
    PartText,
    Structure,
    TextLine,
)
from metalab.ui.plot.painting import Ink, mixed
from metalab.ui.style.theme import Theme
from metalab.ui.workspaces.structure.layout import DiagramLayout, Points
from metalab.ui.workspaces.structure.text import draw_text, text_width

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
_INNER = (PartKey.START, PartKey.STEP, PartKey.END)
_BOX_RADIUS, _FRAME_RADIUS = 6.0, 10.0
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


@dataclass(frozen=True, slots=True)
class _Row:
    line: TextLine
    font: QFont
    height: float


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
        self._passes_inner = any(
            arrow.flow is Flow.BACK and arrow.target in _INNER
            for arrow in structure.arrows
        )

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
            paint_arrow(painter, self._layout.again(), self._ink(Flow.FORWARD))
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
        painter.drawRoundedRect(place, _BOX_RADIUS, _BOX_RADIUS)
        ways = self._ways_through(key)
        for points in ways:
            painter.setPen(QPen(mixed(ground.name(), theme.evaluation, 0.55), 1.6))
            painter.drawPolyline(QPolygonF(points))
        passed = key in _INNER and self._passes_inner
        below = (1 - BACK_HEIGHT) * 1.6 * place.height() if passed else 0.0
        self._paint_text(painter, place.adjusted(0, 0, 0, -below), text, idle=idle)

    def _ways_through(self, key: PartKey) -> list[Points]:
        """Return how the hypergradient passes a box of the inner loop."""
        if key in _RETURN or key is PartKey.META:
            return []
        back = [a for a in self._structure.arrows if a.flow is Flow.BACK]
        ends = [self._layout.points(a)[-1] for a in back if a.target is key]
        starts = [self._layout.points(a)[0] for a in back if a.source is key]
        place = self._layout.places[key]
        height = place.top() + BACK_HEIGHT * place.height()
        return [
            (end, QPointF(end.x(), height), QPointF(start.x(), height), start)
            for end in ends
            for start in starts
        ]

    def _paint_text(
        self, painter: QPainter, place: QRectF, text: PartText, *, idle: bool
    ) -> None:
        rows = self._rows(place, text)
        theme, line = self._theme, self._layout.line
        room = place.height() - 0.5 * line
        spacing = (room - sum(row.height for row in rows)) / len(rows)
        spacing = min(max(spacing, 0.0), 0.3 * line)
        total = sum(row.height for row in rows) + spacing * (len(rows) - 1)
        y = place.center().y() - total / 2
        width = place.width() - 0.8 * line
        for row in rows:
            frame = QRectF(place.left() + 0.4 * line, y, width, row.height)
            strong = theme.muted if idle else theme.text
            self._paint_row(painter, frame, row, strong)
            y += row.height + spacing

    def _rows(self, place: QRectF, text: PartText) -> list["_Row"]:
        """Return the rows that there is room for."""
        line = self._layout.line
        width = place.width() - 0.8 * line
        rows = [_Row(TextLine("", text.title), self._bold, line)]
        if text.value:
            font = self._bold
            large = _resized(self._bold, _LARGE)
            if place.height() > 5.5 * line and text_width(text.value, large) <= width:
                font = large
            rows.append(
                _Row(TextLine("", text.value), font, QFontMetricsF(font).height())
            )
        rows += [
            _Row(entry, self._small, 0.95 * line)
            for entry in text.lines
            # Words that would be cut say less than none; a number is never left out.
            if entry.value or text_width(entry.label, self._small) <= width
        ]
        room = place.height() - 0.5 * line
        while sum(row.height for row in rows) > room and len(rows) > 1:
            rows.pop()
        return rows

    def _paint_row(
        self, painter: QPainter, frame: QRectF, row: "_Row", strong: str
    ) -> None:
        """Paint a label and its value, together in the middle."""
        label = f"{row.line.label} " if row.line.value and row.line.label else ""
        label = label or row.line.label
        width = text_width(label, row.font)
        total = width + text_width(row.line.value, row.font)
        x = frame.left() + max(0.0, (frame.width() - total) / 2)
        painter.setPen(QColor(self._theme.muted))
        draw_text(
            painter, frame.adjusted(x - frame.left(), 0, 0, 0), label, font=row.font
        )
        if row.line.value:
            painter.setPen(QColor(strong))
            rest = frame.adjusted(x - frame.left() + width, 0, 0, 0)
            draw_text(painter, rest, row.line.value, font=row.font)

    def _paint_ring(self, painter: QPainter, key: PartKey) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(self._theme.text), 2))
        radius = _FRAME_RADIUS if key in FRAMES else _BOX_RADIUS
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
        points, dashed = self._layout.points(arrow), arrow.straight or is_idle
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
    along = (end - before) * (1 / length)
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
