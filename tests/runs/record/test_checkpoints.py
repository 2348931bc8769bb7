"""The states and curves that a run leaves behind."""

import numpy as np

from metalab.engine.events import Checkpoint, Curves
from metalab.runs.record.checkpoints import BUDGET_BYTES, CURVES_BYTES, GrowingTrail


def state(step: int, size: int = 10) -> Checkpoint:
    return Checkpoint(step=step, phi=np.full(size, float(step)), slots=())


def test_a_trail_finds_states_near_a_step():
    trail = GrowingTrail()
    for step in (0, 10, 20):
        trail.append(state(step))
    view = trail.view()
    assert view.at_or_before(19).step == 10
    assert view.nearest(14).step == 10
    assert view.nearest(15).step == 10
    assert view.nearest(16).step == 20
    assert view.nearest(99).step == 20
    trail.append(state(10))
    assert trail.view().steps.tolist() == [0, 10]
    assert view.steps.tolist() == [0, 10, 20]
    assert view.at_or_before(25).step == 20


def test_a_long_trail_keeps_within_its_budget():
    trail = GrowingTrail()
    size = BUDGET_BYTES // 8 // 20
    for step in range(50):
        trail.append(state(step, size))
    steps = trail.view().steps
    assert steps[0] == 0
    assert steps[-1] == 49
    assert len(steps) * size * 8 <= BUDGET_BYTES
    assert len(steps) >= 9


def curves(step: int, size: int = 10) -> Curves:
    none = np.empty((0, 1))
    return Curves(
        step=step,
        curves=np.zeros((1, 1, size)),
        support_loss=none,
        query_loss=none,
        phi=np.zeros(1),
    )


def test_the_nearest_state_with_curves_comes_with_them():
    trail = GrowingTrail()
    assert trail.view().nearest_drawn(3) is None
    trail.append(state(0))
    assert trail.view().nearest_drawn(3) is None
    for step in (10, 20):
        trail.append(state(step), curves(step))
    view = trail.view()
    trail.append(state(30), curves(30))
    for wanted, found in ((0, 10), (15, 10), (16, 20), (99, 20)):
        kept, drawn = view.nearest_drawn(wanted)
        assert kept.step == drawn.step == found
    trail.truncate_after(12)
    assert trail.view().nearest_drawn(99)[0].step == 10
    assert view.nearest_drawn(99)[0].step == 20


def test_curves_keep_within_a_budget_of_their_own():
    trail = GrowingTrail()
    size = CURVES_BYTES // 8 // 20
    for step in range(50):
        trail.append(state(step), curves(step, size))
    view = trail.view()
    assert len(view) == 50
    drawn = {view.nearest_drawn(step)[1].step for step in range(50)}
    assert {0, 49} <= drawn
    assert 9 <= len(drawn) <= 20


def test_states_that_go_take_their_curves_along():
    trail = GrowingTrail()
    size = BUDGET_BYTES // 8 // 20
    for step in range(50):
        trail.append(state(step, size), curves(step))
    view = trail.view()
    for step in range(50):
        kept, drawn = view.nearest_drawn(step)
        assert kept is view.nearest(step)
        assert drawn.step == kept.step
