"""A plot. The only module that imports pyqtgraph.

Data reach pyqtgraph thinned out (`metalab.ui.decimate`) and on the scale of the axis; the
views compute the limits. pyqtgraph draws, maps and zooms, and nothing else of it is used.
"""

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QGraphicsGridLayout,
    QGraphicsWidget,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from metalab.engine.events import Array
from metalab.ui.limits import Limits, settled, with_margin
from metalab.ui.marks import Band, Curve, Dots, Handle, Points, Stroke, VerticalLine
from metalab.ui.painting import Ink, tint
from metalab.ui.theme import DARK, Theme
from metalab.ui.ticks import linear_ticks, log_ticks

pg.setConfigOptions(antialias=False, segmentedLineMode="on", useOpenGL=False)

_FOCUS_RING = 2
_RIGHT_MARGIN, _OVERHANG = 16, 30
"""Room right of the axes, and how far a number may reach beyond the end of its axis."""

_BEHIND = -1000
"""The grid goes below the data; pyqtgraph's area of data stands at -100."""

_PIXELS_A_TICK_X, _PIXELS_A_TICK_Y = 60, 32
_FEWEST_COLUMNS = 100
_X_MARGIN = 0.015
_ZOOM_STEP = 0.8
_PAN_STEP = 0.1


class _Axis(pg.AxisItem):
    """An axis with a grid, whose first and last numbers may reach beyond its ends."""

    def boundingRect(self) -> QRectF:
        """Return where pyqtgraph may draw: with a grid, it leaves no room there."""
        return super().boundingRect().adjusted(-_OVERHANG, -_OVERHANG, _OVERHANG, 0)


