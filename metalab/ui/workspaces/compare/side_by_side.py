"""The same task in several methods beside each other: one drag moves it in all."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSpinBox,
    QWidget,
)

from metalab.analysis.adapt_request import AdaptRequest, AdaptResult, Start
from metalab.ui.plot.painting import tint
from metalab.ui.plot.ticks import number_text
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import follow_theme
from metalab.ui.widgets.plain_text import plain_tip
from metalab.ui.workspaces.adapt.canvas import AdaptCanvas
from metalab.ui.workspaces.adapt.scene import Scene

if TYPE_CHECKING:
    from metalab.engine.events import HeldOutTasks
    from metalab.studies.comparison import Comparison, Group

MOST_CANVASES = 4
_IN_A_ROW = 2


class _Panel(QWidget):
    """One method: its name, its canvas, and its loss."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = QLabel(self)
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        # A long name is cut: all canvases have the same width.
        self.title.setSizePolicy(
            QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred
        )
        self.loss = QLabel(self)
        self.loss.setTextFormat(Qt.TextFormat.PlainText)
        self.canvas = AdaptCanvas(self)
        layout = QGridLayout(self)
        layout.setContentsMargins(4, 2, 4, 2)
        layout.setSpacing(2)
        layout.addWidget(self.title, 0, 0)
        layout.addWidget(self.loss, 0, 1, Qt.AlignmentFlag.AlignRight)
        layout.addWidget(self.canvas, 1, 0, 1, 2)
        layout.setRowStretch(1, 1)
        layout.setColumnStretch(0, 1)
        follow_theme(self._take_theme)

    def _take_theme(self, theme: Theme) -> None:
        tint(self.title, theme.text)
        tint(self.loss, theme.muted)
        font = self.title.font()
        font.setBold(True)
        self.title.setFont(font)


