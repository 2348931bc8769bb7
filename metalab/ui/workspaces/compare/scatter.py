"""Plot of two methods task by task: a point a held-out task, which can be clicked."""

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QToolTip, QVBoxLayout, QWidget

from metalab.engine.events import Array
from metalab.experiment.loss_words import with_unit
from metalab.studies.comparison_scatter import losses_by_task, task_marks
from metalab.ui.plot.marks import Dots, Stroke
from metalab.ui.plot.painting import Ink
from metalab.ui.plot.plot_widget import Plot
from metalab.ui.plot.ticks import number_text
from metalab.ui.widgets.caption import Caption
from metalab.ui.widgets.plain_text import plain_tip

if TYPE_CHECKING:
    from metalab.studies.comparison import Comparison, Group

_REACH = 9.0
"""Distance at which the pointer is at a point, in pixels."""

_LEAST = 1e-12
_NONE: Array = np.empty(0)


class ScatterView(QWidget):
    """Loss of one method against that of another.

    Attributes:
        task_clicked: A held-out task, counted from 0.
        plot: The axes.
        caption: How many tasks are on which side.
    """

    task_clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.plot = Plot(x_label="Loss", y_label="Loss", parent=self)
        self.plot.setAccessibleName("Loss of two methods, task by task")
        self.caption = Caption(self)
        self._equal = self.plot.line(Stroke(ink=Ink(role="muted"), smooth=True), z=1)
        dots = Dots(fill=Ink(role="accent", share=0.75), size=6)
        self._points = self.plot.points(dots, z=2)
        self._chosen = self.plot.points(
            Dots(fill=Ink(role="evaluation"), ring=Ink(role="surface"), size=11), z=3
        )
        self._x = self._y = _NONE
        self._words: list[str] = []
        self._titles = ("", "")
        self.hovered: int | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.plot, 1)
        layout.addWidget(self.caption)
        self.plot.area.viewport.setMouseTracking(True)
        self.plot.area.viewport.installEventFilter(self)

    def show_pair(self, found: "Comparison", one: "Group", other: "Group") -> None:
        """Draw `one` upwards against `other`; both have losses."""
        y, x = losses_by_task(one), losses_by_task(other)
        log = bool((x >= 0).all() and (y >= 0).all())
        better = int((y < x).sum())
        if log:
            x, y = (np.log10(np.maximum(part, _LEAST)) for part in (x, y))
        self._x, self._y = x, y
        self._titles = (one.title, other.title)
        self._words = self._say(found, one, other)
        self._points.set_data(x, y)
        self._chosen.set_data(_NONE, _NONE)
        known = np.concatenate([x[np.isfinite(x)], y[np.isfinite(y)]])
        low, high = (float(known.min()), float(known.max())) if len(known) else (0, 1)
        high = high if high > low else low + 1.0
        self._equal.set_data(np.array([low, high]), np.array([low, high]))
        loss = with_unit("loss", found.unit)
        scale = "log₁₀ " if log else ""
        self.plot.area.set_labels(
            f"{other.title}: {scale}{loss}", f"{one.title}: {scale}{loss}"
        )
        self.plot.forget_limits()
        self.plot.set_limits((low, high), (low, high))
        self.plot.fit()
        count = len(x)
        text = f"Below the line {one.title} is better: {better:,} of {count:,} tasks"
        self.caption.set_texts(text, "Click a task to adapt to it", "", text)
        self.plot.setAccessibleDescription(text)

    def _say(self, found: "Comparison", one: "Group", other: "Group") -> list[str]:
        """Return what is said of each task under the pointer."""
        y, x = losses_by_task(one), losses_by_task(other)
        return [
            f"Task {task + 1}: {mark}\n{one.title}: {number_text(float(y[task]))}\n"
            f"{other.title}: {number_text(float(x[task]))}"
            for task, mark in enumerate(task_marks(found))
        ]

    def choose(self, task: int) -> None:
        """Mark a task."""
        if task < len(self._x):
            self._chosen.set_data(self._x[task : task + 1], self._y[task : task + 1])

    def task_at(self, position: QPointF) -> int | None:
        """Return the task at a position of the plot's viewport, if there is one."""
        if len(self._x) == 0:
            return None
        area = self.plot.area
        (left, right), (bottom, top) = area.ranges
        first, last = area.position_of(left, bottom), area.position_of(right, top)
        across = first.x() + (self._x - left) / (right - left) * (last.x() - first.x())
        up = first.y() + (self._y - bottom) / (top - bottom) * (last.y() - first.y())
        far = np.hypot(across - position.x(), up - position.y())
        far = np.where(np.isfinite(far), far, np.inf)
        nearest = int(far.argmin())
        return nearest if far[nearest] <= _REACH else None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Name the task under the pointer, and open the one that is clicked."""
        if isinstance(event, QMouseEvent):
            kind = event.type()
            if kind == QEvent.Type.MouseMove:
                self._hover(event)
            elif (
                kind == QEvent.Type.MouseButtonPress
                and event.button() == Qt.MouseButton.LeftButton
            ):
                task = self.task_at(event.position())
                if task is not None:
                    self.task_clicked.emit(task)
                    return True
        return super().eventFilter(watched, event)

    def _hover(self, event: QMouseEvent) -> None:
        task = self.task_at(event.position())
        viewport = self.plot.area.viewport
        if task == self.hovered:
            return
        self.hovered = task
        if task is None:
            viewport.unsetCursor()
            QToolTip.hideText()
        else:
            viewport.setCursor(Qt.CursorShape.PointingHandCursor)
            tip = plain_tip(self._words[task])
            QToolTip.showText(event.globalPosition().toPoint(), tip, viewport)
