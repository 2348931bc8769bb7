"""The task on the Adapt canvas, and what a person does to it: every edit can be undone."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication, QUndoCommand, QUndoStack

from metalab.core.written_points import read_points
from metalab.engine.events import Array
from metalab.ui.workspaces.adapt.points_dialog import PointsDialog
from metalab.ui.workspaces.adapt.scene import UNKNOWN, Scene

if TYPE_CHECKING:
    from metalab.engine.events import HeldOutTasks
    from metalab.ui.workspaces.adapt.canvas import AdaptCanvas
    from metalab.ui.workspaces.adapt.tools import AdaptTools


_ID = 7301
"""Qt merges commands of one id only."""


class SceneEdit(QUndoCommand):
    """From one task to another; the moves of one drag are one edit."""

    def __init__(
        self,
        show: Callable[[Scene], None],
        *,
        before: Scene,
        after: Scene,
        label: str,
        merge: str,
    ) -> None:
        """Describe an edit.

        Args:
            show: Puts a task onto the canvas.
            before: The task as it was.
            after: The task as it will be.
            label: Of the edit, for a menu.
            merge: Edits in a row with the same one are undone together; "" for none.
        """
        super().__init__(label)
        self._show = show
        self._before = before
        self.after = after
        self.merge = merge

    def id(self) -> int:
        """Return the id under which Qt tries to merge."""
        return _ID if self.merge else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        """Take in a later move of the same drag."""
        if not isinstance(other, SceneEdit) or other.merge != self.merge:
            return False
        self.after = other.after
        return True

    def redo(self) -> None:
        """Make the edit."""
        self._show(self.after)

    def undo(self) -> None:
        """Take it back."""
        self._show(self._before)


class AdaptEditor(QObject):
    """Turns what happens on canvas and tools into edits of one task.

    Attributes:
        changed: The task is another: a `Scene`.
        refused: Why something could not be done.
        replaced: What has taken the place of points that a person had made, in words; to
            undo once brings those back.
        settled: What `replaced` said is undone, or something else was done since.
        undo_stack: Edits of the task.
    """

    changed = Signal(object)
    refused = Signal(str)
    replaced = Signal(str)
    settled = Signal(str)

    def __init__(
        self, canvas: "AdaptCanvas", tools: "AdaptTools", parent: QObject
    ) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._scene: Scene | None = None
        self._tasks: HeldOutTasks | None = None
        self._task = 0
        self._rng = np.random.default_rng(0)
        self._gesture = 0
        self._told = ""
        self.undo_stack = QUndoStack(self)
        self.undo_stack.indexChanged.connect(self._on_index_changed)
        canvas.point_moved.connect(self._on_point_moved)
        canvas.point_added.connect(self._on_point_added)
        canvas.point_removed.connect(self._on_point_removed)
        canvas.observation_added.connect(self._on_observation_added)
        canvas.curve_moved.connect(self._on_curve_moved)
        canvas.curve_drawn.connect(self._on_curve_drawn)
        canvas.let_go.connect(self._on_let_go)
        canvas.reset_requested.connect(self.reset_task)
        tools.kind_chosen.connect(self.set_kind)
        tools.dice_clicked.connect(self.draw_points)
        tools.paste_clicked.connect(self.paste_points)
        tools.type_clicked.connect(self.type_points)
        tools.new_clicked.connect(self.new_task)
        tools.reset_clicked.connect(self.reset_task)

    @property
    def scene(self) -> Scene | None:
        """The task on the canvas."""
        return self._scene

    def set_tasks(self, tasks: "HeldOutTasks", task: int) -> None:
        """Say which held-out task is shown elsewhere."""
        self._tasks, self._task = tasks, task

    def are_tasks(self, tasks: "HeldOutTasks") -> bool:
        """Return whether the task on the canvas is one of these, or made from one."""
        known = self._tasks
        return known is not None and known.same_as(tasks)

    def change_tasks(self, tasks: "HeldOutTasks", task: int) -> None:
        """Go on with what a person has made among the held-out tasks of another run.

        Points and curve stay; they are nobody's held-out task any more. Where curves
        are drawn over other inputs, a held-out task is begun with instead.
        """
        scene, known = self._scene, self._tasks
        same_inputs = known is not None and np.array_equal(known.grid, tasks.grid)
        if scene is None or not same_inputs:
            self.show_task(tasks, task)
            return
        self.set_tasks(tasks, task)
        self.undo_stack.clear()
        kind = scene.kind
        if kind == "held-out":
            kind = "drawn" if scene.has_truth else UNKNOWN
        self._show(replace(scene.with_points(scene.x, scene.y), kind=kind, task=task))

    def show_task(self, tasks: "HeldOutTasks", task: int) -> None:
        """Begin with a held-out task; nothing before can be undone."""
        self.set_tasks(tasks, task)
        self.undo_stack.clear()
        self._show(Scene.of_task(tasks, task))

    def set_kind(self, kind: str) -> None:
        """Make the true curve one of another kind."""
        scene = self._scene
        if scene is None:
            return
        self._canvas.set_drawing_mode(on=kind == "drawn")
        if kind == "held-out":
            self.reset_task()
        elif kind != scene.kind:
            self._push(
                scene.with_kind(kind, self.grid()),
                "true curve",
                # Without a true curve, they stay where they are.
                instead="" if kind == UNKNOWN else "Points put onto the curve",
            )

    def reset_task(self) -> None:
        """Return to the held-out task."""
        if self._tasks is not None and self._scene is not None:
            self._canvas.set_drawing_mode(on=False)
            self._push(
                Scene.of_task(self._tasks, self._task),
                "reset",
                instead="Points put back",
            )

    def draw_points(self) -> None:
        """Draw other points from the true curve."""
        if self._scene is not None:
            if not self._scene.has_truth and not self._scene.observed:
                self.refused.emit(
                    "There is no true curve to draw points from: choose one"
                )
                return
            drawn = self._scene.resampled(self.grid(), self._rng)
            self._push(drawn, "new points", instead="New points drawn")

    def paste_points(self) -> None:
        """Take the support set from the clipboard, or say what is wrong with it."""
        self._take_text(QGuiApplication.clipboard().text(), "clipboard", "pasted")

    def type_points(self) -> None:
        """Let a person type the support set, beginning with the one that is shown."""
        scene, tasks = self._scene, self._tasks
        if scene is None or tasks is None:
            return

        def understood(text: str) -> str:
            written = read_points(text)
            scene.with_written(written, tasks.grid)
            return written.words

        dialog = PointsDialog(scene.x, scene.y, understood, self._canvas.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.typed.connect(self._on_typed)
        dialog.open()

    def _on_typed(self, text: str) -> None:
        self._take_text(text, "points", "typed")

    def _take_text(self, text: str, source: str, how: str) -> None:
        """Take the support set from a text, or say what is wrong with it.

        Args:
            text: Points as a person writes them.
            source: Where it is from, in one word.
            how: How it came, in one word.
        """
        # Behind a dialog another run, or none, may be shown meanwhile.
        if self._scene is None or self._tasks is None:
            return
        try:
            taken = self._scene.with_written(read_points(text), self._tasks.grid)
        except ValueError as error:
            self.refused.emit(f"The {source}: {error}")
            return
        self._canvas.set_drawing_mode(on=False)
        self._push(taken, f"{how} points", instead=f"Points {how}")

    def new_task(self) -> None:
        """Begin a task without points, which nobody knows a true curve of."""
        if self._scene is not None:
            self._canvas.set_drawing_mode(on=False)
            self._push(self._scene.emptied(), "new task", instead="Points gone")

    def grid(self) -> Array:
        """Return where curves of the task on the canvas are drawn, [point]."""
        assert self._tasks is not None, "a task on the canvas is of a run"
        own = self._tasks.grid
        return own if self._scene is None else self._scene.over(own)

    def _on_point_moved(self, shot: int, x: float, y: float) -> None:
        assert self._scene is not None, "a point is of a task"
        moved = self._scene.with_point(shot, x, y)
        self._push(moved, "moved point", merge=f"{self._gesture} {shot}")

    def _on_curve_moved(self, x: float, y: float) -> None:
        assert self._scene is not None, "a handle is of a task"
        moved = self._scene.with_handle(x, y, self.grid())
        self._push(moved, "moved curve", merge=f"{self._gesture} curve")

    def _on_point_added(self, x: float, y: float) -> None:
        if self._scene is not None:
            self._push(self._scene.with_new_point(x, y), "added point")

    def _on_point_removed(self, shot: int) -> None:
        if self._scene is not None:
            if len(self._scene.x) == 1:
                self.refused.emit("A support set has at least one point")
                return
            self._push(self._scene.without_point(shot), "removed point")

    def _on_observation_added(self, index: int) -> None:
        if self._scene is not None:
            self._push(self._scene.with_observation(index), "added observation")

    def _on_curve_drawn(self, x: Array, y: Array) -> None:
        if self._scene is not None:
            drawn = self._scene.with_drawing(x, y, self.grid())
            self._push(
                drawn,
                "drawn curve",
                instead="Points put onto the curve",
            )

    def _on_let_go(self) -> None:
        # What follows is another edit, even of the same point.
        self._gesture += 1

    def _push(
        self, scene: Scene, label: str, *, merge: str = "", instead: str = ""
    ) -> None:
        """Make an edit.

        Args:
            scene: The task as it will be.
            label: Of the edit, for a menu.
            merge: Edits in a row with the same one are undone together; "" for none.
            instead: What to say where points that a person has made are gone with it; ""
                where they are not.
        """
        before = self._scene
        assert before is not None, "an edit changes a task"
        self.undo_stack.push(
            SceneEdit(self._show, before=before, after=scene, label=label, merge=merge)
        )
        if instead and before.by_hand:
            self._told = instead
            self.replaced.emit(instead)

    def _on_index_changed(self) -> None:
        told, self._told = self._told, ""
        if told:
            self.settled.emit(told)

    def _show(self, scene: Scene) -> None:
        self._scene = scene
        self.changed.emit(scene)
