"""Plot of the adaptation to one held-out task, inner step by inner step."""

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication, QImage, QPalette
from PySide6.QtWidgets import QVBoxLayout, QWidget

from metalab.engine.events import Curves, HeldOutTasks
from metalab.runs.record.history import RunHistory
from metalab.ui.plot.held_paint import HeldPaint
from metalab.ui.plot.painting import picture_of, tint
from metalab.ui.plot.plot_widget import Plot
from metalab.ui.plot.support_handles import SupportHandles
from metalab.ui.plot.ticks import number_text
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import follow_theme
from metalab.ui.widgets.caption import Caption
from metalab.ui.widgets.header import PanelHeader, is_preparing, preparing, tool_button
from metalab.ui.widgets.legend import Legend
from metalab.ui.widgets.readout import Readout
from metalab.ui.widgets.step_ruler import StepRuler
from metalab.ui.widgets.task_picker import TaskPicker
from metalab.ui.workspaces.live.adaptation_drawing import (
    LEGEND,
    AdaptationDrawing,
    legend_of,
    value_limits_of,
)
from metalab.ui.workspaces.live.adaptation_words import in_words, values_at
from metalab.ui.workspaces.live.edited_supports import EditedSupports

if TYPE_CHECKING:
    from metalab.analysis.edited_support import EditedSupport, SupportEditResult


class AdaptationReadout(Readout):
    """A box beside the crosshair: the true curve, and the chosen inner step."""

    def __init__(self, plot: Plot) -> None:
        """Stand in a plot, hidden at first."""
        super().__init__(plot)
        self._beside = plot

    def point_at(
        self,
        x: float | None,
        tasks: HeldOutTasks | None,
        curves: Curves | None,
        *,
        task: int,
        step: int,
    ) -> None:
        """Show the values nearest to an x; hide without one, or without curves."""
        if x is None or tasks is None or curves is None:
            self._beside.show_crosshair(None)
            self.hide()
            return
        point = int(np.abs(tasks.grid - x).argmin())
        at = float(tasks.grid[point])
        rows = values_at(tasks, curves, task, step, point)
        self._beside.show_crosshair(at)
        self.show_beside(self._beside.place_of(at), f"x = {number_text(at)}", rows)


_NUM_TASKS = 16
"""Offered before there is a run."""


