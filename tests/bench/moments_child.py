"""Drag points in the Adapt workspace and scrub outer time beside a run; print latencies.

From the event to the painted curves: all inner steps of all K' = 50, or the gallery at
the nearest state that was kept.
"""

import json
import sys
import time

import numpy as np
from PySide6.QtCore import QEventLoop, QPointF, Qt
from PySide6.QtTest import QTest

from metalab.ui.shell.app import application, create_window

WIDTH, HEIGHT = 1280, 800
LEFT = Qt.MouseButton.LeftButton
NO_KEYS = Qt.KeyboardModifier.NoModifier
LAST = 50


class Window:
    """The real window with a run that does not end."""

    def __init__(self, provider: str) -> None:
        self.app = application()
        self.lab = create_window(self.app, preset="maml-sine", keep_runs=False)
        self.lab.start()
        self.lab.window.resize(WIDTH, HEIGHT)
        self._until(lambda: self.lab.session.config is not None)
        # Imported here: the window has loaded the engine by now.
        from metalab.experiment.fields import with_overrides

        changes = [("outer.num_steps", 50_000_000), ("run.provider", provider)]
        self.lab.session.replace(with_overrides(self.lab.session.config, changes))
        self.lab.session.start()
        self._until(lambda: self.lab.session.history is not None)
        self._until(lambda: self.lab.session.history.step > 1500)

    def _until(self, condition) -> None:
        while not condition():
            self.app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 10)

    def rest(self, seconds: float) -> None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            self.app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 4)

    def drag(self, count: int) -> list[float]:
        pages = self.lab.window.workspaces
        pages.show_page("adapt")
        page = pages.current
        self._until(lambda: page.answers)
        self.lab.playhead.go_to(1000)
        self.rest(0.5)
        page.tools.last.slider.setValue(LAST)
        self._until(lambda: len(page.answers["run"].curves) == LAST + 1)
        scene = page.editor.scene
        shot = int(np.abs(scene.x).argmin())
        area = page.canvas.area
        centre = area.position_of(float(scene.x[shot]), float(scene.y[shot]))
        QTest.mousePress(area.viewport, LEFT, NO_KEYS, centre.toPoint())
        times = []
        for index in range(count):
            angle = 2 * np.pi * index / 60
            place = centre + QPointF(40 * np.sin(angle), 40 * np.cos(angle) - 40)
            before = page.answers["run"]
            begin = time.perf_counter()
            QTest.mouseMove(area.viewport, place.toPoint())
            while page.answers["run"] is before:
                self.app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 1)
            area.viewport.repaint()
            times.append(time.perf_counter() - begin)
            drawn = [c for c in page.canvas.marks.curves if len(c.data[0])]
            assert len(drawn) == LAST + 1
            self.rest(0.016)
        QTest.mouseRelease(area.viewport, LEFT, NO_KEYS, place.toPoint())
        return times

    def scrub(self, count: int) -> list[float]:
        window = self.lab.window
        window.workspaces.show_page("live")
        self.rest(0.5)
        outer = window.timeline.outer
        rng = np.random.default_rng(0)
        times = []
        for _ in range(count):
            last = self.lab.session.history.step
            step = int(rng.integers(0, last))
            near = self.lab.session.history.trail.nearest(step).step
            begin = time.perf_counter()
            outer.step_chosen.emit(step)
            while window.live.adaptation.shown.curves.step not in (near, step):
                self.app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 1)
            window.live.adaptation.plot.area.viewport.repaint()
            window.live.gallery.repaint()
            outer.repaint()
            times.append(time.perf_counter() - begin)
            self.rest(0.03)
        return times

    def close(self) -> None:
        self.lab.closer.close_unasked(self.lab.window)
        self.lab.close()


def main(provider: str, count: int) -> None:
    window = Window(provider)
    figures = {}
    try:
        measured = {"drag": window.drag(count), "scrub": window.scrub(count)}
    finally:
        window.close()
    for name, times in measured.items():
        for share in (50, 95):
            figures[f"{name}_p{share}_ms"] = 1000 * float(np.percentile(times, share))
    print(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
