"""The learned preconditioner: descent at first, then a product of Kronecker factors."""

import pytest
import torch

from metalab.core.autodiff import AutodiffOracle
from metalab.core.hypergradient.first_order import FirstOrder
from metalab.core.hypergradient.unrolled import Unrolled
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.inner.meta_curvature import MetaCurvature
from metalab.core.inner.update_loop import Here
from metalab.core.meta.initialisation import Initialisation
from metalab.core.model.base import ParameterBlock
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

MODEL = MLP(input_dim=1, output_dim=1, hidden_sizes=(4, 3), activation="tanh")
PROBLEM = BilevelProblem(model=MODEL, meta=Initialisation())


def random(*shape):
    return torch.randn(*shape, generator=generator(3), dtype=FLOAT64)


def test_untrained_it_is_descent():
    inner = MetaCurvature(num_inner_steps=3, inner_lr=0.1)
    oracle = AutodiffOracle(PROBLEM, initial_phi(PROBLEM, inner), smooth_batch())
    plain = GradientDescent(num_inner_steps=3, inner_lr=0.1)
    paths = [loop.run(oracle, num_steps=3).end for loop in (inner, plain)]
    assert relative_error(*paths) < 1e-14


def test_of_the_sine_network_there_is_a_matrix_for_every_axis():
    blocks = MODEL.blocks
    assert [block.shape for block in blocks[:2]] == [(1, 4), (4,)]
    sizes = [1, 4, 4, 4, 3, 3, 3, 1, 1]
    assert MetaCurvature().meta_dim(blocks) == sum(size**2 for size in sizes)


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 2), (2, 2, 2, 2), ()])
def test_a_step_is_the_kronecker_product_of_the_matrices(shape):
    block = ParameterBlock(name="weight", layer=0, shape=shape, start=0)
    inner = MetaCurvature(inner_lr=0.5)
    num_rates = inner.meta_dim((block,))
    axes = [4 if n == 2 and len(shape) == 4 else size for n, size in enumerate(shape)]
    axes = axes[:3] or [1]
    assert num_rates == sum(size**2 for size in axes)
    grad, theta = random(2, block.size), random(2, block.size)
    learned = random(2, num_rates)
    here = Here(
        theta=theta,
        grad=grad,
        memory=theta.new_zeros(2, 0),
        learned=learned,
        step=0,
        blocks=(block,),
    )
    found, _ = inner.advance(here)
    for task in range(2):
        whole, read = torch.ones(1, 1, dtype=FLOAT64), 0
        for size in axes:
            factor = learned[task, read : read + size**2].reshape(size, size)
            whole, read = torch.kron(whole, factor), read + size**2
        expected = theta[task] - 0.5 * grad[task] @ whole
        assert relative_error(found[task], expected) < 1e-13


@pytest.mark.parametrize("num_steps", [1, 5])
def test_hypergradients_are_central_differences(num_steps):
    inner = MetaCurvature(num_inner_steps=num_steps, inner_lr=0.1)
    phi = initial_phi(PROBLEM, inner)
    phi[PROBLEM.meta_dim :] += 0.2 * random(len(phi) - PROBLEM.meta_dim)
    oracle = AutodiffOracle(PROBLEM, phi, smooth_batch())
    slope = central_differences(
        outer_objective(PROBLEM, inner, smooth_batch(), num_steps), phi
    )
    exact = estimated(Unrolled(), oracle, inner).per_task.mean(dim=0)
    assert relative_error(exact, slope) < 1e-6
    if num_steps == 1:
        # Of one step, no second derivative leads to the preconditioner.
        straight = estimated(FirstOrder(), oracle, inner).per_task.mean(dim=0)
        own = slice(PROBLEM.meta_dim, None)
        assert relative_error(straight[own], exact[own]) < 1e-12
