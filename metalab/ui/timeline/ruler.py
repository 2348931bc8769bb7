"""Outer time: a mini-map of the loss, marks, and the playhead."""

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractSlider, QSizePolicy, QToolTip, QWidget

from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import current_theme, follow_theme
from metalab.ui.timeline.model import TimelineModel
from metalab.ui.timeline.ruler_map import MARGIN, painted_map
from metalab.ui.widgets.plain_text import plain_tip

_MAP_HEIGHT = 36.0
_ABOVE, _BELOW = 2.0, 4.0
_NEAR = 8.0
_LABEL_SHARE = 0.85

_SIDEWAYS = (Qt.Key.Key_Left, Qt.Key.Key_Right)
_SINGLE = {
    Qt.Key.Key_Left: -1,
    Qt.Key.Key_Down: -1,
    Qt.Key.Key_Right: 1,
    Qt.Key.Key_Up: 1,
}


class OuterRuler(QAbstractSlider):
    """A slider over the outer steps of a run.

    Attributes:
        step_chosen: The outer step where a person put the playhead.
        bookmark_requested: The playhead's step shall be marked.
    """

    step_chosen = Signal(int)
    bookmark_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model: TimelineModel | None = None
        self._exact = self._following = True
        self._shown_step: int | None = None
        self._map: QPixmap | None = None
        self._map_of: tuple[QSize, float] | None = None
        self.setOrientation(Qt.Orientation.Horizontal)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        self.setRange(0, 0)
        self.setAccessibleName("Outer step")
        self.setAccessibleDescription(self.hint())
        follow_theme(self._take_theme)

    def sizeHint(self) -> QSize:
        """Return room for the mini-map and one line of numbers."""
        return QSize(400, self._height())

    def minimumSizeHint(self) -> QSize:
        """Return the least that can be read."""
        return QSize(160, self._height())

    def _take_theme(self, _: Theme) -> None:
        self._map = None
        self.updateGeometry()

    def show_model(self, model: TimelineModel | None) -> None:
        """Show a run as it is now; None for none."""
        self.model, self._map = model, None
        if model is not None:
            self.setRange(model.first_step, model.last_step)
        self.setEnabled(model is not None)
        self.setAccessibleDescription(self.hint())
        self.update()

    def set_position(
        self, step: int, *, following: bool, exact: bool, shown: int | None = None
    ) -> None:
        """Put the playhead somewhere, without saying so.

        Args:
            step: The outer step that was asked for.
            following: Whether it is the newest one, whichever that is.
            exact: Whether what is shown is of that step.
            shown: The outer step that is shown until then; None if it is not known.
        """
        now = (step, following, exact, shown)
        before = (self.value(), self._following, self._exact, self._shown_step)
        if now == before:
            return
        self._following, self._exact, self._shown_step = following, exact, shown
        blocked = self.blockSignals(True)  # noqa: FBT003 - Qt's signature
        if self.model is not None:
            # The run is ahead of its mini-map, which is drawn now and then.
            self.setMaximum(max(step, self.maximum()))
        self.setValue(step)
        self.blockSignals(blocked)
        self.setAccessibleDescription(self.hint())
        self.update()

    def hint(self) -> str:
        """Return where the playhead stands, in words."""
        if self.model is None:
            return "No run yet"
        if self._following:
            return "{} · live".format(f"{self.value():,}")
        if self._exact:
            return "{} · exact".format(f"{self.value():,}")
        if self._shown_step is None:
            return "{} · recomputing".format(f"{self.value():,}")
        return "{} · showing {}, recomputing".format(
            f"{self.value():,}", f"{self._shown_step:,}"
        )

    # From steps to pixels

    def area(self) -> QRectF:
        """Return where the mini-map is: below the label, whatever its font."""
        top = self._label_height()
        height = self.height() - top - _BELOW
        return QRectF(MARGIN, top, self.extent(), max(height, 1.0))

    def x_of(self, step: float) -> float:
        """Return where an outer step is; one beyond an end of the ruler, at that end."""
        model = self.model
        if model is None:
            return MARGIN
        extent = max(model.end_step - model.first_step, 1)
        # What a fork has taken along from before it hangs at its beginning, and a run
        # may be ahead of its mini-map.
        made = min(max(step - model.first_step, 0.0), extent)
        return MARGIN + made / extent * self.extent()

    def step_at(self, x: float) -> int:
        """Return the outer step at a place, within what has been made."""
        model = self.model
        assert model is not None, "there is no run"
        extent = max(model.end_step - model.first_step, 1)
        step = model.first_step + round((x - MARGIN) / self.extent() * extent)
        return min(max(step, self.minimum()), self.maximum())

    def extent(self) -> float:
        """Return the width of the mini-map, in pixels."""
        return max(self.width() - 2 * MARGIN, 1.0)

    def _height(self) -> int:
        of_map = _MAP_HEIGHT * current_theme().scale
        return round(self._label_height() + of_map + _BELOW)

    def _label_height(self) -> float:
        return _ABOVE + QFontMetricsF(self.label_font()).height()

    def label_font(self) -> QFont:
        """Return the font of the numbers on the ruler."""
        font = QFont(self.font())
        font.setPointSizeF(_LABEL_SHARE * font.pointSizeF())
        return font

    # Pointer and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Put the playhead under the pointer."""
        if event.button() == Qt.MouseButton.LeftButton and self.model is not None:
            self.setSliderDown(True)
            self._choose(self.step_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Take the playhead along."""
        if self.isSliderDown() and self.model is not None:
            self._choose(self.step_at(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(False)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Move by a step, or with Shift by a kept state."""
        model = self.model
        if model is None or event.angleDelta().isNull():
            return
        turned = event.angleDelta().y() or event.angleDelta().x()
        ahead = turned > 0
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            at = model.snapshot_after if ahead else model.snapshot_before
            self._choose(at(self.value()))
        else:
            self._choose(self.value() + (1 if ahead else -1))
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move by steps, kept states and bookmarks; set a bookmark."""
        model = self.model
        if model is None:
            super().keyPressEvent(event)
            return
        key = Qt.Key(event.key())
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier and key in _SIDEWAYS:
            self._to_bookmark(ahead=key == Qt.Key.Key_Right)
        elif key in _SINGLE:
            self._choose(self.value() + _SINGLE[key])
        elif key == Qt.Key.Key_B:
            self.bookmark_requested.emit()
        else:
            places = {
                Qt.Key.Key_PageUp: model.snapshot_after(self.value()),
                Qt.Key.Key_PageDown: model.snapshot_before(self.value()),
                Qt.Key.Key_Home: self.minimum(),
                Qt.Key.Key_End: self.maximum(),
            }
            if key in places:
                self._choose(places[key])
            else:
                super().keyPressEvent(event)

    def _to_bookmark(self, *, ahead: bool) -> None:
        assert self.model is not None, "there is no run"
        steps = [mark.step for mark in self.model.bookmarks]
        beyond = [s for s in steps if (s > self.value() if ahead else s < self.value())]
        if beyond:
            self._choose(min(beyond) if ahead else max(beyond))

    def _choose(self, step: int) -> None:
        held = min(max(step, self.minimum()), self.maximum())
        self.set_position(
            held, following=False, exact=self._exact, shown=self._shown_step
        )
        self.step_chosen.emit(held)

    def event(self, event: QEvent) -> bool:
        """Tell of marks under the pointer; another font needs another mini-map."""
        if event.type() == QEvent.Type.FontChange:
            self._map = None
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            text = self.tip_at(float(event.pos().x()))
            if text:
                QToolTip.showText(event.globalPos(), plain_tip(text), self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)

    def tip_at(self, x: float) -> str:
        """Return what is marked near a place, in words."""
        model = self.model
        if model is None:
            return "No run yet"
        near = _NEAR * current_theme().scale
        lines = [
            f"{flag.step:,}: {flag.text}"
            for flag in model.flags
            if abs(self.x_of(flag.step) - x) <= near
        ]
        for mark in model.bookmarks:
            if abs(self.x_of(mark.step) - x) <= near:
                note = mark.note or "bookmark"
                lines.append(f"{mark.step:,}: {note}")
        return "\n".join(lines) or "Outer step {}".format(f"{self.step_at(x):,}")

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the mini-map, which is kept, and the playhead over it."""
        del event
        painter = QPainter(self)
        # Not the picture's own size: whole pixels seldom make a size times 1.25.
        wanted = self.size(), self.devicePixelRatioF()
        theme = current_theme()
        if self._map is None or self._map_of != wanted:
            self._map = painted_map(self, self.model, theme)
            self._map_of = wanted
        painter.drawPixmap(0, 0, self._map)
        if self.model is not None:
            self._paint_playhead(painter)
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))

    def _paint_playhead(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = current_theme()
        area, scale = self.area(), theme.scale
        x = self.x_of(self.value())
        colour = QColor(theme.accent)
        painter.setPen(QPen(colour, 2 * scale))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        painter.setBrush(colour)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawEllipse(QPointF(x, area.top() + 2 * scale), 4 * scale, 4 * scale)
        painter.setFont(self.label_font())
        text = self.hint()
        width = painter.fontMetrics().horizontalAdvance(text) + 4
        left = min(max(x - width / 2, 2), self.width() - width - 2)
        painter.setPen(QColor(theme.text))
        frame = QRectF(left, _ABOVE, width, area.top() - _ABOVE)
        painter.drawText(frame, Qt.AlignmentFlag.AlignCenter, text)
