"""The arithmetic of a descent step and of its derivative, shared by the loops."""

from collections.abc import Callable

import torch
from torch import Tensor

from metalab.core.inner.base import Cotangent, InnerPath, InnerState, InnerStep, Keep
from metalab.core.oracle import InnerOracle

RateOf = Callable[[int], "Tensor | float"]
"""Learning rate at inner step k: a number, or [task, 1] or [task, inner]."""


def minibatch(step: int, batch_size: int, num_shots: int) -> slice:
    """Return the support points of one step: cyclic blocks; 0 takes all points."""
    if batch_size == 0 or batch_size >= num_shots:
        return slice(None)
    num_blocks = -(-num_shots // batch_size)
    start = (step % num_blocks) * batch_size
    return slice(start, start + batch_size)


def descend(  # noqa: PLR0913 - the parts of one rule
    oracle: InnerOracle,
    *,
    num_steps: int,
    begin: InnerState | None,
    rate: RateOf,
    momentum: float,
    batch_size: int,
    keep: Keep,
    keep_points: bool,
) -> InnerPath:
    """Take heavy-ball steps m <- momentum m + grad, theta <- theta - rate m.

    Args:
        oracle: The meta-batch.
        num_steps: Steps to take.
        begin: Where to go on from; None starts at theta_0.
        rate: Learning rate of each step.
        momentum: Share of the velocity that is kept; 0 is plain descent.
        batch_size: Support points of a step; 0 takes all.
        keep: What the path holds for a hypergradient estimator.
        keep_points: Whether the path holds every theta_k.
    """
    if begin is None:
        theta = oracle.start()
        velocity = torch.zeros_like(theta) if momentum > 0 else None
        begin = InnerState(index=0, theta=theta, velocity=velocity)
    theta, velocity = begin.theta, begin.velocity
    points = [theta]
    steps: list[InnerStep] = []
    end = begin.index + num_steps
    for k in range(begin.index, end):
        around = oracle.linearise(
            theta,
            minibatch=minibatch(k, batch_size, oracle.num_shots),
            curvature=keep is Keep.GRAPH,
        )
        before = velocity
        update = around.grad
        if velocity is not None:
            update = velocity = torch.add(around.grad, velocity, alpha=momentum)
        if keep is not Keep.END:
            steps.append(
                InnerStep(
                    index=k, start=theta, velocity=before, update=update, around=around
                )
            )
        theta = scaled_difference(theta, update, rate(k))
        if keep_points:
            points.append(theta)
    return InnerPath(
        begin=begin,
        state=InnerState(index=end, theta=theta, velocity=velocity),
        points=tuple(points) if keep_points else (),
        steps=tuple(steps),
    )


def scaled_difference(theta: Tensor, update: Tensor, rate: Tensor | float) -> Tensor:
    """Return theta - rate * update."""
    if isinstance(rate, Tensor):
        return torch.addcmul(theta, rate, update, value=-1.0)
    return theta.sub(update, alpha=rate)


def through_update(
    v: Cotangent, rate: Tensor | float, momentum: float
) -> tuple[Tensor, Tensor | None]:
    """Return the cotangents of the gradient and of the velocity before the step.

    With m' = momentum m + g and theta' = theta - rate m', the cotangent of m' gathers
    what comes through theta' and what comes through the velocity of the next step.
    """
    of_update = v.theta * -rate
    if v.velocity is not None:
        of_update = of_update + v.velocity
    return of_update, of_update * momentum if momentum > 0 else None
