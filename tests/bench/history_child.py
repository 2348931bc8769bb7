"""Show a run of ten, a hundred, ... million outer steps in the real window; print costs.

The rows are synthetic; they come in blocks and through `LiveRun`, as those of a run do.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEventLoop, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from metalab.engine.events import METRICS, Evaluation, EvaluationDone, StepsDone
from metalab.engine.trainer import Trainer
from metalab.experiment.config import preset_config
from metalab.experiment.fields import with_overrides
from metalab.runs.record.live import LiveRun
from metalab.runs.record.status import RunStatus
from metalab.ui.shell.app import application, create_window
from metalab.ui.shell.controller import Controller

WIDTH, HEIGHT = 1280, 800
BLOCK = 20_000
ROWS_A_FRAME = 290
"""At 8,700 steps/s and 30 frames/s."""

EVALUATE_EVERY = 500


class Synthetic:
    """A run that costs nothing to compute."""

    def __init__(self, num_steps: int) -> None:
        changes = [("outer.num_steps", num_steps), ("run.provider", "autodiff")]
        config = with_overrides(preset_config("maml-sine"), changes)
        self._probe = next(
            event
            for event in Trainer(config).run()
            if isinstance(event, EvaluationDone)
        )
        self._rng = np.random.default_rng(0)
        self.live = LiveRun(config)
        self.live.set_status(RunStatus.RUNNING)
        self.live.on_event(next(iter(Trainer(config).run())), seconds=0.0)
        self.step = 0

    def advance(self, count: int) -> None:
        steps = np.arange(self.step, self.step + count)
        falling = 0.5 + 3 * np.exp(-steps / 1e5)
        noise = self._rng.lognormal(sigma=0.3, size=(count, len(METRICS)))
        metrics = falling[:, None] * noise
        self.live.on_event(
            StepsDone(first_step=self.step + 1, metrics=metrics), 1e-4 * self.step
        )
        before, self.step = self.step, self.step + count
        for step in range(
            (before // EVALUATE_EVERY + 1) * EVALUATE_EVERY,
            self.step + 1,
            EVALUATE_EVERY,
        ):
            told = self._probe.evaluation
            evaluation = Evaluation(
                step=step,
                support_loss=told.support_loss,
                query_loss=told.query_loss,
            )
            self.live.on_event(
                EvaluationDone(
                    evaluation=evaluation,
                    curves=self._probe.curves,
                    snapshot=self._probe.snapshot,
                ),
                1e-4 * step,
            )


def measure(
    lab: Controller, lengths: list[int], num_frames: int
) -> list[dict[str, float]]:
    synthetic = Synthetic(max(lengths) * 2)
    first = memory()
    rows: list[dict[str, float]] = []
    for length in lengths:
        while synthetic.step < length:
            synthetic.advance(min(BLOCK, length - synthetic.step))
        plot = lab.window.live.outer_loss.plot
        plot.fit()
        frames = [frame(lab, synthetic) for _ in range(num_frames)]
        zooms = [zoom(lab, index, num_frames) for index in range(num_frames)]
        pans = pan(lab, num_frames)
        plot.fit()
        rows.append(
            {
                "steps": length,
                "frame_p50_ms": 1000 * float(np.median(frames)),
                "frame_p95_ms": 1000 * float(np.percentile(frames, 95)),
                "zoom_fps": 1 / float(np.mean(zooms)),
                "pan_fps": 1 / float(np.mean(pans)),
                "growth_mb": memory() - first,
            }
        )
    return rows


def frame(lab: Controller, synthetic: Synthetic) -> float:
    """Return how long a frame takes after some new rows, painted."""
    synthetic.advance(ROWS_A_FRAME)
    begin = time.perf_counter()
    lab.window.live.show_history(synthetic.live.snapshot())
    painted()
    return time.perf_counter() - begin


def zoom(lab: Controller, index: int, count: int) -> float:
    """Return how long a turn of the wheel takes, in or, later, out again, painted."""
    viewport = lab.window.live.outer_loss.plot.area.viewport
    place = QPointF(viewport.rect().center())
    turn = QPoint(0, 60 if index < count // 2 else -60)
    event = QWheelEvent(
        place,
        QPointF(viewport.mapToGlobal(place.toPoint())),
        QPoint(),
        turn,
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    begin = time.perf_counter()
    QApplication.sendEvent(viewport, event)
    painted()
    return time.perf_counter() - begin


def pan(lab: Controller, count: int) -> list[float]:
    """Return how long moves take that drag the plot along, painted."""
    viewport = lab.window.live.outer_loss.plot.area.viewport
    centre = viewport.rect().center()
    button = Qt.MouseButton.LeftButton
    times = []
    for index in range(count + 2):
        kind = (
            QMouseEvent.Type.MouseButtonPress
            if index == 0
            else QMouseEvent.Type.MouseButtonRelease
            if index == count + 1
            else QMouseEvent.Type.MouseMove
        )
        place = QPointF(centre + QPoint(2 * index, 0))
        event = QMouseEvent(
            kind,
            place,
            QPointF(viewport.mapToGlobal(place.toPoint())),
            Qt.MouseButton.NoButton if kind == QMouseEvent.Type.MouseMove else button,
            Qt.MouseButton.NoButton if index == count + 1 else button,
            Qt.KeyboardModifier.NoModifier,
        )
        begin = time.perf_counter()
        QApplication.sendEvent(viewport, event)
        painted()
        times.append(time.perf_counter() - begin)
    return times[1:-1]


def painted() -> None:
    """Process events until what was asked for is painted."""
    QApplication.processEvents(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)


def memory() -> float:
    """Return the memory that this process holds, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("this system does not say how much memory a process holds")


def main(lengths: list[int], num_frames: int) -> None:
    app = application()
    lab = create_window(app, preset="maml-sine", keep_runs=False)
    lab.start()
    lab.window.resize(WIDTH, HEIGHT)
    while lab.session.config is None:
        app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
    lab.clock.stop()
    rows = measure(lab, lengths, num_frames)
    lab.closer.close_unasked(lab.window)
    lab.close()
    print(json.dumps(rows))


if __name__ == "__main__":
    main([int(float(word)) for word in sys.argv[2:]], int(sys.argv[1]))