class Plot(QWidget):
    """Two axes and what stands in them.

    Attributes:
        pointed: The x under the pointer or under the keyboard's crosshair; None if it
            left.
        range_changed: The axes show another part of the data, or have another size.
        zoom_changed: Whether a person has moved the axes, so that they no longer follow
            the data.
    """

    pointed = Signal(object)
    range_changed = Signal()
    zoom_changed = Signal(bool)

    def __init__(
        self,
        *,
        x_label: str = "",
        y_label: str = "",
        whole_x: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        """Make an empty plot.

        Args:
            x_label: Below the horizontal axis, with the unit; "" leaves no room for it.
            y_label: Left of the vertical axis, with the unit.
            whole_x: Whether x are whole numbers.
            parent: Qt's parent.
        """
        super().__init__(parent)
        self._whole_x = whole_x
        self._log_y = False
        self._zoomed = False
        self._theme: Theme = DARK
        self._handles: list[Handle] = []
        self._settled_y: Limits | None = None
        self._limits: tuple[Limits, Limits] = ((0.0, 1.0), (0.0, 1.0))
        self._drawn_limits: tuple[Limits, Limits] | None = None
        self._pointed_at: float | None = None
        self._view: Any = pg.GraphicsView(self)
        self._box: Any = pg.ViewBox(enableMenu=False, defaultPadding=0)
        self._bottom: Any = _Axis("bottom")
        self._left: Any = _Axis("left")
        self._message = QLabel(self)
        self._arrange(x_label, y_label)
        cross = Stroke(ink=Ink(role="muted"))
        self._cross = self.vertical_line(cross)
        self.set_theme(self._theme)
        self._apply_limits()

    def _arrange(self, x_label: str, y_label: str) -> None:
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._view.viewport().setMouseTracking(True)
        self._view.viewport().installEventFilter(self)
        centre = QGraphicsWidget()
        grid = QGraphicsGridLayout(centre)
        grid.setContentsMargins(0, 6, _RIGHT_MARGIN, 0)
        grid.setSpacing(0)
        for item, row, column in (
            (self._left, 0, 0),
            (self._box, 0, 1),
            (self._bottom, 1, 1),
        ):
            grid.addItem(item, row, column)
        self._view.setCentralItem(centre)
        for axis, label in ((self._bottom, x_label), (self._left, y_label)):
            axis.linkToView(self._box)
            axis.enableAutoSIPrefix(False)  # noqa: FBT003 - pyqtgraph's signature
            axis.setGrid(255)
            axis.setZValue(_BEHIND)
            axis.setStyle(
                tickLength=0,
                tickTextOffset=6,
                autoExpandTextSpace=False,
            )
            if label:
                axis.setLabel(label)
        metrics = self.fontMetrics()
        self._left.setWidth(
            metrics.horizontalAdvance("0.0005")
            + 10
            + (metrics.height() + 4 if y_label else 0)
        )
        self._bottom.setHeight(metrics.height() * (2 if x_label else 1) + 8)
        self._box.setMouseEnabled(x=True, y=True)
        self._box.disableAutoRange()
        self._box.sigRangeChanged.connect(self._on_range_changed)
        self._box.sigResized.connect(self._on_range_changed)
        self._box.sigRangeChangedManually.connect(self._on_moved_by_hand)
        self._message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._message.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._message.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*[_FOCUS_RING] * 4)
        layout.addWidget(self._view)
        self.setMinimumSize(160, 110)

    # What stands in the plot

    def line(self, stroke: Stroke, *, z: float = 0.0) -> Curve:
        """Add a line; among all, a higher `z` is drawn later."""
        handle = Curve(self._added(pg.PlotCurveItem(), z), stroke, self._on_axis)
        self._keep(handle)
        return handle

    def points(self, dots: Dots, *, z: float = 0.0) -> Points:
        """Add discs."""
        item = pg.ScatterPlotItem(size=dots.size, antialias=True, pxMode=True)
        handle = Points(self._added(item, z), dots, self._on_axis)
        self._keep(handle)
        return handle

    def band(self, ink: Ink, *, z: float = 0.0) -> Band:
        """Add a filled area."""
        item = pg.PlotCurveItem(fillLevel="enclosed", pen=None, antialias=True)
        handle = Band(self._added(item, z), ink, self._on_axis)
        self._keep(handle)
        return handle

    def vertical_line(self, stroke: Stroke, *, z: float = 0.0) -> VerticalLine:
        """Add a line across the plot; hidden until `show_at`."""
        item = pg.InfiniteLine(
            angle=90,
            movable=False,
            label="",
            labelOpts={"position": 1.0, "anchors": [(0.0, 0.0), (1.0, 0.0)]},
        )
        item.setVisible(False)
        handle = VerticalLine(self._added(item, z), stroke)
        self._keep(handle)
        return handle

    def _added(self, item: Any, z: float) -> Any:
        item.setZValue(z)
        self._box.addItem(item, ignoreBounds=True)
        return item

    def _keep(self, handle: Handle) -> None:
        self._handles.append(handle)
        handle.set_theme(self._theme)

    # What the axes show

    @property
    def num_columns(self) -> int:
        """Width of the area of data, in pixels."""
        return max(_FEWEST_COLUMNS, int(self._box.width()))

    @property
    def zoomed(self) -> bool:
        """Whether a person has moved the axes."""
        return self._zoomed

    @property
    def x_range(self) -> Limits:
        """First and last x that are shown."""
        low, high = self._box.viewRange()[0]
        return float(low), float(high)

    @property
    def y_range(self) -> Limits:
        """Smallest and largest y that are shown, as values even on a log axis."""
        low, high = self._box.viewRange()[1]
        return (10.0**low, 10.0**high) if self._log_y else (float(low), float(high))

    @property
    def log_y(self) -> bool:
        """Whether the vertical axis is logarithmic."""
        return self._log_y

    def set_log_y(self, *, log: bool) -> None:
        """Make the vertical axis logarithmic or straight; the limits come next."""
        if log == self._log_y:
            return
        self._log_y = log
        self._settled_y = None
        for handle in self._handles:
            handle.redraw()
        self.fit()

    def set_limits(self, x: Limits, y: Limits | None) -> None:
        """Say what the axes show, unless a person has moved them.

        Args:
            x: First and last x.
            y: Smallest and largest value; None keeps what is shown. The axis keeps what
                it has as long as that suits.
        """
        if y is not None:
            ends = self._on_axis(np.array(y))
            wanted = with_margin((float(ends[0]), float(ends[1])))
            self._settled_y = settled(self._settled_y, wanted)
        air = _X_MARGIN * (x[1] - x[0])
        self._limits = ((x[0] - air, x[1] + air), self._settled_y or self._limits[1])
        if not self._zoomed:
            self._apply_limits()

    def fit(self) -> None:
        """Let the axes follow the data again."""
        self._apply_limits()
        if self._zoomed:
            self._zoomed = False
            self.zoom_changed.emit(False)  # noqa: FBT003 - Qt's signature

    def forget_limits(self) -> None:
        """Take the next limits as they are: other data are about to come."""
        self._settled_y = None

    def _apply_limits(self) -> None:
        if self._limits != self._drawn_limits:
            x, y = self._drawn_limits = self._limits
            self._box.setRange(xRange=x, yRange=y, padding=0)

    def _on_axis(self, y: Array) -> Array:
        if not self._log_y:
            return y
        drawn = np.full(len(y), np.nan)
        return np.log10(y, out=drawn, where=y > 0)

    def _on_range_changed(self, *_: object) -> None:
        (low, high), (bottom, top) = self._box.viewRange()
        across = max(2, int(self._box.width() / _PIXELS_A_TICK_X))
        up = max(2, int(self._box.height() / _PIXELS_A_TICK_Y))
        self._bottom.setTicks([linear_ticks(low, high, across, whole=self._whole_x)])
        ticks = log_ticks if self._log_y else linear_ticks
        self._left.setTicks([ticks(bottom, top, up)])
        self.range_changed.emit()

    def _on_moved_by_hand(self, *_: object) -> None:
        self._drawn_limits = None
        if not self._zoomed:
            self._zoomed = True
            self.zoom_changed.emit(True)  # noqa: FBT003 - Qt's signature

    # How it looks

    def set_theme(self, theme: Theme) -> None:
        """Take a theme's colours."""
        self._theme = theme
        self._view.setBackground(theme.surface)
        for axis in (self._bottom, self._left):
            axis.setPen(QPen(QColor(theme.border)))
            axis.setTickPen(QPen(QColor(theme.grid)))
            axis.setTextPen(QPen(QColor(theme.muted)))
        tint(self._message, theme.muted)
        tint(self, theme.surface, QPalette.ColorRole.Window)
        for handle in self._handles:
            handle.set_theme(theme)

    def set_message(self, text: str) -> None:
        """Say across the plot why it is empty; "" says nothing."""
        self._message.setText(text)
        self._message.setVisible(bool(text))

    @property
    def message(self) -> str:
        """What the plot says about being empty."""
        return self._message.text()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the message over the area of data."""
        super().resizeEvent(event)
        self._message.setGeometry(self.rect())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the focus ring."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._theme.surface))
        if self.hasFocus():
            painter.setPen(QPen(QColor(self._theme.accent), _FOCUS_RING))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))

    # Pointer and keyboard

    def place_of(self, x: float) -> QPoint:
        """Return where x is at the top of the area of data, in this widget."""
        scene = self._box.mapViewToScene(QPointF(x, self._box.viewRange()[1][1]))
        return self._view.mapTo(self, self._view.mapFromScene(scene))

    def show_crosshair(self, x: float | None) -> None:
        """Draw a line at x; None hides it."""
        self._cross.show_at(x)

    def point_at(self, x: float | None) -> None:
        """Behave as if the pointer were at x; None as if it left."""
        if x != self._pointed_at:
            self._pointed_at = x
            self.pointed.emit(x)

    @property
    def pointed_at(self) -> float | None:
        """The x under the pointer."""
        return self._pointed_at

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the pointer over the area of data."""
        kind = event.type()
        if kind is QEvent.Type.MouseMove:
            assert isinstance(event, QMouseEvent)
            self._follow(event.position().toPoint())
        elif kind is QEvent.Type.Leave:
            self.point_at(None)
        elif kind is QEvent.Type.MouseButtonDblClick:
            self.fit()
        return super().eventFilter(watched, event)

    def _follow(self, position: QPoint) -> None:
        scene = self._view.mapToScene(position)
        inside = self._box.sceneBoundingRect().contains(scene)
        self.point_at(self._box.mapSceneToView(scene).x() if inside else None)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Hide the keyboard's crosshair."""
        super().focusOutEvent(event)
        self.point_at(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the crosshair with the arrows, zoom with + and -, fit with 0."""
        low, high = self.x_range
        step = (high - low) * _PAN_STEP / 10
        at = self._pointed_at if self._pointed_at is not None else (low + high) / 2
        key = event.key()
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            move = step if key == Qt.Key.Key_Right else -step
            self.point_at(min(max(at + move, low), high))
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Minus):
            self._zoom(_ZOOM_STEP if key == Qt.Key.Key_Plus else 1 / _ZOOM_STEP, at)
        elif key == Qt.Key.Key_0:
            self.fit()
        elif key == Qt.Key.Key_Escape and self._pointed_at is not None:
            self.point_at(None)
        else:
            super().keyPressEvent(event)

    def _zoom(self, factor: float, at: float) -> None:
        middle = sum(self._box.viewRange()[1]) / 2
        self._box.scaleBy(x=factor, y=factor, center=pg.Point(at, middle))
        self._on_moved_by_hand()
