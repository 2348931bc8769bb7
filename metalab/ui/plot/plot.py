"""The axes of a plot. The only module that imports pyqtgraph.

pyqtgraph maps, zooms and paints axes and grid. Marks come as Qt's own items
(`metalab.ui.plot.plot_items`), and the limits from whoever knows the data.
"""

from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPen
from PySide6.QtWidgets import (
    QGraphicsGridLayout,
    QGraphicsItem,
    QGraphicsWidget,
    QVBoxLayout,
    QWidget,
)

from metalab.ui.plot.limits import Limits
from metalab.ui.plot.plot_items import PlotItem
from metalab.ui.plot.ticks import linear_ticks, log_ticks
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import current_theme, follow_theme

pg.setConfigOptions(antialias=False, useOpenGL=False)

_TOP_MARGIN, _RIGHT_MARGIN, _OVERHANG = 6, 16, 30
"""Room around the axes, and how far a number may reach beyond the end of its axis."""

_NAME_OVER = 8
"""Largest overhang of the box of a name, with air about it, over its axis."""

_WIDEST_NUMBER = "0.0005"
_NUMBER_GAP = 6
_BEHIND = -1000
"""The grid goes below the data; pyqtgraph's area of data stands at -100."""

_PIXELS_A_TICK_X, _PIXELS_A_TICK_Y = 60, 27
_FEWEST_COLUMNS = 100


class _Axis(pg.AxisItem):
    """An axis with a grid, whose first and last numbers may reach beyond its ends."""

    def boundingRect(self) -> QRectF:
        """Return where pyqtgraph may draw: with a grid, it leaves no room there."""
        return super().boundingRect().adjusted(-_OVERHANG, -_OVERHANG, _OVERHANG, 0)

    def resizeEvent(self, ev: object = None) -> None:
        """Keep the name of a low axis whole: below it is room, and above it none."""
        super().resizeEvent(ev)
        if self.orientation == "left":
            name: Any = self.label
            # Turned upwards, it ends so far above where it begins.
            least = name.boundingRect().width() - _NAME_OVER
            name.setY(max(name.y(), least))


