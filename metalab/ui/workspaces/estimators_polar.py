"""Estimators as arrows: the angle to the exact hypergradient, and the norm."""

from math import acos, cos, isfinite, pi, sin

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from metalab.runs.estimating import Measured
from metalab.ui.theme import DARK, Theme
from metalab.ui.workspaces.estimators_table import colour_of, dashes_of, draw_mark

_MARGIN, _DOT, _LINE = 26.0, 4.5, 15.0
_VEIL = 0.8
_MOST_RATIO = 2.0
"""Longer arrows are cut off there, and end in an open circle."""

_ANGLES = (0, 30, 60, 90, 120, 150, 180)


class PolarPlot(QWidget):
    """Half a circle: the exact hypergradient points to the right with length 1."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._rows: tuple[Measured, ...] = ()
        self._dimmed = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 150)
        self.setAccessibleName(self.tr("Angles and norms of the estimates"))

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(380, 230)

    def set_theme(self, theme: Theme) -> None:
        """Take a theme's colours."""
        self._theme = theme
        self.update()

    def show_rows(self, rows: tuple[Measured, ...], *, dimmed: bool) -> None:
        """Show estimators at one K; see `EstimatorTable.show_rows`."""
        self._rows, self._dimmed = rows, dimmed
        words = [
            f"{row.title}: {_degrees(row):.0f}°, {row.norm_ratio:.2f}"
            for row in rows
            if isfinite(row.cosine)
        ]
        self.setAccessibleDescription("; ".join(words))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the half circle, then the arrows, then their names."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(self._theme.surface))
        radius = min((self.width() - 2 * _MARGIN) / 2, self.height() - 2 * _MARGIN)
        middle = QPointF(self.width() / 2, self.height() - _MARGIN)
        self._paint_grid(painter, middle, radius)
        if self._dimmed:
            painter.setOpacity(0.4)
        ends = self._paint_arrows(painter, middle, radius)
        self._paint_names(painter, ends)

    def _paint_grid(self, painter: QPainter, middle: QPointF, radius: float) -> None:
        painter.setPen(QPen(QColor(self._theme.grid), 1))
        for share in (0.5, 1.0):
            size = radius * share
            box = QRectF(middle.x() - size, middle.y() - size, 2 * size, 2 * size)
            painter.drawArc(box, 0, 180 * 16)
        for angle in _ANGLES:
            way = QPointF(cos(angle * pi / 180), -sin(angle * pi / 180))
            painter.setPen(QPen(QColor(self._theme.grid), 1))
            painter.drawLine(middle, middle + way * radius)
            painter.setPen(QColor(self._theme.muted))
            place = middle + way * (radius + 13)
            box = QRectF(place.x() - 22, place.y() - 9, 44, 18)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, f"{angle}°")
        painter.setPen(QColor(self._theme.muted))
        for share, text in ((0.5, "1"), (1.0, "2×")):
            x = middle.x() + radius * share
            box = QRectF(x - 20, middle.y() + 2, 40, 16)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_arrows(
        self, painter: QPainter, middle: QPointF, radius: float
    ) -> list[tuple[QPointF, str, str]]:
        ends: list[tuple[QPointF, str, str]] = []
        for index, row in enumerate(self._rows):
            finite = isfinite(row.cosine) and isfinite(row.norm_ratio)
            if not finite or row.problem != "own":
                # The anchored problem has another exact hypergradient.
                continue
            angle = _degrees(row) * pi / 180
            length = min(row.norm_ratio, _MOST_RATIO) / _MOST_RATIO * radius
            end = middle + QPointF(cos(angle), -sin(angle)) * length
            colour = QColor(colour_of(index))
            pen = QPen(colour, 2.5 if row.exact else 1.8)
            if dashes := dashes_of(index):
                pen.setDashPattern(dashes)
            painter.setPen(pen)
            painter.drawLine(middle, end)
            cut = row.norm_ratio > _MOST_RATIO
            painter.setBrush(QColor(self._theme.surface) if cut else colour)
            painter.setPen(QPen(colour, 1.8))
            draw_mark(painter, index, end, _DOT)
            ends.append((end, row.title, colour.name()))
        return ends

    def _paint_names(
        self, painter: QPainter, ends: list[tuple[QPointF, str, str]]
    ) -> None:
        """Write each name beside its arrow, where there is room."""
        taken: list[QRectF] = []
        painter.setPen(QColor(self._theme.text))
        metrics = painter.fontMetrics()
        for end, title, _ in sorted(ends, key=_height):
            short = title.split(" (")[0]
            width = metrics.horizontalAdvance(short) + 4
            left = end.x() + 8
            if left + width > self.width() - 2:
                left = end.x() - 8 - width
            box = QRectF(max(left, 2), end.y() - _LINE / 2, width, _LINE)
            if not _moved_free(box, taken):
                # The table has its colour and its numbers.
                continue
            taken.append(box)
            # Arrows behind a name do not strike it through.
            veil = QColor(self._theme.surface)
            veil.setAlphaF(_VEIL)
            painter.fillRect(box.adjusted(-2, 1, 0, -1), veil)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, short)


def _moved_free(box: QRectF, taken: list[QRectF]) -> bool:
    """Move a name up or down a little until it stands free; return whether it does."""
    place = box.top()
    for offset in (0.0, -9.0, 9.0, -18.0, 18.0):
        box.moveTop(place + offset)
        if box.top() >= 0 and not any(box.intersects(other) for other in taken):
            return True
    return False


def _height(entry: tuple[QPointF, str, str]) -> float:
    return -entry[0].y()


def _degrees(row: Measured) -> float:
    return acos(min(max(row.cosine, -1.0), 1.0)) * 180 / pi
