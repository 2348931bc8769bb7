"""Any outer step, recomputed beside a run."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from metalab.engine.events import Diverged, StepsDone
from metalab.engine.trainer import Trainer
from metalab.experiment.config_history import ConfigHistory
from metalab.experiment.edit import Edit
from metalab.experiment.fields import with_overrides
from metalab.runs.record.reader import open_run
from metalab.runs.services.state_replayer import (
    RewindRequest,
    StateReplayer,
    recomputed,
    rewind_request,
)
from tests.support.services import Waited
from tests.support.stored import run_to

TIMEOUT = 60.0


def states_of(config, edits=()):
    trainer = Trainer(ConfigHistory(config, edits))
    states = {0: trainer.checkpoint()}
    for event in trainer.run(lambda: 1):
        if isinstance(event, StepsDone):
            states[event.last_step] = trainer.checkpoint()
    return states


@pytest.mark.parametrize("provider", ["fused", "autodiff"])
def test_every_step_comes_back_bit_for_bit(config, tmp_path, provider):
    config = with_overrides(config, [("run.provider", provider)])
    states = states_of(config)
    live = run_to(tmp_path / "run.metalab", config)
    stored = open_run(tmp_path / "run.metalab").history
    for history in (live.snapshot(), stored):
        assert history.trail.steps.tolist() == [0, 1, 2, 5, 10, 20, 40, 60]
        for step in (0, 3, 19, 33, 40, 59, 60):
            request = rewind_request(history, step)
            assert request.state.step <= step
            found = recomputed(request)
            assert found.step == step
            np.testing.assert_array_equal(found.phi, states[step].phi)
            for mine, theirs in zip(found.slots, states[step].slots, strict=True):
                np.testing.assert_array_equal(mine, theirs)


def test_edits_are_made_again(config):
    edits = (Edit(step=25, path="outer.optimizer.outer_lr", value=0.1),)
    states = states_of(config, edits)
    trainer = Trainer(ConfigHistory(config, edits))
    live_states = [states[0], states[20]]
    assert trainer.step == 0
    for state in live_states:
        request = rewind_request_of(config, edits, state, 33)
        np.testing.assert_array_equal(recomputed(request).phi, states[33].phi)


def rewind_request_of(config, edits, state, step):
    return RewindRequest(
        configs=ConfigHistory(config, edits), provider="fused", state=state, step=step
    )


def test_what_nobody_wants_any_more_is_given_up(config):
    request = rewind_request_of(config, (), states_of(config)[0], 60)
    assert recomputed(request, lambda: True) is None


def test_answers_come_from_a_thread_that_ends(config):
    states = states_of(config)
    replayer = Waited(StateReplayer)
    for step in (30, 45):
        replayer.request(rewind_request_of(config, (), states[20], step))
    visit = replayer.take(TIMEOUT)
    assert visit.state.step == visit.curves.step == 45
    np.testing.assert_array_equal(visit.state.phi, states[45].phi)
    shown = Trainer(config, checkpoint=states[45]).curves()
    np.testing.assert_array_equal(visit.curves.curves, shown.curves)
    assert replayer.close(TIMEOUT)
    assert not [t for t in threading.enumerate() if t.name == "state replayer"]


@pytest.mark.timeout(60)
def test_a_run_that_went_on_beyond_an_explosion_comes_back(config, monkeypatch):
    """Its steps once were repeated from there, for ever."""
    # Every loss of an untrained network is beyond such a limit.
    monkeypatch.setattr("metalab.engine.trainer.EXPLOSION_FACTOR", 1e-3)
    trainer = Trainer(config)
    start = trainer.checkpoint()
    for event in trainer.run(lambda: 1):
        if isinstance(event, Diverged):
            trainer.accept_explosion()
        if trainer.step == 3:
            break
    request = RewindRequest(
        configs=ConfigHistory(config, ()), provider="autodiff", state=start, step=3
    )
    found = recomputed(replace(request, provider=trainer._provider))
    assert found.step == 3
    assert np.array_equal(found.phi, trainer.checkpoint().phi)
