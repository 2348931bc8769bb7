"""Drag a support point in the real window while a run trains; print the latencies.

A synthetic pointer posts its moves to the plot at a steady pace. A move is answered at
the end of the paint event that shows all inner steps' curves for its position, or for
that of a later move: moves that come faster than they are answered are overtaken.
"""

import json
import math
import sys
import time

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QCoreApplication, QEvent, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent

from metalab.experiment.config import preset_config
from metalab.experiment.fields import with_overrides
from metalab.ui.shell.app import application, create_window
from metalab.ui.shell.controller import Controller

WIDTH, HEIGHT = 1280, 800
POLL_MS = 50
MOVE_MS = 16
"""As often as a screen of 60 Hz shows a pointer."""

NUM_INNER_STEPS = 50
RADIUS = 40.0
"""Of the circle that the point is led around, in pixels."""


class Drag:
    """Trains, takes hold of a point, leads it in circles, lets go, closes."""

    def __init__(
        self, lab: Controller, provider: str, warm_up: float, seconds: float
    ) -> None:
        self._lab = lab
        self._warm_up = warm_up
        self._num_moves = round(1000 * seconds / MOVE_MS)
        self._config = with_overrides(
            preset_config("maml-sine"),
            [
                ("evaluation.num_inner_steps", NUM_INNER_STEPS),
                ("outer.num_steps", 100_000_000),
                ("run.provider", provider),
            ],
        )
        self._began: float | None = None
        self._first: tuple[float, int] = (0.0, 0)
        self._posted: list[tuple[float, QPointF]] = []
        self._answered = 0
        self._painted = 0
        self._latencies: list[float] = []
        self.result: dict[str, float] = {}
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._wait)
        self._timer.start()

    @property
    def _view(self):
        return self._lab.window.live.adaptation

    def _wait(self) -> None:
        session, now = self._lab.session, time.perf_counter()
        if session.config is None:
            return
        if not session.training:
            session.config_replaced.emit(self._config, self._config)
            session.set_config(self._config)
            session.toggle_run()
        elif self._began is None:
            if session.history is not None and session.history.step > 0:
                self._began = now
        elif now - self._began >= self._warm_up:
            self._take_hold()

    def _take_hold(self) -> None:
        tasks = self._lab.session.history.held_out_tasks
        # The one in the middle: the whole circle lies within the axes.
        self._shot = int(np.abs(tasks.support.x[self._view.task, :, 0]).argmin())
        task = self._view.task
        x, y = (part[self._shot] for part in tasks.support.plotted(task))
        self._centre = self._view.plot.area.position_of(float(x), float(y))
        self._post(QEvent.Type.MouseButtonPress, self._centre)
        self._first = (time.perf_counter(), self._lab.session.history.step)
        self._timer.timeout.disconnect()
        self._timer.timeout.connect(self._move)
        self._timer.setInterval(MOVE_MS)

    def _move(self) -> None:
        count = len(self._posted)
        if count == self._num_moves:
            self._finish()
            return
        angle = 2 * math.pi * count / 90
        position = self._centre + RADIUS * QPointF(math.sin(angle), math.cos(angle))
        self._posted.append((time.perf_counter(), position))
        self._post(QEvent.Type.MouseMove, position)

    def _post(self, kind: QEvent.Type, position: QPointF) -> None:
        viewport = self._view.plot.area.viewport
        button = Qt.MouseButton.LeftButton
        moving = kind == QEvent.Type.MouseMove
        event = QMouseEvent(
            kind,
            position,
            QPointF(viewport.mapToGlobal(position.toPoint())),
            Qt.MouseButton.NoButton if moving else button,
            Qt.MouseButton.NoButton
            if kind == QEvent.Type.MouseButtonRelease
            else button,
            Qt.KeyboardModifier.NoModifier,
        )
        QCoreApplication.postEvent(viewport, event)

    def on_painted(self) -> None:
        """Count what a paint event that has just ended answers."""
        shown = self._shown_position()
        if shown is None:
            return
        now = time.perf_counter()
        for index in range(len(self._posted) - 1, self._answered - 1, -1):
            gap = self._posted[index][1] - shown
            if abs(gap.x()) + abs(gap.y()) < 0.1:
                self._painted += 1
                answered = self._posted[self._answered : index + 1]
                self._latencies += [now - posted for posted, _ in answered]
                self._answered = index + 1
                return

    def _shown_position(self) -> QPointF | None:
        """Return the place of the point that the curves on the screen are adapted to."""
        view = self._view
        if not self._posted or view.moved is None:
            return None
        answer = view.readaptation
        if answer is None:
            return None
        points = answer.points
        drawn = [c.data[1] for c in view.drawing.curves if len(c.data[1])]
        assert len(drawn) == NUM_INNER_STEPS + 1
        np.testing.assert_array_equal(drawn, answer.curves)
        x, y = float(points.x[self._shot]), float(points.y[self._shot])
        return view.plot.area.position_of(x, y)

    def _finish(self) -> None:
        now, step = time.perf_counter(), self._lab.session.history.step
        begin, first_step = self._first
        self._timer.stop()
        self._post(QEvent.Type.MouseButtonRelease, self._posted[-1][1])
        p50, p95 = np.percentile(self._latencies, [50, 95])
        self.result = {
            "p50_ms": 1000 * float(p50),
            "p95_ms": 1000 * float(p95),
            "max_ms": 1000 * max(self._latencies),
            "pictures_per_second": self._painted / (now - begin),
            "moves": len(self._latencies),
            "steps_per_second": (step - first_step) / (now - begin),
        }
        QTimer.singleShot(200, self._lab.window, self._end)

    def _end(self) -> None:
        self._lab.closer.close_unasked(self._lab.window)


def main(provider: str, warm_up: float, seconds: float) -> None:
    drags: list[Drag] = []
    paint = pg.GraphicsView.paintEvent

    def timed(view: pg.GraphicsView, event: QEvent) -> None:
        paint(view, event)
        for drag in drags:
            if view.viewport() is drag._view.plot.area.viewport:
                drag.on_painted()

    pg.GraphicsView.paintEvent = timed
    app = application()
    lab = create_window(app, preset="maml-sine", keep_runs=False)
    lab.start()
    lab.window.resize(WIDTH, HEIGHT)
    drags.append(Drag(lab, provider, warm_up, seconds))
    app.exec()
    lab.close()
    print(json.dumps(drags[0].result))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]))
