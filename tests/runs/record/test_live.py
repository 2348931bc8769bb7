"""The newest state of a run, as other threads see it."""

import numpy as np
import pytest

from metalab.engine.events import METRICS, Diverged, EvaluationDone, StepsDone
from metalab.engine.trainer import Trainer
from metalab.runs.record.live import LiveRun
from metalab.runs.record.status import RunStatus


def steps_done(first: int, count: int, value: float = 1.0) -> StepsDone:
    return StepsDone(first_step=first, metrics=np.full((count, len(METRICS)), value))


def test_starts_empty(config):
    history = LiveRun(config).snapshot()
    assert history.status is RunStatus.STARTING
    assert history.step == 0
    assert len(history.steps) == 0
    assert len(history.evaluations) == 0
    assert history.latest_evaluation is None
    assert history.best_evaluation is None


def test_holds_what_the_trainer_said(config):
    live = LiveRun(config)
    events = list(Trainer(config).run())
    for event in events:
        live.on_event(event, seconds=0.5)
    history = live.snapshot()
    told = np.concatenate([e.metrics for e in events if isinstance(e, StepsDone)])
    assert history.step == 60
    assert history.steps.tolist() == list(range(1, 61))
    assert history.metrics["outer_loss"].tolist() == told[:, 0].astype(float).tolist()
    assert history.evaluations.steps.tolist() == [0, 1, 2, 5, 10, 20, 40, 60]
    assert history.latest_evaluation == history.evaluations.query_mean[-1, 1]
    best_step, best = history.best_evaluation
    assert best == history.evaluations.query_mean[:, 1].min()
    assert best_step in history.evaluations.steps


def test_a_snapshot_never_changes(config):
    live = LiveRun(config)
    live.on_event(steps_done(1, 900), seconds=1.0)
    before = live.snapshot()
    loss = before.metrics["outer_loss"].copy()
    live.on_event(steps_done(901, 900, value=2.0), seconds=2.0)
    live.on_event(steps_done(500, 10, value=3.0), seconds=3.0)
    assert len(before.steps) == 900
    assert (before.metrics["outer_loss"] == loss).all()
    assert not before.steps.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        before.metrics["outer_loss"][0] = 0.0


def test_repeated_steps_replace_the_old_ones(config):
    live = LiveRun(config)
    live.on_event(steps_done(1, 10), seconds=1.0)
    live.on_event(steps_done(6, 3, value=2.0), seconds=2.0)
    history = live.snapshot()
    assert history.steps.tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert history.metrics["outer_loss"].tolist() == [1.0] * 5 + [2.0] * 3


def test_divergence_forgets_what_came_after_the_last_good_step(config):
    live = LiveRun(config)
    live.on_event(steps_done(1, 10), seconds=1.0)
    event = Diverged(
        step=11, last_good_step=9, quantity="outer_loss", value=float("nan")
    )
    live.on_event(event, seconds=1.0)
    history = live.snapshot()
    assert history.diverged is event
    assert history.step == 9
    assert history.steps[-1] == 9
    assert "Outer loss" in event.message
    assert "step 9" in event.message
    live.on_event(steps_done(10, 1), seconds=1.1)
    assert live.snapshot().diverged is None


def test_version_grows_with_every_change(config):
    live = LiveRun(config)
    seen = [live.version]
    live.on_event(steps_done(1, 1), seconds=0.0)
    seen.append(live.version)
    live.set_status(RunStatus.PAUSED)
    seen.append(live.version)
    live.set_storage_problem("the disk is full")
    seen.append(live.version)
    live.set_storage_problem("the disk is full")
    assert live.version == seen[-1]
    assert seen == sorted(set(seen))


def test_curves_come_once_for_each_request(config):
    live = LiveRun(config)
    trainer = Trainer(config)
    assert not live.curves_wanted
    live.request_curves()
    assert live.curves_wanted
    live.show_curves(trainer.curves())
    assert not live.curves_wanted
    assert live.snapshot().curves.step == 0


def test_a_probe_of_the_same_step_replaces_the_old_one(config):
    live = LiveRun(config)
    first, *_ = [e for e in Trainer(config).run() if isinstance(e, EvaluationDone)]
    live.on_event(first, seconds=0.0)
    live.on_event(first, seconds=0.0)
    assert live.snapshot().evaluations.steps.tolist() == [0]
