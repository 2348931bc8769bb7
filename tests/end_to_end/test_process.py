"""metalab as a process: signals, no display, no Qt on the command line."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from metalab.runs.record.file_format import RunFileError
from metalab.runs.record.reader import open_run
from metalab.runs.record.status import RunStatus

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


ENDLESS = ["--set", "outer.num_steps=10000000", "--set", "run.provider=autodiff"]


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_stops_saves_and_ends_with_0(tmp_path, name):
    if not hasattr(signal, name):
        pytest.skip("there is no such signal")
    path = tmp_path / f"{name}.metalab"
    process = subprocess.Popen(
        [
            sys.executable, "-m", "metalab", "train", *SMALL, *ENDLESS,
            "--out", str(path), "--json",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    wait_for_steps(path, process)
    process.send_signal(getattr(signal, name))
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert err == ""
    result = json.loads(out)
    assert result["status"] == "stopped"
    assert open_run(path).history.step == result["step"] > 0


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="there are no such terminals")
def test_a_terminal_that_is_closed_stops_and_saves(tmp_path):
    path = tmp_path / "run.metalab"
    ours, theirs = os.openpty()
    os.set_blocking(ours, False)
    process = subprocess.Popen(
        [
            sys.executable, "-c", IN_TERMINAL, os.ttyname(theirs),
            "train", *SMALL, *ENDLESS, "--out", str(path),
        ],
        start_new_session=True,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    shown = []
    wait_for_steps(path, process, meanwhile=lambda: shown.append(read_all(ours)))
    assert b"steps/s" in b"".join(shown), "there is a progress bar"
    os.close(ours)
    assert process.wait(60) == 0
    history = open_run(path).history
    assert history.status is RunStatus.STOPPED
    assert history.step > 0


IN_TERMINAL = """
import os, sys
os.open(sys.argv.pop(1), os.O_RDWR)  # the first that a session opens is its terminal
from metalab.__main__ import main
sys.exit(main())
"""


def read_all(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 100_000)
    except BlockingIOError:
        return b""


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no such signal")
def test_nohup_lets_a_run_go_on_without_its_terminal(tmp_path):
    path = tmp_path / "run.metalab"
    process = subprocess.Popen(
        [
            "nohup", sys.executable, "-m", "metalab", "train", *SMALL, *ENDLESS,
            "--out", str(path), "--json",
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    wait_for_steps(path, process)
    process.send_signal(signal.SIGHUP)
    step = open_run(path).history.step
    wait_for_steps(path, process, more_than=step)
    process.terminate()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert json.loads(out)["status"] == "stopped"


def wait_for_steps(
    path: Path,
    process: subprocess.Popen,
    *,
    more_than: int = 0,
    meanwhile: Callable[[], object] = lambda: None,
) -> None:
    deadline = time.monotonic() + 60
    while True:
        meanwhile()
        try:
            if open_run(path).history.step > more_than:
                return
        except RunFileError:
            pass  # not created yet
        assert process.poll() is None, process.stderr and process.stderr.read()
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.05)  # waits for another process, which has no event to give


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no such shell")
def test_a_reader_that_leaves_early_and_closed_descriptors_change_no_exit_code(
    tmp_path,
):
    """In a shell, with a process of its own: to the very end of the interpreter."""
    python = shlex.quote(sys.executable)
    lines = [
        f"{python} -m metalab presets | head -1; echo ${{PIPESTATUS[0]}}",
        f"{python} -m metalab presets maml-sine >&- 2>&- <&-; echo $?",
        f"PYTHONIOENCODING=ascii {python} -m metalab doctor | tail -1; "
        "echo ${PIPESTATUS[0]}",
    ]
    done = subprocess.run(
        ["bash", "-c", "\n".join(lines)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "METALAB_HOME": str(tmp_path)},
    )
    assert done.stderr == ""
    first, piped, closed, last, ascii_only = done.stdout.splitlines()
    assert first.startswith("┏")
    assert last.startswith("+-")
    assert piped == closed == ascii_only == "0"


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
    (run,) = (tmp_path / "home").rglob("*.metalab")
    assert open_run(run).history.step == 40
    # The stability of the inner steps is measured in every run.
    shown = ("losses", "adaptation", "inner-loss", "diagnostics", "gallery")
    shown += ("adapt", "structure")
    assert len(named) == 2 * len(shown)
    for figure in shown:
        assert sum(path.stem.endswith(f"-{figure}") for path in named) == 2
    assert all(path.name.startswith(run.stem) for path in named)
    assert "Loss landscape: takes longer, so it is left out; draw it with: metalab" in (
        done.stdout
    )
    assert "sight" not in done.stdout
    assert all(path.parent == tmp_path / "metalab-out" for path in named)
    assert all(path.stat().st_size > 1000 for path in named)


HEADLESS = """
import sys
from metalab.catalog import recipes
settings_of = recipes.preset_settings
def shortened(name):  # the preset itself takes half a minute
    settings = settings_of(name)
    return settings | {"outer": settings["outer"] | {"num_steps": 40}}
recipes.preset_settings = shortened
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
import metalab.cli.config_source, metalab.cli.report, metalab.analysis.evaluate
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
