"""How the meta-learner adapts to one held-out task, inner step by inner step."""

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication, QImage, QPalette
from PySide6.QtWidgets import QVBoxLayout, QWidget

from metalab.engine.events import Curves, ProbeTasks
from metalab.figures.drawing import number_of
from metalab.runs.history import RunHistory
from metalab.ui.painting import picture_of, tint
from metalab.ui.plot_widget import Plot
from metalab.ui.theme import DARK, Theme
from metalab.ui.ticks import number_text
from metalab.ui.views.adaptation_drawing import (
    BAND_DEVIATIONS,
    LEGEND,
    LEGEND_WITH_BAND,
    AdaptationDrawing,
    value_limits_of,
)
from metalab.ui.views.caption import Caption
from metalab.ui.views.header import PREPARING, PanelHeader
from metalab.ui.views.legend import Legend
from metalab.ui.views.readout import Readout
from metalab.ui.views.step_ruler import StepRuler
from metalab.ui.views.task_picker import TaskPicker

_NUM_TASKS = 16
"""Offered before there is a run."""


class AdaptationView(QWidget):
    """One held-out task: true curve, points, and the curve after each inner step.

    Attributes:
        task_chosen: The task that a person chose, counted from 0.
        inner_step_chosen: The inner step that is emphasised now.
    """

    task_chosen = Signal(int)
    inner_step_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._history: RunHistory | None = None
        self._tasks: ProbeTasks | None = None
        self._curves: Curves | None = None
        self._drawn_task: int | None = None
        self.header = PanelHeader(self.tr("Adaptation"), self)
        self.picker = TaskPicker(_NUM_TASKS, self.header)
        self.caption = Caption(self)
        self.legend = Legend(self)
        self.plot = Plot(y_label=self.tr("Output y"), parent=self)
        self.drawing = AdaptationDrawing(self.plot)
        self.ruler = StepRuler(self)
        self._readout = Readout(self.plot)
        self._arrange()
        self._connect()
        self.set_theme(DARK)

    def _arrange(self) -> None:
        self.setAutoFillBackground(True)
        self.plot.setAccessibleName(self.tr("Adaptation to a held-out task"))
        self.legend.set_entries(*LEGEND)
        self.header.add_tool(self.picker)
        self.ruler.setEnabled(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 2)
        layout.setSpacing(0)
        for widget in (self.header, self.legend):
            layout.addWidget(widget)
        layout.addWidget(self.plot, 1)
        layout.addWidget(self.ruler)
        layout.addWidget(self.caption)

    def _connect(self) -> None:
        self.picker.task_chosen.connect(self._on_task_chosen)
        self.ruler.valueChanged.connect(self._on_step_changed)
        self.plot.pointed.connect(self._on_pointed)
        self.plot.zoom_changed.connect(self.header.on_zoom_changed)
        self.header.fit_requested.connect(self.plot.fit)
        self.header.copy_requested.connect(self._on_copy_requested)

    @property
    def task(self) -> int:
        """The task that is shown, counted from 0."""
        return self.picker.task

    @property
    def inner_step(self) -> int:
        """The inner step that is emphasised."""
        return self.ruler.value()

    @property
    def readout(self) -> Readout:
        """The box with the values at the pointer."""
        return self._readout

    def set_task(self, task: int) -> None:
        """Show another task, without saying so."""
        if task != self.task:
            self.picker.set_task(task)
            self._refresh()

    def step_inner(self, delta: int) -> None:
        """Emphasise a later or, with a negative `delta`, an earlier inner step."""
        self.ruler.setValue(self.ruler.value() + delta)

    def set_theme(self, theme: Theme) -> None:
        """Take a theme's colours."""
        self._theme = theme
        tint(self, theme.surface, QPalette.ColorRole.Window)
        for part in (
            *(self.header, self.picker, self.legend, self.plot, self._readout),
            *(self.ruler, self.caption),
        ):
            part.set_theme(theme)

    def picture(self) -> QImage:
        """Return plot, key and values as a picture, without the tools."""
        self.plot.point_at(None)
        parts = (self.legend, self.plot, self.ruler, self.caption)
        title = f"{self.header.title}: task {self.task + 1}"
        return picture_of(parts, title=title, theme=self._theme)

    def show_history(self, history: RunHistory | None) -> None:
        """Show a run as it is now; cheap where nothing is new."""
        self._history = history
        tasks = None if history is None else history.probe_tasks
        curves = None if history is None else history.curves
        if tasks is not self._tasks or curves is not self._curves:
            new_tasks = tasks is not self._tasks
            self._tasks, self._curves = tasks, curves
            if new_tasks:
                self._drawn_task = None
                self.plot.fit()
            if new_tasks and tasks is not None:
                self.picker.set_num_tasks(tasks.num_gallery)
            self._refresh()
        self._show_message()

    def _refresh(self) -> None:
        tasks, curves = self._tasks, self._curves
        if tasks is None or self.task >= tasks.num_gallery:
            self._drawn_task = None
            self.drawing.clear()
        else:
            self._draw(tasks, curves)
        self.ruler.setEnabled(curves is not None)
        self._describe()
        if self.plot.pointed_at is not None:
            self._on_pointed(self.plot.pointed_at)

    def _draw(self, tasks: ProbeTasks, curves: Curves | None) -> None:
        if self._drawn_task != self.task:
            self._drawn_task = self.task
            self.plot.forget_limits()
            self.drawing.draw_task(tasks, self.task)
        banded = curves is not None and curves.deviation is not None
        self.legend.set_entries(*(LEGEND_WITH_BAND if banded else LEGEND))
        if curves is not None:
            self._fit_ruler(tasks.num_inner_steps, curves.curves.shape[1] - 1)
            self.drawing.draw_curves(
                tasks, curves, self.task, self.inner_step, self._theme
            )
        ends = (float(tasks.grid[0]), float(tasks.grid[-1]))
        self.plot.set_limits(ends, value_limits_of(tasks, curves, self.task))

    def _fit_ruler(self, trained: int, last: int) -> None:
        if (trained, last) == self.ruler.steps:
            return
        blocked = self.ruler.blockSignals(True)  # noqa: FBT003 - Qt's signature
        self.ruler.set_steps(trained, last)
        self.ruler.setValue(trained)
        self.ruler.blockSignals(blocked)
        self.inner_step_chosen.emit(self.inner_step)

    def _describe(self) -> None:
        """Say the task's values, and its losses before, after K and after K' steps."""
        tasks, curves, task = self._tasks, self._curves, self.task
        values = losses = described = ""
        title = self.tr("query loss")
        if tasks is not None and task < tasks.num_gallery:
            values = task_values(tasks, task)
            described = f"Task {task + 1}: {values}"
            if curves is not None:
                query = [number_text(float(loss)) for loss in curves.query_loss[task]]
                k = tasks.num_inner_steps
                shown = [query[step] for step in sorted({0, k, len(query) - 1})]
                losses = " → ".join(shown)
                described += (
                    f"; query loss {query[0]} before adaptation, {query[k]} after "
                    f"K = {k}, {query[-1]} after {number_of(len(query) - 1, 'inner step')}"
                )
        full = f"{title} {losses}" if losses else ""
        self.caption.set_texts(values, full, losses, described)
        self.plot.setAccessibleDescription(described or self.tr("No curves yet"))

    def _show_message(self) -> None:
        history = self._history
        waiting = (
            history is not None and history.curves is None and not history.status.ended
        )
        text = PREPARING if waiting else ""
        if text != self.plot.message:
            self.plot.set_message(text)

    def _on_task_chosen(self, task: int) -> None:
        self._refresh()
        self.task_chosen.emit(task)

    def _on_step_changed(self, step: int) -> None:
        self._refresh()
        self.inner_step_chosen.emit(step)

    def _on_pointed(self, x: float | None) -> None:
        tasks, curves = self._tasks, self._curves
        if x is None or tasks is None or curves is None:
            self.plot.show_crosshair(None)
            self._readout.hide()
            return
        point = int(np.abs(tasks.grid - x).argmin())
        at = float(tasks.grid[point])
        predicted = curves.curves[self.task, :, point]
        rows = [("True", number_text(float(tasks.true_curves[self.task, point])))]
        rows.extend(
            (f"Step {step}", number_text(float(predicted[step])))
            for step in sorted({0, tasks.num_inner_steps, self.inner_step})
        )
        if curves.deviation is not None:
            half = BAND_DEVIATIONS * curves.deviation[self.task, self.inner_step, point]
            rows.append(("  ±2 sd", number_text(float(half))))
        self.plot.show_crosshair(at)
        self._readout.show_beside(
            self.plot.place_of(at), f"x = {number_text(at)}", rows
        )

    def _on_copy_requested(self) -> None:
        QGuiApplication.clipboard().setImage(self.picture())


def task_values(tasks: ProbeTasks, task: int) -> str:
    """Return the numbers of a task in words, such as "amplitude 3.21, phase 0.53"."""
    return tasks.words(task, number_text)
