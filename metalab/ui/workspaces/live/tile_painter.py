"""Tiles of tasks, painted by hand: dozens of small plots in the time of one."""

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from metalab.analysis.loss_scale import LossScale
from metalab.engine.events import Array, Curves, HeldOutTasks
from metalab.ui.plot.painting import draw_segments, mixed
from metalab.ui.plot.ticks import number_text
from metalab.ui.style.theme import Theme
from metalab.ui.workspaces.live.adaptation_drawing import band_of

_WANTED_ASPECT = 1.6
_BLANK_COST = 0.12
_GAP = 6.0
_PADDING = 5.0
_RADIUS = 4.0
_PIXELS_A_POINT = 3.0
_NO_TEXT_BELOW = 40.0
_BAND_OPACITY = 0.22
_FAR = 1e5
"""In pixels: what is farther cannot be seen, and is too much for Qt's rasteriser."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TileLayout:
    """Where the tiles of a grid are.

    Attributes:
        num_columns: Tiles in a row.
        width: Of a tile, in points.
        height: Of a tile.
    """

    num_columns: int
    width: float
    height: float

    def frame(self, place: int) -> QRectF:
        """Return the rectangle of the tile at a place, counted in reading order."""
        row, column = divmod(place, self.num_columns)
        return QRectF(
            _GAP + column * (self.width + _GAP),
            _GAP / 2 + row * (self.height + _GAP),
            self.width,
            self.height,
        )


def tile_layout(count: int, width: float, height: float) -> TileLayout:
    """Return the grid whose tiles have the nicest shape and few blanks at the end."""

    def layout(num_columns: int) -> TileLayout:
        num_rows = math.ceil(count / num_columns)
        return TileLayout(
            num_columns=num_columns,
            width=max(8.0, (width - _GAP) / num_columns - _GAP),
            height=max(8.0, (height - _GAP / 2) / num_rows - _GAP),
        )

    def cost(candidate: TileLayout) -> float:
        blanks = -count % candidate.num_columns
        shape = math.log(candidate.width / candidate.height / _WANTED_ASPECT)
        return abs(shape) + _BLANK_COST * blanks

    return min((layout(columns) for columns in range(1, count + 1)), key=cost)


def loss_colour(share: float, theme: Theme) -> QColor:
    """Return the colour of a loss; blue to yellow to red, which all people tell apart."""
    if share < 0.5:
        return mixed(theme.after, theme.evaluation, 2 * share)
    return mixed(theme.evaluation, theme.error, 2 * share - 1)


class TilePainter:
    """Paints the tiles of some tasks. All tiles have the same scale."""

    def __init__(
        self, tasks: HeldOutTasks, scale: LossScale, layout: TileLayout, theme: Theme
    ) -> None:
        """Prepare for a scale of losses, a size and a theme."""
        self._tasks = tasks
        self._layout = layout
        self._theme = theme
        self._scale = scale
        # A curve needs no more points than the tile has room for.
        num_points = max(8, int(layout.width / _PIXELS_A_POINT))
        count = len(tasks.grid)
        self._points = np.unique(
            np.linspace(0, count - 1, min(num_points, count)).round().astype(int)
        )
        low, high = tasks.plotted_range()
        margin = 0.12 * ((high - low) or 1.0)
        self._low, self._high = low - margin, high + margin
        self._grid_x = self._across(tasks.grid[self._points])
        self._tile = QRectF(0, 0, layout.width, layout.height)
        self._ground = mixed(theme.surface, theme.window, 0.6)

    def paint_still(self, painter: QPainter, order: list[int]) -> None:
        """Paint what never changes: tiles, true curves, support points, numbers."""
        theme, tasks = self._theme, self._tasks
        dashed = QPen(QColor(theme.truth), theme.scale)
        dashed.setDashPattern((3.0, 3.0))
        truth = None
        if tasks.true_curves is not None:
            truth = self._down(tasks.true_curves[:, self._points]).tolist()
        for place, task in enumerate(order):
            corner = self._layout.frame(place).topLeft()
            painter.translate(corner)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._ground)
            painter.drawRoundedRect(self._tile, _RADIUS, _RADIUS)
            if truth is not None:
                painter.setPen(dashed)
                painter.drawPolyline(self._polygon(truth[task]))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.query))
            self._paint_dots(painter, *tasks.other_observations(task), 1.2)
            painter.setBrush(QColor(theme.support))
            self._paint_dots(painter, *tasks.support.plotted(task), 1.8)
            self._paint_number(painter, task)
            painter.translate(-corner)

    def paint_moving(self, painter: QPainter, order: list[int], curves: Curves) -> None:
        """Paint start and adapted curve, the border and the loss of each tile."""
        k = self._tasks.num_inner_steps
        theme = self._theme
        start = QPen(mixed(theme.surface, theme.before, 0.7), theme.scale)
        adapted = QPen(QColor(theme.after), 1.6 * theme.scale)
        drawn = curves.curves[:, (0, k)][:, :, self._points]
        before, after = self._down(drawn).swapaxes(0, 1)
        bands = self._bands(curves, k)
        for place, task in enumerate(order):
            corner = self._layout.frame(place).topLeft()
            painter.translate(corner)
            painter.setClipRect(self._tile)
            if bands is not None:
                self._paint_band(painter, bands[:, task])
            painter.setPen(start)
            draw_segments(painter, self._grid_x, before[task])
            painter.setPen(adapted)
            draw_segments(painter, self._grid_x, after[task])
            painter.setClipping(False)
            # Again, over the curves.
            self._paint_number(painter, task)
            self._paint_loss(painter, float(curves.query_loss[task, k]))
            painter.translate(-corner)

    def _bands(self, curves: Curves, k: int) -> Array | None:
        """Return the edges of the predictive bands after K steps, [edge, task, point]."""
        if curves.deviation is None:
            return None
        edges = np.stack(band_of(curves, (slice(None), k)))
        return np.clip(self._down(edges[..., self._points]), -_FAR, _FAR)

    def _paint_band(self, painter: QPainter, edges: Array) -> None:
        """Fill the area between two lines, [edge, point], as far as they are known."""
        known = np.isfinite(edges).all(axis=0)
        x = self._grid_x[known]
        around_x = np.concatenate([x, x[::-1]]).tolist()
        around_y = np.concatenate([edges[0, known], edges[1, known][::-1]]).tolist()
        colour = QColor(self._theme.after)
        # True curve and points are below already, and must shine through.
        colour.setAlphaF(_BAND_OPACITY)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawPolygon(QPolygonF(list(map(QPointF, around_x, around_y))))

    def _paint_dots(self, painter: QPainter, x: Array, y: Array, radius: float) -> None:
        """Paint points as dots of a radius in pixels."""
        dot = radius * self._theme.scale
        down, across = self._down(y).tolist(), self._across(x).tolist()
        for centre in map(QPointF, across, down):
            painter.drawEllipse(centre, dot, dot)

    def _paint_number(self, painter: QPainter, task: int) -> None:
        """Paint a task's name or number, on a plate: no curve strikes it through."""
        if not self._has_room:
            return
        metrics = painter.fontMetrics()
        text = self._tasks.mark(task)
        if self._tasks.names:
            # The loss stands in the other corner, below.
            room = int(self._layout.width) - 10
            right = Qt.TextElideMode.ElideRight
            text = metrics.elidedText(text, right, room)
        width, height = metrics.horizontalAdvance(text) + 4, metrics.height()
        plate = QRectF(4, 3, width, height)
        painter.fillRect(plate, self._ground)
        painter.setPen(QColor(self._theme.muted))
        painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_loss(self, painter: QPainter, loss: float) -> None:
        """Paint the loss of a tile: as the colour of its border, and as a number."""
        frame = self._tile
        colour = loss_colour(self._scale.share(loss), self._theme)
        painter.setPen(QPen(colour, 1.6))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(frame.adjusted(0.8, 0.8, -0.8, -0.8), _RADIUS, _RADIUS)
        if not self._has_room:
            return
        text = number_text(loss)
        metrics = painter.fontMetrics()
        width, height = metrics.horizontalAdvance(text) + 4, metrics.height()
        plate = QRectF(
            frame.right() - width - 3, frame.bottom() - height - 2, width, height
        )
        painter.fillRect(plate, self._ground)
        painter.setPen(QColor(self._theme.text))
        painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, text)

    @property
    def _has_room(self) -> bool:
        return min(self._tile.height(), self._tile.width()) >= _NO_TEXT_BELOW

    def _across(self, x: Array) -> Array:
        """Return where inputs are in a tile."""
        first, last = float(self._tasks.grid[0]), float(self._tasks.grid[-1])
        share = (x - first) / ((last - first) or 1.0)
        return _PADDING + share * (self._layout.width - 2 * _PADDING)

    def _down(self, y: Array) -> Array:
        """Return where targets are in a tile."""
        share = (self._high - y) / (self._high - self._low)
        return share * self._layout.height

    def _polygon(self, y: list[float]) -> QPolygonF:
        return QPolygonF(list(map(QPointF, self._grid_x.tolist(), y)))
