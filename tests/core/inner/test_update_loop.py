"""Loops of one expression: their derivatives are torch's, and agree with descent's."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch

from metalab.core.autodiff import AutodiffOracle
from metalab.core.hypergradient.first_order import FirstOrder
from metalab.core.hypergradient.forward_mode import ForwardMode
from metalab.core.hypergradient.unrolled import Unrolled
from metalab.core.inner.base import PathStorage
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.inner.update_loop import UpdateLoop
from metalab.core.meta.anchor import ProximalAnchor
from metalab.core.meta.initialisation import Initialisation
from metalab.core.model.mlp import MLP
from metalab.core.oracle import BilevelProblem
from tests.support.oracles import estimated, initial_phi, relative_error, smooth_batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain(UpdateLoop):
    name: ClassVar[str] = "plain"
    title: ClassVar[str] = "Plain"

    def update(self, theta, grad, step):
        return theta - self.inner_lr * grad


@dataclass(frozen=True, slots=True, kw_only=True)
class Still(UpdateLoop):
    name: ClassVar[str] = "still"
    title: ClassVar[str] = "Still"

    def update(self, theta, grad, step):
        return torch.zeros_like(theta)


def oracle_of(meta, inner):
    model = MLP(input_dim=1, output_dim=1, hidden_sizes=(4,), activation="tanh")
    problem = BilevelProblem(model=model, meta=meta)
    return AutodiffOracle(problem, initial_phi(problem, inner), smooth_batch())


@pytest.mark.parametrize("estimator", [Unrolled(), ForwardMode(), FirstOrder()])
@pytest.mark.parametrize(
    "meta", [Initialisation(), ProximalAnchor(strength_is="learned")], ids=str
)
def test_descent_written_so_is_descent(meta, estimator):
    options = {"num_inner_steps": 3, "inner_lr": 0.1}
    loops = Plain(**options), GradientDescent(**options)
    found, right = (
        estimated(estimator, oracle_of(meta, loop), loop).per_task for loop in loops
    )
    assert relative_error(found, right) < 1e-12


def test_an_update_that_forgets_everything_has_no_derivative():
    inner = Still(num_inner_steps=2)
    found = estimated(Unrolled(), oracle_of(Initialisation(), inner), inner)
    assert not found.per_task.any()


def test_a_ramp_of_the_rate_and_a_path_in_parts():
    inner = Plain(num_inner_steps=3, inner_lr=0.1)
    assert inner.with_rate_factor(0.5) == Plain(num_inner_steps=3, inner_lr=0.05)
    oracle = oracle_of(Initialisation(), inner)
    whole = inner.run(oracle, num_steps=3, keep=PathStorage.GRADIENTS, keep_points=True)
    begun = inner.run(oracle, num_steps=1)
    rest = inner.run(oracle, num_steps=2, begin=begun.state, keep_points=True)
    assert torch.equal(rest.end, whole.end)
    assert [step.index for step in whole.steps] == [0, 1, 2]
    assert torch.equal(torch.stack(whole.points[1:]), torch.stack(rest.points))
    assert torch.equal(whole.steps[0].update, whole.points[0] - whole.points[1])
