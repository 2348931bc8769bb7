"""Estimators as arrows: the angle to the exact hypergradient, and the norm."""

from math import acos, cos, isfinite, pi, sin

from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from metalab.analysis.comparison import Measured
from metalab.figures.estimator_looks import look_of
from metalab.ui.plot.painting import draw_mark
from metalab.ui.style.theming import current_theme
from metalab.ui.workspaces.estimators.label_places import distance, near_edge, places

_AIR, _DOT, _NEAR = 10.0, 4.5, 12.0
_VEIL = 0.85
_FONTS = (1.0, 0.9, 0.8, 0.7)
"""Of names, in the widget's font: smaller ones where there is too little room."""

_MOST_RATIO = 2.0
"""Longer arrows are cut off there, and end in an open circle."""

_ANGLES = (0, 30, 60, 90, 120, 150, 180)


_Named = tuple[QFont, dict[str, tuple[QPointF, QRectF]]]
"""A font; by name, the end of an arrow and the place of its name."""


class PolarPlot(QWidget):
    """Half a circle: the exact hypergradient points to the right with length 1."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[Measured, ...] = ()
        self._dimmed = False
        self._known: tuple[tuple[object, ...], _Named] | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 150)
        self.setAccessibleName("Angles and norms of the estimates")

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(380, 230)

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
        painter.fillRect(self.rect(), QColor(current_theme().surface))
        self._paint_grid(painter)
        if self._dimmed:
            painter.setOpacity(0.4)
        self._paint_arrows(painter)
        self._paint_names(painter)

    # Where everything is

    def _margin(self) -> float:
        """Return the room for an angle or a length, in pixels."""
        return self.fontMetrics().height() + _AIR

    def _circle(self) -> tuple[QPointF, float]:
        """Return middle and radius of the half circle."""
        aside = self.fontMetrics().horizontalAdvance("180°") + _AIR
        margin = self._margin()
        radius = min(self.width() / 2 - aside, self.height() - 2 * margin)
        return QPointF(self.width() / 2, self.height() - margin), radius

    def _grid_labels(self) -> list[tuple[QRectF, str]]:
        """Return where the numbers of the grid are, and what they are."""
        middle, radius = self._circle()
        metrics = self.fontMetrics()
        height = metrics.height()
        found: list[tuple[QRectF, str]] = []
        for angle in _ANGLES:
            text = f"{angle}°"
            width = metrics.horizontalAdvance(text)
            way = QPointF(cos(angle * pi / 180), -sin(angle * pi / 180))
            out = (
                radius + _AIR / 2 + abs(way.x()) * width / 2 + abs(way.y()) * height / 2
            )
            found.append((_around(middle + way * out, width, height), text))
        for share, text in ((0.5, "1"), (1.0, "2×")):
            at = middle + QPointF(radius * share, height / 2 + 2)
            found.append((_around(at, metrics.horizontalAdvance(text), height), text))
        return found

    def _drawn(self) -> list[tuple[Measured, QPointF]]:
        """Return the estimators that are arrows, and where those end."""
        middle, radius = self._circle()
        found: list[tuple[Measured, QPointF]] = []
        for row in self._rows:
            finite = isfinite(row.cosine) and isfinite(row.norm_ratio)
            if not finite or row.problem != "own":
                # The anchored problem has another exact hypergradient.
                continue
            angle = _degrees(row) * pi / 180
            length = min(row.norm_ratio, _MOST_RATIO) / _MOST_RATIO * radius
            found.append((row, middle + QPointF(cos(angle), -sin(angle)) * length))
        return found

    def name_places(self) -> dict[str, tuple[QPointF, QRectF]]:
        """Return the end of each arrow and the place of its name, by name."""
        return self._named()[1]

    def _named(self) -> _Named:
        """Return the font of the names, and what `name_places` does; found once."""
        wanted = (
            self._rows,
            self.size(),
            self.font().toString(),
            current_theme().scale,
        )
        if self._known is None or self._known[0] != wanted:
            self._known = (wanted, self._placed_names())
        return self._known[1]

    def _placed_names(self) -> _Named:
        """Return the largest font in which every name has a place, and those places."""
        drawn = self._drawn()
        middle, _ = self._circle()
        arrows = [QLineF(middle, end) for _, end in drawn]
        numbers = [box for box, _ in self._grid_labels()]
        room = QRectF(self.rect()).adjusted(2, 2, -2, -2)
        font = QFont(self.font())
        found: list[QRectF | None] = []
        for share in _FONTS:
            font.setPointSizeF(share * self.font().pointSizeF())
            metrics = QFontMetricsF(font)
            sizes = [
                # Its mark stands before it, as in the table.
                QSizeF(
                    metrics.horizontalAdvance(_short(row)) + metrics.height() + 2,
                    metrics.height(),
                )
                for row, _ in drawn
            ]
            found = places(
                arrows, sizes, room, numbers, reach=_DOT * current_theme().scale
            )
            if None not in found:
                break
        return font, {
            row.name: (end, place)
            for (row, end), place in zip(drawn, found, strict=True)
            if place is not None
        }

    # What is painted

    def _paint_grid(self, painter: QPainter) -> None:
        middle, radius = self._circle()
        theme = current_theme()
        painter.setPen(QPen(QColor(theme.grid), theme.scale))
        for share in (0.5, 1.0):
            size = radius * share
            box = QRectF(middle.x() - size, middle.y() - size, 2 * size, 2 * size)
            painter.drawArc(box, 0, 180 * 16)
        for angle in _ANGLES:
            way = QPointF(cos(angle * pi / 180), -sin(angle * pi / 180))
            painter.drawLine(middle, middle + way * radius)
        painter.setPen(QColor(theme.muted))
        for box, text in self._grid_labels():
            painter.drawText(box, _CENTRED, text)

    def _paint_arrows(self, painter: QPainter) -> None:
        middle, _ = self._circle()
        theme = current_theme()
        scale = theme.scale
        # The exact ones last: on top of those that end where they do.
        for row, end in sorted(self._drawn(), key=lambda entry: entry[0].exact):
            look = look_of(row.name)
            colour = QColor(look.colour)
            pen = QPen(colour, scale * (2.5 if row.exact else 1.8))
            if look.dashes:
                pen.setDashPattern(look.dashes)
            painter.setPen(pen)
            painter.drawLine(middle, end)
            cut = row.norm_ratio > _MOST_RATIO
            painter.setBrush(QColor(theme.surface) if cut else colour)
            painter.setPen(QPen(colour, 1.8 * scale))
            draw_mark(painter, look.mark, end, _DOT * scale)

    def _paint_names(self, painter: QPainter) -> None:
        """Write each name beside its arrow, with a line to it where that is far."""
        titles = {row.name: _short(row) for row in self._rows}
        font, found = self._named()
        painter.setFont(font)
        theme = current_theme()
        for name, (end, place) in found.items():
            if distance(place, end) > _NEAR * theme.scale:
                painter.setPen(QPen(QColor(look_of(name).colour), theme.scale))
                painter.drawLine(end, near_edge(place, end))
        for name, (_, place) in found.items():
            # Arrows behind a name do not strike it through.
            veil = QColor(theme.surface)
            veil.setAlphaF(_VEIL)
            painter.fillRect(place, veil)
            look, height = look_of(name), place.height()
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(look.colour))
            middle = QPointF(place.left() + height / 2, place.center().y())
            draw_mark(painter, look.mark, middle, 0.27 * height)
            painter.setPen(QColor(theme.text))
            words = place.adjusted(height, 0, 0, 0)
            painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, titles[name])


_CENTRED = Qt.AlignmentFlag.AlignCenter


def _around(middle: QPointF, width: float, height: float) -> QRectF:
    return QRectF(middle.x() - width / 2, middle.y() - height / 2, width, height)


def _short(row: Measured) -> str:
    return row.title.split(" (")[0]


def _degrees(row: Measured) -> float:
    return acos(min(max(row.cosine, -1.0), 1.0)) * 180 / pi
