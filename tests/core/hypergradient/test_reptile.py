"""Reptile's direction: the sum of the inner gradients, times the inner lr."""

import pytest
import torch

from metalab.core.autodiff import AutodiffOracle
from metalab.core.hypergradient.reptile import Reptile
from metalab.core.inner.base import PathStorage
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.learner import MetaLearner, MetaState
from metalab.core.meta.base import PhiRole
from metalab.core.meta.initialisation import Initialisation
from metalab.core.model.mlp import MLP
from metalab.core.objective import OuterObjective
from metalab.core.oracle import BilevelProblem
from metalab.core.outer import SGD
from metalab.core.streams import RandomStreams
from tests.support.oracles import (
    FLOAT64,
    estimated,
    generator,
    least_squares,
    relative_error,
    smooth_batch,
)

MODEL = MLP(input_dim=1, output_dim=1, hidden_sizes=(5, 4), activation="tanh")
PROBLEM = BilevelProblem(model=MODEL, meta=Initialisation())


def start():
    return MODEL.initial_parameters(generator=generator(), dtype=FLOAT64)


def reptile(problem, inner, phi, batch):
    oracle = AutodiffOracle(problem, phi, batch)
    return estimated(Reptile(), oracle, inner)


def slope_at(theta, samples):
    point = theta.detach().clone().requires_grad_()
    loss = ((MODEL.apply(point, samples.x) - samples.y) ** 2).mean(dim=(1, 2)).sum()
    return torch.autograd.grad(loss, point)[0]


@pytest.mark.parametrize("num_steps", [1, 5])
def test_it_is_the_sum_of_the_inner_gradients(num_steps):
    batch, phi = smooth_batch(), start()
    theta = phi.expand(batch.num_tasks, -1)
    total = torch.zeros_like(theta)
    for _ in range(num_steps):
        slope = slope_at(theta, batch.support)
        total = total + slope
        theta = theta - 0.1 * slope
    inner = GradientDescent(num_inner_steps=num_steps, inner_lr=0.1)
    estimate = reptile(PROBLEM, inner, phi, batch)
    assert relative_error(estimate.per_task, 0.1 * total) < 1e-13


def test_it_is_the_way_back_to_the_start_in_closed_form():
    known = least_squares()
    phi = torch.linspace(-1, 1, 4, dtype=FLOAT64)
    inner = GradientDescent(num_inner_steps=7, inner_lr=0.05)
    adapted = known.adapted(phi, inner_lr=0.05, num_steps=7)
    estimate = reptile(known.problem, inner, phi, known.batch)
    assert relative_error(estimate.per_task, phi - adapted) < 1e-12


def test_one_step_is_joint_training():
    """G12: with K = 1 the direction is that of the joint support loss."""
    batch, phi = smooth_batch(num_tasks=6), start()
    inner = GradientDescent(num_inner_steps=1, inner_lr=0.1)
    direction = reptile(PROBLEM, inner, phi, batch).per_task.mean(dim=0)
    joint = slope_at(phi.expand(batch.num_tasks, -1), batch.support).mean(dim=0)
    cosine = torch.dot(direction, joint) / (direction.norm() * joint.norm())
    assert 1 - float(cosine) < 1e-12


def test_the_query_set_moves_nothing():
    batch, phi = smooth_batch(), start()
    other = smooth_batch(seed=9)
    mixed = type(batch)(
        parameters=batch.parameters, support=batch.support, query=other.query
    )
    inner = GradientDescent(num_inner_steps=3, inner_lr=0.1)
    one = reptile(PROBLEM, inner, phi, batch)
    two = reptile(PROBLEM, inner, phi, mixed)
    assert torch.equal(one.per_task, two.per_task)
    assert not torch.equal(one.outer_loss, two.outer_loss)


def test_plain_descent_moves_phi_a_share_of_the_way():
    """phi + epsilon * mean(theta_K - phi): algorithm 1 of Nichol et al. 2018."""
    batch, phi = smooth_batch(), start()
    inner = GradientDescent(num_inner_steps=4, inner_lr=0.1)
    learner = MetaLearner(
        problem=PROBLEM,
        inner=inner,
        hypergradient=Reptile(),
        outer=SGD(outer_lr=0.25),
        num_steps=1,
        objective=OuterObjective(),
    )
    state = MetaState(step=0, phi=phi, slots=())
    adapted = inner.run(AutodiffOracle(PROBLEM, phi, batch), num_steps=4).end
    expected = phi + 0.25 * (adapted.mean(dim=0) - phi)
    assert (
        relative_error(learner.step(state, batch, RandomStreams(0)).state.phi, expected)
        < 1e-14
    )


def test_it_needs_only_the_ends_of_the_path():
    assert Reptile.keep is PathStorage.END
    assert Reptile.learns == {PhiRole.START}
