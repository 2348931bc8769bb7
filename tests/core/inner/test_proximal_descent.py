"""Descent to a tolerance: a task that has converged stays, and costs nothing more."""

import torch

from metalab.core.inner.base import PathStorage
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.inner.proximal_descent import ProximalDescent
from tests.support.combinations import METAS, oracle_of

CAP = 200
PLAIN = GradientDescent(num_inner_steps=CAP, inner_lr=0.2)


def norms(oracle, theta):
    grad = oracle.linearise(theta, curvature=False).grad
    return torch.linalg.vector_norm(grad, dim=1)


def test_every_task_stops_at_the_first_point_within_the_tolerance():
    inner = ProximalDescent(num_inner_steps=CAP, inner_lr=0.2, tolerance=1e-3)
    oracle = oracle_of(METAS["anchor"], inner)
    found = inner.run(oracle, num_steps=CAP, keep_points=True)
    plain = PLAIN.run(oracle, num_steps=CAP, keep_points=True)
    small = torch.stack([norms(oracle, point) <= 1e-3 for point in plain.points])
    first = small.int().argmax(dim=0)
    assert small.any(dim=0).all()
    assert len(set(first.tolist())) > 1, "tasks that stop at different steps"
    for k, point in enumerate(found.points):
        for task, stop in enumerate(first.tolist()):
            assert torch.equal(point[task], plain.points[min(k, stop)][task])


def test_the_path_is_as_long_as_asked_but_costs_only_what_it_needs():
    inner = ProximalDescent(num_inner_steps=CAP, inner_lr=0.2, tolerance=1e-3)
    oracle = oracle_of(METAS["anchor"], inner)
    path = inner.run(
        oracle, num_steps=CAP, keep=PathStorage.GRADIENTS, keep_points=True
    )
    assert path.num_steps == len(path.steps) == len(path.points) - 1 == CAP
    assert oracle.evaluations.gradients < CAP / 2


def test_a_tolerance_out_of_reach_is_plain_descent_to_the_cap():
    inner = ProximalDescent(num_inner_steps=7, inner_lr=0.2, tolerance=1e-30)
    oracle = oracle_of(METAS["anchor"], inner)
    assert torch.equal(
        inner.run(oracle, num_steps=7).end, PLAIN.run(oracle, num_steps=7).end
    )
    assert oracle.evaluations.gradients == 14
