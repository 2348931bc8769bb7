"""Differentiate the solution of the inner problem, not the way to it."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from metalab.core.hypergradient.base import Hypergradient
from metalab.core.inner.base import InnerPath
from metalab.core.linear_solve import MatVec
from metalab.core.oracle import InnerOracle
from metalab.core.spec import option


def implicit(
    oracle: InnerOracle, path: InnerPath, solve: Callable[[MatVec, Tensor], Tensor]
) -> Hypergradient:
    """Return grad_phi f - B^T q with H q = grad_theta f, all at theta_K.

    H and B are the second derivatives of the inner loss, regulariser included, on the
    whole support set. theta_K stands for the solution: what it lacks is the error.

    Args:
        oracle: The meta-batch; phi shapes its inner loss.
        path: The inner path; only its end counts.
        solve: (q -> H q, v) -> H^-1 v.

    Source: Pedregosa 2016, section 2; Rajeswaran et al. 2019, lemma 1.
    """
    outer = oracle.outer_value_and_grad(path.end)
    assert outer.direct is not None, "phi must shape the inner loss"
    around = oracle.linearise(path.end, curvature=True)
    per_task = outer.direct - around.mixed_vjp(solve(around.hvp, outer.grad))
    return Hypergradient(per_task=per_task, outer_loss=outer.loss)


def damped(matvec: MatVec, damping: float) -> MatVec:
    """Return q -> (H + damping I) q."""
    return lambda q: torch.add(matvec(q), q, alpha=damping)


def damping_option() -> Any:
    """Return the option that every implicit estimator has."""
    return option(
        0.0,
        label="Damping",
        help="Added to the Hessian of the inner loss; it changes the target.",
        low=0.0,
        high=1e6,
        advanced=True,
    )
