"""Runs that are kept in a file."""

from pathlib import Path

import numpy as np

from metalab.runs.record.live import LiveRun
from metalab.runs.record.reader import open_run
from metalab.runs.running.control import RunControl
from metalab.runs.running.resume import prepare_resume
from metalab.runs.running.run import run_experiment


def run_to(path: Path, config, stop_at: int | None = None) -> LiveRun:
    live = LiveRun(config, path=path)
    control = RunControl()
    if stop_at is not None:
        control.step(stop_at)
    run_experiment(live, control, sinks=[StopAfter(control, stop_at)])
    return live


class StopAfter:
    def __init__(self, control, step):
        self._control, self._step = control, step

    def on_event(self, event, seconds):
        if self._step is not None and getattr(event, "last_step", 0) >= self._step:
            self._control.stop()

    def flush(self, trainer, *, force=False):
        pass


def resume(path: Path, num_steps: int | None = None) -> LiveRun:
    past = prepare_resume(path, num_steps=num_steps)
    live = LiveRun(past.configs, path=path, past=past)
    run_experiment(live, RunControl(), resuming=True)
    return live


def assert_same_run(one: Path, other: Path) -> None:
    a, b = open_run(one), open_run(other)
    assert a.history.step == b.history.step
    for name, column in a.history.metrics.items():
        np.testing.assert_array_equal(column, b.history.metrics[name], err_msg=name)
    assert (a.checkpoint.phi == b.checkpoint.phi).all()
    for mine, theirs in zip(a.checkpoint.slots, b.checkpoint.slots, strict=True):
        assert (mine == theirs).all()
    # What exploded has no interval: NaN in both.
    np.testing.assert_array_equal(
        a.history.evaluations.rows(), b.history.evaluations.rows()
    )
    assert_same_diagnostics(a.history.diagnostics, b.history.diagnostics)


def assert_same_diagnostics(one, other) -> None:
    np.testing.assert_array_equal(one.steps, other.steps)
    assert list(one.values) == list(other.values)
    for name, column in one.values.items():
        np.testing.assert_array_equal(column, other.values[name], err_msg=name)
