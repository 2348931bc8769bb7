"""Outer time: a mini-map of the loss, marks, and the playhead."""

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
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

from metalab.ui.theme import DARK, Theme
from metalab.ui.timeline.model import TimelineModel
from metalab.ui.timeline.ruler_map import BOTTOM, MARGIN, TOP, painted_map

_HEIGHT = 54
_NEAR = 6.0

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
        bookmark_toggled: The playhead's step shall be marked, or no more.
    """

    step_chosen = Signal(int)
    bookmark_toggled = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._model: TimelineModel | None = None
        self._exact = self._following = True
        self._map: QPixmap | None = None
        self.setOrientation(Qt.Orientation.Horizontal)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        self.setRange(0, 0)
        self.setAccessibleName(self.tr("Outer step"))

    def sizeHint(self) -> QSize:
        """Return room for the mini-map and one line of numbers."""
        return QSize(400, _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Return the least that can be read."""
        return QSize(160, _HEIGHT)

    def set_theme(self, theme: Theme) -> None:
        """Take a theme's colours."""
        self._theme, self._map = theme, None
        self.update()

    def show_model(self, model: TimelineModel | None) -> None:
        """Show a run as it is now; None for none."""
        self._model, self._map = model, None
        if model is not None:
            self.setRange(model.first_step, model.last_step)
        self.setEnabled(model is not None)
        self.update()

    def set_position(self, step: int, *, following: bool, exact: bool) -> None:
        """Put the playhead somewhere, without saying so."""
        if (step, following, exact) == (self.value(), self._following, self._exact):
            return
        self._following, self._exact = following, exact
        blocked = self.blockSignals(True)  # noqa: FBT003 - Qt's signature
        self.setValue(step)
        self.blockSignals(blocked)
        self.setAccessibleDescription(self.hint())
        self.update()

    def hint(self) -> str:
        """Return where the playhead stands, in words."""
        if self._model is None:
            return self.tr("No run yet")
        if self._following:
            return self.tr("{} · live").format(f"{self.value():,}")
        if not self._exact:
            return self.tr("{} · recomputing").format(f"{self.value():,}")
        return f"{self.value():,}"

    # From steps to pixels

    def x_of(self, step: float) -> float:
        """Return where an outer step is."""
        model = self._model
        if model is None:
            return MARGIN
        extent = max(model.num_steps - model.first_step, 1)
        return MARGIN + (step - model.first_step) / extent * self.extent()

    def step_at(self, x: float) -> int:
        """Return the outer step at a place, within what has been made."""
        model = self._model
        assert model is not None, "there is no run"
        extent = max(model.num_steps - model.first_step, 1)
        step = model.first_step + round((x - MARGIN) / self.extent() * extent)
        return min(max(step, model.first_step), model.last_step)

    def extent(self) -> float:
        """Return the width of the mini-map, in pixels."""
        return max(self.width() - 2 * MARGIN, 1.0)

    # Pointer and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Put the playhead under the pointer."""
        if event.button() == Qt.MouseButton.LeftButton and self._model is not None:
            self.setSliderDown(True)
            self._choose(self.step_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Take the playhead along."""
        if self.isSliderDown() and self._model is not None:
            self._choose(self.step_at(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(False)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Move by a step, or with Shift by a kept state."""
        model = self._model
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
        model = self._model
        if model is None:
            super().keyPressEvent(event)
            return
        key = Qt.Key(event.key())
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier and key in _SIDEWAYS:
            self._to_bookmark(ahead=key == Qt.Key.Key_Right)
        elif key in _SINGLE:
            self._choose(self.value() + _SINGLE[key])
        elif key == Qt.Key.Key_B:
            self.bookmark_toggled.emit(self.value())
        else:
            places = {
                Qt.Key.Key_PageUp: model.snapshot_after(self.value()),
                Qt.Key.Key_PageDown: model.snapshot_before(self.value()),
                Qt.Key.Key_Home: model.first_step,
                Qt.Key.Key_End: model.last_step,
            }
            if key in places:
                self._choose(places[key])
            else:
                super().keyPressEvent(event)

    def _to_bookmark(self, *, ahead: bool) -> None:
        assert self._model is not None, "there is no run"
        steps = [mark.step for mark in self._model.bookmarks]
        beyond = [s for s in steps if (s > self.value() if ahead else s < self.value())]
        if beyond:
            self._choose(min(beyond) if ahead else max(beyond))

    def _choose(self, step: int) -> None:
        model = self._model
        assert model is not None, "there is no run"
        held = min(max(step, model.first_step), model.last_step)
        self.set_position(held, following=False, exact=self._exact)
        self.step_chosen.emit(held)

    def event(self, event: QEvent) -> bool:
        """Tell of marks under the pointer."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            text = self.tip_at(float(event.pos().x()))
            if text:
                QToolTip.showText(event.globalPos(), text, self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)

    def tip_at(self, x: float) -> str:
        """Return what is marked near a place, in words."""
        model = self._model
        if model is None:
            return self.tr("No run yet")
        lines = [
            f"{flag.step:,}: {flag.text}"
            for flag in model.flags
            if abs(self.x_of(flag.step) - x) <= _NEAR
        ]
        for mark in model.bookmarks:
            if abs(self.x_of(mark.step) - x) <= _NEAR:
                note = mark.note or self.tr("bookmark")
                lines.append(f"{mark.step:,}: {note}")
        return "\n".join(lines) or self.tr("Outer step {}").format(
            f"{self.step_at(x):,}"
        )

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the mini-map, which is kept, and the playhead over it."""
        del event
        painter = QPainter(self)
        if self._map is None or self._map.deviceIndependentSize() != self.size():
            self._map = painted_map(self, self._model, self._theme)
        painter.drawPixmap(0, 0, self._map)
        if self._model is not None:
            self._paint_playhead(painter)
        if self.hasFocus():
            painter.setPen(QPen(QColor(self._theme.accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))

    def _paint_playhead(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        x = self.x_of(self.value())
        colour = QColor(self._theme.accent)
        painter.setPen(QPen(colour, 2))
        painter.drawLine(QPointF(x, TOP - 2), QPointF(x, self.height() - BOTTOM))
        painter.setBrush(colour)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawEllipse(QPointF(x, TOP), 4, 4)
        font = QFont(self.font())
        font.setPointSizeF(0.85 * font.pointSizeF())
        painter.setFont(font)
        text = self.hint()
        width = painter.fontMetrics().horizontalAdvance(text) + 4
        left = min(max(x - width / 2, 2), self.width() - width - 2)
        painter.setPen(QColor(self._theme.text))
        painter.drawText(
            QRectF(left, -1, width, TOP), Qt.AlignmentFlag.AlignCenter, text
        )
