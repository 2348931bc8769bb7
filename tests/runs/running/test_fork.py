"""A run that begins where another one stood."""

import numpy as np
import pytest

from metalab.engine.trainer import Trainer
from metalab.experiment.config import preset_config
from metalab.experiment.fields import with_overrides
from metalab.experiment.naming import experiment_name
from metalab.runs.record.live import LiveRun
from metalab.runs.record.reader import open_run
from metalab.runs.running.control import RunControl
from metalab.runs.running.fork import ForkError, fork
from metalab.runs.running.run import run_experiment
from metalab.runs.services.state_replayer import recomputed, rewind_request
from tests.support.stored import resume, run_to

SMALL = [
    ("outer.num_steps", 60),
    ("outer.num_tasks", 4),
    ("model.hidden_sizes", [8]),
    ("evaluation.num_tasks", 16),
    ("evaluation.num_queries", 10),
    ("evaluation.num_inner_steps", 3),
    ("evaluation.every", 20),
]


@pytest.fixture
def parent(config, tmp_path):
    return run_to(tmp_path / "parent.metalab", config).snapshot()


def forked_run(path, made):
    live = LiveRun(made.config, path=path)
    run_experiment(live, RunControl(), fork=made)
    return live


def test_the_same_method_goes_on_as_the_parent_did(config, parent, tmp_path):
    made = fork(config, config, parent.trail.at_or_before(40))
    live = forked_run(tmp_path / "fork.metalab", made)
    mine, theirs = live.snapshot(), parent
    assert mine.steps.tolist() == list(range(41, 61))
    for name, column in mine.metrics.items():
        np.testing.assert_array_equal(column, theirs.metrics[name][40:], err_msg=name)
    assert (mine.origin.parent, mine.origin.step) == (experiment_name(config), 40)


def test_another_method_begins_from_the_parent_s_meta_parameters(
    config, parent, tmp_path
):
    state = parent.trail.at_or_before(20)
    fomaml = with_overrides(preset_config("fomaml-sine"), SMALL)
    made = fork(fomaml, config, state)
    np.testing.assert_array_equal(made.state.phi, state.phi)
    path = tmp_path / "fork.metalab"
    live = forked_run(path, made)
    assert live.snapshot().steps[0] == 21
    stored = open_run(path)
    assert stored.history.origin == live.snapshot().origin
    assert stored.history.trail.steps[0] == 20
    found = recomputed(rewind_request(stored.history, 33))
    straight = Trainer(fomaml, checkpoint=made.state)
    while straight.step < 33:
        for _ in straight.run(lambda: 1):
            if straight.step >= 33:
                break
    np.testing.assert_array_equal(found.phi, straight.checkpoint().phi)


@pytest.mark.parametrize("preset", ["meta-sgd-sine", "reptile-sine"])
def test_what_the_new_method_learns_besides_begins_afresh(config, parent, preset):
    state = parent.trail.at_or_before(40)
    other = with_overrides(preset_config(preset), SMALL)
    other = other.model_copy(update={"model": config.model})
    made = fork(other, config, state)
    fresh = Trainer(other).checkpoint()
    np.testing.assert_array_equal(made.state.phi[: len(state.phi)], state.phi)
    np.testing.assert_array_equal(
        made.state.phi[len(state.phi) :], fresh.phi[len(state.phi) :]
    )


def test_an_optimiser_that_begins_at_rest_is_not_taken_for_an_old_one(config, parent):
    """Adam corrects for its start: without, the first steps would be three times long."""
    state = parent.trail.at_or_before(40)
    meta_sgd = with_overrides(preset_config("meta-sgd-sine"), SMALL)
    made = fork(meta_sgd, config, state)
    assert made.state.slots_from == 40
    trainer = Trainer(made.config, checkpoint=made.state)
    events = trainer.run(lambda: 1)
    while trainer.step < 41:
        next(events)
    moved = np.abs(trainer.checkpoint().phi - made.state.phi)
    rate = made.config.outer.optimizer.outer_lr
    assert moved.max() == pytest.approx(rate, rel=1e-3)


def test_a_fork_can_be_resumed(config, parent, tmp_path):
    meta_sgd = with_overrides(preset_config("meta-sgd-sine"), SMALL)
    made = fork(meta_sgd, config, parent.trail.at_or_before(20))
    straight, stopped = tmp_path / "straight.metalab", tmp_path / "stopped.metalab"
    forked_run(straight, made)
    live = LiveRun(made.config, path=stopped)
    control = RunControl()
    control.step(17)

    class Stop:
        def on_event(self, event, seconds):
            if getattr(event, "last_step", 0) >= 37:
                control.stop()

        def flush(self, trainer, *, force=False):
            pass

    run_experiment(live, control, fork=made, sinks=[Stop()])
    resume(stopped)
    one, other = open_run(straight), open_run(stopped)
    np.testing.assert_array_equal(one.checkpoint.phi, other.checkpoint.phi)
    assert one.checkpoint.slots_from == other.checkpoint.slots_from == 20
    assert other.history.origin.step == 20


def test_a_plan_that_ends_before_the_state_is_made_longer(config, parent):
    made = fork(config, config, parent.trail.at_or_before(60))
    assert made.config.outer.num_steps == 120


def test_networks_that_do_not_fit_are_refused(config, parent):
    state = parent.trail.at_or_before(20)
    wider = with_overrides(config, [("model.hidden_sizes", [9])])
    with pytest.raises(ForkError, match="keeps the network"):
        fork(wider, config, state)
    cavia = with_overrides(preset_config("cavia-sine"), SMALL)
    with pytest.raises(ForkError, match=r"meta learns|keeps the network"):
        fork(cavia, config, state)
