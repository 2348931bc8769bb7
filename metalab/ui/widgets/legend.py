"""Legend of a plot, in one line above it."""

from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QLinearGradient,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from metalab.ui.plot.painting import Ink
from metalab.ui.style.theming import current_theme

_SWATCH, _GAP, _SPACING = 16, 5, 12
_LINE_HEIGHT = 1.5


class Swatch(Enum):
    """What stands before the text."""

    LINE = "line"
    THICK = "thick"
    BOLD = "bold"
    DASHED = "dashed"
    DOT = "dot"
    RING = "ring"
    BAND = "band"


_WIDTHS = {Swatch.THICK: 2.5, Swatch.BOLD: 3.5}
"""Of lines, in pixels; others are thin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that a plot shows.

    Attributes:
        swatch: Its shape.
        ink: Its colour.
        text: What it means.
        end: The colour that a line goes over into; None for one colour.
    """

    swatch: Swatch
    ink: Ink
    text: str
    end: Ink | None = None


class Legend(QWidget):
    """Entries from left to right, in as many lines as the width asks for."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: tuple[Entry, ...] = ()
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What is shown."""
        return self._entries

    def set_entries(self, *entries: Entry) -> None:
        """Show other entries."""
        if entries != self._entries:
            self._entries = entries
            self.setAccessibleName(", ".join(entry.text for entry in entries))
            self.updateGeometry()
            self.update()

    def hasHeightForWidth(self) -> bool:
        """Return that the number of lines depends on the width."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of the lines at a width."""
        places = self._places(width)
        lines = 1 + (places[-1][1] if places else 0)
        return round(lines * self._line_height() + 4)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Ask for as many lines as another width needs."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            # A fixed height is that of the hint, which is of the width before.
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Return the size of all lines."""
        return QSize(200, self.heightForWidth(self.width()))

    def minimumSizeHint(self) -> QSize:
        """Return the size of the longest entry."""
        return QSize(80, self.heightForWidth(max(self.width(), 80)))

    def _line_height(self) -> float:
        return self.fontMetrics().height() * _LINE_HEIGHT

    def _places(self, width: int) -> list[tuple[float, int]]:
        """Return x and line of each entry."""
        places: list[tuple[float, int]] = []
        x, line = float(_SPACING), 0
        for entry in self._entries:
            text = self.fontMetrics().horizontalAdvance(entry.text)
            needed = _SWATCH + _GAP + text
            # The same air at both edges.
            if x > _SPACING and x + needed + _SPACING > width:
                x, line = float(_SPACING), line + 1
            places.append((x, line))
            x += needed + _SPACING
        return places

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint swatches and texts."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        height = self._line_height()
        places = self._places(self.width())
        for entry, (x, line) in zip(self._entries, places, strict=True):
            middle = (line + 0.5) * height + 1
            self._paint_swatch(painter, entry, QRectF(x, middle - 5, _SWATCH, 10))
            painter.setPen(QColor(current_theme().muted))
            left = x + _SWATCH + _GAP
            frame = QRectF(left, line * height + 1, self.width() - left, height)
            painter.drawText(frame, Qt.AlignmentFlag.AlignVCenter, entry.text)

    def _paint_swatch(self, painter: QPainter, entry: Entry, frame: QRectF) -> None:
        theme = current_theme()
        colour = entry.ink.colour(theme)
        middle = frame.center()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if entry.swatch is Swatch.BAND:
            painter.fillRect(frame, colour)
        elif entry.swatch is Swatch.DOT:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawEllipse(middle, 3, 3)
        elif entry.swatch is Swatch.RING:
            painter.setPen(QPen(colour, 2 * theme.scale))
            painter.drawEllipse(middle, 3.5, 3.5)
        else:
            width = _WIDTHS.get(entry.swatch, 1.5)
            brush = QBrush(colour)
            if entry.end is not None:
                shades = QLinearGradient(frame.topLeft(), frame.topRight())
                shades.setColorAt(0, colour)
                shades.setColorAt(1, entry.end.colour(theme))
                brush = QBrush(shades)
            pen = QPen(brush, width * theme.scale)
            if entry.swatch is Swatch.DASHED:
                pen.setDashPattern((3.0, 2.0))
                pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            painter.setPen(pen)
            painter.drawLine(
                QPointF(frame.left(), middle.y()), QPointF(frame.right(), middle.y())
            )
