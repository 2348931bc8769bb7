"""Diagnostics between a run's thread, its file and whoever reads it."""

import numpy as np
import pytest

from metalab.engine.events import METRICS, DiagnosticsTaken, Diverged, StepsDone
from metalab.experiment.fields import with_overrides
from metalab.runs.record.live import LiveRun
from metalab.runs.record.reader import open_run
from tests.support.stored import (
    assert_same_diagnostics,
    assert_same_run,
    resume,
    run_to,
)


@pytest.fixture
def diagnosed(config):
    return with_overrides(
        config,
        [("diagnostics.every", 15), ("diagnostics.num_power_iterations", 3)],
    )


def taken(step: int, **values: float) -> DiagnosticsTaken:
    return DiagnosticsTaken(step=step, values=values)


def steps_done(first: int, count: int) -> StepsDone:
    return StepsDone(first_step=first, metrics=np.ones((count, len(METRICS))))


def test_a_run_without_diagnostics_has_an_empty_series(config):
    series = LiveRun(config).snapshot().diagnostics
    assert len(series) == 0
    assert dict(series.values) == {}


def test_a_snapshot_of_diagnostics_never_changes(config):
    live = LiveRun(config)
    live.on_event(taken(0, a=1.0, b=2.0), seconds=0)
    before = live.snapshot().diagnostics
    live.on_event(taken(0, a=5.0, b=6.0), seconds=0)
    live.on_event(taken(10, b=4.0, a=float("nan")), seconds=0)
    after = live.snapshot().diagnostics
    assert before.values["a"].tolist() == [1.0]
    assert after.steps.tolist() == [0, 10]
    np.testing.assert_array_equal(after.values["a"], [5.0, np.nan])
    assert after.values["b"].tolist() == [6.0, 4.0]
    with pytest.raises(ValueError, match="read-only"):
        after.values["a"][0] = 0.0


def test_what_is_measured_at_different_steps_is_put_together(config):
    live = LiveRun(config)
    live.on_event(taken(0, b=1.0), seconds=0)
    live.on_event(taken(5, a=2.0, b=3.0), seconds=0)
    before = live.snapshot().diagnostics
    live.on_event(taken(5, c=4.0), seconds=0)
    live.on_event(taken(9, a=5.0), seconds=0)
    series = live.snapshot().diagnostics
    nan = np.nan
    np.testing.assert_array_equal(series.values["a"], [nan, 2.0, 5.0])
    np.testing.assert_array_equal(series.values["b"], [1.0, 3.0, nan])
    np.testing.assert_array_equal(series.values["c"], [nan, 4.0, nan])
    assert series.of("a").steps.tolist() == [5, 9]
    assert "c" not in before.values


def test_divergence_forgets_diagnostics_after_the_last_good_step(config):
    live = LiveRun(config)
    for step in (0, 10, 20):
        live.on_event(taken(step, a=1.0), seconds=0)
        live.on_event(steps_done(step + 1, 10), seconds=0)
    event = Diverged(step=21, last_good_step=19, quantity="outer_loss", value=1e9)
    live.on_event(event, seconds=0)
    assert live.snapshot().diagnostics.steps.tolist() == [0, 10]


def test_the_file_holds_what_was_seen_live(diagnosed, tmp_path):
    path = tmp_path / "a.metalab"
    live = run_to(path, diagnosed).snapshot().diagnostics
    assert live.of("hypergradient_norm").steps.tolist() == [0, 15, 30, 45, 60]
    # Stability is measured at evaluations, whether or not anything else is.
    assert live.of("unstable_share").steps.tolist() == [0, 1, 2, 5, 10, 20, 40, 60]
    assert len(live.of("unheard_of")) == 0
    assert list(live.values)[-2:] == ["distance_layer_1", "distance_layer_2"]
    assert_same_diagnostics(open_run(path).history.diagnostics, live)


def test_not_a_number_survives_the_file(diagnosed, tmp_path):
    one_task = with_overrides(diagnosed, [("outer.num_tasks", 1)])
    path = tmp_path / "a.metalab"
    run_to(path, one_task)
    assert np.isnan(open_run(path).history.diagnostics.values["gradient_cosine"]).all()


@pytest.mark.parametrize("stop_at", [15, 20])
def test_stopped_and_resumed_equals_straight(diagnosed, tmp_path, stop_at):
    run_to(tmp_path / "straight.metalab", diagnosed)
    path = tmp_path / "resumed.metalab"
    run_to(path, diagnosed, stop_at)
    live = resume(path).snapshot().diagnostics
    assert_same_run(path, tmp_path / "straight.metalab")
    assert_same_diagnostics(live, open_run(path).history.diagnostics)


def test_switching_diagnostics_on_keeps_the_digest(config, diagnosed):
    assert diagnosed.digest() == config.digest()
