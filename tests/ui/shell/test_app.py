"""The window as a program: what a process does, from its start to its exit code."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from metalab.core.errors import UserError
from metalab.runs.record.reader import open_run
from metalab.runs.record.status import RunStatus
from metalab.ui.shell.app import QUIT_AFTER, run_window

pytestmark = pytest.mark.gui

OPEN = "import sys; from metalab.ui.shell.app import run_window; sys.exit(run_window())"


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, **environment},
    )


HEAVY = (
    "torch", "numba", "llvmlite", "matplotlib", "scipy", "sqlite3", "safetensors",
    "metalab.catalog.registry", "metalab.experiment.config", "metalab.runs.system.kernels",
)  # fmt: skip
"""What must not hold up the first frame: seconds, were it all imported."""


def test_nothing_heavy_is_imported_before_the_window_has_been_painted():
    """By the way of `metalab` without arguments."""
    code = f"""
import json, sys
from metalab.cli.main import run
heavy, seen = {HEAVY!r}, {{}}

def show(preset, file=None):
    from PySide6.QtCore import QEvent, QObject
    import metalab.ui.shell.app as app, metalab.ui.shell.controller as module
    from metalab.runs.system.preload import Preload

    class Watch(QObject):
        def eventFilter(self, watched, event):
            if event.type() == QEvent.Type.Paint and "painted" not in seen:
                seen["painted"] = sorted(set(heavy) & set(sys.modules))
            return False

    class Begun(Preload):
        def start(self):
            seen["before the engine"] = sorted(seen)
            super().start()

    class Watched(module.Controller):
        def start(self):
            self.watch = Watch()
            self.window.installEventFilter(self.watch)
            self.window.toolbar.installEventFilter(self.watch)
            super().start()
        def _begin(self):
            super()._begin()
            seen["loaded"] = sorted({{"torch", "metalab.experiment.config"}} & set(sys.modules))
            self.closer.close_unasked(self.window)

    module.Preload, app.Controller = Begun, Watched
    return app.run_window(preset=preset)

code = run([], show=show)
print(json.dumps(seen))
sys.exit(code)
"""
    result = python(code)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {
        "painted": [],
        "before the engine": ["painted"],
        "loaded": ["metalab.experiment.config", "torch"],
    }


@pytest.mark.parametrize("seconds", ["0", "0.3", "3"])
def test_closes_by_itself_after_a_while(seconds):
    """At once, while the engine is being imported, and after that."""
    result = python(OPEN, **{QUIT_AFTER: seconds})
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("wait", ["shown", "loaded"])
def test_a_signal_ends_the_window_with_0(number, wait):
    code = """
import sys
from metalab.ui.shell import controller as module
class Watched(module.Controller):
    def start(self):
        super().start()
        print("shown", flush=True)
    def _begin(self):
        super()._begin()
        print("loaded", flush=True)
module.Controller = Watched
import metalab.ui.shell.app as app
app.Controller = Watched
sys.exit(app.run_window())
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while process.stdout.readline().strip() != wait:
        assert process.poll() is None, process.stderr.read()
    process.send_signal(number)
    begin = time.monotonic()
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert time.monotonic() - begin < 20


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_stops_and_saves_a_run(name):
    if not hasattr(signal, name):
        pytest.skip("there is no such signal")
    code = """
import sys
from metalab.ui.shell import app, controller as module
class Watched(module.Controller):
    def _begin(self):
        super()._begin()
        self.session.toggle_run()
    def draw(self):
        drawn = super().draw()
        history = self.session.history
        if history is not None and history.step > 5:
            print(history.path, flush=True)
        return drawn
app.Controller = Watched
sys.exit(app.run_window())
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    path = process.stdout.readline().strip()
    process.send_signal(getattr(signal, name))
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")

    history = open_run(Path(path)).history
    assert history.status is RunStatus.STOPPED
    assert history.step > 5
    assert not list(Path(path).parent.glob("*-wal"))


def test_a_home_that_cannot_be_used_opens_the_window_and_is_told_there(tmp_path):
    home = tmp_path / "home"
    home.write_text("in the way")
    code = """
import json, sys
from metalab.ui.shell import app, controller as module
class Watched(module.Controller):
    def _begin(self):
        super()._begin()
        told = [fault.message for fault in self.faults.snapshot()]
        shown = self.window.status.findChild(app.QAbstractButton).text()
        print(json.dumps([told, shown, self.window.isVisible()]))
        self.closer.close_unasked(self.window)
from PySide6.QtWidgets import QAbstractButton
app.Controller, app.QAbstractButton = Watched, QAbstractButton
sys.exit(app.run_window())
"""
    done = python(code, METALAB_HOME=str(home))
    assert (done.returncode, done.stderr) == (0, "")
    told, shown, visible = json.loads(done.stdout)
    assert visible
    assert shown == f"{len(told)} problems"
    runs = home / "runs"
    assert any(text.startswith(f"Runs cannot be kept in {runs}: ") for text in told)
    assert home.read_text() == "in the way"


def test_a_preset_that_does_not_exist_opens_nothing():
    with pytest.raises(UserError, match=r"no-such.*maml-sine"):
        run_window(preset="no-such")


def test_nonsense_for_a_time_opens_nothing(monkeypatch):
    monkeypatch.setenv(QUIT_AFTER, "soon")
    with pytest.raises(UserError, match="soon"):
        run_window()
