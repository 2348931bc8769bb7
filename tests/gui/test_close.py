"""The window as a process: closed while training, by hand or by a signal."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from metalab.runs.record.reader import open_run
from metalab.runs.record.status import RunStatus

CLOSE_WHILE_TRAINING = """
import sys
from PySide6.QtCore import QTimer
from metalab.ui.shell.app import application, create_window

app = application()
lab = create_window(app, preset="maml-sine")
lab.start()


def look():
    session = lab.session
    if session.config is not None and not session.training:
        session.toggle_run()
    if session.history is not None and session.history.step > int(sys.argv[1]):
        assert session.history.status.value == "running"
        timer.stop()
        lab.closer.close_unasked(lab.window)


timer = QTimer()
timer.timeout.connect(look)
timer.start(7)
code = app.exec()
lab.close()
sys.exit(code)
"""


def process(home: Path, code: str, *arguments: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "METALAB_HOME": str(home), "QT_QPA_PLATFORM": "offscreen"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def close_while_training(home: Path, step: int) -> tuple[int, str, RunStatus, int]:
    running = process(home, CLOSE_WHILE_TRAINING, str(step))
    _, err = running.communicate(timeout=120)
    (file,) = (home / "runs").iterdir()
    history = open_run(file).history
    return running.returncode, err, history.status, history.step


@pytest.mark.timeout(300)
@pytest.mark.parametrize("count", [4, pytest.param(20, marks=pytest.mark.slow)])
def test_closes_while_training_end_well(tmp_path, count):
    homes = [tmp_path / str(index) for index in range(count)]
    # From before the first step to far into the run.
    steps = [100 * index // count for index in range(count)]
    ends = [close_while_training(*each) for each in zip(homes, steps, strict=True)]
    for (code, err, status, step), least in zip(ends, steps, strict=True):
        assert (code, err) == (0, "")
        assert status is RunStatus.STOPPED
        assert step > least


WINDOW = """
import sys
from PySide6.QtCore import QTimer
from metalab.ui.shell.app import application, run_window

app = application()
QTimer.singleShot(0, lambda: print("shown", flush=True))
sys.exit(run_window())
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_closes_the_window_with_exit_code_0(tmp_path, number):
    running = process(tmp_path, WINDOW)
    assert running.stdout.readline() == "shown\n"
    running.send_signal(number)
    _, err = running.communicate(timeout=60)
    assert (running.returncode, err) == (0, "")


def test_the_smoke_test_variable_closes_the_window(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", WINDOW],
        env={
            **os.environ,
            "METALAB_HOME": str(tmp_path),
            "QT_QPA_PLATFORM": "offscreen",
            "METALAB_QUIT_AFTER": "0.5",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
