"""The unrolled hypergradient is the gradient of the K-step outer loss."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from metalab.core.autodiff import AutodiffOracle
from metalab.core.hypergradient.unrolled import Unrolled
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.meta.anchor import ProximalAnchor
from metalab.core.meta.initialisation import Initialisation
from metalab.core.model.mlp import MLP
from metalab.core.oracle import BilevelProblem
from metalab.core.tasks import sample_batch
from metalab.tasks.sinusoid import Sinusoid
from tests.support.oracles import (
    FLOAT64,
    InputShift,
    central_differences,
    estimated,
    generator,
    least_squares,
    outer_objective,
    relative_error,
    smooth_batch,
)


def unrolled(problem, inner, phi, batch):
    oracle = AutodiffOracle(problem, phi, batch)
    return estimated(Unrolled(), oracle, inner)


@pytest.mark.parametrize("num_steps", [1, 5])
@pytest.mark.parametrize("activation", ["tanh", "sine"])
@pytest.mark.parametrize("hidden_sizes", [(), (6,), (5, 4), (3, 4, 3)])
def test_it_equals_central_differences(num_steps, activation, hidden_sizes):
    model = MLP(
        input_dim=1, output_dim=1, hidden_sizes=hidden_sizes, activation=activation
    )
    problem = BilevelProblem(model=model, meta=Initialisation())
    inner = GradientDescent(num_inner_steps=num_steps, inner_lr=0.1)
    batch = smooth_batch()
    phi = model.initial_parameters(generator=generator(), dtype=FLOAT64)
    slope = central_differences(outer_objective(problem, inner, batch, num_steps), phi)
    estimate = unrolled(problem, inner, phi, batch)
    assert relative_error(estimate.per_task.mean(dim=0), slope) < 1e-6


def test_it_equals_central_differences_with_more_inputs_and_outputs():
    model = MLP(input_dim=3, output_dim=2, hidden_sizes=(4,), activation="tanh")
    problem = BilevelProblem(model=model, meta=Initialisation())
    inner = GradientDescent(num_inner_steps=3, inner_lr=0.1)
    batch = smooth_batch(input_dim=3, output_dim=2)
    phi = model.initial_parameters(generator=generator(), dtype=FLOAT64)
    slope = central_differences(outer_objective(problem, inner, batch, 3), phi)
    estimate = unrolled(problem, inner, phi, batch)
    assert relative_error(estimate.per_task.mean(dim=0), slope) < 1e-6


def test_it_differentiates_through_inner_minibatches():
    model = MLP(input_dim=1, output_dim=1, hidden_sizes=(4,), activation="tanh")
    problem = BilevelProblem(model=model, meta=Initialisation())
    inner = GradientDescent(num_inner_steps=5, inner_lr=0.1, inner_batch_size=2)
    batch = smooth_batch(num_shots=5)
    phi = model.initial_parameters(generator=generator(), dtype=FLOAT64)
    slope = central_differences(outer_objective(problem, inner, batch, 5), phi)
    estimate = unrolled(problem, inner, phi, batch)
    assert relative_error(estimate.per_task.mean(dim=0), slope) < 1e-6


@pytest.mark.parametrize("num_steps", [1, 5])
@pytest.mark.parametrize("meta", [ProximalAnchor(strength=0.7), InputShift()])
def test_it_has_the_mixed_and_direct_terms(meta, num_steps):
    model = MLP(input_dim=1, output_dim=1, hidden_sizes=(5,), activation="tanh")
    problem = BilevelProblem(model=model, meta=meta)
    inner = GradientDescent(num_inner_steps=num_steps, inner_lr=0.2)
    batch = smooth_batch()
    phi = model.initial_parameters(generator=generator(), dtype=FLOAT64)
    slope = central_differences(outer_objective(problem, inner, batch, num_steps), phi)
    estimate = unrolled(problem, inner, phi, batch)
    assert relative_error(estimate.per_task.mean(dim=0), slope) < 1e-6


@pytest.mark.parametrize("num_steps", [1, 5, 40])
def test_it_equals_the_closed_form_of_least_squares(num_steps):
    known = least_squares()
    phi = torch.linspace(-1, 1, 4, dtype=FLOAT64)
    inner = GradientDescent(num_inner_steps=num_steps, inner_lr=0.05)
    estimate = unrolled(known.problem, inner, phi, known.batch)
    exact = known.hypergradient(phi, inner_lr=0.05, num_steps=num_steps)
    assert relative_error(estimate.per_task, exact) < 1e-12


def by_torch_func(network, batch, *, inner_lr, num_steps):
    """Differentiate K steps of every task with vmap and grad; share nothing with core."""
    parameters = {name: value.detach() for name, value in network.named_parameters()}

    def loss(weights, x, y):
        return nn.functional.mse_loss(
            torch.func.functional_call(network, weights, (x,)), y
        )

    def outer_loss(weights, support_x, support_y, query_x, query_y):
        for _ in range(num_steps):
            slopes = torch.func.grad(loss)(weights, support_x, support_y)
            weights = {
                name: value - inner_lr * slopes[name] for name, value in weights.items()
            }
        return loss(weights, query_x, query_y)

    return torch.func.vmap(
        torch.func.grad_and_value(outer_loss), in_dims=(None, 0, 0, 0, 0)
    )(parameters, batch.support.x, batch.support.y, batch.query.x, batch.query.y)


def as_network(model, phi):
    """Return the same network from torch's own modules, and the order of its arrays."""
    layers = []
    for inputs, outputs in pairwise(model.layer_sizes):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    network = nn.Sequential(*layers[:-1])
    parts = phi.split([block.size for block in model.blocks])
    for block, part, target in zip(
        model.blocks, parts, network.parameters(), strict=True
    ):
        values = part.view(block.shape)
        target.data = values.T.clone() if len(block.shape) == 2 else values.clone()
    return network


def flattened(slopes):
    """Return torch's arrays as rows in metalab's layout."""
    return torch.cat(
        [
            (value.transpose(1, 2) if value.dim() == 3 else value).flatten(1)
            for value in slopes.values()
        ],
        dim=1,
    )


@pytest.mark.parametrize("num_steps", [1, 5])
def test_it_equals_torch_func_in_float32(num_steps):
    model = MLP(input_dim=1, output_dim=1, hidden_sizes=(40, 40), activation="relu")
    phi = model.initial_parameters(generator=generator(), dtype=torch.float32)
    batch = sample_batch(
        Sinusoid(), 25, num_shots=10, num_queries=10, generator=generator(1)
    )
    inner = GradientDescent(num_inner_steps=num_steps, inner_lr=0.01)
    problem = BilevelProblem(model=model, meta=Initialisation())
    estimate = unrolled(problem, inner, phi, batch)
    slopes, losses = by_torch_func(
        as_network(model, phi), batch, inner_lr=0.01, num_steps=num_steps
    )
    reference = flattened(slopes)
    assert relative_error(estimate.per_task.mean(0), reference.mean(0)) < 1e-5
    assert relative_error(estimate.per_task, reference) < 1e-5
    assert relative_error(estimate.outer_loss, losses) < 1e-5
