"""Lists of runs: from the heads of their files, and never fatal."""

import json
import os
import sqlite3
from contextlib import closing

import pytest

from metalab.experiment.naming import experiment_name
from metalab.runs.record import log as run_log
from metalab.runs.record.live import LiveRun
from metalab.runs.record.reader import open_run
from metalab.runs.record.recent import recent_runs, summary_of
from metalab.runs.record.status import RunStatus
from metalab.runs.record.store import RunStore
from metalab.runs.running.control import RunControl
from metalab.runs.running.run import run_experiment
from tests.support.stored import run_to


@pytest.fixture
def killed(config, tmp_path, monkeypatch):
    """Return a file as a crash leaves it, 40 outer steps long."""
    monkeypatch.setattr("metalab.runs.record.store.FLUSH_SECONDS", 0.0)
    path = tmp_path / "killed.metalab"

    class Copy:
        def on_event(self, event, seconds):
            pass

        def flush(self, trainer, *, force=False):
            if trainer.step == 40:
                path.write_bytes(running.read_bytes())

    running = tmp_path / "elsewhere" / "run.metalab"
    running.parent.mkdir()
    run_experiment(LiveRun(config, path=running), RunControl(), sinks=[Copy()])
    return path


def test_a_run_is_told_by_name_step_and_end(config, tmp_path):
    stopped, whole = tmp_path / "stopped.metalab", tmp_path / "whole.metalab"
    run_to(stopped, config, stop_at=20)
    run_to(whole, config)
    told = summary_of(stopped, used=3.0)
    assert told.name == experiment_name(config)
    assert (told.status, told.step, told.num_steps) == (RunStatus.STOPPED, 20, 60)
    assert (told.used, told.problem, told.cut_short) == (3.0, "", False)
    assert told.seed == config.run.seed
    assert told.can_go_on
    told = summary_of(whole)
    assert (told.status, told.step) == (RunStatus.FINISHED, 60)
    assert not told.can_go_on


def test_what_a_crash_has_left_is_told_apart_from_what_goes_on(killed, config):
    told = summary_of(killed)
    assert (told.step, told.num_steps, told.cut_short) == (40, 60, True)
    assert told.recoverable
    assert told.can_go_on
    past = open_run(killed).history
    live = LiveRun(past.configs, path=killed, past=past)
    store = RunStore.reopen(killed, live)
    told = summary_of(killed)
    assert (told.in_use, told.recoverable, told.can_go_on) == (True, False, False)
    store.close(RunStatus.STOPPED)
    assert not summary_of(killed).cut_short


def test_of_a_log_the_last_whole_record_counts(killed):
    data = killed.read_bytes()
    steps = []
    for size in range(len(data), 0, -2000):
        killed.write_bytes(data[:size])
        told = summary_of(killed)
        if told.problem:
            break
        steps.append(told.step)
    assert steps[0] == 40
    assert steps == sorted(steps, reverse=True)
    assert min(steps) == 0


def test_the_newest_come_first_whether_written_or_opened(config, tmp_path):
    folder = tmp_path / "runs"
    folder.mkdir()
    one, two = folder / "one.metalab", folder / "two.metalab"
    away = tmp_path / "away.metalab"
    run_to(one, config, stop_at=1)
    for path in (two, away):
        path.write_bytes(one.read_bytes())
    for path, when in ((one, 100), (two, 200), (away, 50)):
        os.utime(path, (when, when))
    (folder / "notes.txt").write_text("none of these")
    (folder / ".part.metalab").write_text("nor this")
    (folder / "folder.metalab").mkdir()
    opened = {away: 150.0, tmp_path / "gone.metalab": 20.0, one: 10.0}
    found = recent_runs([folder, tmp_path / "nowhere"], opened, most=3)
    assert [told.path.name for told in found] == [
        "two.metalab",
        "away.metalab",
        "one.metalab",
    ]
    (*_, last) = recent_runs([folder], opened, most=9)
    assert last.path.name == "gone.metalab"
    assert "No such file" in last.problem


def spoil(path, key, value):
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(
            "INSERT OR REPLACE INTO facts VALUES (?, ?)", (key, json.dumps(value))
        )


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"SQLite format 3\x00" + bytes(100)),
        lambda path: path.write_bytes(path.read_bytes()[:5000]),
        lambda path: path.write_text("a poem"),
        lambda path: spoil(path, "status", "asleep"),
        lambda path: spoil(
            path, "config", {"outer": {"num_steps": "many"}, "run": {"seed": 0}}
        ),
        lambda path: spoil(path, "checkpoint_step", -3),
        lambda path: spoil(path, "name", "x" * 5000),
        lambda path: spoil(path, "name", "a\x07b"),
        lambda path: spoil(path, "edits", [{"path": 3}]),
    ],
)
def test_a_file_that_cannot_be_read_is_a_line_that_says_so(config, tmp_path, damage):
    path = tmp_path / "a.metalab"
    run_to(path, config, stop_at=1)
    damage(path)
    told = summary_of(path)
    assert (told.name, told.status) == ("a", None)
    assert told.problem
    assert "\n" not in told.problem
    assert not told.can_go_on


def test_of_a_long_log_one_record_is_decoded(config, tmp_path, monkeypatch):
    path = tmp_path / "run.metalab"
    monkeypatch.setattr("metalab.runs.record.store.FLUSH_SECONDS", 0.0)
    counts = []

    class Look:
        def on_event(self, event, seconds):
            pass

        def flush(self, trainer, *, force=False):
            if force:
                decoded = []
                monkeypatch.setattr(
                    run_log, "_decoded", lambda data: decoded.append(1) or real(data)
                )
                counts.append((summary_of(path).step, len(decoded)))

    real = run_log._decoded
    run_experiment(LiveRun(config, path=path), RunControl(), sinks=[Look()])
    assert counts == [(60, 1)]
