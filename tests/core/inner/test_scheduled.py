"""An inner loop at another rate, or for another K."""

import pytest
import torch

from metalab.catalog.slots import INNER_LOOPS
from metalab.core.autodiff import AutodiffOracle
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.inner.learned_descent import LearnedDescent
from metalab.core.inner.pull_back import PullBackDescent
from metalab.core.meta.anchor import ProximalAnchor
from metalab.core.model.mlp import MLP
from metalab.core.oracle import BilevelProblem, LossTerms
from tests.support.oracles import FLOAT64, generator, smooth_batch

LOOPS = [loop() for loop in INNER_LOOPS.components.values()]


@pytest.mark.parametrize("loop", LOOPS, ids=[loop.name for loop in LOOPS])
def test_a_loop_says_whether_its_rate_is_fixed(loop):
    assert loop.with_rate_factor(1.0) is loop
    if not loop.rate_is_fixed:
        with pytest.raises(ValueError, match="no fixed rate"):
            loop.with_rate_factor(0.5)
        return
    halved = loop.with_rate_factor(0.5)
    assert halved.inner_lr == 0.5 * loop.inner_lr
    assert halved.with_rate_factor(2.0) == loop


def test_only_a_set_rate_is_fixed():
    fixed = {loop.name for loop in LOOPS if loop.rate_is_fixed}
    assert fixed == {
        "adagrad",
        "adam",
        "gradient-descent",
        "learned-update",
        "meta-curvature",
        "proximal-descent",
        "pull-back-descent",
        "rmsprop",
    }


def test_the_pull_back_stays_the_last_step():
    model = MLP(input_dim=1, output_dim=1, hidden_sizes=(4,), activation="tanh")
    problem = BilevelProblem(model=model, meta=ProximalAnchor(strength=0.5))
    phi = model.initial_parameters(generator=generator(), dtype=FLOAT64)
    oracle = AutodiffOracle(problem, phi, smooth_batch())
    loop = PullBackDescent(num_inner_steps=5, inner_lr=0.1)
    points = loop.with_num_steps(3).run(oracle, num_steps=3, keep_points=True).points
    pull = oracle.linearise(
        points[2], terms=LossTerms.REGULARISER, curvature=False
    ).grad
    assert torch.equal(points[3], points[2].sub(pull, alpha=0.1))
    assert not torch.equal(points[3], loop.run(oracle, num_steps=3).end)


@pytest.mark.parametrize(
    "loop", [GradientDescent(), LearnedDescent(granularity="per-layer-per-step")]
)
def test_other_loops_step_alike_for_every_k(loop):
    assert loop.with_num_steps(3) is loop
