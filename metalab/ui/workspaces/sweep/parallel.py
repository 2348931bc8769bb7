"""Parallel coordinates: an axis each, one line through them for every run."""

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from metalab.engine.events import Array
from metalab.ui.plot.painting import mixed, tint
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import current_theme, follow_theme
from metalab.ui.workspaces.landscape.colours import ColourScale, on_scale, viridis
from metalab.ui.workspaces.sweep.outcomes import SweepOutcomes, axis_label, value_label

LOSS = "held-out loss"
_SIDE, _TOP, _BOTTOM = 60, 30, 24
_HIT = 24.0
_LEAST_BRUSH = 4.0
_MOST_TICKS = 9


class ParallelCoordinates(QWidget):
    """Every run as a line over all axes and its loss; ranges on axes select runs.

    Attributes:
        brushed: Runs within every range; none without a range.
    """

    brushed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._outcomes: SweepOutcomes | None = None
        self._axes: tuple[str, ...] = ()
        self._shares: Array = np.empty((0, 0))
        self._colours: list[QColor] = []
        self._ranges: dict[str, tuple[float, float]] = {}
        self._selected: frozenset[int] = frozenset()
        self._drag: tuple[str, float] | None = None
        self._picture: QPixmap | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Parallel coordinates of the runs")
        self.setAutoFillBackground(True)
        follow_theme(self._take_theme)

    def _take_theme(self, theme: Theme) -> None:
        tint(self, theme.surface, self.backgroundRole())
        self._repaint()

    def minimumSizeHint(self) -> QSize:
        """Return a size at which axes can be told apart."""
        return QSize(260, 150)

    def show_outcomes(self, outcomes: SweepOutcomes | None) -> None:
        """Show runs; ranges of axes that are still there stay."""
        self._outcomes = outcomes
        self._axes = () if outcomes is None else (*outcomes.axes, LOSS)
        self._ranges = {a: r for a, r in self._ranges.items() if a in self._axes}
        if outcomes is not None:
            self._take_in(outcomes)
        self._repaint()

    def _take_in(self, outcomes: SweepOutcomes) -> None:
        columns = [_evenly(outcomes, axis) for axis in outcomes.axes]
        finite = outcomes.losses[np.isfinite(outcomes.losses)]
        log = (
            bool(len(finite)) and finite.min() > 0 and finite.max() > 10 * finite.min()
        )
        self._scale = ColourScale.of(outcomes.losses, log=log)
        losses = on_scale(outcomes.losses, log=log)
        span = self._scale.high - self._scale.low
        shares = np.clip((losses - self._scale.low) / span, 0.0, 1.0)
        # What diverged ends at the top, above everything that has a loss.
        shares = np.where(np.isposinf(outcomes.losses), 1.0, shares)
        self._shares = np.stack([*columns, shares], axis=1)
        known = np.where(np.isfinite(shares), shares, 1.0)
        self._colours = [QColor(*(int(c) for c in row)) for row in viridis(1.0 - known)]

    def set_selected(self, runs: frozenset[int]) -> None:
        """Show some runs before the others; all alike for none."""
        if runs != self._selected:
            self._selected = runs
            self._repaint()

    def clear(self) -> None:
        """Forget every range."""
        self._ranges = {}
        self._repaint()

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """Shares of the height that are brushed, by axis."""
        return dict(self._ranges)

    # Where things are

    def x_of(self, axis: str) -> float:
        """Return where an axis stands."""
        width = max(1, self.width() - 2 * _SIDE)
        return _SIDE + width * self._axes.index(axis) / max(1, len(self._axes) - 1)

    def y_of(self, share: float) -> float:
        """Return the height of a share, 0 at the bottom."""
        return self.height() - _BOTTOM - share * self._height()

    def _height(self) -> float:
        return max(1.0, self.height() - _TOP - _BOTTOM)

    def _share_at(self, y: float) -> float:
        return float(np.clip((self.height() - _BOTTOM - y) / self._height(), 0.0, 1.0))

    # Brushing

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a range on the axis that is near."""
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        near = min(
            self._axes,
            key=lambda a: abs(self.x_of(a) - event.position().x()),
            default="",
        )
        if near and abs(self.x_of(near) - event.position().x()) <= _HIT:
            self._drag = (near, event.position().y())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Take the range to the mouse."""
        if self._drag is None:
            return
        axis, begin = self._drag
        end = event.position().y()
        if abs(end - begin) >= _LEAST_BRUSH:
            ends = sorted((self._share_at(begin), self._share_at(end)))
            self._ranges[axis] = (ends[0], ends[1])
            self._tell()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the range; a click alone takes the axis's range away."""
        if self._drag is None:
            return
        axis, begin = self._drag
        self._drag = None
        if abs(event.position().y() - begin) < _LEAST_BRUSH:
            self._ranges.pop(axis, None)
            self._tell()

    def _tell(self) -> None:
        inside = np.ones(len(self._shares), dtype=bool)
        for axis, (low, high) in self._ranges.items():
            column = self._shares[:, self._axes.index(axis)]
            inside &= (column >= low - 1e-9) & (column <= high + 1e-9)
        runs = np.flatnonzero(inside).tolist() if self._ranges else []
        self.brushed.emit(frozenset[int](runs))
        self._repaint()

    # Painting

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Paint anew at the new size."""
        super().resizeEvent(event)
        self._picture = None

    def _repaint(self) -> None:
        self._picture = None
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint lines and axes; many lines are painted once, not at every frame."""
        del event
        painter = QPainter(self)
        theme = current_theme()
        if not self._axes or not len(self._shares):
            painter.setPen(QColor(theme.muted))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "No axes yet")
            return
        if self._picture is None:
            ratio = self.devicePixelRatioF()
            self._picture = QPixmap(self.size() * ratio)
            self._picture.setDevicePixelRatio(ratio)
            self._picture.fill(QColor(theme.surface))
            inner = QPainter(self._picture)
            inner.setRenderHint(QPainter.RenderHint.Antialiasing)
            inner.setFont(self.font())
            self._paint_lines(inner, theme)
            for axis in self._axes:
                self._paint_axis(inner, theme, axis)
            inner.end()
        painter.drawPixmap(0, 0, self._picture)

    def _paint_lines(self, painter: QPainter, theme: Theme) -> None:
        xs = [self.x_of(axis) for axis in self._axes]
        order = sorted(range(len(self._shares)), key=lambda n: n in self._selected)
        for n in order:
            faint = bool(self._selected or self._ranges) and n not in self._selected
            colour = self._colours[n]
            known = np.isfinite(self._shares[n])
            if faint:
                colour = mixed(theme.surface, theme.border, 0.6)
            elif not known[-1]:
                colour = QColor(theme.muted)
            painter.setPen(QPen(colour, 1.0 if faint else 1.6))
            points = [
                QPointF(x, self.y_of(float(share)))
                for x, share, there in zip(xs, self._shares[n], known, strict=True)
                if there
            ]
            painter.drawPolyline(QPolygonF(points))

    def _paint_axis(self, painter: QPainter, theme: Theme, axis: str) -> None:
        x, metrics = self.x_of(axis), painter.fontMetrics()
        line = metrics.height()
        painter.setPen(QPen(QColor(theme.muted), 1.2))
        painter.drawLine(QPointF(x, self.y_of(1.0)), QPointF(x, self.y_of(0.0)))
        if axis in self._ranges:
            low, high = self._ranges[axis]
            brush = QRectF(x - 6, self.y_of(high), 12, self.y_of(low) - self.y_of(high))
            colour = QColor(theme.accent)
            colour.setAlpha(90)
            painter.fillRect(brush, colour)
            painter.setPen(QPen(QColor(theme.accent), 1.2))
            painter.drawRect(brush)
        room = max(40.0, (self.width() - 2 * _SIDE) / max(1, len(self._axes) - 1) - 8)
        title = metrics.elidedText(
            axis_label(axis), Qt.TextElideMode.ElideMiddle, int(min(room, 2 * _SIDE))
        )
        box = QRectF(x - _SIDE, 4, 2 * _SIDE, line)
        painter.setPen(QColor(theme.text))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, title)
        is_last = axis == LOSS
        for share, text in self._ticks(axis):
            wide = metrics.horizontalAdvance(text) + 6
            left = x + 7 if not is_last else x - 7 - wide
            place = QRectF(left, self.y_of(share) - line / 2, wide, line)
            plate = QColor(theme.surface)
            plate.setAlpha(190)
            painter.fillRect(place, plate)
            painter.setPen(QColor(theme.muted))
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)

    def _ticks(self, axis: str) -> list[tuple[float, str]]:
        assert self._outcomes is not None, "there are axes"
        if axis == LOSS:
            span = self._scale.high - self._scale.low
            values = [self._scale.low + share * span for share in (0.0, 0.5, 1.0)]
            if not np.isfinite(self._outcomes.losses).any():
                return []
            texts = [f"{10**v if self._scale.log else v:.3g}" for v in values]
            return list(zip((0.0, 0.5, 1.0), texts, strict=True))
        levels = self._outcomes.levels(axis)
        stride = -(-len(levels) // _MOST_TICKS)
        last = max(1, len(levels) - 1)
        shown = range(0, len(levels), stride)
        middle = len(levels) == 1
        return [(0.5 if middle else n / last, value_label(levels[n])) for n in shown]


def _evenly(outcomes: SweepOutcomes, axis: str) -> Array:
    """Return of each run the share of an axis's height: its values stand evenly."""
    places = np.array(outcomes.places(axis), dtype=np.float64)
    last = len(outcomes.levels(axis)) - 1
    return places / last if last else np.full(len(places), 0.5)
