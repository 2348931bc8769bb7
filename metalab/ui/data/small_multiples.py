"""Some tasks of a table, small and side by side, all on one pair of axes."""

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from metalab.tasks.table_view import NUM_SHOWN_TASKS, ShownTask
from metalab.ui.style.theming import current_theme

_COLUMNS = 4
_ROWS = NUM_SHOWN_TASKS // _COLUMNS
_GAP = 8.0
_POINT = 2.5
_INSET = 5.0


class SmallMultiples(QWidget):
    """Paints tasks; those that are held out have another colour, and say so."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tasks: tuple[ShownTask, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(300, 200)

    def sizeHint(self) -> QSize:
        """Return room for twelve plots."""
        return QSize(460, 330)

    def set_tasks(self, tasks: tuple[ShownTask, ...]) -> None:
        """Show other tasks."""
        self._tasks = tasks
        held_out = ", ".join(task.name for task in tasks if task.held_out)
        names = ", ".join(task.name for task in tasks if not task.held_out)
        self.setAccessibleName("Some tasks")
        self.setAccessibleDescription(f"Training: {names}. Held out: {held_out}.")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint each task in its frame."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self._tasks:
            painter.setPen(QColor(current_theme().muted))
            middle = Qt.AlignmentFlag.AlignCenter
            painter.drawText(self.rect(), middle, "Tasks appear here")
            return
        x = np.concatenate([task.x for task in self._tasks])
        y = np.concatenate([task.y for task in self._tasks])
        for place, task in enumerate(self._tasks):
            self._paint_task(painter, self._frame(place), task, x, y)

    def _frame(self, place: int) -> QRectF:
        width = (self.width() - (_COLUMNS - 1) * _GAP) / _COLUMNS
        height = (self.height() - (_ROWS - 1) * _GAP) / _ROWS
        row, column = divmod(place, _COLUMNS)
        left, top = column * (width + _GAP), row * (height + _GAP)
        return QRectF(left, top, width, height)

    def _paint_task(
        self,
        painter: QPainter,
        frame: QRectF,
        task: ShownTask,
        x: np.ndarray,
        y: np.ndarray,
    ) -> None:
        theme = current_theme()
        metrics = painter.fontMetrics()
        painter.fillRect(frame, QColor(theme.surface))
        title = frame.adjusted(_INSET, 2, -_INSET, 0)
        title.setHeight(metrics.height())
        colour = QColor(theme.evaluation if task.held_out else theme.text)
        painter.setPen(colour)
        name = metrics.elidedText(
            task.name, Qt.TextElideMode.ElideRight, int(title.width())
        )
        painter.drawText(title, Qt.AlignmentFlag.AlignLeft, name)
        inside = frame.adjusted(_INSET, metrics.height() + 6, -_INSET, -_INSET)
        points = [
            QPointF(
                inside.left() + _share(a, x) * inside.width(),
                inside.bottom() - _share(b, y) * inside.height(),
            )
            for a, b in zip(task.x.tolist(), task.y.tolist(), strict=True)
        ]
        ink = QColor(theme.evaluation if task.held_out else theme.support)
        line = QColor(ink)
        line.setAlphaF(0.4)
        painter.setPen(QPen(line, 1.2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(points)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink)
        for point in points:
            painter.drawEllipse(point, _POINT, _POINT)


def _share(value: float, values: np.ndarray) -> float:
    low, high = float(values.min()), float(values.max())
    return (value - low) / (high - low) if high > low else 0.5
