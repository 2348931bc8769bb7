"""A plot whose two axes have one scale, so that circles are circles."""

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QWidget

from metalab.ui.plot.plot_widget import Plot

_AIR = 1.02
_KEY_STEP = 0.02
_MOVES = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Down: (0, -1),
    Qt.Key.Key_Up: (0, 1),
}


class SquarePlot(Plot):
    """Shows a square of the plane, however wide it is itself.

    Attributes:
        place_pointed: The place under the pointer or under the keyboard's, a `QPointF`;
            None if it left.
    """

    place_pointed = Signal(object)

    # Of the class, since `Plot` asks for limits before it is made.
    _square: QRectF | None = None
    _size_of_data: QSize = QSize()

    def __init__(
        self, *, x_label: str, y_label: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(x_label=x_label, y_label=y_label, parent=parent)
        self._place: QPointF | None = None
        self.range_changed.connect(self._on_range_changed)

    @property
    def place(self) -> QPointF | None:
        """The place that is pointed at."""
        return self._place

    def show_square(self, square: QRectF) -> None:
        """Show a square, unless a person has moved the axes."""
        if square != self._square:
            self._square = square
            if not self.zoomed:
                self._apply_limits()

    def point_at_place(self, place: QPointF | None) -> None:
        """Behave as if the pointer were at a place; None as if it left."""
        if place != self._place:
            self._place = place
            self.place_pointed.emit(place)

    def _data_size(self) -> QSize:
        """Return how many pixels the area of data has."""
        (left, right), (bottom, top) = self.area.ranges
        one = self.area.position_of(left, bottom)
        other = self.area.position_of(right, top)
        return QSize(round(other.x() - one.x()), round(one.y() - other.y()))

    def _apply_limits(self) -> None:
        square = self._square
        if square is None:
            super()._apply_limits()
            return
        size = self._size_of_data = self._data_size()
        width, height = max(size.width(), 1), max(size.height(), 1)
        each = _AIR * square.width() / min(width, height)
        middle = square.center()
        x, y = each * width / 2, each * height / 2
        self.area.set_ranges(
            (middle.x() - x, middle.x() + x), (middle.y() - y, middle.y() + y)
        )

    def _on_range_changed(self) -> None:
        """Keep one scale when the plot gets another size."""
        if (
            self._square is not None
            and not self.zoomed
            and self._data_size() != self._size_of_data
        ):
            self._apply_limits()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the pointer in both directions."""
        if event.type() == QEvent.Type.MouseMove and isinstance(event, QMouseEvent):
            inside = self.area.x_at(event.position()) is not None
            place = self.area.data_at(event.position()) if inside else None
            self.point_at_place(place)
            return False
        if event.type() == QEvent.Type.Leave:
            self.point_at_place(None)
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move a pointer with the arrows; the rest as in every plot."""
        move = _MOVES.get(Qt.Key(event.key()))
        if move is not None:
            (left, right), (bottom, top) = self.area.ranges
            at = self._place or QPointF((left + right) / 2, (bottom + top) / 2)
            step = _KEY_STEP * (right - left)
            self.point_at_place(at + QPointF(move[0] * step, move[1] * step))
        elif event.key() == Qt.Key.Key_Escape and self._place is not None:
            self.point_at_place(None)
        else:
            super().keyPressEvent(event)
