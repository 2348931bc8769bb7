"""Train the default preset with the real window open; print steps/s and frame times."""

import json
import sys
import time

from PySide6.QtCore import QTimer

from metalab.ui.shell.app import application, create_window
from metalab.ui.shell.controller import Controller

WIDTH, HEIGHT = 1280, 800
POLL_MS = 50


class Measurement:
    """Starts the run once the engine is loaded, warms up, measures, pauses, closes."""

    def __init__(
        self, lab: Controller, warm_up: float, seconds: float, provider: str
    ) -> None:
        # Far more steps than are measured.
        self._changes = [("outer.num_steps", 10_000_000), ("run.provider", provider)]
        self._lab = lab
        self._warm_up = warm_up
        self._seconds = seconds
        self._first: tuple[float, int] | None = None
        self._started: float | None = None
        self._pressed: float | None = None
        self.result: dict[str, float] = {}
        self._timer = QTimer()
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._poll)
        self._timer.start()

    def _poll(self) -> None:
        history, now = self._lab.session.history, time.perf_counter()
        if self._started is None:
            self._begin(now)
        elif self._first is None:
            if now - self._started >= self._warm_up:
                self._first = (now, history.step)
                self._lab.clock.forget()
        elif self._pressed is None:
            if now - self._first[0] >= self._seconds:
                self._finish(now, history.step)
        elif history.status.value == "paused":
            self.result["pause_ms"] = 1000 * (now - self._pressed)
            self._end()

    def _begin(self, now: float) -> None:
        session = self._lab.session
        if session.config is not None and not session.training:
            # Imported here: the window has loaded the engine by now.
            from metalab.experiment.fields import with_overrides

            session.set_config(with_overrides(session.config, self._changes))
            session.toggle_run()
        if session.history is not None and session.history.step > 0:
            self._started = now

    def _end(self) -> None:
        self._timer.stop()
        self._lab.closer.close_unasked(self._lab.window)

    def _finish(self, now: float, step: int) -> None:
        begin, first_step = self._first
        times = self._lab.clock.times()
        self.result = {
            "steps_per_second": (step - first_step) / (now - begin),
            "fps": times.fps,
            "p50_ms": times.p50_ms,
            "p99_ms": times.p99_ms,
        }
        self._timer.setInterval(5)
        self._pressed = time.perf_counter()
        self._lab.session.toggle_run()


def main(warm_up: float, seconds: float, provider: str) -> None:
    app = application()
    lab = create_window(app, preset="maml-sine")
    lab.start()
    lab.window.resize(WIDTH, HEIGHT)
    measurement = Measurement(lab, warm_up, seconds, provider)
    app.exec()
    lab.close()
    print(json.dumps(measurement.result))


if __name__ == "__main__":
    main(float(sys.argv[1]), float(sys.argv[2]), sys.argv[3])
