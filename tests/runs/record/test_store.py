"""The run file: whole, exact, robust."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from metalab.experiment.fields import with_overrides
from metalab.runs.record.file_format import RunFileError, packed, unpacked
from metalab.runs.record.live import LiveRun
from metalab.runs.record.reader import open_run
from metalab.runs.record.status import RunStatus
from metalab.runs.running.control import RunControl
from metalab.runs.running.resume import prepare_resume
from metalab.runs.running.run import run_experiment
from metalab.runs.services.snapshots import load_history
from tests.support.stored import StopAfter, assert_same_run, resume, run_to


def test_a_file_is_the_whole_run(config, tmp_path):
    path = tmp_path / "a.metalab"
    live = run_to(path, config).snapshot()
    run = open_run(path)
    history = run.history
    assert history.config_at() == config
    assert history.status is RunStatus.FINISHED
    assert history.step == history.stored_step == 60
    assert history.steps.tolist() == live.steps.tolist()
    assert history.seconds.tolist() == live.seconds.tolist()
    for name, column in live.metrics.items():
        np.testing.assert_array_equal(history.metrics[name], column, err_msg=name)
    assert (history.evaluations.rows() == live.evaluations.rows()).all()
    assert (history.held_out_tasks.true_curves == live.held_out_tasks.true_curves).all()
    assert history.held_out_tasks.parameter_names == ("amplitude", "phase")
    assert history.device == "cpu"
    assert run.environment["torch"]
    assert run.created
    # Drawn again without kernels: the same but for rounding.
    np.testing.assert_allclose(
        load_history(path).curves.curves, live.curves.curves, rtol=1e-3, atol=1e-4
    )
    assert history.provider == live.provider == "fused"


def test_the_file_is_plain_sqlite_with_a_row_for_each_step(config, tmp_path):
    path = tmp_path / "a.metalab"
    run_to(path, config)
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["a.metalab"]
    database = sqlite3.connect(path)
    count, last = database.execute(
        "SELECT count(*), max(outer_loss) FROM metrics"
    ).fetchone()
    assert count == 60
    assert last > 0
    (snapshots,) = database.execute("SELECT count(*) FROM snapshots").fetchone()
    assert snapshots == 8
    database.close()


@pytest.mark.parametrize("stop_at", [1, 19, 20, 41])
def test_stopped_and_resumed_equals_straight(config, tmp_path, stop_at):
    run_to(tmp_path / "straight.metalab", config)
    path = tmp_path / "resumed.metalab"
    run_to(path, config, stop_at)
    stopped = open_run(path)
    assert stopped.history.status is RunStatus.STOPPED
    assert stopped.history.step == stop_at
    live = resume(path)
    assert live.snapshot().steps.tolist() == list(range(1, 61))
    assert_same_run(path, tmp_path / "straight.metalab")


def test_a_finished_run_can_be_taken_further(config, tmp_path):
    longer = with_overrides(config, [("outer.num_steps", 100)])
    run_to(tmp_path / "straight.metalab", longer)
    path = tmp_path / "resumed.metalab"
    run_to(path, config)
    with pytest.raises(RunFileError, match="nothing is left to do"):
        prepare_resume(path)
    resume(path, 100)
    assert_same_run(path, tmp_path / "straight.metalab")
    assert open_run(path).history.config_at().outer.num_steps == 100


def test_a_scheduled_run_cannot_be_taken_further(config, tmp_path):
    path = tmp_path / "a.metalab"
    run_to(path, with_overrides(config, [("outer.schedule", "linear")]))
    with pytest.raises(RunFileError, match=r"outer\.schedule is 'linear'"):
        prepare_resume(path, num_steps=100)


def test_refuses_to_overwrite(config, tmp_path):
    path = tmp_path / "a.metalab"
    run_to(path, config, stop_at=1)
    before = path.read_bytes()
    with pytest.raises(RunFileError, match="exists already"):
        run_to(path, config)
    assert path.read_bytes() == before


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:3000])


def _garbled(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    path.write_bytes(data)


def _newer(path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 99")
    database.close()


def _foreign(path: Path) -> None:
    path.unlink()
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE something (x)")
    database.close()


def _no_config(path: Path) -> None:
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("DELETE FROM facts WHERE key = 'config'")
    database.close()


@pytest.mark.parametrize(
    "spoil",
    [
        _truncated,
        _garbled,
        _newer,
        _foreign,
        _no_config,
        lambda path: path.write_text("not a database"),
        lambda path: path.write_bytes(b""),
        lambda path: path.unlink(),
    ],
)
def test_a_file_that_is_not_a_run_says_so(config, tmp_path, spoil):
    path = tmp_path / "a.metalab"
    run_to(path, config, stop_at=5)
    spoil(path)
    with pytest.raises(RunFileError, match=r"a\.metalab"):
        open_run(path)


def test_reading_while_it_is_written(config, tmp_path):
    path = tmp_path / "a.metalab"
    seen = []

    class Reader(StopAfter):
        def on_event(self, event, seconds):
            seen.append(open_run(path).history.step)

    live = LiveRun(config, path=path)
    run_experiment(live, RunControl(), sinks=[Reader(None, None)])
    assert len(seen) > 3
    assert open_run(path).history.step == 60


def test_a_write_that_fails_is_told_and_raises_in_the_end(config, tmp_path):
    path = tmp_path / "a.metalab"
    live = LiveRun(config, path=path)
    blocker = []

    class Blocker(StopAfter):
        def on_event(self, event, seconds):
            if not blocker:
                blocker.append(sqlite3.connect(path, isolation_level=None))
                blocker[0].execute("DROP TABLE metrics")

    with pytest.raises(RunFileError, match="cannot be written"):
        run_experiment(live, RunControl(), sinks=[Blocker(None, None)])
    assert "cannot be written" in live.snapshot().storage_problem
    blocker[0].close()


KILLED = """
import sys
from pathlib import Path
from metalab.experiment.config import preset_config
from metalab.experiment.fields import with_overrides
from metalab.runs.running.run import run_experiment
from metalab.runs.running.control import RunControl
from metalab.runs.record.live import LiveRun

