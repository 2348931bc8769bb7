"""The ruler of inner steps: a slider, and the key to the colours of the curves."""

from PySide6.QtCore import QPointF, QRectF, QSignalBlocker, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QLinearGradient,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QSlider, QWidget

from metalab.ui.plot.painting import ramp_ink
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import current_theme, follow_theme

_MARGIN = 14
_LINE_Y = 9.0
_MOST_DOTS = 60
_LABEL_DISTANCE = 26


class StepRuler(QSlider):
    """Inner steps 0 ... K', with training's K marked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._trained = 0
        self.setRange(0, 0)
        self.setPageStep(5)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Inner step")
        self.setToolTip(
            "Inner step that is emphasised; steps beyond K were not trained"
        )
        follow_theme(self._take_theme)

    @property
    def steps(self) -> tuple[int, int]:
        """K and K'."""
        return self._trained, self.maximum()

    def set_steps(self, trained: int, last: int) -> None:
        """Show K and K'.

        Args:
            trained: K, the inner steps of training.
            last: K', the last inner step that is shown.
        """
        self._trained = trained
        self.setRange(0, last)
        self.update()

    def fit(self, trained: int, last: int) -> bool:
        """Show other K and K', with K chosen; return whether they are others."""
        if (trained, last) == self.steps:
            return False
        with QSignalBlocker(self):
            self.set_steps(trained, last)
            self.setValue(trained)
        return True

    def _take_theme(self, _: Theme) -> None:
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Return room for the dots and one line of numbers."""
        return QSize(160, round(self._line_y * 2 + self.fontMetrics().height() + 2))

    def minimumSizeHint(self) -> QSize:
        """Return room for a few steps."""
        return QSize(90, self.sizeHint().height())

    def place_of(self, step: int) -> QPointF:
        """Return where an inner step is."""
        share = step / max(self.maximum(), 1)
        return QPointF(_MARGIN + share * (self.width() - 2 * _MARGIN), self._line_y)

    @property
    def _line_y(self) -> float:
        return _LINE_Y * current_theme().scale

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the step under the pointer."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._go_to(event)
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the pointer."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go_to(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End following the pointer."""
        event.accept()

    def _go_to(self, event: QMouseEvent) -> None:
        room = max(1, self.width() - 2 * _MARGIN)
        share = (event.position().x() - _MARGIN) / room
        self.setValue(round(share * self.maximum()))
        event.accept()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the line, its dots, the chosen step and the numbers."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self.isEnabled():
            return
        self._paint_line(painter)
        if self.maximum() <= _MOST_DOTS:
            for step in range(self.maximum() + 1):
                beyond = step > self._trained
                self._paint_dot(painter, step, 2.5 if beyond else 4.0)
        self._paint_dot(painter, self._trained, 4.5)
        self._paint_chosen(painter)
        self._paint_numbers(painter)

    def _paint_line(self, painter: QPainter) -> None:
        last = self.maximum()
        start, end = self.place_of(0), self.place_of(last)
        trained = self.place_of(self._trained)
        gradient = QLinearGradient(start, end)
        for step in (0, self._trained, last):
            gradient.setColorAt(step / max(last, 1), self._colour(step))
        scale = current_theme().scale
        painter.setPen(QPen(gradient, 1.5 * scale))
        painter.drawLine(trained, end)
        painter.setPen(QPen(gradient, 3 * scale))
        painter.drawLine(start, trained)

    def _colour(self, step: int) -> QColor:
        return ramp_ink(step, self._trained, self.maximum()).colour(current_theme())

    def _paint_dot(self, painter: QPainter, step: int, radius: float) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._colour(step))
        size = radius * current_theme().scale
        painter.drawEllipse(self.place_of(step), size, size)

    def _paint_chosen(self, painter: QPainter) -> None:
        painter.setBrush(self._colour(self.value()))
        theme = current_theme()
        painter.setPen(QPen(QColor(theme.text), 2))
        size = 6 * theme.scale
        painter.drawEllipse(self.place_of(self.value()), size, size)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(theme.accent), 1.5))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 3, 3)

    def _paint_numbers(self, painter: QPainter) -> None:
        """Paint the chosen step and K; the ends where they do not collide."""
        words = {
            self.value(): str(self.value()),
            self._trained: f"K = {self._trained}",
        }
        free = [step for step in (0, self.maximum()) if step not in words]
        taken = [self.place_of(step).x() for step in words]
        for step in free:
            x = self.place_of(step).x()
            if all(abs(x - other) > _LABEL_DISTANCE for other in taken):
                words[step] = str(step)
        close = abs(taken[0] - taken[-1]) < _LABEL_DISTANCE
        if len(taken) > 1 and close:
            del words[self.value()]
        top = 2 * self._line_y - 1
        theme = current_theme()
        for step, text in words.items():
            strong = step in (self.value(), self._trained)
            painter.setPen(QColor(theme.text if strong else theme.muted))
            width = painter.fontMetrics().horizontalAdvance(text) + 2
            left = self.place_of(step).x() - width / 2
            left = min(max(left, 1.0), self.width() - width - 1.0)
            frame = QRectF(left, top, width, self.height() - top)
            painter.drawText(frame, Qt.AlignmentFlag.AlignCenter, text)
