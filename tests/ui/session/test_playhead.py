"""Going to an outer step: what is kept at once, the exact state after a rest."""

from dataclasses import replace

import numpy as np
import pytest

from metalab.engine.events import EvaluationDone, StepsDone
from metalab.engine.trainer import Trainer
from metalab.runs.record.checkpoints import GrowingTrail
from metalab.runs.record.live import LiveRun
from metalab.ui.session.playhead import Playhead
from tests.support.experiments import small


@pytest.fixture(scope="module")
def made():
    """Return a finished run as the window sees it, and its state at every step."""
    config = small(run__provider="autodiff")
    live, trainer = LiveRun(config), Trainer(config)
    states = {0: trainer.checkpoint()}
    for event in trainer.run(lambda: 1):
        live.on_event(event, 0.0)
        if isinstance(event, StepsDone | EvaluationDone):
            states[trainer.step] = trainer.checkpoint()
    return live.snapshot(), states


@pytest.fixture
def playhead(qapp):
    head = Playhead()
    yield head
    head.close()
    head.join()


def test_kept_curves_are_shown_in_the_same_call(playhead, made):
    history, states = made
    playhead.set_history(history)
    for wanted, near in ((0, 0), (20, 20), (38, 40), (60, 60)):
        playhead.go_to(wanted)
        moment = playhead.moment
        assert (moment.wanted_step, moment.step) == (wanted, near)
        assert moment.shown.curves.step == near
        np.testing.assert_array_equal(moment.phi, states[near].phi)


def test_the_exact_state_comes_after_a_rest(playhead, made, qtbot):
    history, states = made
    playhead.set_history(history)
    for step in (11, 22, 33):
        playhead.go_to(step)
        assert not playhead.moment.exact
    qtbot.waitUntil(lambda: playhead.moment.exact, timeout=20_000)
    assert playhead.moment.shown.curves.step == 33
    np.testing.assert_array_equal(playhead.moment.phi, states[33].phi)


def test_following_forgets_what_was_to_be_computed(playhead, made, qtbot):
    history, _ = made
    playhead.set_history(history)
    playhead.go_to(33)
    playhead.follow()
    asked = []
    playhead._ask_exactly = asked.append
    with qtbot.assertNotEmitted(playhead.moved, wait=150):
        pass
    assert not asked
    assert playhead.moment.following


def test_without_kept_curves_those_of_the_nearest_state_are_computed(
    playhead, made, qtbot
):
    history, states = made
    trail = GrowingTrail()
    for state in history.trail.states():
        trail.append(state)
    bare = replace(history, trail=trail.view())
    playhead.set_history(bare)
    playhead.go_to(38)
    qtbot.waitUntil(lambda: playhead.moment.exact, timeout=20_000)
    np.testing.assert_array_equal(playhead.moment.phi, states[38].phi)
