"""The plot of the Adapt workspace: points and curve as handles, all inner steps drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QWidget

from metalab.analysis.adapt_request import AdaptResult
from metalab.analysis.edited_support import EditedSupport
from metalab.engine.events import Array, Curves, HeldOutTasks
from metalab.ui.plot.marks import Dots, Stroke
from metalab.ui.plot.painting import Ink
from metalab.ui.plot.plot_widget import Plot
from metalab.ui.plot.support_handles import SupportHandles
from metalab.ui.workspaces.adapt.scene import Scene
from metalab.ui.workspaces.live.adaptation_drawing import AdaptationDrawing

NUM_FAN = 16
_REACH = 0.5
"""How far beyond the task a curve stretches the axis, in extents of the task."""

OVERLAY_ROLES: Sequence[str] = ("evaluation", "error", "before", "query")
"""Colours of the starts that are laid over, in the order in which they are given out."""

_DELETE = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)


class AdaptCanvas(Plot):
    """Support points and a handle of the true curve, to be dragged.

    Attributes:
        point_moved: A point shall stand elsewhere: its number, x and y.
        point_added: A point shall be added at x and y.
        point_removed: A point shall go: its number.
        observation_added: An observation shall be a support point: its number.
        curve_moved: The handle of the curve shall stand at x and y.
        curve_drawn: A curve was drawn by hand: its x and y.
        let_go: A drag has ended; the next one is another edit.
        reset_requested: The task shall be as it was.
    """

    point_moved = Signal(int, float, float)
    point_added = Signal(float, float)
    point_removed = Signal(int)
    observation_added = Signal(int)
    curve_moved = Signal(float, float)
    curve_drawn = Signal(object, object)
    let_go = Signal()
    reset_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        # As in the exported figure.
        super().__init__(x_label="Input x", y_label="Output y", parent=parent)
        self._scene: Scene | None = None
        self._tasks: HeldOutTasks | None = None
        self._drawing = False
        self._trace: list[tuple[float, float]] | None = None
        self.setAccessibleName("Adaptation to a task of your own")
        faint = Stroke(ink=Ink(role="accent", share=0.28), smooth=True)
        self._fan = [self.line(faint, z=0.5) for _ in range(NUM_FAN)]
        self.marks = AdaptationDrawing(self)
        self._observations = self.points(
            Dots(fill=Ink(role="query"), ring=Ink(role="surface"), size=8), z=4.9
        )
        self._grip = self.points(
            Dots(fill=Ink(role="truth"), ring=Ink(role="surface"), size=13), z=6
        )
        self._overlays = {
            role: self.line(Stroke(ink=Ink(role=role), width=2.2, smooth=True), z=3.5)
            for role in OVERLAY_ROLES
        }
        self._sketch = self.line(Stroke(ink=Ink(role="truth"), width=2), z=7)
        self.handles = SupportHandles(self, may_reset=self._may_reset)
        self.handles.moved.connect(self._on_moved)
        self.handles.marked.connect(self._draw_points)
        self.handles.dropped.connect(self.let_go)
        self.handles.clicked.connect(self._on_clicked)
        self.handles.target_clicked.connect(self.observation_added)
        self.handles.reset_requested.connect(self.reset_requested)
        # After the handles', hence asked before them.
        self._viewport = self.area.viewport
        self._viewport.installEventFilter(self)
        self.installEventFilter(self)

    @property
    def drawing_mode(self) -> bool:
        """Whether a drag over empty space draws the true curve."""
        return self._drawing

    def set_drawing_mode(self, *, on: bool) -> None:
        """Let a drag over empty space draw the true curve, or pan."""
        self._drawing = on
        self._trace = None

    # What is drawn

    def show_scene(self, scene: Scene | None, tasks: HeldOutTasks | None) -> None:
        """Draw a task: its points and its true curve."""
        before = self._scene
        other = tasks is not self._tasks or (
            scene is None
            or before is None
            or scene.task != before.task
            or scene.grid is not before.grid
        )
        self._scene, self._tasks = scene, tasks
        if scene is None or tasks is None:
            self.clear_curves()
            self.marks.clear()
            self.handles.clear()
            self._grip.set_data(*_nothing())
            self._observations.set_data(*_nothing())
            return
        self.area.set_labels(*tasks.axis_labels)
        grid = scene.over(tasks.grid)
        truth = scene.known_truth(grid)
        self.marks.truth.set_data(*(_nothing() if truth is None else (grid, truth)))
        handle = scene.handle(grid)
        x, y = scene.x, scene.y
        if handle is None:
            self._grip.set_data(*_nothing())
        else:
            x, y = np.append(x, handle[0]), np.append(y, handle[1])
            self._grip.set_data(np.array([handle[0]]), np.array([handle[1]]))
        self.handles.set_points(x, y, (float(grid[0]), float(grid[-1])))
        self.handles.set_targets(scene.other_x, scene.other_y)
        self._observations.set_data(scene.other_x, scene.other_y)
        self._draw_points()
        if other:
            self.forget_limits()
        self.fit_to(scene.truth(grid))

    def fit_to(self, values: Array) -> None:
        """Let the axes show the task, unless a point is being dragged."""
        scene, tasks = self._scene, self._tasks
        if scene is None or tasks is None or self.handles.held:
            return
        grid = scene.over(tasks.grid)
        own = np.concatenate([scene.y, scene.other_y, scene.truth(grid)])
        if len(scene.x) == 0:
            own = np.array(tasks.plotted_range())
        known = np.concatenate([values, own])
        known = known[np.isfinite(known)]
        low, high = float(known.min()), float(known.max())
        extent = max(float(np.ptp(scene.truth(grid))), 1.0)
        top, end = (
            float(own.max()) + _REACH * extent,
            float(own.min()) - _REACH * extent,
        )
        ends = (float(grid[0]), float(grid[-1]))
        self.set_limits(ends, (max(low, end), min(high, top)))

    def show_explored(self, base: AdaptResult, step: int, trained: int) -> None:
        """Draw how the network adapts, with one inner step emphasised."""
        tasks = self._tasks
        if tasks is None:
            return
        deviation = None if base.deviation is None else base.deviation[None]
        curves = Curves(
            step=0,
            curves=base.curves[None],
            support_loss=base.support_loss[None],
            query_loss=base.support_loss[None],
            phi=np.empty(0),
            deviation=deviation,
        )
        alone = replace(tasks, num_inner_steps=trained, grid=base.grid)
        chosen = min(step, len(base.curves) - 1)
        self.marks.draw_curves(alone, curves, 0, chosen)
        for index, line in enumerate(self._fan):
            shown = index < len(base.fan)
            line.set_data(*((base.grid, base.fan[index]) if shown else _nothing()))
        self.fit_to(base.curves[: trained + 1].ravel())

    def clear_curves(self) -> None:
        """Draw no adaptation; the task stays."""
        self.marks.clear_curves()
        for line in (*self._fan, *self._overlays.values()):
            line.set_data(*_nothing())

    def show_overlays(self, overlays: Mapping[str, AdaptResult], step: int) -> None:
        """Draw the curve of other starts after one inner step, by role of colour."""
        for role, line in self._overlays.items():
            found = overlays.get(role)
            if found is None or self._tasks is None:
                line.set_data(*_nothing())
            else:
                chosen = min(step, len(found.curves) - 1)
                line.set_data(found.grid, found.curves[chosen])

    def _draw_points(self) -> None:
        scene, tasks = self._scene, self._tasks
        if scene is None or tasks is None:
            return
        points = EditedSupport(task=0, x=scene.x, y=scene.y)
        count = len(scene.x)
        marks = [shot for shot in self.handles.marks if shot < count]
        own = points if scene.own else EditedSupport(task=0, x=scene.x, y=scene.y + 0.0)
        self.marks.draw_support(points, own, marks)
        if not scene.own:
            self.marks.support.set_data(*_nothing())
            self.marks.moved.set_data(scene.x, scene.y)
            self.marks.own.set_data(*_nothing())

    # Pointer and keys

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Add, remove and draw; leave the rest to the handles and to the plot."""
        # Qt asks, too, while the plot is being built.
        if getattr(self, "_viewport", None) is watched and isinstance(
            event, QMouseEvent
        ):
            if self._on_canvas(event):
                return True
        elif watched is self and isinstance(event, QKeyEvent):
            pressed = event.type() == QEvent.Type.KeyPress
            if pressed and self._on_key(event):
                return True
        return super().eventFilter(watched, event)

    def _on_canvas(self, event: QMouseEvent) -> bool:
        kind, left = event.type(), event.button() == Qt.MouseButton.LeftButton
        on_point = self.handles.held or self.handles.is_over(event.position())
        if self._trace is not None:
            return self._draw_on(event)
        if kind == QEvent.Type.MouseButtonDblClick and left and not on_point:
            place = self.area.data_at(event.position())
            self._add(place.x(), place.y())
            return True
        if (
            self._drawing
            and kind == QEvent.Type.MouseButtonPress
            and left
            and not on_point
        ):
            self._trace = []
            return self._draw_on(event)
        return False

    def _draw_on(self, event: QMouseEvent) -> bool:
        assert self._trace is not None, "nothing is being drawn"
        place: QPointF = self.area.data_at(event.position())
        self._trace.append((place.x(), place.y()))
        x, y = (np.array(part) for part in zip(*self._trace, strict=True))
        if event.type() == QEvent.Type.MouseButtonRelease:
            self._trace = None
            self._sketch.set_data(*_nothing())
            if len(x) > 2:
                self.curve_drawn.emit(x, y)
        else:
            self._sketch.set_data(x, y)
        return True

    def _on_key(self, event: QKeyEvent) -> bool:
        key, selected = Qt.Key(event.key()), self.handles.selected
        scene = self._scene
        if scene is None:
            return False
        if key in _DELETE and selected is not None and selected < len(scene.x):
            self.point_removed.emit(selected)
            return True
        if key == Qt.Key.Key_Insert:
            low, high = self.x_range
            x = self.pointed_at if self.pointed_at is not None else (low + high) / 2
            if len(scene.other_x) > 0:
                nearest = int(np.abs(scene.other_x - x).argmin())
                self.observation_added.emit(nearest)
                return True
            assert self._tasks is not None, "a scene has tasks"
            grid = scene.over(self._tasks.grid)
            y = float(np.interp(x, grid, scene.truth(grid)))
            self._add(x, y)
            return True
        return False

    def _add(self, x: float, y: float) -> None:
        if self._tasks is not None and self._scene is not None:
            grid = self._scene.over(self._tasks.grid)
            low, high = float(grid[0]), float(grid[-1])
            self.point_added.emit(min(max(x, low), high), y)

    def _on_moved(self, shot: int, x: float, y: float) -> None:
        if self._scene is not None and shot == len(self._scene.x):
            self.curve_moved.emit(x, y)
        else:
            self.point_moved.emit(shot, x, y)

    def _on_clicked(self, shot: int) -> None:
        """Take an observation out of the support set; a drag moves it instead."""
        if self._scene is not None and self._scene.is_observation(shot):
            self.point_removed.emit(shot)

    def _may_reset(self) -> bool:
        return self._scene is not None and not self._scene.own


def _nothing() -> tuple[Array, Array]:
    none: Array = np.empty(0)
    return none, none
