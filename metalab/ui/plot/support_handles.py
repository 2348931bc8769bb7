"""Taking hold of support points in a plot, with the pointer or the keyboard."""

from collections.abc import Callable
from math import hypot

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from shiboken6 import Shiboken

from metalab.engine.events import Array
from metalab.ui.plot.limits import Limits
from metalab.ui.plot.plot_widget import Plot

_REACH = 10.0
"""How far from its middle a point can be taken hold of, in pixels."""

_STILL = 3.0
"""Most that a hand may shake between press and release of a click, in pixels."""

_KEY_STEP, _FINE_KEY_STEP = 0.01, 0.001
"""What one press of an arrow moves a point, as a share of what the axis shows."""

_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, 1),
    Qt.Key.Key_Down: (0, -1),
}

_PRESSES = (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick)


class SupportHandles(QObject):
    """The points of a plot with straight axes, as handles. It moves none of them itself.

    Tab selects one after the other from left to right and then leaves the plot, so that
    nobody is caught in it; Shift and Tab goes back. Arrows move the selected point, in
    finer steps with Shift.

    Attributes:
        moved: A point shall stand elsewhere: its number, x and y.
        marked: Other points are hovered, held or selected.
        dropped: The pointer has let go of a point.
        clicked: A point was taken hold of, and let go where it stood: its number.
        target_clicked: A place of `set_targets` was clicked: its number.
        reset_requested: All points shall go back to where they were.
    """

    moved = Signal(int, float, float)
    marked = Signal()
    dropped = Signal()
    clicked = Signal(int)
    target_clicked = Signal(int)
    reset_requested = Signal()

    def __init__(self, plot: Plot, *, may_reset: Callable[[], bool]) -> None:
        """Watch the pointer over a plot, and its keys.

        Args:
            plot: Where the points are.
            may_reset: Whether Escape puts points back, or else ends the selection.
        """
        super().__init__(plot)
        self._plot = plot
        self._may_reset = may_reset
        self._points: list[tuple[float, float]] = []
        self._places: Array = np.empty((2, 0))
        self._x_limits: Limits = (0.0, 0.0)
        self._hovered: int | None = None
        self._selected: int | None = None
        self._held: tuple[int, QPointF] | None = None
        self._pressed = QPointF()
        self._dragged = False
        self._targets: Array = np.empty((2, 0))
        self._over_target = False
        self._viewport = plot.area.viewport
        self._viewport.installEventFilter(self)
        plot.installEventFilter(self)

    @property
    def held(self) -> bool:
        """Whether the pointer has hold of a point."""
        return self._held is not None

    @property
    def selected(self) -> int | None:
        """The point that the arrows move, counted from 0."""
        return self._selected

    @property
    def marks(self) -> list[int]:
        """The points that are hovered, held or selected."""
        both = {self._hovered, self._selected}
        return [shot for shot in both if shot is not None]

    def set_points(self, x: Array, y: Array, x_limits: Limits) -> None:
        """Say where the points are.

        Args:
            x: [point].
            y: [point].
            x_limits: No point is moved beyond these.
        """
        count = len(self._points)
        self._points = list(zip(x.tolist(), y.tolist(), strict=True))
        self._places = np.array([x, y], dtype=float)
        self._x_limits = x_limits
        if len(self._points) != count:
            self.let_go()

    def set_targets(self, x: Array, y: Array) -> None:
        """Say which places beside the points a click takes, [target] each."""
        self._targets = np.array([x, y], dtype=float)
        self._over_target = False

    def is_over(self, position: QPointF) -> bool:
        """Return whether a point, or a target, is within reach of a place."""
        return (
            self._point_at(position) is not None
            or self._nearest(position, self._targets) is not None
        )

    def move_to(self, x: Array, y: Array) -> None:
        """Say where the same points are now, [point] each."""
        self.set_points(x, y, self._x_limits)

    def clear(self) -> None:
        """Have no points."""
        self._points = []
        self._places = self._targets = np.empty((2, 0))
        self.let_go()

    def let_go(self) -> None:
        """Hold, hover and select nothing: these are other points now."""
        self._held = None
        self._mark(hovered=None, selected=None)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take what is meant for a point; leave the rest to the plot."""
        kind = event.type()
        if watched is self._viewport:
            if isinstance(event, QMouseEvent):
                return self._on_mouse(event)
            if kind == QEvent.Type.Leave:
                self._mark(hovered=None, selected=self._selected)
        elif kind == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._on_key(event)
        elif kind == QEvent.Type.FocusOut and Shiboken.isValid(self._viewport):
            # Qt says so, too, while it takes the plot apart.
            self._mark(hovered=self._hovered, selected=None)
        return False

    # The pointer

    def _on_mouse(self, event: QMouseEvent) -> bool:
        kind, left = event.type(), event.button() == Qt.MouseButton.LeftButton
        if kind in _PRESSES and left:
            return self._take_hold(event.position()) or self._hit(event.position())
        if kind == QEvent.Type.MouseMove and self._held is not None:
            self._follow(event.position(), self._held)
            return True
        if kind == QEvent.Type.MouseMove and not event.buttons():
            at = self._nearest(event.position(), self._targets)
            self._over_target = at is not None
            self._mark(
                hovered=self._point_at(event.position()), selected=self._selected
            )
        elif kind == QEvent.Type.MouseButtonRelease and left and self._held is not None:
            self._drop(event.position())
            return True
        return False

    def _take_hold(self, position: QPointF) -> bool:
        found = self._point_at(position)
        if found is not None:
            place = self._plot.area.position_of(*self._points[found])
            self._held = (found, place - position)
            self._pressed, self._dragged = position, False
            self._plot.point_at(None)
        self._mark(hovered=found, selected=found)
        return found is not None

    def _hit(self, position: QPointF) -> bool:
        """Say that a target was clicked; return whether one was."""
        found = self._nearest(position, self._targets)
        if found is not None:
            self.target_clicked.emit(found)
        return found is not None

    def _drop(self, position: QPointF) -> None:
        held, self._held = self._held, None
        self._mark(hovered=self._point_at(position), selected=self._selected)
        self.dropped.emit()
        if held is not None and not self._dragged:
            self.clicked.emit(held[0])

    def _follow(self, position: QPointF, held: tuple[int, QPointF]) -> None:
        shot, offset = held
        way = position - self._pressed
        if not self._dragged and hypot(way.x(), way.y()) < _STILL:
            return
        self._dragged = True
        place = self._plot.area.data_at(position + offset)
        self._move(shot, place.x(), place.y())

    def _point_at(self, position: QPointF) -> int | None:
        """Return the nearest point within reach."""
        return self._nearest(position, self._places)

    def _nearest(self, position: QPointF, places: Array) -> int | None:
        """Return the nearest of some places, [2, place], within reach."""
        nearest, found = _REACH, None
        for index in self._near(position, places):
            x, y = places[:, index].tolist()
            gap = self._plot.area.position_of(x, y) - position
            distance = hypot(gap.x(), gap.y())
            if distance <= nearest:
                nearest, found = distance, index
        return found

    def _near(self, position: QPointF, places: Array) -> list[int]:
        """Return the places in a square about one: there may be ten thousand."""
        reach = QPointF(_REACH, _REACH)
        one, other = (
            self._plot.area.data_at(place)
            for place in (position - reach, position + reach)
        )
        x, y = places
        inside = (x >= min(one.x(), other.x())) & (x <= max(one.x(), other.x()))
        inside &= (y >= min(one.y(), other.y())) & (y <= max(one.y(), other.y()))
        return np.flatnonzero(inside).tolist()

    # The keyboard

    def _on_key(self, event: QKeyEvent) -> bool:
        key = Qt.Key(event.key())
        if key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            return self._select_next(backwards=key == Qt.Key.Key_Backtab)
        if key == Qt.Key.Key_Escape:
            return self._escape()
        if key in _ARROWS and self._selected is not None:
            fine = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._nudge(self._selected, _ARROWS[key], fine=fine)
            return True
        return False

    def _select_next(self, *, backwards: bool) -> bool:
        """Select the next point; return whether there is one."""
        order = sorted(range(len(self._points)), key=self._points.__getitem__)
        if self._selected is None:
            following = 0 if order and not backwards else None
        else:
            at = order.index(self._selected) + (-1 if backwards else 1)
            following = at if 0 <= at < len(order) else None
        selected = None if following is None else order[following]
        self._mark(hovered=self._hovered, selected=selected)
        return selected is not None

    def _escape(self) -> bool:
        if self._may_reset():
            self.let_go()
            self.reset_requested.emit()
            return True
        if self._selected is not None:
            self._mark(hovered=self._hovered, selected=None)
            return True
        return False

    def _nudge(self, shot: int, direction: tuple[int, int], *, fine: bool) -> None:
        share = _FINE_KEY_STEP if fine else _KEY_STEP
        x, y = self._points[shot]
        (left, right), (low, high) = self._plot.x_range, self._plot.y_range
        across, up = direction
        self._move(
            shot, x + across * share * (right - left), y + up * share * (high - low)
        )

    # What follows

    def _move(self, shot: int, x: float, y: float) -> None:
        low, high = self._x_limits
        self.moved.emit(shot, min(max(x, low), high), y)

    def _mark(self, *, hovered: int | None, selected: int | None) -> None:
        changed = (hovered, selected) != (self._hovered, self._selected)
        self._hovered, self._selected = hovered, selected
        self._point_with_hand()
        if changed:
            self.marked.emit()

    def _point_with_hand(self) -> None:
        if self._held is not None:
            self._viewport.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif self._hovered is not None:
            self._viewport.setCursor(Qt.CursorShape.OpenHandCursor)
        elif self._over_target:
            self._viewport.setCursor(Qt.CursorShape.PointingHandCursor)
        else:
            self._viewport.unsetCursor()
