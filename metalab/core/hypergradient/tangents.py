"""Derivatives of the outer loss along directions of phi, carried forward."""

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.hypergradient.base import EstimateContext
from metalab.core.inner.base import InnerLoop, InnerPath, PathStorage, Tangent
from metalab.core.oracle import InnerOracle


def slopes_along(
    oracle: InnerOracle,
    inner: InnerLoop,
    path: InnerPath,
    request: EstimateContext,
    directions: Float[Tensor, "direction meta"],
) -> Float[Tensor, "direction task"]:
    """Return the slope of each task's outer loss along each direction.

    The inner path is walked once more, one linearisation at a time, so that memory holds
    one tangent a direction and does not grow with K.
    """
    rows = [u[None] for u in directions]
    memory = path.state.memory
    memory = None if memory is None else torch.zeros_like(memory)
    tangents = [Tangent(theta=oracle.start_pushforward(u), memory=memory) for u in rows]
    weights = request.weights or (*[0.0] * path.num_steps, 1.0)
    total = path.end.new_zeros(len(rows), oracle.num_tasks)
    state = path.begin
    for k, weight in enumerate(weights):
        if weight != 0.0:
            total += weight * _slopes(oracle, state.theta, rows, tangents)
        if k < path.num_steps:
            walked = inner.run(oracle, num_steps=1, begin=state, keep=PathStorage.GRAPH)
            tangents = [
                inner.pushforward(oracle, walked.steps[0], u, t)
                for u, t in zip(rows, tangents, strict=True)
            ]
            state = walked.state
    return total


def _slopes(
    oracle: InnerOracle, theta: Tensor, rows: list[Tensor], tangents: list[Tangent]
) -> Tensor:
    outer = oracle.outer_value_and_grad(theta)
    slopes: list[Tensor] = []
    for u, t in zip(rows, tangents, strict=True):
        slope = (outer.grad * t.theta).sum(dim=1)
        if outer.direct is not None:
            slope = slope + (outer.direct * u).sum(dim=1)
        slopes.append(slope)
    return torch.stack(slopes)
