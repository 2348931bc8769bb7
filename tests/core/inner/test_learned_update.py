"""The learned update rule: descent at first, then whatever its network says."""

from dataclasses import replace

import pytest
import torch

from metalab.core.autodiff import AutodiffOracle
from metalab.core.hypergradient.unrolled import Unrolled
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.inner.learned_update import LearnedUpdate
from metalab.core.inner.update_loop import Here
from metalab.core.meta.initialisation import Initialisation
from metalab.core.model.mlp import MLP
from metalab.core.oracle import BilevelProblem
from tests.support.oracles import (
    FLOAT64,
    central_differences,
    estimated,
    generator,
    initial_phi,
    outer_objective,
    relative_error,
    smooth_batch,
)

PROBLEM = BilevelProblem(
    model=MLP(input_dim=1, output_dim=1, hidden_sizes=(4,), activation="tanh"),
    meta=Initialisation(),
)


def random(*shape):
    return torch.randn(*shape, generator=generator(3), dtype=FLOAT64)


def test_untrained_it_is_descent():
    inner = LearnedUpdate(num_inner_steps=3, inner_lr=0.1)
    oracle = AutodiffOracle(PROBLEM, initial_phi(PROBLEM, inner), smooth_batch())
    plain = GradientDescent(num_inner_steps=3, inner_lr=0.1)
    paths = [loop.run(oracle, num_steps=3).end for loop in (inner, plain)]
    assert torch.equal(*paths)


def here_of(learned, grad=None):
    return Here(
        theta=random(1, 4),
        grad=2.0 * random(1, 4) + 1.0 if grad is None else grad,
        memory=random(1, 4),
        learned=learned,
        step=3,
        blocks=(),
    )


def test_a_step_is_the_networks_at_each_parameter():
    inner = LearnedUpdate(inner_lr=0.1, num_hidden_units=2, mean_share=0.8)
    learned = random(1, inner.meta_dim(()))
    here = here_of(learned)
    theta, mean = inner.advance(here)
    first, bias, last, shift = learned[0].split((6, 2, 2, 1))
    scale = here.grad.square().mean().sqrt()
    for i in range(4):
        g = here.grad[0, i]
        m = 0.8 * here.memory[0, i] + 0.2 * g
        seen = torch.stack([g / scale, m / scale, here.theta[0, i]])
        out = torch.tanh(seen @ first.reshape(3, 2) + bias) @ last + shift[0]
        expected = here.theta[0, i] - 0.1 * (g + scale * out)
        assert torch.allclose(theta[0, i], expected, rtol=1e-13)
        assert torch.allclose(mean[0, i], m, rtol=1e-14)


def test_it_scales_with_the_loss():
    """A loss times 1000 and a step size divided by it: the same rule."""
    inner = LearnedUpdate(inner_lr=0.1)
    here = here_of(random(1, inner.meta_dim(())))
    large = replace(here, grad=1000 * here.grad, memory=1000 * here.memory)
    smaller = replace(inner, inner_lr=1e-4)
    assert torch.allclose(inner.advance(here)[0], smaller.advance(large)[0], rtol=1e-12)


@pytest.mark.parametrize("num_steps", [1, 5])
def test_hypergradients_are_central_differences(num_steps):
    inner = LearnedUpdate(
        num_inner_steps=num_steps, inner_lr=0.1, num_hidden_units=3, mean_share=0.5
    )
    phi = initial_phi(PROBLEM, inner)
    phi[PROBLEM.meta_dim :] += 0.3 * random(len(phi) - PROBLEM.meta_dim)
    oracle = AutodiffOracle(PROBLEM, phi, smooth_batch())
    slope = central_differences(
        outer_objective(PROBLEM, inner, smooth_batch(), num_steps), phi
    )
    exact = estimated(Unrolled(), oracle, inner).per_task.mean(dim=0)
    assert relative_error(exact, slope) < 1e-6


def test_a_gradient_of_zero_moves_nothing_and_has_a_derivative():
    inner = LearnedUpdate(inner_lr=0.1)
    grad = torch.zeros(1, 4, dtype=FLOAT64, requires_grad=True)
    here = here_of(random(1, inner.meta_dim(())), grad)
    theta, _ = inner.advance(replace(here, memory=torch.zeros_like(here.memory)))
    assert torch.allclose(theta, here.theta, atol=1e-7)
    (slope,) = torch.autograd.grad(theta.sum(), grad)
    assert bool(slope.isfinite().all())