class AdaptationView(QWidget):
    """One held-out task: true curve, points, and the curve after each inner step.

    Support points can be moved, by pointer and keyboard. The view then asks for how the
    task is adapted to, and shows the run's own curves until it is told.

    Attributes:
        task_chosen: The task that a person chose, counted from 0.
        inner_step_chosen: The inner step that is emphasised now.
        points_changed: Adapt the task that is shown to these points: `EditedSupport`, or
            None for its own.
        shown_changed: `shown` has changed through a person, not through the run.
        told: What was done, what a button says, and what it does, as a workspace's.
        untold: Words of `told` that are not so any more.
    """

    task_chosen = Signal(int)
    inner_step_chosen = Signal(int)
    points_changed = Signal(object)
    shown_changed = Signal()
    told = Signal(str, str, object)
    untold = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._moved = EditedSupports()
        self._asked: EditedSupport | None = None
        self._put_back: EditedSupport | None = None
        self.tasks: HeldOutTasks | None = None
        self._curves: Curves | None = None
        self._drawn_task: int | None = None
        self.header = PanelHeader("", self)
        self.reset = tool_button(
            "Reset points",
            "Back to the task's own support points (Esc)",
            parent=self.header,
        )
        self.picker = TaskPicker(_NUM_TASKS, self.header)
        self.caption = Caption(self)
        self.legend = Legend(self)
        self.plot = Plot(y_label="Output y", parent=self)
        self.drawing = AdaptationDrawing(self.plot)
        self.handles = SupportHandles(self.plot, may_reset=self._are_moved)
        self._held_paint = HeldPaint(self.plot.area.viewport, self)
        self.ruler = StepRuler(self)
        self._readout = AdaptationReadout(self.plot)
        self._arrange()
        self._connect()
        self._describe()
        follow_theme(self._take_theme)

    def _arrange(self) -> None:
        self.setAutoFillBackground(True)
        self.plot.setAccessibleName("Adaptation to a held-out task")
        self.legend.set_entries(*LEGEND)
        self.header.add_tool(self.reset)
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
        self.reset.clicked.connect(self.reset_points)
        self.handles.moved.connect(self._on_moved)
        self._held_paint.expired.connect(self._show_moved)
        self.handles.marked.connect(self._on_marked)
        self.handles.dropped.connect(self._on_dropped)
        self.handles.reset_requested.connect(self.reset_points)
        self.plot.pointed.connect(self._on_pointed)
        self.plot.zoom_changed.connect(self.header.on_zoom_changed)
        self.header.fit_requested.connect(self.plot.fit)
        self.header.copy_requested.connect(self._on_copy_requested)

    @property
    def awaits_curves(self) -> bool:
        """Whether a moved point is about to be painted with its curves."""
        return self._held_paint.due

    @property
    def task(self) -> int:
        """The task that is shown, counted from 0."""
        return self.picker.task

    @property
    def inner_step(self) -> int:
        """The inner step that is emphasised."""
        return self.ruler.value()

    @property
    def moved(self) -> "EditedSupport | None":
        """The support set of the task if a person has moved points of it."""
        return self._moved.points(self.task)

    @property
    def moved_tasks(self) -> tuple[int, ...]:
        """The tasks whose points a person has moved, counted from 0."""
        return self._moved.moved

    @property
    def readaptation(self) -> "SupportEditResult | None":
        """What the curves are of, if not of the task's own points."""
        return self._moved.answer(self.task)

    @property
    def shown(self) -> RunHistory | None:
        """The run, with what moved points make of its tasks."""
        return self._moved.shown

    @property
    def readout(self) -> Readout:
        """The box with the values at the pointer."""
        return self._readout

    def set_task(self, task: int) -> None:
        """Show another task, without saying so."""
        if task != self.task:
            self.picker.set_task(task)
            self._refresh()
            self._ask()

    def set_inner_step(self, step: int) -> None:
        """Emphasise an inner step; beyond the last one, the last one."""
        self.ruler.setValue(step)

    def _take_theme(self, theme: Theme) -> None:
        tint(self, theme.surface, QPalette.ColorRole.Window)

    def picture(self) -> QImage:
        """Return plot, key and values as a picture, without the tools."""
        self.plot.point_at(None)
        parts = (self.legend, self.plot, self.ruler, self.caption)
        name = (
            f"Task {self.task + 1}"
            if self.tasks is None
            else self.tasks.title(self.task)
        )
        title = f"{self.header.title}: {name}"
        return picture_of(parts, title=title)

    def show_history(self, history: RunHistory | None) -> None:
        """Show a run as it is now; cheap where nothing is new."""
        if self._moved.set_history(history):
            self._drawn_task = None
            self._settle()
            self.plot.fit()
            if history is not None and history.held_out_tasks is not None:
                tasks = history.held_out_tasks
                self.picker.set_num_tasks(tasks.num_gallery, tasks.names)
                self.plot.area.set_labels("", tasks.axis_labels[1])
        self._show()
        self._ask()
        shown = self._moved.shown
        self.plot.set_message(preparing(shown) if is_preparing(shown) else "")

    def show_readaptation(self, answer: "SupportEditResult") -> None:
        """Show how a task is adapted to, whose points were moved."""
        self._moved.take_in(answer)
        if self._held_paint.held and answer.points is not self.moved:
            # It is overtaken: the curves of the newest move are about to come.
            return
        self._show_moved()
        self._held_paint.end()

    def reset_points(self) -> None:
        """Return to the task's own support points, and offer those of a person again."""
        self._settle()
        self._put_back = self.moved
        self._moved.reset(self.task)
        self.handles.let_go()
        self._ask()
        if self._show():
            self.shown_changed.emit()
        if self._put_back is not None:
            self.told.emit(self._words_of_reset(), "Undo", self._undo_reset)

    def _words_of_reset(self) -> str:
        assert self._put_back is not None, "points were put back"
        task = self._put_back.task
        name = f"task {task + 1}" if self.tasks is None else self.tasks.called(task)
        return f"Support points of {name} put back"

    def _undo_reset(self) -> None:
        """Have the points as they were before they were put back."""
        points = self._put_back
        if points is None:
            return
        self._settle()
        self._moved.restore(points)
        self._ask()
        if self._show():
            self.shown_changed.emit()

    def _settle(self) -> None:
        """Offer nothing any more: the points are others, or of other tasks."""
        if self._put_back is not None:
            self.untold.emit(self._words_of_reset())
            self._put_back = None

    def _show(self) -> bool:
        """Draw what has changed; return whether anything has."""
        shown = self._moved.shown
        tasks = None if shown is None else shown.held_out_tasks
        curves = None if shown is None else shown.curves
        if tasks is self.tasks and curves is self._curves:
            return False
        self.tasks, self._curves = tasks, curves
        self._refresh()
        return True

    def _show_moved(self) -> None:
        """Draw what a person has made of it, and let others follow."""
        if self._show():
            self.shown_changed.emit()

    def _ask(self) -> None:
        """Say which points to adapt to, if they are others than before."""
        if self.moved is not self._asked:
            self._asked = self.moved
            self.points_changed.emit(self.moved)

    def _refresh(self) -> None:
        tasks, curves = self.tasks, self._curves
        if tasks is None or self.task >= tasks.num_gallery:
            self._drawn_task = None
            self.drawing.clear()
            self.handles.clear()
        else:
            self._draw(tasks, curves)
        self.ruler.setEnabled(curves is not None)
        self._describe()
        if self.plot.pointed_at is not None:
            self._on_pointed(self.plot.pointed_at)

    def _draw(self, tasks: HeldOutTasks, curves: Curves | None) -> None:
        if self._drawn_task != self.task:
            self._drawn_task = self.task
            self.plot.forget_limits()
            self.drawing.draw_task(tasks, self.task)
            self.handles.let_go()
        ends = (float(tasks.grid[0]), float(tasks.grid[-1]))
        self.handles.set_points(*tasks.support.plotted(self.task), ends)
        self._draw_support()
        banded = curves is not None and curves.deviation is not None
        known = tasks.true_curves is not None
        self.legend.set_entries(
            *legend_of(banded=banded, moved=self._are_moved(), known=known)
        )
        if curves is not None:
            if self.ruler.fit(tasks.num_inner_steps, curves.curves.shape[1] - 1):
                self.inner_step_chosen.emit(self.inner_step)
            self.drawing.draw_curves(tasks, curves, self.task, self.inner_step)
        # The axes stay while a point is held: it would run away from the pointer.
        if not self.handles.held:
            self.plot.set_limits(ends, value_limits_of(tasks, curves, self.task))

    def _draw_support(self) -> None:
        own = self._moved.own_points(self.task)
        self.drawing.draw_support(self.moved or own, own, self.handles.marks)

    def _are_moved(self) -> bool:
        return self.moved is not None

    def _describe(self) -> None:
        """Say whose points they are, the task's values, and what its losses become."""
        moved = self._are_moved()
        title = "Your points" if moved else "Adaptation"
        self.header.set_title(title)
        self.reset.setVisible(moved)
        words = in_words(
            self.tasks,
            self._curves,
            self.task,
            moved=moved,
            selected=self.handles.selected,
        )
        losses = words.losses
        full = f"query loss {losses}" if losses else ""
        self.caption.set_texts(words.values, full, losses, words.all)
        self.plot.setAccessibleDescription(words.all or "No curves yet")

    def _on_task_chosen(self, task: int) -> None:
        self._refresh()
        self._ask()
        self.task_chosen.emit(task)

    def _on_step_changed(self, step: int) -> None:
        self._refresh()
        self.inner_step_chosen.emit(step)

    def _on_moved(self, shot: int, x: float, y: float) -> None:
        if self._put_back is not None and self._put_back.task == self.task:
            self._settle()
        points = self._moved.move(shot, x, y, task=self.task)
        # Asked first, so that it is adapted to meanwhile. All is drawn once: with the
        # curves, or without if they take long.
        self._ask()
        # The next move begins there, whenever this one is drawn.
        self.handles.move_to(points.x, points.y)
        if not self._held_paint.begin():
            self._show_moved()

    def _on_dropped(self) -> None:
        """Draw the last move at once: the axes may follow it now."""
        self._show_moved()
        self._refresh()

    def _on_marked(self) -> None:
        if self._drawn_task is not None:
            self._draw_support()
            self._describe()

    def _on_pointed(self, x: float | None) -> None:
        tasks, curves, step = self.tasks, self._curves, self.inner_step
        self._readout.point_at(x, tasks, curves, task=self.task, step=step)

    def _on_copy_requested(self) -> None:
        QGuiApplication.clipboard().setImage(self.picture())
