"""The exact solution of an inner problem, and the hypergradient there.

The reference for estimators that differentiate the solution: it knows nothing of inner
loops, and says how far it is from what it stands for.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from metalab.core.linear_solve import conjugate_gradient, dense
from metalab.core.oracle import InnerOracle, Linearisation

TOLERANCE = 1e-10
"""Gradient at the solution, and residual of the linear system, relative."""

MOST_NEWTON_STEPS = 30
MOST_CG_ROUNDS = 20
CG_ITERATIONS = 25
"""Of one Newton step, and of one round of the linear system."""

DENSE_DIM = 200
"""Up to this many inner parameters the Hessian is formed."""

_CG_TOLERANCE = 1e-6
_SUFFICIENT_DECREASE = 1e-4
_MOST_HALVINGS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SolutionHypergradient:
    """The hypergradient at the solution of each task's inner problem.

    Attributes:
        per_task: One row a task, [task, meta].
        gradient_left: ||grad of the inner loss|| there over that at theta_0, [task].
        residual: ||H q - v|| / ||v|| of the linear system, [task].
    """

    per_task: Tensor
    gradient_left: Tensor
    residual: Tensor

    @property
    def is_solved(self) -> Tensor:
        """Whether a task's inner problem has been solved to `TOLERANCE`, [task]."""
        return self.gradient_left <= TOLERANCE


def solution_hypergradient(oracle: InnerOracle) -> SolutionHypergradient:
    """Return grad_phi f - B^T H^-1 grad_theta f at the minimum of the inner loss.

    The minimum is the one that Newton's method reaches from theta_0. Where the network
    has kinks (relu) so has the inner loss; a minimum that lies on one has no vanishing
    gradient, and what is returned is the formula close by. `gradient_left` tells.

    Args:
        oracle: A meta-batch, where phi shapes a regularised inner problem.
    """
    start = oracle.start()
    theta = _minimum(oracle, start)
    outer = oracle.outer_value_and_grad(theta)
    assert outer.direct is not None, "phi must shape the inner loss"
    around = oracle.linearise(theta, curvature=True)
    q = _solved(around, outer.grad)
    first = oracle.linearise(start, curvature=False).grad.norm(dim=1)
    return SolutionHypergradient(
        per_task=outer.direct - around.mixed_vjp(q),
        gradient_left=_ratio(around.grad.norm(dim=1), first),
        residual=_ratio(
            (around.hvp(q) - outer.grad).norm(dim=1), outer.grad.norm(dim=1)
        ),
    )


def _ratio(left: Tensor, whole: Tensor) -> Tensor:
    # Nothing left of nothing: the task starts at its solution.
    return torch.where(left == 0, left, left / whole)


def _solved(around: Linearisation, v: Tensor) -> Tensor:
    """Return q with H q = v: directly, or by rounds of conjugate gradients.

    A task keeps its best round.
    """
    if v.shape[1] <= DENSE_DIM:
        return dense(around.hvp, v)
    q, residual = torch.zeros_like(v), v
    left = v.norm(dim=1, keepdim=True)
    limit = TOLERANCE * left
    for _ in range(MOST_CG_ROUNDS):
        # The solver never looks whether it is done; between rounds there is time to.
        found = conjugate_gradient(
            around.hvp, residual, num_iterations=CG_ITERATIONS, tolerance=_CG_TOLERANCE
        )
        tried = q + found.q
        remaining = v - around.hvp(tried)
        norm = remaining.norm(dim=1, keepdim=True)
        better = norm < left
        q = torch.where(better, tried, q)
        residual = torch.where(better, remaining, residual)
        left = torch.where(better, norm, left)
        if not bool((better & (left > limit)).any()):
            break
    return q


def _minimum(oracle: InnerOracle, theta: Tensor) -> Tensor:
    """Return where Newton's method comes to rest, [task, inner].

    Each task stops by itself; one that meets a kink of its loss may never come to rest.
    """
    limit: Tensor | None = None
    for _ in range(MOST_NEWTON_STEPS):
        around = oracle.linearise(theta, curvature=True)
        norm = around.grad.norm(dim=1, keepdim=True)
        limit = TOLERANCE * norm if limit is None else limit
        active = norm > limit
        if not bool(active.any()):
            break
        direction = torch.where(active, _newton_direction(around), 0.0)
        following = _descended(oracle, around, direction)
        if torch.equal(following, theta):
            break
        theta = following
    return theta


def _newton_direction(around: Linearisation) -> Tensor:
    """Return -H^-1 grad, or -grad where that does not lead downhill."""
    direction = conjugate_gradient(
        around.hvp,
        -around.grad,
        num_iterations=CG_ITERATIONS,
        tolerance=_CG_TOLERANCE,
        descends=True,
    ).q
    slope = (direction * around.grad).sum(dim=1, keepdim=True)
    return torch.where(slope < 0, direction, -around.grad)


def _descended(oracle: InnerOracle, around: Linearisation, direction: Tensor) -> Tensor:
    """Return where each task's loss has fallen enough, by halving the step."""
    slope = (direction * around.grad).sum(dim=1)
    # Next to the minimum the loss falls by less than it can resolve.
    slack = 4 * torch.finfo(slope.dtype).eps * around.loss.abs()
    theta, share = around.theta, torch.ones_like(slope)
    enough = torch.zeros_like(slope, dtype=torch.bool)
    for _ in range(_MOST_HALVINGS):
        theta = around.theta + share[:, None] * direction
        loss = oracle.linearise(theta, curvature=False).loss
        enough = loss <= around.loss + _SUFFICIENT_DECREASE * share * slope + slack
        if bool(enough.all()):
            break
        share = torch.where(enough, share, 0.5 * share)
    # A task that found no lower loss stays where it is.
    return torch.where(enough[:, None], theta, around.theta)
