"""The Adapt workspace: drag the points of a task and see every inner step follow."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QGuiApplication,
    QImage,
    QKeyEvent,
    QKeySequence,
    QPalette,
)
from PySide6.QtWidgets import QLabel, QSplitter, QVBoxLayout, QWidget

from metalab.analysis.adapt_request import AdaptRequest, AdaptResult
from metalab.figures.drawing import number_of
from metalab.figures.sights import AdaptSight
from metalab.ui.plot.held_paint import HeldPaint
from metalab.ui.plot.painting import Ink, picture_of, ramp_ink, tint
from metalab.ui.session.engine_access import inner_lr
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import follow_theme
from metalab.ui.widgets.caption import Caption
from metalab.ui.widgets.header import PanelHeader
from metalab.ui.widgets.legend import Entry, Legend, Swatch
from metalab.ui.widgets.scrolling import Scrolling
from metalab.ui.workspaces.adapt.asking import AdaptAsking
from metalab.ui.workspaces.adapt.canvas import NUM_FAN, AdaptCanvas
from metalab.ui.workspaces.adapt.editor import AdaptEditor
from metalab.ui.workspaces.adapt.panels import AdaptPanels
from metalab.ui.workspaces.adapt.scene import Scene
from metalab.ui.workspaces.adapt.starts import RUN, AdaptStarts
from metalab.ui.workspaces.adapt.tools import EXTRA_STEPS, AdaptTools
from metalab.ui.workspaces.adapt.words import task_name, words_of
from metalab.ui.workspaces.base import Workspace
from metalab.ui.workspaces.live.adaptation_drawing import legend_of

if TYPE_CHECKING:
    from metalab.engine.events import HeldOutTasks
    from metalab.figures.sights import Sight
    from metalab.runs.record.history import RunHistory
    from metalab.ui.session.moment import Moment


def task_entries(scene: Scene) -> tuple[Entry, ...]:
    """Return the entries of a task: its true curve, if it has one, and its points."""
    *shown, query = legend_of(banded=False, moved=not scene.own, known=scene.has_truth)
    if len(scene.other_x) > 0:
        text = "Other observations: click one to take it in"
        shown.append(replace(query, ink=Ink(role="query"), text=text))
    return tuple(shown)


def curve_entries(base: AdaptResult, *, step: int, trained: int) -> tuple[Entry, ...]:
    """Return the entries of the curves of the run.

    Args:
        base: How the run adapts.
        step: The emphasised inner step.
        trained: K, where training ends.
    """
    last = len(base.curves) - 1
    chosen = min(step, last)

    def ink(at: int) -> Ink:
        return ramp_ink(at, trained, last)

    entries = [Entry(swatch=Swatch.LINE, ink=ink(0), text="Before adaptation")]
    if last > 1:
        text = f"After 1 to {last} inner steps"
        entries.append(Entry(swatch=Swatch.LINE, ink=ink(1), end=ink(last), text=text))
    after = "After {}"
    of_k = after.format(number_of(trained, "inner step")) + " (K, training ends)"
    entries.append(Entry(swatch=Swatch.THICK, ink=ink(trained), text=of_k))
    if chosen != trained:
        text = f"Emphasised: inner step {chosen}"
        entries.append(Entry(swatch=Swatch.BOLD, ink=ink(chosen), text=text))
    if base.deviation is not None:
        entries.append(legend_of(banded=True, moved=False, known=True)[-1])
    if len(base.fan):
        fan = Ink(role="accent", share=0.4)
        text = "Other support sets"
        entries.append(Entry(swatch=Swatch.LINE, ink=fan, text=text))
    return tuple(entries)


def overlay_entries(titles: Mapping[str, str]) -> tuple[Entry, ...]:
    """Return the entries of what is laid over: titles by role of colour."""
    return tuple(
        Entry(swatch=Swatch.THICK, ink=Ink(role=role), text=title)
        for role, title in titles.items()
    )


class AdaptWorkspace(Workspace):
    """A task of a person's own, and how the run at the playhead adapts to it.

    Attributes:
        editor: The task, and what a person does to it.
        asking: The threads that compute.
        starts: What can be laid over.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._moment: Moment | None = None
        self._scene: Scene | None = None
        self._answers: dict[str, AdaptResult] = {}
        self._factor = 1.0
        self._extra: int | None = None
        self.asking = AdaptAsking(self)
        self.starts = AdaptStarts(self.asking, self)
        self.header = PanelHeader("Adapt by hand", self)
        self.tools = AdaptTools(self)
        self.legend = Legend(self)
        self.canvas = AdaptCanvas(self)
        self._held_paint = HeldPaint(self.canvas.area.viewport, self)
        self.editor = AdaptEditor(self.canvas, self.tools, self)
        self._error = self._refusal = ""
        self.panels = AdaptPanels(self)
        self.caption = Caption(self)
        self.note = QLabel(self)
        self._arrange()
        self._connect()
        self._say()
        follow_theme(self._take_theme)

    def _arrange(self) -> None:
        self.setAutoFillBackground(True)
        left = QWidget(self)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.legend)
        column.addWidget(self.canvas, 1)
        column.addWidget(self.caption)
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.note.setWordWrap(True)
        self.note.setContentsMargins(10, 0, 10, 4)
        self.note.hide()
        column.addWidget(self.note)
        split = QSplitter(Qt.Orientation.Horizontal, self)
        split.setChildrenCollapsible(False)
        split.addWidget(left)
        split.addWidget(Scrolling(self.panels))
        split.setStretchFactor(0, 68)
        split.setStretchFactor(1, 32)
        split.setSizes([680, 320])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 2)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        layout.addWidget(self.tools)
        layout.addWidget(split, 1)

    def _connect(self) -> None:
        canvas, tools = self.canvas, self.tools
        self.editor.changed.connect(self._on_edited)
        self.editor.refused.connect(self._on_refused)
        self.editor.replaced.connect(self._on_replaced)
        self.editor.settled.connect(self.untold)
        canvas.let_go.connect(self._draw)
        tools.inner_lr_chosen.connect(self._on_inner_lr)
        tools.last_step_chosen.connect(self._on_last_step)
        tools.last_step_put_back.connect(self._on_last_step_put_back)
        tools.fan_toggled.connect(self._ask)
        tools.overlay_toggled.connect(self._on_overlay_toggled)
        self.starts.changed.connect(self._on_starts_changed)
        tools.add_clicked.connect(self._on_add_run)
        self.canvas.point_moved.connect(self._held_paint.begin)
        self.canvas.curve_moved.connect(self._held_paint.begin)
        self.asking.run_read.connect(self._on_run_read)
        self.asking.explored.connect(self._on_explored)
        self.asking.failed.connect(self._on_failed)
        self.asking.busy_changed.connect(self._say)
        self.header.copy_requested.connect(self._on_copy)
        self.header.fit_requested.connect(canvas.fit)
        canvas.zoom_changed.connect(self.header.on_zoom_changed)

    # What the window says

    @property
    def scene(self) -> Scene | None:
        """The task on the canvas."""
        return self._scene

    @property
    def answers(self) -> Mapping[str, AdaptResult]:
        """How each start that is shown adapts, by key."""
        return self._answers

    @property
    def last_inner_step(self) -> int | None:
        """K' if a person has chosen one; None for the run's."""
        if self._extra is None or self._moment is None:
            return None
        return self._moment.history.num_inner_steps + self._extra

    @property
    def _num_steps(self) -> int:
        """K', the last inner step that is asked for and drawn."""
        assert self._moment is not None, "steps are those of a run"
        return self.last_inner_step or self._moment.config.num_shown_steps

    def show_moment(self, moment: "Moment | None") -> None:
        """Adapt from the meta-parameters of a moment."""
        before, self._moment = self._moment, moment
        if moment is None or not moment.is_of_run_of(before):
            self._forget()
        other = self.starts.set_moment(moment)
        tasks = self._tasks()
        if moment is None or tasks is None or moment.phi is None:
            self._clear()
            return
        scene, fits = self._scene, self.editor.are_tasks(tasks)
        if scene is None or (scene.own and not (fits and scene.task == moment.task)):
            self.editor.show_task(tasks, moment.task)
        elif not fits:
            self.editor.change_tasks(tasks, moment.task)
        else:
            self.editor.set_tasks(tasks, moment.task)
            self._show_newer(scene, before, moment, other=other)

    def _show_newer(
        self,
        scene: Scene,
        before: "Moment | None",
        moment: "Moment",
        *,
        other: bool,
    ) -> None:
        """Show the same task at another moment; cheap where nothing is new."""
        if (
            other
            or before is None
            or before.phi is not moment.phi
            or before.config is not moment.config
        ):
            self._show_scene(scene)
        elif before.inner_step != moment.inner_step:
            self._draw()

    def _tasks(self) -> "HeldOutTasks | None":
        return None if self._moment is None else self._moment.history.held_out_tasks

    def _forget(self) -> None:
        """Show nothing of another run, and take no answer that is about it."""
        self._factor = 1.0
        self._forget_answers()

    def _forget_answers(self) -> None:
        """Show no adaptation: there is nothing to adapt to."""
        self._answers, self._error = {}, ""
        self.asking.cancel()
        self.canvas.clear_curves()
        self.panels.clear()
        self._say()

    def _clear(self) -> None:
        self._scene = None
        self._forget_answers()
        self.canvas.show_scene(None, None)
        self.tools.setEnabled(False)
        self._say()

    def _take_theme(self, theme: Theme) -> None:
        tint(self, theme.surface, QPalette.ColorRole.Window)
        tint(self.note, theme.muted)
        self._draw()

    @property
    def figure(self) -> str:
        """Name of the figure of this page."""
        return "adapt"

    def sights(self) -> "Mapping[str, Sight]":
        """Return the newest answers: the task, its points, and every start."""
        base, moment, scene = self._answers.get(RUN), self._moment, self._scene
        if base is None or moment is None or scene is None:
            return {}
        titles = {overlay.key: overlay.title for overlay in self.starts.overlays()}
        others = tuple(
            (titles[key], answer)
            for key, answer in self._answers.items()
            if key != RUN and key in titles
        )
        sight = AdaptSight(
            history=moment.shown,
            explored=base,
            others=others,
            inner_step=moment.inner_step,
            task=task_name(scene),
        )
        return {self.figure: sight}

    def picture(self) -> QImage:
        """Return canvas and values as a picture."""
        self.canvas.point_at(None)
        # What is compared says what else differs, also where only the picture is seen.
        note = () if self.note.isHidden() else (self.note,)
        parts = (self.legend, self.canvas, self.caption, *note)
        return picture_of(parts, title=self.header.title)

    @property
    def awaits_curves(self) -> bool:
        """Whether an edit is about to be painted with its curves."""
        return self._held_paint.due

    def save_state(self) -> dict[str, Any]:
        """Return how many inner steps beyond K a person wants to see."""
        return {"extra": self._extra, "fan": self.tools.fan.isChecked()}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        """Take choices."""
        extra = state.get("extra")
        if type(extra) is int and 0 <= extra <= EXTRA_STEPS:
            self._extra = extra
            self.last_step_changed.emit()
        self.tools.fan.setChecked(state.get("fan") is True)

    def shut_down(self) -> None:
        """Have every thread end; returns at once."""
        self.asking.shut_down()

    def join(self) -> None:
        """Wait for the threads, after `shut_down`."""
        self.asking.join()

    # What a person does

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Undo, redo, paste, and draw other points."""
        if event.matches(QKeySequence.StandardKey.Undo):
            self.editor.undo_stack.undo()
        elif event.matches(QKeySequence.StandardKey.Redo):
            self.editor.undo_stack.redo()
        elif event.matches(QKeySequence.StandardKey.Paste):
            self.editor.paste_points()
        elif event.key() == Qt.Key.Key_R and not event.modifiers():
            self.editor.draw_points()
        else:
            super().keyPressEvent(event)

    # What is asked and drawn

    def _show_scene(self, scene: Scene) -> None:
        """Put a task onto the canvas and ask how it is adapted to."""
        self._scene = scene
        self.tools.setEnabled(True)
        self.canvas.show_scene(scene, self._tasks())
        self._show_choices()
        self._ask()

    def _show_choices(self) -> None:
        moment, scene = self._moment, self._scene
        if moment is None or scene is None:
            return
        config = moment.config
        trained = config.num_inner_steps
        self.tools.show_kind(scene.kind)
        self.tools.show_rate(inner_lr(config), self._factor)
        own = config.num_shown_steps
        self.tools.show_last(trained, self._num_steps, own=own)
        self.tools.set_overlays(self.starts.overlays())

    def _ask(self) -> None:
        moment, scene, tasks = self._moment, self._scene, self._tasks()
        starts = self.starts.starts()
        if moment is None or scene is None or tasks is None or not starts:
            return
        if len(scene.x) == 0:
            self._forget_answers()
            return
        config = moment.config
        rate = inner_lr(config)
        asked = AdaptRequest(
            task=scene.as_task(tasks),
            starts=starts,
            num_inner_steps=self._num_steps,
            inner_lr=None if rate is None or self._factor == 1 else rate * self._factor,
            num_fan=NUM_FAN if self.tools.fan.isChecked() else 0,
        )
        self.asking.ask(asked)

    def _on_explored(self, answers: tuple[AdaptResult, ...]) -> None:
        self._answers = {answer.key: answer for answer in answers}
        self._error = ""
        self._draw()
        self._held_paint.end()

    def _draw(self) -> None:
        """Draw the newest answers at the inner step of the playhead."""
        base, moment = self._answers.get(RUN), self._moment
        if base is not None and moment is not None and self._scene is not None:
            trained = moment.history.num_inner_steps
            roles = self.tools.roles()
            others = {
                roles[key]: answer
                for key, answer in self._answers.items()
                if key in roles
            }
            step = moment.inner_step
            self.canvas.show_explored(base, step, trained)
            self.canvas.show_overlays(others, step)
            self.panels.show_explored(base, others, step=step, trained=trained)
        self._say()

    def _explain(self) -> None:
        """Say what the marks on the canvas mean, of those that are there."""
        scene, base, moment = self._scene, self._answers.get(RUN), self._moment
        entries = () if scene is None else task_entries(scene)
        if base is not None and moment is not None:
            trained = moment.history.num_inner_steps
            entries += curve_entries(base, step=moment.inner_step, trained=trained)
            titles = {
                role: self.tools.overlay_box(key).text()
                for key, role in self.tools.roles().items()
                if key in self._answers
            }
            entries += overlay_entries(titles)
        self.legend.set_entries(*entries)

    def _say(self) -> None:
        """Say in words what is seen."""
        words = words_of(
            self._moment, self._scene, self._answers.get(RUN), self.asking.doing
        )
        self._explain()
        self.header.set_title(words.title)
        self.canvas.set_message(words.message or self._error)
        pasted = "" if self._scene is None else self._scene.note
        own = self._refusal or (f"Pasted: {pasted}" if pasted else "")
        notes = [text for text in (own, *self.starts.notes()) if text]
        self.note.setText("\n".join(notes))
        self.note.setVisible(bool(notes))
        summary = ". ".join([words.summary, *notes])
        self.caption.set_texts(words.left, words.right, words.right, summary)
        self.canvas.setAccessibleDescription(summary)

    def _on_failed(self, error: Exception) -> None:
        self._answers = {}
        self.panels.clear()
        # Nothing of the run before under the words that say why there is nothing.
        self.canvas.clear_curves()
        self._error = str(error)
        self._say()

    def _on_edited(self, scene: Scene) -> None:
        refused, self._refusal = self._refusal, ""
        self._show_scene(scene)
        if refused or scene.note:
            # Not only with the answer.
            self._say()

    def _on_refused(self, reason: str) -> None:
        # Until the next edit: beside a run that trains, all other words change at once.
        self._refusal = reason
        self._say()

    def _on_run_read(self, outcome: "RunHistory | Exception") -> None:
        if isinstance(outcome, Exception):
            self._on_refused(str(outcome))
        else:
            # Who adds a run wants to see it.
            self.tools.overlay_box(self.starts.add_run(outcome)).setChecked(True)

    def _on_add_run(self) -> None:
        title = "Lay another run over"
        self.run_file_requested.emit(title, self.asking.read_run)

    def _on_inner_lr(self, factor: float) -> None:
        self._factor = factor
        self._show_choices()
        self._ask()

    def _on_last_step(self, last: int) -> None:
        if self._moment is not None:
            own = self._moment.config.num_shown_steps
            extra = max(last - self._moment.history.num_inner_steps, 0)
            self._set_extra(None if last == own else extra)

    def _on_last_step_put_back(self) -> None:
        self._set_extra(None)

    def _set_extra(self, extra: int | None) -> None:
        """Show so many inner steps beyond K; None for what the run shows."""
        self._extra = extra
        self._show_choices()
        self._ask()
        # Curves first: the ruler may stand at a step that only they have.
        self.last_step_changed.emit()
        self.choices_changed.emit()

    def _on_replaced(self, text: str) -> None:
        """Say that what a person has made is gone, and how it comes back."""
        self.told.emit(text, "Undo", self.editor.undo_stack.undo)

    def _on_overlay_toggled(self, key: str, on: bool) -> None:  # noqa: FBT001 - a signal
        self.starts.choose(key, on=on)

    def _on_starts_changed(self) -> None:
        self._show_choices()
        self._ask()
        self._say()

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setImage(self.picture())
