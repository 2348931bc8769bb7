"""Move the start towards the adapted parameters."""

from dataclasses import dataclass
from typing import ClassVar

from metalab.core.hypergradient.base import (
    EstimateContext,
    Exactness,
    Hypergradient,
    HypergradientEstimator,
    ProblemSize,
    Target,
)
from metalab.core.hypergradient.family import EstimatorFamily
from metalab.core.hypergradient.route import Route
from metalab.core.inner.base import InnerLoop, InnerPath, PathStorage
from metalab.core.meta.base import PhiRole
from metalab.core.oracle import Evaluations, InnerOracle


@dataclass(frozen=True, slots=True, kw_only=True)
class Reptile(HypergradientEstimator):
    """theta_0 - theta_K, the direction from adapted parameters back to the start.

    With plain gradient descent outside and `outer_lr` = epsilon this is Reptile's
    phi <- phi + epsilon * mean(theta_K - phi). The query set is only measured on.

    Equals: inner_lr times the sum of the K inner gradients; no estimate of the K-step
        gradient. K = 1 is joint training.
    Valid: where phi is only the start of the inner loop.
    Cost: no Hessian-vector product and no query gradient; memory does not grow with K.
    Exactness: biased.

    Source: Nichol et al. 2018, algorithm 1 and equation 27.
    """

    name: ClassVar[str] = "reptile"
    title: ClassVar[str] = "Reptile direction"
    family: ClassVar[EstimatorFamily] = EstimatorFamily.START_AND_END
    place_in_family: ClassVar[int | None] = 0
    exactness: ClassVar[Exactness] = Exactness.BIASED
    target: ClassVar[Target] = Target.K_STEP
    keep: ClassVar[PathStorage] = PathStorage.END
    learns: ClassVar[frozenset[PhiRole]] = frozenset({PhiRole.START})
    route: ClassVar[Route] = Route.DIFFERENCE
    formula: ClassVar[str] = "(∂θ_0/∂φ)^T (θ_0 − θ_K)"

    def cost(self, size: ProblemSize) -> Evaluations:
        """Return nothing: the inner path is all it needs."""
        del size
        return Evaluations()

    def estimate(
        self,
        oracle: InnerOracle,
        inner: InnerLoop,
        path: InnerPath,
        request: EstimateContext,
    ) -> Hypergradient:
        """Return theta_0 - theta_K of each task."""
        del inner, request
        return Hypergradient(
            per_task=oracle.start_pullback(path.start - path.end),
            outer_loss=oracle.query_loss(path.end),
        )