class PlotArea(QWidget):
    """Two axes with a grid, and the area of data between them.

    Everything vertical is in coordinates of the axis: decimal logarithms where it is
    logarithmic.

    Attributes:
        range_changed: The axes show another part of the data, or have another size.
        moved_by_hand: A person has zoomed or dragged.
    """

    range_changed = Signal()
    moved_by_hand = Signal()

    def __init__(
        self, *, x_label: str, y_label: str, whole_x: bool, parent: QWidget
    ) -> None:
        """Make empty axes.

        Args:
            x_label: Below the horizontal axis; "" leaves no room for it.
            y_label: Left of the vertical axis; "" leaves no room for it.
            whole_x: Whether x are whole numbers.
            parent: Qt's parent.
        """
        super().__init__(parent)
        self._whole_x = whole_x
        self._log_y = False
        self._items: list[PlotItem] = []
        self._view: Any = pg.GraphicsView(self)
        self._box: Any = pg.ViewBox(enableMenu=False, defaultPadding=0)
        self._bottom: Any = _Axis("bottom")
        self._left: Any = _Axis("left")
        self._labels = (x_label, y_label)
        self._arrange()
        self._label()
        self._fit_fonts()
        self._box.disableAutoRange()
        self._box.sigRangeChanged.connect(self._on_range_changed)
        self._box.sigResized.connect(self._on_range_changed)
        self._box.sigRangeChangedManually.connect(self._on_moved_by_hand)
        follow_theme(self._take_theme)

    def _arrange(self) -> None:
        self._view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        # The plot takes the keys; this would be another stop for them, without a name.
        self._view.viewport().setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._view.viewport().setMouseTracking(True)
        centre = QGraphicsWidget()
        grid = QGraphicsGridLayout(centre)
        grid.setContentsMargins(0, _TOP_MARGIN, _RIGHT_MARGIN, 0)
        grid.setSpacing(0)
        grid.addItem(self._left, 0, 0)
        grid.addItem(self._box, 0, 1)
        grid.addItem(self._bottom, 1, 1)
        self._view.setCentralItem(centre)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._view)

    def _label(self) -> None:
        for axis, label in zip((self._bottom, self._left), self._labels, strict=True):
            axis.linkToView(self._box)
            axis.enableAutoSIPrefix(enable=False)
            axis.setGrid(255)
            axis.setZValue(_BEHIND)
            axis.setStyle(
                tickLength=0, tickTextOffset=_NUMBER_GAP, autoExpandTextSpace=False
            )
            if label:
                axis.setLabel(label)

    def set_labels(self, x_label: str, y_label: str) -> None:
        """Name the axes otherwise; one without a name keeps none, and room stays."""
        wanted = (self._labels[0] and x_label, self._labels[1] and y_label)
        for axis, now, label in zip(
            (self._bottom, self._left), self._labels, wanted, strict=True
        ):
            if label != now:
                axis.setLabel(label)
                axis.label.setFont(self.font())
        self._labels = wanted

    def set_y_label(self, label: str) -> None:
        """Name the vertical axis otherwise."""
        self.set_labels(self._labels[0], label)

    @property
    def y_label(self) -> str:
        """What stands beside the vertical axis."""
        return self._labels[1]

    def _fit_fonts(self) -> None:
        """Give the axes this widget's font, and room for it."""
        for axis in (self._bottom, self._left):
            axis.setTickFont(self.font())
            axis.label.setFont(self.font())
        x_label, y_label = self._labels
        metrics = self.fontMetrics()
        line = metrics.height()
        number = metrics.horizontalAdvance(_WIDEST_NUMBER) + _NUMBER_GAP + 4
        # Fixed, so that no number that comes or goes moves the whole plot.
        self._left.setWidth(number + (line + 4 if y_label else 0))
        self._bottom.setHeight(line * (2 if x_label else 1) + 8)

    @property
    def viewport(self) -> QWidget:
        """The widget that the pointer moves over."""
        return self._view.viewport()

    @property
    def num_columns(self) -> int:
        """Width of the area of data in pixels, or a little before it has one."""
        return max(_FEWEST_COLUMNS, int(self._box.width()))

    @property
    def ranges(self) -> tuple[Limits, Limits]:
        """What the two axes show."""
        (left, right), (bottom, top) = self._box.viewRange()
        return (float(left), float(right)), (float(bottom), float(top))

    def set_ranges(self, x: Limits, y: Limits) -> None:
        """Show another part of the data."""
        self._box.setRange(xRange=x, yRange=y, padding=0)

    def zoom(self, factor: float, x: float) -> None:
        """Zoom as a person does: below 1 into the data, around an x."""
        middle = sum(self.ranges[1]) / 2
        self._box.scaleBy(x=factor, y=factor, center=pg.Point(x, middle))
        self.moved_by_hand.emit()

    def set_log_y(self, *, log: bool) -> None:
        """Number the vertical axis as a logarithmic one, or as a straight one."""
        self._log_y = log
        self._number()

    def add(self, item: QGraphicsItem, z: float) -> None:
        """Add a `PlotItem`; among all, a higher `z` is drawn later."""
        assert isinstance(item, PlotItem), "an item of a plot knows its area"
        item.setZValue(z)
        item.set_area(self._box.viewRect())
        self._box.addItem(item, ignoreBounds=True)
        self._items.append(item)

    def x_at(self, position: QPointF) -> float | None:
        """Return the x at a position of the viewport; None beside the data."""
        scene = self._view.mapToScene(position.toPoint())
        if not self._box.sceneBoundingRect().contains(scene):
            return None
        return float(self._box.mapSceneToView(scene).x())

    def data_at(self, position: QPointF) -> QPointF:
        """Return what lies at a position of the viewport, even beside the data."""
        scene = self._view.viewportTransform().inverted()[0].map(position)
        return self._box.mapSceneToView(scene)

    def position_of(self, x: float, y: float) -> QPointF:
        """Return where a point of the data is in the viewport."""
        return self._view.viewportTransform().map(
            self._box.mapViewToScene(QPointF(x, y))
        )

    def place_of(self, x: float) -> QPoint:
        """Return where x is at the upper edge of the data, in this widget."""
        scene = self._box.mapViewToScene(QPointF(x, self.ranges[1][1]))
        return self._view.mapTo(self, self._view.mapFromScene(scene))

    def _take_theme(self, theme: Theme) -> None:
        self._view.setBackground(theme.surface)
        for axis in (self._bottom, self._left):
            axis.setPen(QPen(QColor(theme.border)))
            axis.setTickPen(QPen(QColor(theme.grid)))
            axis.setTextPen(QPen(QColor(theme.muted)))

    def show_numbers(self, *, shown: bool) -> None:
        """Show or hide the numbers of the axes."""
        for axis in (self._bottom, self._left):
            axis.setStyle(showValues=shown)

    def changeEvent(self, event: QEvent) -> None:
        """Take another font to the axes, which are no widgets and do not inherit it."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit_fonts()
            self._number()

    def _number(self) -> None:
        (left, right), (bottom, top) = self.ranges
        scale = current_theme().scale
        across = max(2, int(self._box.width() / (scale * _PIXELS_A_TICK_X)))
        up = max(2, int(self._box.height() / (scale * _PIXELS_A_TICK_Y)))
        ticks = log_ticks if self._log_y else linear_ticks
        self._bottom.setTicks([linear_ticks(left, right, across, whole=self._whole_x)])
        self._left.setTicks([ticks(bottom, top, up)])

    def _on_range_changed(self, *_: object) -> None:
        self._number()
        area = self._box.viewRect()
        for item in self._items:
            item.set_area(area)
        self.range_changed.emit()

    def _on_moved_by_hand(self, *_: object) -> None:
        self.moved_by_hand.emit()
