"""Open the real window, run the default preset; print when what was there, in seconds.

The clock starts when the parent starts the process, and the way is that of `metalab`
without arguments: command line, window, engine, run.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

STARTED = "METALAB_BENCH_STARTED"
"""Environment variable: `time.time()` of the parent just before it started the process."""

times: dict[str, float] = {}


def note(name: str) -> None:
    times.setdefault(name, time.time() - float(os.environ[STARTED]))


def watch(window: Any) -> object:
    """Return what notes the first painting of a window."""
    # Here, as in `metalab` itself: the command line comes first.
    from PySide6.QtCore import QCoreApplication, QEvent, QObject

    class Watch(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint:
                watched.removeEventFilter(self)
                # Comes when all that is in the window has been painted, too.
                QCoreApplication.postEvent(self, QEvent(QEvent.Type.User))
            return False

        def event(self, event: QEvent) -> bool:
            if event.type() == QEvent.Type.User:
                note("first paint")
            return super().event(event)

    found = Watch()
    window.installEventFilter(found)
    return found


def show(preset: str | None, file: Path | None = None) -> int:
    from metalab.ui.shell import app
    from metalab.ui.shell import controller as lab

    class Watched(lab.Controller):
        def start(self) -> None:
            self.watch = watch(self.window)
            super().start()

        def _begin(self) -> None:
            super()._begin()
            note("Run enabled")
            self.session.toggle_run()

        def draw(self) -> bool:
            drawn = super().draw()
            history = self.session.history
            if history is not None and history.step > 0 and "first step" not in times:
                note("first step")
                self.closer.close_unasked(self.window)
            return drawn

    app.Controller = Watched
    return app.run_window(preset=preset)


if __name__ == "__main__":
    from metalab.cli.main import run  # the first import that is timed

    code = run(["--preset", "maml-sine"], show=show)
    print(json.dumps(times))
    sys.exit(code)
