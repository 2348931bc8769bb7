"""Gradient descent on the support set."""

import pytest
import torch

from metalab.core.autodiff import AutodiffOracle
from metalab.core.inner.base import PathStorage
from metalab.core.inner.descent import clipped, through_clip
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.meta.initialisation import Initialisation
from metalab.core.model.mlp import MLP
from metalab.core.oracle import BilevelProblem
from tests.support.oracles import (
    FLOAT64,
    generator,
    least_squares,
    relative_error,
    smooth_batch,
)

MODEL = MLP(input_dim=1, output_dim=1, hidden_sizes=(4,), activation="tanh")
PROBLEM = BilevelProblem(model=MODEL, meta=Initialisation())


def oracle_of(batch):
    phi = MODEL.initial_parameters(generator=generator(), dtype=FLOAT64)
    return AutodiffOracle(PROBLEM, phi, batch)


@pytest.mark.parametrize("num_steps", [0, 1, 5, 60])
def test_it_follows_the_closed_form_of_least_squares(num_steps):
    known = least_squares()
    phi = torch.linspace(-1, 1, 4, dtype=FLOAT64)
    inner = GradientDescent(num_inner_steps=1, inner_lr=0.05)
    oracle = AutodiffOracle(known.problem, phi, known.batch)
    end = inner.run(oracle, num_steps=num_steps).end
    exact = known.adapted(phi, inner_lr=0.05, num_steps=num_steps)
    assert relative_error(end, exact) < 1e-13


def test_it_diverges_beyond_twice_the_inverse_curvature_and_not_before():
    known = least_squares()
    phi = torch.linspace(-1, 1, 4, dtype=FLOAT64)
    oracle = AutodiffOracle(known.problem, phi, known.batch)
    limit = 2 / known.largest_curvature()
    start = oracle.support_loss(oracle.start()).max()
    for factor, grows in ((0.95, False), (1.05, True)):
        inner = GradientDescent(inner_lr=factor * limit)
        end = inner.run(oracle, num_steps=400).end
        assert bool(oracle.support_loss(end).max() > start) is grows


@pytest.mark.parametrize(
    ("size", "num_shots", "blocks"),
    [
        (0, 6, [(0, 6), (0, 6)]),
        (6, 6, [(0, 6), (0, 6)]),
        (9, 6, [(0, 6), (0, 6)]),
        (2, 6, [(0, 2), (2, 4), (4, 6), (0, 2), (2, 4)]),
        (4, 6, [(0, 4), (4, 6), (0, 4)]),
        (5, 6, [(0, 5), (5, 6), (0, 5)]),
        (1, 2, [(0, 1), (1, 2), (0, 1)]),
    ],
)
def test_inner_minibatches_go_round_every_point(size, num_shots, blocks):
    """K beyond the number of blocks starts over; the last block may be smaller."""
    batch = smooth_batch(num_shots=num_shots)
    inner = GradientDescent(inner_lr=0.1, inner_batch_size=size)
    theta = oracle_of(batch).start()
    for first, last in blocks:
        point = theta.detach().clone().requires_grad_()
        residual = MODEL.apply(point, batch.support.x[:, first:last])
        residual = residual - batch.support.y[:, first:last]
        (slope,) = torch.autograd.grad((residual**2).mean(dim=(1, 2)).sum(), point)
        theta = theta - 0.1 * slope
    end = inner.run(oracle_of(batch), num_steps=len(blocks)).end
    assert relative_error(end, theta) < 1e-14


def test_a_path_holds_what_was_asked_for():
    inner = GradientDescent(num_inner_steps=3, inner_lr=0.1)
    bare = inner.run(oracle_of(smooth_batch()), num_steps=3)
    assert bare.points == ()
    assert bare.steps == ()
    full = inner.run(
        oracle_of(smooth_batch()), num_steps=3, keep=PathStorage.GRAPH, keep_points=True
    )
    assert [step.index for step in full.steps] == [0, 1, 2]
    assert all(map(torch.equal, full.points, [step.start for step in full.steps]))
    assert len(full.points) == 4
    assert torch.equal(full.points[0], full.start)
    assert torch.equal(full.points[-1], full.end)
    assert torch.equal(full.end, bare.end)


def test_more_steps_go_through_the_same_points():
    inner = GradientDescent(num_inner_steps=1, inner_lr=0.1, inner_batch_size=2)
    short = inner.run(oracle_of(smooth_batch()), num_steps=2)
    long = inner.run(oracle_of(smooth_batch()), num_steps=6, keep_points=True)
    assert torch.equal(long.points[2], short.end)


