"""Differentiate the solution of the inner problem, not the way to it."""

from abc import abstractmethod
from typing import Any, ClassVar

import torch
from torch import Tensor

from metalab.core.hypergradient.base import (
    EstimateContext,
    Exactness,
    Hypergradient,
    HypergradientEstimator,
    Target,
)
from metalab.core.hypergradient.route import Route
from metalab.core.inner.base import InnerLoop, InnerPath, PathStorage
from metalab.core.linear_solve import TOLERANCE, LinearSolution, MatVec
from metalab.core.meta.base import PhiRole
from metalab.core.oracle import InnerOracle, Linearisation
from metalab.core.spec import option


class ImplicitEstimator(HypergradientEstimator):
    """Abstract: grad_phi f - B^T q with H q = grad_theta f, all at theta_K.

    H and B are the second derivatives of the inner loss, regulariser included, on the
    whole support set. theta_K stands for the solution: what it lacks is the error.

    Source: Pedregosa 2016, section 2; Rajeswaran et al. 2019, lemma 1.
    """

    __slots__ = ()

    exactness: ClassVar[Exactness] = Exactness.CONVERGENT
    target: ClassVar[Target] = Target.SOLUTION
    keep: ClassVar[PathStorage] = PathStorage.END
    learns: ClassVar[frozenset[PhiRole]] = frozenset({PhiRole.INNER_LOSS})
    route: ClassVar[Route] = Route.SOLUTION
    solves_systems: ClassVar[bool] = True
    formula: ClassVar[str] = "∂_φ f − B^T q,  H q = ∇f(θ_K)"

    @abstractmethod
    def solve(
        self,
        oracle: InnerOracle,
        linearisation: Linearisation,
        v: Tensor,
        request: EstimateContext,
    ) -> LinearSolution:
        """Return q with H q = v, or close to it, each [task, inner]."""

    def estimate(
        self,
        oracle: InnerOracle,
        inner: InnerLoop,
        path: InnerPath,
        request: EstimateContext,
    ) -> Hypergradient:
        """Return the implicit hypergradient of each task."""
        del inner
        outer = oracle.outer_value_and_grad(path.end)
        assert outer.direct is not None, "phi must shape the inner loss"
        linearisation = oracle.linearise(path.end, curvature=True)
        solution = self.solve(oracle, linearisation, outer.grad, request)
        return Hypergradient(
            per_task=outer.direct - linearisation.mixed_vjp(solution.q),
            outer_loss=outer.loss,
            solves=solution.quality,
        )


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
        synonyms=("regularisation", "regularization"),
        at_zero="off",
    )


def iterations_option(default: int) -> Any:
    """Return the option of estimators that solve by conjugate gradients."""
    return option(
        default,
        label="CG iterations",
        help="Most iterations of the linear solver.",
        unit="iterations",
        low=1,
        high=10_000,
        synonyms=("conjugate gradient steps", "number of iterations"),
    )


def tolerance_option() -> Any:
    """Return the other option of estimators that solve by conjugate gradients."""
    return option(
        TOLERANCE,
        label="CG tolerance",
        help="Relative residual at which a task's solve stops.",
        low=0.0,
        high=1.0,
        exclusive=True,
        log=True,
        advanced=True,
        synonyms=("stopping criterion", "convergence"),
    )
