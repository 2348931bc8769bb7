"""metalab as a process: signals, no display, no Qt on the command line."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from metalab.runs.reader import open_run
from metalab.runs.run_file import RunFileError

SMALL = [
    "--set", "outer.num_tasks=4",
    "--set", "model.hidden_sizes=[8]",
    "--set", "evaluation.num_tasks=16",
]  # fmt: skip


def metalab(*arguments: str, **kwargs) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "metalab", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **kwargs,
    )


def test_a_signal_stops_saves_and_ends_with_0(tmp_path):
    for number in (signal.SIGINT, signal.SIGTERM):
        path = tmp_path / f"{number.name}.metalab"
        process = subprocess.Popen(
            [
                sys.executable, "-m", "metalab", "train", *SMALL,
                "--set", "outer.num_steps=10000000", "--out", str(path), "--json",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        wait_for_steps(path, process)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert err == ""
        result = json.loads(out)
        assert result["status"] == "stopped"
        assert open_run(path).history.step == result["step"] > 0


def wait_for_steps(path: Path, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            if open_run(path).history.step > 0:
                return
        except RunFileError:
            pass  # not created yet
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.05)  # waits for another process, which has no event to give


def test_without_a_display_it_trains_and_names_its_figures(tmp_path):
    environment = {
        key: value
        for key, value in os.environ.items()
        if key not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    }
    environment["METALAB_HOME"] = str(tmp_path / "home")
    done = subprocess.run(
        [sys.executable, "-c", HEADLESS],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "no display" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    named = [
        Path(line.removeprefix("Figure: "))
        for line in done.stdout.splitlines()
        if line.startswith("Figure: ")
    ]
    assert len(named) == 6
    assert "No diagnostics figure: " in done.stdout
    assert all(path.parent == tmp_path / "metalab-out" for path in named)
    assert all(path.stat().st_size > 1000 for path in named)


HEADLESS = """
import sys
from metalab.algorithms import maml
maml.SINE["outer"]["num_steps"] = 40  # the preset itself takes half a minute
from metalab.cli.main import run
sys.exit(run([]))
"""


def test_the_command_line_loads_no_qt():
    done = subprocess.run(
        [sys.executable, "-c", NO_QT], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


NO_QT = """
import sys
import metalab.cli.main
import metalab.cli.config_source, metalab.cli.report, metalab.runs.evaluate
import metalab.figures.render, metalab.figures.registry
metalab.cli.main.run(["presets", "--json"])
loaded = [name for name in sys.modules if name.split(".")[0] in ("PySide6", "pyqtgraph")]
assert not loaded, loaded
"""


def test_help_and_usage_errors_do_not_load_torch():
    done = subprocess.run(
        [sys.executable, "-c", NO_TORCH], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


NO_TORCH = """
import sys
from metalab.cli.main import run
assert run(["--help"]) == 0
assert run(["train", "--no-such-option"]) == 2
assert "torch" not in sys.modules
"""


def test_json_on_stdout_alone(tmp_path):
    done = metalab(
        "train", *SMALL, "--set", "outer.num_steps=20", "--json",
        env={**os.environ, "METALAB_HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stderr == ""
    assert json.loads(done.stdout)["num_steps"] == 20
