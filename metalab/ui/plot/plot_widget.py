"""A plot as the views use it: marks, limits, pointer and keyboard."""

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from metalab.engine.events import Array
from metalab.ui.plot.limits import Limits, settled, with_margin
from metalab.ui.plot.marks import (
    Band,
    Curve,
    Dots,
    Handle,
    PointMarks,
    Stroke,
    VerticalLine,
)
from metalab.ui.plot.painting import Ink, tint
from metalab.ui.plot.plot import PlotArea
from metalab.ui.plot.plot_items import AcrossItem, BandItem, DotsItem, LineItem
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import current_theme, follow_theme

_FOCUS_RING = 2
_SMALLEST = (160, 110)
_X_AIR = 0.015
_ON_TOP = 100.0
_ZOOM_STEP, _POINTER_STEP = 0.8, 0.01


class Plot(QWidget):
    """Two axes and what stands between them.

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
        self._log_y = False
        self._zoomed = False
        self._pointed_at: float | None = None
        self._settled_y: Limits | None = None
        self._limits: tuple[Limits, Limits] = ((0.0, 1.0), (0.0, 1.0))
        self._drawn_limits: tuple[Limits, Limits] | None = None
        self._handles: list[Handle] = []
        self._area = PlotArea(
            x_label=x_label, y_label=y_label, whole_x=whole_x, parent=self
        )
        self._message = QLabel(self)
        self._arrange()
        self._cross = self.vertical_line(Stroke(ink=Ink(role="muted")), z=_ON_TOP)
        self._area.range_changed.connect(self.range_changed)
        self._area.moved_by_hand.connect(self._on_moved_by_hand)
        follow_theme(self._take_theme)
        self._apply_limits()

    def _arrange(self) -> None:
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(*_SMALLEST)
        self._area.viewport.installEventFilter(self)
        self._message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._message.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._message.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*[_FOCUS_RING] * 4)
        layout.addWidget(self._area)

    @property
    def area(self) -> PlotArea:
        """The axes themselves, for what has to do with the pointer."""
        return self._area

    # What stands in the plot

    def line(self, stroke: Stroke, *, z: float = 0.0) -> Curve:
        """Add a line; among all, a higher `z` is drawn later."""
        item = LineItem()
        handle = Curve(item, stroke, self._on_axis)
        self._area.add(item, z)
        self._keep(handle)
        return handle

    def points(self, dots: Dots, *, z: float = 0.0) -> PointMarks:
        """Add discs."""
        item = DotsItem(dots.size, dots.mark)
        handle = PointMarks(item, dots, self._on_axis)
        self._area.add(item, z)
        self._keep(handle)
        return handle

    def band(self, ink: Ink, *, z: float = 0.0) -> Band:
        """Add a filled area."""
        item = BandItem()
        handle = Band(item, ink, self._on_axis)
        self._area.add(item, z)
        self._keep(handle)
        return handle

    def vertical_line(self, stroke: Stroke, *, z: float = 0.0) -> VerticalLine:
        """Add a line across the plot; hidden until `show_at`."""
        item = AcrossItem()
        item.setVisible(False)
        handle = VerticalLine(item, stroke)
        self._area.add(item, z)
        self._keep(handle)
        return handle

    def _keep(self, handle: Handle) -> None:
        self._handles.append(handle)
        handle.recolour(current_theme())

    # What the axes show

    @property
    def num_columns(self) -> int:
        """Width of the area of data, in pixels."""
        return self._area.num_columns

    @property
    def zoomed(self) -> bool:
        """Whether a person has moved the axes."""
        return self._zoomed

    @property
    def x_range(self) -> Limits:
        """First and last x that are shown."""
        return self._area.ranges[0]

    @property
    def y_range(self) -> Limits:
        """Smallest and largest y that are shown, as values even on a log axis."""
        low, high = self._area.ranges[1]
        return (10.0**low, 10.0**high) if self._log_y else (low, high)

    @property
    def y_label(self) -> str:
        """What stands beside the vertical axis."""
        return self._area.y_label

    def set_y_label(self, label: str) -> None:
        """Name the vertical axis otherwise, as for a loss of another unit."""
        self._area.set_y_label(label)

    @property
    def log_y(self) -> bool:
        """Whether the vertical axis is logarithmic."""
        return self._log_y

    def set_log_y(self, *, log: bool) -> None:
        """Make the vertical axis logarithmic or straight; the limits come next."""
        if log == self._log_y:
            return
        self._log_y = log
        self._area.set_log_y(log=log)
        for handle in self._handles:
            handle.redraw()
        self.forget_limits()
        self.fit()

    def set_limits(self, x: Limits, y: Limits | None) -> None:
        """Say what the axes show, unless a person has moved them.

        Args:
            x: First and last x.
            y: Smallest and largest value, positive on a logarithmic axis; None keeps
                what is shown. The axis keeps what it has as long as that suits.
        """
        if y is not None:
            low, high = self._on_axis(np.array(y))
            wanted = with_margin((float(low), float(high)))
            self._settled_y = settled(self._settled_y, wanted)
        air = _X_AIR * (x[1] - x[0])
        self._limits = ((x[0] - air, x[1] + air), self._settled_y or self._limits[1])
        if not self._zoomed:
            self._apply_limits()

    def forget_limits(self) -> None:
        """Take the next limits as they are: other data are about to come."""
        self._settled_y = None

    def fit(self) -> None:
        """Let the axes follow the data again."""
        if self._zoomed:
            self._zoomed = False
            self.zoom_changed.emit(False)  # noqa: FBT003 - Qt's signature
        self._apply_limits()

    def _apply_limits(self) -> None:
        if self._limits != self._drawn_limits:
            self._drawn_limits = self._limits
            self._area.set_ranges(*self._limits)

    def _on_moved_by_hand(self) -> None:
        self._drawn_limits = None
        if not self._zoomed:
            self._zoomed = True
            self.zoom_changed.emit(True)  # noqa: FBT003 - Qt's signature
            self.range_changed.emit()

    def _on_axis(self, y: Array) -> Array:
        if not self._log_y:
            return y
        return np.log10(y, out=np.full(len(y), np.nan), where=y > 0)

    # How it looks

    def _take_theme(self, theme: Theme) -> None:
        tint(self._message, theme.muted)
        for handle in self._handles:
            handle.recolour(theme)

    @property
    def message(self) -> str:
        """Why the plot is empty; "" says nothing."""
        return self._message.text()

    def set_message(self, text: str) -> None:
        """Say across the plot, without numbers, why it is empty; "" says nothing."""
        if text != self.message:
            self._message.setText(text)
            self._message.setVisible(bool(text))
            self._area.show_numbers(shown=not text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the message in the middle."""
        super().resizeEvent(event)
        self._message.setGeometry(self.rect())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the focus ring."""
        del event
        painter = QPainter(self)
        theme = current_theme()
        ring = theme.accent if self.hasFocus() else theme.surface
        painter.setPen(QPen(QColor(ring), _FOCUS_RING))
        painter.drawRect(self.rect().adjusted(1, 1, -1, -1))

    # Pointer and keyboard

    @property
    def pointed_at(self) -> float | None:
        """The x under the pointer."""
        return self._pointed_at

    def point_at(self, x: float | None) -> None:
        """Behave as if the pointer were at x; None as if it left."""
        if x != self._pointed_at:
            self._pointed_at = x
            self.pointed.emit(x)

    def place_of(self, x: float) -> QPoint:
        """Return where x is at the upper edge of the data, in this widget."""
        return self._area.mapTo(self, self._area.place_of(x))

    def show_crosshair(self, x: float | None) -> None:
        """Draw a line at x; None hides it."""
        self._cross.show_at(x)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the pointer over the area of data."""
        kind = event.type()
        if kind == QEvent.Type.MouseMove and isinstance(event, QMouseEvent):
            self.point_at(self._area.x_at(event.position()))
        elif kind == QEvent.Type.Leave:
            self.point_at(None)
        elif kind == QEvent.Type.MouseButtonDblClick:
            self.fit()
        return super().eventFilter(watched, event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Hide the keyboard's crosshair."""
        super().focusOutEvent(event)
        self.point_at(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the crosshair with the arrows, zoom with + and -, fit with 0."""
        low, high = self.x_range
        at = self._pointed_at if self._pointed_at is not None else (low + high) / 2
        step = _POINTER_STEP * (high - low)
        match event.key():
            case Qt.Key.Key_Left:
                self.point_at(max(at - step, low))
            case Qt.Key.Key_Right:
                self.point_at(min(at + step, high))
            case Qt.Key.Key_Plus:
                self._area.zoom(_ZOOM_STEP, at)
            case Qt.Key.Key_Minus:
                self._area.zoom(1 / _ZOOM_STEP, at)
            case Qt.Key.Key_0:
                self.fit()
            case Qt.Key.Key_Escape if self._pointed_at is not None:
                self.point_at(None)
            case _:
                super().keyPressEvent(event)
