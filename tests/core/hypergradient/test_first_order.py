"""First order: the query gradient at theta_K."""

import numpy as np
import pytest
import torch

from metalab.core.autodiff import AutodiffOracle
from metalab.core.hypergradient.first_order import FirstOrder
from metalab.core.inner.base import PathStorage
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.meta.initialisation import Initialisation
from metalab.core.model.mlp import MLP
from metalab.core.oracle import BilevelProblem
from tests.support.oracles import (
    FLOAT64,
    InputShift,
    estimated,
    generator,
    least_squares,
    relative_error,
    smooth_batch,
)


def first_order(problem, inner, phi, batch):
    oracle = AutodiffOracle(problem, phi, batch)
    return estimated(FirstOrder(), oracle, inner)


@pytest.mark.parametrize("num_steps", [1, 5])
def test_it_is_the_query_gradient_at_the_adapted_parameters(num_steps):
    model = MLP(input_dim=1, output_dim=1, hidden_sizes=(5, 4), activation="tanh")
    problem = BilevelProblem(model=model, meta=Initialisation())
    phi = model.initial_parameters(generator=generator(), dtype=FLOAT64)
    batch = smooth_batch()
    theta = phi.expand(batch.num_tasks, -1).clone()

    def loss(points, samples):
        return ((model.apply(points, samples.x) - samples.y) ** 2).mean(dim=(1, 2))

    for _ in range(num_steps):
        theta.requires_grad_()
        (slope,) = torch.autograd.grad(loss(theta, batch.support).sum(), theta)
        theta = theta.detach() - 0.1 * slope
    theta.requires_grad_()
    outer = loss(theta, batch.query)
    (reference,) = torch.autograd.grad(outer.sum(), theta)
    inner = GradientDescent(num_inner_steps=num_steps, inner_lr=0.1)
    estimate = first_order(problem, inner, phi, batch)
    assert relative_error(estimate.per_task, reference) < 1e-14
    assert relative_error(estimate.outer_loss, outer.detach()) < 1e-14


def test_its_error_is_linear_in_the_inner_lr():
    known = least_squares()
    phi = torch.linspace(-1, 1, 4, dtype=FLOAT64)
    rates = np.geomspace(1e-4, 1e-2, 9)
    errors = []
    for rate in rates:
        inner = GradientDescent(num_inner_steps=5, inner_lr=float(rate))
        estimate = first_order(known.problem, inner, phi, known.batch).per_task
        exact = known.hypergradient(phi, inner_lr=float(rate), num_steps=5)
        errors.append(relative_error(estimate, exact))
    slope = np.polyfit(np.log(rates), np.log(errors), 1)[0]
    assert slope == pytest.approx(1.0, abs=0.05)


def test_it_has_the_direct_term_where_phi_enters_the_prediction():
    model = MLP(input_dim=1, output_dim=1, hidden_sizes=(5,), activation="tanh")
    problem = BilevelProblem(model=model, meta=InputShift())
    phi = model.initial_parameters(generator=generator(), dtype=FLOAT64)
    batch = smooth_batch()
    inner = GradientDescent(num_inner_steps=3, inner_lr=0.2)
    shift = inner.run(AutodiffOracle(problem, phi, batch), num_steps=3).end
    stacked = phi.expand(batch.num_tasks, -1).clone().requires_grad_()
    prediction = model.apply(stacked, batch.query.x + shift[:, None, :])
    outer = ((prediction - batch.query.y) ** 2).mean(dim=(1, 2)).sum()
    (reference,) = torch.autograd.grad(outer, stacked)
    estimate = first_order(problem, inner, phi, batch)
    assert relative_error(estimate.per_task, reference) < 1e-14


def test_it_keeps_gradients_and_no_graph():
    assert FirstOrder.keep is PathStorage.GRADIENTS
