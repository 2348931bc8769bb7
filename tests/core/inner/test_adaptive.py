"""Adam, RMSprop and Adagrad: torch's own steps, and the slope of the loss after them."""

from dataclasses import replace

import pytest
import torch

from metalab.core.autodiff import AutodiffOracle
from metalab.core.hypergradient.first_order import FirstOrder
from metalab.core.hypergradient.forward_mode import ForwardMode
from metalab.core.hypergradient.unrolled import Unrolled
from metalab.core.inner.adagrad import InnerAdagrad
from metalab.core.inner.adam import InnerAdam
from metalab.core.inner.adaptive import root
from metalab.core.inner.base import PathStorage
from metalab.core.inner.rmsprop import InnerRMSprop
from metalab.core.inner.update_loop import Here
from metalab.core.meta.initialisation import Initialisation
from metalab.core.model.mlp import MLP
from metalab.core.oracle import BilevelProblem
from tests.support.oracles import (
    FLOAT64,
    central_differences,
    estimated,
    initial_phi,
    outer_objective,
    relative_error,
    smooth_batch,
)

LOOPS = [
    pytest.param(
        InnerAdam(num_inner_steps=5, inner_lr=0.05, inner_beta1=0.8, inner_beta2=0.9),
        lambda theta: torch.optim.Adam([theta], lr=0.05, betas=(0.8, 0.9)),
        id="adam",
    ),
    pytest.param(
        InnerRMSprop(num_inner_steps=5, inner_lr=0.05, inner_decay=0.9),
        lambda theta: torch.optim.RMSprop([theta], lr=0.05, alpha=0.9),
        id="rmsprop",
    ),
    pytest.param(
        InnerAdagrad(num_inner_steps=5, inner_lr=0.05, inner_epsilon=1e-10),
        lambda theta: torch.optim.Adagrad([theta], lr=0.05),
        id="adagrad",
    ),
]


def problem_and_oracle(inner, activation="tanh"):
    model = MLP(input_dim=1, output_dim=1, hidden_sizes=(4, 3), activation=activation)
    problem = BilevelProblem(model=model, meta=Initialisation())
    phi = initial_phi(problem, inner)
    return problem, phi, AutodiffOracle(problem, phi, smooth_batch())


@pytest.mark.parametrize(("inner", "torchs"), LOOPS)
def test_its_steps_are_torchs(inner, torchs):
    problem, phi, oracle = problem_and_oracle(inner)
    found = inner.run(oracle, num_steps=5).end
    for task in range(oracle.num_tasks):
        support = smooth_batch().rows(task, task + 1).support
        theta = phi[None].clone().requires_grad_()
        optimizer = torchs(theta)
        for _ in range(5):
            optimizer.zero_grad()
            problem.inner_loss(theta, phi[None], support).sum().backward()
            optimizer.step()
        assert relative_error(found[task], theta[0].detach()) < 1e-12


@pytest.mark.parametrize("epsilon", [1e-2, 0.1])
@pytest.mark.parametrize("num_steps", [1, 5])
@pytest.mark.parametrize(("inner", "torchs"), LOOPS)
def test_hypergradients_are_central_differences(inner, torchs, num_steps, epsilon):
    del torchs
    inner = replace(inner, inner_epsilon=epsilon, num_inner_steps=num_steps)
    problem, phi, oracle = problem_and_oracle(inner)
    objective = outer_objective(problem, inner, smooth_batch(), num_steps)
    exact = estimated(Unrolled(), oracle, inner).per_task
    slope = central_differences(objective, phi)
    assert relative_error(exact.mean(dim=0), slope) < 1e-6
    forwards = estimated(ForwardMode(), oracle, inner).per_task
    assert relative_error(forwards, exact) < 1e-10


@pytest.mark.parametrize(("inner", "torchs"), LOOPS)
def test_a_first_step_is_a_sign_whose_slope_is_that_of_theta_alone(inner, torchs):
    """With an epsilon far below the gradients no second derivative passes."""
    del torchs
    inner = replace(inner, num_inner_steps=1)
    _, _, oracle = problem_and_oracle(inner)
    exact = estimated(Unrolled(), oracle, inner).per_task
    first_order = estimated(FirstOrder(), oracle, inner).per_task
    assert relative_error(first_order, exact) < 1e-4


@pytest.mark.parametrize(("inner", "torchs"), LOOPS)
def test_units_that_are_dead_leave_finite_derivatives(inner, torchs):
    del torchs
    problem, phi, _ = problem_and_oracle(inner, "relu")
    phi = phi.clone()
    phi[4:8] = -100.0  # the biases of the first layer
    oracle = AutodiffOracle(problem, phi, smooth_batch())
    grad = inner.run(oracle, num_steps=1, keep=PathStorage.GRADIENTS).steps[0]
    assert int((grad.linearisation.grad == 0).sum()) > 20
    for estimator in (Unrolled(), ForwardMode(), FirstOrder()):
        found = estimated(estimator, oracle, inner).per_task
        assert bool(found.isfinite().all())


@pytest.mark.parametrize(("inner", "torchs"), LOOPS)
def test_a_path_in_parts_goes_on_with_its_memory(inner, torchs):
    del torchs
    _, _, oracle = problem_and_oracle(inner)
    whole = inner.run(oracle, num_steps=5)
    begun = inner.run(oracle, num_steps=2).state
    assert begun.memory is not None
    assert bool((begun.memory != 0).any())
    rest = inner.run(oracle, num_steps=3, begin=begun)
    assert torch.equal(rest.end, whole.end)


def test_the_root_is_torchs_but_for_its_slope_at_zero():
    square = torch.tensor([0.0, 1e-300, 0.25, 9.0], dtype=FLOAT64, requires_grad=True)
    found = root(square)
    assert torch.equal(found.detach(), square.detach().sqrt())
    (slope,) = torch.autograd.grad(found.sum(), square)
    assert slope.tolist() == [0.0, *(0.5 / square.detach()[1:].sqrt()).tolist()]


def test_limits_come_before_the_means():
    """Clipping by norm, then weight decay, as in torch's loops."""
    inner = InnerRMSprop(
        num_inner_steps=1,
        inner_lr=1.0,
        inner_epsilon=1.0,
        inner_decay=0.0,
        inner_clip_norm=2.5,
        inner_weight_decay=0.5,
    )
    here = Here(
        theta=torch.tensor([[1.0, 2.0]]),
        grad=torch.tensor([[3.0, 4.0]]),
        memory=torch.zeros(1, 2),
        learned=torch.zeros(1, 0),
        step=0,
        blocks=(),
    )
    theta, memory = inner.advance(here)
    # (3, 4) has norm 5: halved to (1.5, 2), and half of theta added.
    assert memory.tolist() == [[4.0, 9.0]]
    expected = torch.tensor([[1.0 - 2.0 / 3.0, 2.0 - 3.0 / 4.0]])
    assert torch.allclose(theta, expected, rtol=1e-6)
