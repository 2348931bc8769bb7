"""A run as it was, against the same run when it was there."""

import numpy as np
import pytest

from metalab.experiment.fields import with_overrides
from metalab.runs.record.live import LiveRun
from metalab.runs.running.control import RunControl
from metalab.runs.running.run import run_experiment
from tests.support.stored import StopAfter, assert_same_diagnostics


def run_until(config, step):
    live = LiveRun(config)
    control = RunControl()
    control.step(step)
    run_experiment(live, control, sinks=[StopAfter(control, step)])
    return live.snapshot()


@pytest.mark.parametrize("step", [45, 60])
def test_it_is_what_a_run_that_stopped_there_knows(config, step):
    config = with_overrides(config, [("diagnostics.every", 20)])
    then, now = run_until(config, step), run_until(config, 60)
    cut = now.at(step, curves=then.curves)
    assert cut.step == then.step == step
    np.testing.assert_array_equal(cut.steps, then.steps)
    assert len(cut.seconds) == step
    for name, column in cut.metrics.items():
        np.testing.assert_array_equal(column, then.metrics[name], err_msg=name)
    for name, sums in cut.sums.items():
        for column, expected in zip(sums, then.sums[name], strict=True):
            np.testing.assert_array_equal(column, expected)
    np.testing.assert_array_equal(cut.evaluations.rows(), then.evaluations.rows())
    assert_same_diagnostics(cut.diagnostics, then.diagnostics)
    assert cut.curves is then.curves


def test_before_the_first_outer_step_and_beyond_the_last(config):
    now = run_until(config, 60)
    start = now.at(0)
    assert start.step == 0
    assert len(start.steps) == 0
    assert start.evaluations.steps.tolist() == [0]
    assert start.curves is None
    assert now.at(1_000).step == 60