class SideBySide(QWidget):
    """Canvases of up to four methods with one task, by their first seeds.

    Attributes:
        asked: How the methods adapt: an `AdaptRequest`.
        task_chosen: Another held-out task is shown, counted from 0.
        task: The held-out task, counted from 1.
        panels: The canvases; those that are not needed are hidden.
    """

    asked = Signal(object)
    task_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tasks: HeldOutTasks | None = None
        self._starts: tuple[Start, ...] = ()
        self._scene: Scene | None = None
        self.task = QSpinBox(self)
        self.task.setMinimum(1)
        self.task.setAccessibleName("Held-out task")
        self._label = QLabel("Held-out &task", self)
        self._label.setBuddy(self.task)
        self._note = QLabel(self)
        self._note.setTextFormat(Qt.TextFormat.PlainText)
        self.panels = [_Panel(self) for _ in range(MOST_CANVASES)]
        self._arrange()
        self.task.valueChanged.connect(self._on_task)
        for panel in self.panels:
            self._connect(panel.canvas)
        follow_theme(self._take_theme)

    def _arrange(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(10, 4, 10, 0)
        bar.setSpacing(10)
        bar.addWidget(self._label)
        bar.addWidget(self.task)
        bar.addWidget(self._note, 1)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar, 0, 0, 1, _IN_A_ROW)
        for column in range(_IN_A_ROW):
            layout.setColumnStretch(column, 1)
        for index, panel in enumerate(self.panels):
            row, column = divmod(index, _IN_A_ROW)
            layout.addWidget(panel, 1 + row, column)
            panel.hide()

    def _connect(self, canvas: AdaptCanvas) -> None:
        canvas.point_moved.connect(self._on_point_moved)
        canvas.point_added.connect(self._on_point_added)
        canvas.point_removed.connect(self._on_point_removed)
        canvas.observation_added.connect(self._on_observation_added)
        canvas.curve_moved.connect(self._on_curve_moved)
        canvas.reset_requested.connect(self._on_reset)

    @property
    def scene(self) -> Scene | None:
        """The task that all canvases show."""
        return self._scene

    def show_comparison(self, found: "Comparison", groups: Sequence["Group"]) -> None:
        """Show the first tasks of a comparison in some of its methods."""
        shown = [group for group in groups if group.measured][:MOST_CANVASES]
        self._tasks = found.tasks
        self._starts = tuple(_start_of(group) for group in shown)
        for index, panel in enumerate(self.panels):
            panel.setVisible(index < len(shown))
            panel.canvas.clear_curves()
            panel.loss.setText("")
            if index < len(shown):
                run = shown[index].measured[0]
                text = f"{shown[index].title}, seed {run.seed}"
                panel.title.setText(text)
                panel.title.setToolTip(plain_tip(text))
        rest = len([group for group in groups if group.measured]) - len(shown)
        more = f" The first {MOST_CANVASES} methods; {rest} more." if rest else ""
        self._note.setText(f"One drag moves the point in all.{more}")
        self.task.setMaximum(len(found.tasks.support))
        self._show_task(min(self.task.value(), self.task.maximum()) - 1)

    def show_task(self, task: int) -> None:
        """Show a held-out task as it is."""
        if self.task.value() == task + 1:
            self._show_task(task)
        else:
            self.task.setValue(task + 1)

    def take(self, answers: Sequence[AdaptResult]) -> None:
        """Draw how the methods adapt."""
        by_key = {answer.key: answer for answer in answers}
        for start, panel in zip(self._starts, self.panels, strict=False):
            answer = by_key.get(start.key)
            # One that was asked of another comparison is about other runs.
            if answer is None or answer.start is not start:
                continue
            trained = start.config.num_inner_steps
            panel.canvas.show_explored(answer, trained, trained)
            losses = answer.query_loss
            if losses is not None:
                after = number_text(float(losses[trained]))
                steps = "step" if trained == 1 else "steps"
                panel.loss.setText(f"loss {after} after {trained} {steps}")
        self._align()

    def _align(self) -> None:
        """Give all canvases the axes that hold every method."""
        shown = [
            panel.canvas for panel, _ in zip(self.panels, self._starts, strict=False)
        ]
        held = any(canvas.handles.held for canvas in shown)
        if not shown or held or any(canvas.zoomed for canvas in shown):
            return
        ranges = [canvas.area.ranges for canvas in shown]
        x = (min(r[0][0] for r in ranges), max(r[0][1] for r in ranges))
        y = (min(r[1][0] for r in ranges), max(r[1][1] for r in ranges))
        for canvas in shown:
            canvas.area.set_ranges(x, y)

    def _on_task(self, number: int) -> None:
        self._show_task(number - 1)
        self.task_chosen.emit(number - 1)

    def _show_task(self, task: int) -> None:
        if self._tasks is not None:
            self._show(Scene.of_task(self._tasks, task))

    def _show(self, scene: Scene) -> None:
        tasks = self._tasks
        if tasks is None:
            return
        self._scene = scene
        for _, panel in zip(self._starts, self.panels, strict=False):
            panel.canvas.show_scene(scene, tasks)
        if len(scene.x) == 0 or not self._starts:
            return
        shown = max(start.config.num_shown_steps for start in self._starts)
        self.asked.emit(
            AdaptRequest(
                task=scene.as_task(tasks), starts=self._starts, num_inner_steps=shown
            )
        )

    def _edit(self, change: Callable[[Scene], Scene]) -> None:
        if self._scene is not None:
            self._show(change(self._scene))

    def _on_point_moved(self, shot: int, x: float, y: float) -> None:
        self._edit(lambda scene: scene.with_point(shot, x, y))

    def _on_point_added(self, x: float, y: float) -> None:
        self._edit(lambda scene: scene.with_new_point(x, y))

    def _on_point_removed(self, shot: int) -> None:
        self._edit(lambda scene: scene.without_point(shot))

    def _on_observation_added(self, index: int) -> None:
        self._edit(lambda scene: scene.with_observation(index))

    def _on_curve_moved(self, x: float, y: float) -> None:
        tasks = self._tasks
        if tasks is not None:
            self._edit(lambda scene: scene.with_handle(x, y, scene.over(tasks.grid)))

    def _on_reset(self) -> None:
        self._show_task(self.task.value() - 1)

    def _take_theme(self, theme: Theme) -> None:
        tint(self._note, theme.muted)


def _start_of(group: "Group") -> Start:
    """Return where the first measured seed of a method adapts from."""
    run = group.measured[0]
    assert run.phi is not None, "a run with losses has meta-parameters"
    return Start(
        key=group.title,
        config=run.history.config_at(run.history.step),
        phi=run.phi,
        step=run.history.step,
    )
