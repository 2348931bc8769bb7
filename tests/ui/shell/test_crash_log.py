"""Noticing that metalab did not close properly."""

import faulthandler
import os
import subprocess
import sys

import pytest

from metalab.runs.system.faults import FaultLog
from metalab.ui.shell.crash_log import CrashLog


@pytest.fixture(autouse=True)
def _faulthandler():
    """Give faulthandler back to pytest."""
    enabled = faulthandler.is_enabled()
    yield
    if enabled:
        faulthandler.enable(sys.__stderr__)


@pytest.fixture
def faults():
    return FaultLog()


def ended_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait(30)
    return process.pid


def test_a_good_end_leaves_nothing(tmp_path, faults):
    log = CrashLog(tmp_path / "log")
    log.open(faults)
    assert [path.name for path in (tmp_path / "log").iterdir()] == [
        f"open-{os.getpid()}.log"
    ]
    assert faulthandler.is_enabled()
    log.close()
    assert list((tmp_path / "log").iterdir()) == []
    assert faults.snapshot() == ()


@pytest.mark.parametrize("trace", ["Fatal Python error: Segmentation fault", ""])
def test_a_bad_end_is_reported_once(tmp_path, faults, trace):
    left = tmp_path / f"open-{ended_process()}.log"
    left.write_text(trace, encoding="utf-8")
    log = CrashLog(tmp_path)
    log.open(faults)
    (fault,) = faults.snapshot()
    assert "did not close properly" in fault.message
    assert (trace or "from outside") in fault.details
    assert not left.exists()
    log.close()


def test_another_window_that_is_open_is_left_alone(tmp_path, faults):
    other, log = CrashLog(tmp_path), CrashLog(tmp_path)
    other._path = tmp_path / "open-1.log"
    other.open(faults)
    log.open(faults)
    log.close()
    assert other._path.exists()
    assert faults.snapshot() == ()
    other.close()


@pytest.mark.parametrize(
    "number", ["-1", "0", "1", str(os.getppid()), "9" * 30, "²", "no-number"]
)
def test_no_number_in_a_name_keeps_a_bad_end_from_being_reported(
    tmp_path, faults, number
):
    left = tmp_path / f"open-{number}.log"
    left.write_text("Fatal", encoding="utf-8")
    log = CrashLog(tmp_path)
    log.open(faults)
    log.close()
    assert [fault.details for fault in faults.snapshot()] == ["Fatal"]
    assert not left.exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes to be named")
def test_a_pipe_among_the_logs_is_not_waited_for(tmp_path, faults):
    os.mkfifo(tmp_path / "open-1.log")
    log = CrashLog(tmp_path)
    log.open(faults)
    log.close()
    assert faults.snapshot() == ()


def test_a_number_that_is_used_again_is_a_bad_end_too(tmp_path, faults):
    (tmp_path / f"open-{os.getpid()}.log").write_text("Fatal", encoding="utf-8")
    log = CrashLog(tmp_path)
    log.open(faults)
    log.close()
    assert [fault.details for fault in faults.snapshot()] == ["Fatal"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path, faults):
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    log = CrashLog(blocked / "log")
    log.open(faults)
    log.close()
    assert "No log of crashes" in faults.snapshot()[0].message