def test_momentum_is_that_of_torch():
    batch = smooth_batch()
    inner = GradientDescent(inner_lr=0.1, momentum=0.8)
    end = inner.run(oracle_of(batch), num_steps=6).end
    theta = oracle_of(batch).start().clone().requires_grad_()
    optimizer = torch.optim.SGD([theta], lr=0.1, momentum=0.8)
    for _ in range(6):
        optimizer.zero_grad()
        residual = MODEL.apply(theta, batch.support.x) - batch.support.y
        (residual**2).mean(dim=(1, 2)).sum().backward()
        optimizer.step()
    assert relative_error(end, theta.detach()) < 1e-13


@pytest.mark.parametrize("momentum", [0.0, 0.8])
def test_a_path_goes_on_where_another_ended(momentum):
    """Velocity and minibatches included."""
    inner = GradientDescent(inner_lr=0.1, momentum=momentum, inner_batch_size=2)
    oracle = oracle_of(smooth_batch())
    whole = inner.run(oracle, num_steps=7, keep=PathStorage.GRADIENTS)
    first = inner.run(oracle, num_steps=3)
    rest = inner.run(oracle, num_steps=4, begin=first.state, keep=PathStorage.GRADIENTS)
    assert torch.equal(rest.end, whole.end)
    assert [step.index for step in rest.steps] == [3, 4, 5, 6]
    assert (first.num_steps, rest.num_steps) == (3, 4)
    assert rest.steps[0].linearisation.loss.equal(whole.steps[3].linearisation.loss)


def test_gradients_are_clipped_by_the_norm_of_each_task_as_torch_clips():
    """torch.nn.utils.clip_grad_norm_, task by task; its eps shows in the sixth digit."""
    grads = torch.randn(5, 7, generator=generator(3), dtype=torch.float64)
    grads[0] *= 0.01
    found = clipped(grads, 1.5)
    for mine, grad in zip(found, grads, strict=True):
        parameter = torch.nn.Parameter(torch.zeros_like(grad))
        parameter.grad = grad.clone()
        torch.nn.utils.clip_grad_norm_([parameter], 1.5)
        assert torch.allclose(mine, parameter.grad, rtol=1e-5)
    assert torch.equal(found[0], grads[0]), "a small one stays as it is, to the bit"
    assert clipped(grads, 0.0) is grads


def test_the_derivative_of_clipping_is_torch_s():
    grads = 2 * torch.randn(4, 6, generator=generator(4), dtype=torch.float64)
    grads[0] *= 0.01
    v = torch.randn(4, 6, generator=generator(5), dtype=torch.float64)
    _, theirs = torch.autograd.functional.vjp(lambda g: clipped(g, 1.5), grads, v)
    assert torch.allclose(through_clip(v, grads, 1.5), theirs, rtol=1e-12, atol=1e-14)
    _, forward = torch.autograd.functional.jvp(lambda g: clipped(g, 1.5), grads, v)
    assert torch.allclose(through_clip(v, grads, 1.5), forward, rtol=1e-12, atol=1e-14)
    nothing = torch.zeros(2, 3, dtype=torch.float64)
    assert torch.isfinite(through_clip(nothing + 1, nothing, 1.5)).all()


@pytest.mark.parametrize("momentum", [0.0, 0.8])
def test_weight_decay_is_that_of_torch_sgd_after_clipping(momentum):
    """Torch's own optimiser and clipping, task by task, on the same sets."""
    batch = smooth_batch()
    oracle = oracle_of(batch)
    inner = GradientDescent(
        num_inner_steps=6,
        inner_lr=0.05,
        momentum=momentum,
        inner_clip_norm=0.5,
        inner_weight_decay=0.3,
    )
    end = inner.run(oracle, num_steps=6).end
    for task, theta in enumerate(oracle.start()):
        own = theta.clone().requires_grad_()
        descent = torch.optim.SGD([own], lr=0.05, momentum=momentum, weight_decay=0.3)
        for _ in range(6):
            descent.zero_grad()
            predicted = MODEL.apply(own[None], batch.support.x[task : task + 1])
            (predicted - batch.support.y[task]).square().mean().backward()
            torch.nn.utils.clip_grad_norm_([own], 0.5)
            descent.step()
        # Torch's clipping adds 1e-6 to the norm.
        assert relative_error(end[task], own.detach()) < 1e-5


def test_without_a_gradient_decay_shrinks_geometrically():
    known = least_squares()
    phi = torch.linspace(-1, 1, 4, dtype=FLOAT64)
    batch = known.batch
    oracle = AutodiffOracle(known.problem, phi, batch)
    inner = GradientDescent(inner_lr=0.1, inner_weight_decay=2.0, inner_clamp=1e-15)
    end = inner.run(oracle, num_steps=5).end
    assert relative_error(end, phi.expand_as(end) * 0.8**5) < 1e-12
