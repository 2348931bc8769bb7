"""A first start with nothing clicked; prints where the window is, and what Space does.

Run on a virtual screen with a window manager by `test_first_start`.
"""

import json
import subprocess
import time

from PySide6.QtCore import QEventLoop

from metalab.ui.session.phase import Phase
from metalab.ui.shell.app import application, create_window

SECONDS = 60.0


def main() -> None:
    app = application()
    lab = create_window(app, welcome=True)
    lab.start()
    window = lab.window

    def until(condition) -> bool:
        end = time.perf_counter() + SECONDS
        while not condition() and time.perf_counter() < end:
            app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 10)
        return bool(condition())

    told: dict[str, object] = {}
    told["active"] = until(lambda: window.isActiveWindow() and lab.session.loaded)
    # The window manager puts the frame around it, and moves it, a little later.
    until(lambda: window.frameGeometry().top() < window.geometry().top())
    frame, screen = window.frameGeometry(), window.screen().availableGeometry()
    told["frame"] = [frame.left(), frame.top(), frame.right(), frame.bottom()]
    told["screen"] = [screen.left(), screen.top(), screen.right(), screen.bottom()]
    # A key of the screen, not an event of Qt's: nothing has been clicked.
    subprocess.run(["xdotool", "key", "space"], check=True)
    told["runs"] = until(lambda: lab.session.phase is Phase.RUNNING)
    lab.closer.close_unasked(window)
    lab.close()
    print(json.dumps(told))


if __name__ == "__main__":
    main()
