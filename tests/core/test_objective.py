"""Which inner steps the outer loss counts."""

import pytest

from metalab.core.objective import OuterObjective

MULTI = OuterObjective(loss="multi-step", annealing_steps=100)


@pytest.mark.parametrize("step", [0, 1, 50, 99])
@pytest.mark.parametrize("num_inner_steps", [2, 5, 20])
def test_weights_sum_to_one_and_the_start_has_none(step, num_inner_steps):
    weights = MULTI.weights(step, num_inner_steps)
    assert len(weights) == num_inner_steps + 1
    assert weights[0] == 0.0
    assert min(weights[1:]) > 0
    assert sum(weights) == pytest.approx(1.0, rel=1e-14)


def test_they_start_alike_and_go_over_to_the_last_step():
    assert MULTI.weights(0, 5) == pytest.approx((0, 0.2, 0.2, 0.2, 0.2, 0.2))
    assert MULTI.weights(50, 5) == pytest.approx((0, 0.1, 0.1, 0.1, 0.1, 0.6))
    lasts = [MULTI.weights(step, 5)[-1] for step in range(100)]
    assert lasts == sorted(lasts)


@pytest.mark.parametrize("step", [100, 101, 10_000])
def test_in_the_end_only_the_last_step_counts(step):
    assert MULTI.weights(step, 5) is None


def test_the_final_loss_has_no_weights_at_all():
    assert OuterObjective().weights(0, 5) is None
    assert MULTI.weights(0, 1) is None