config = with_overrides(preset_config("maml-sine"), [
    ("outer.num_steps", 1_000_000), ("outer.num_tasks", 4),
    ("model.hidden_sizes", [8]), ("evaluation.num_tasks", 16),
])
run_experiment(LiveRun(config, path=Path(sys.argv[1])), RunControl())
"""


@pytest.mark.slow
def test_killed_in_the_middle_the_file_opens_and_resumes(tmp_path):
    path = tmp_path / "killed.metalab"
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(path)])
    try:
        deadline = time.monotonic() + 60
        while not (path.exists() and _stored_step(path) > 50):
            assert process.poll() is None, "the run ended by itself"
            assert time.monotonic() < deadline, "timed out"
            time.sleep(0.05)  # waits for another process, which has no event to give
        with pytest.raises(RunFileError, match="is being written by process"):
            resume(path)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    killed = open_run(path)
    step = killed.history.step
    assert step > 50
    assert killed.history.steps.tolist() == list(range(1, step + 1))
    past = prepare_resume(path)
    configs = past.configs.with_values([("outer.num_steps", step + 20)])
    config = configs.after(step)
    live = LiveRun(configs, path=path, past=replace(past, configs=configs))
    run_experiment(live, RunControl(), resuming=True)
    straight = tmp_path / "straight.metalab"
    run_to(straight, config)
    resumed = open_run(path).history
    assert (
        resumed.metrics["outer_loss"]
        == open_run(straight).history.metrics["outer_loss"]
    ).all()


def _stored_step(path: Path) -> int:
    try:
        return open_run(path).history.step
    except RunFileError:
        return 0  # between the file's creation and its first write


def test_arrays_survive_packing():
    arrays = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.zeros(0)}
    for name, array in unpacked(packed(arrays)).items():
        assert array.dtype == arrays[name].dtype
        assert (array == arrays[name]).all()
    with pytest.raises(RunFileError, match="damaged"):
        unpacked(b"nonsense")
