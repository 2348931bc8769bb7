"""Treat the inner steps as constants."""

from dataclasses import dataclass
from typing import ClassVar

from metalab.core.hypergradient.base import (
    EstimateContext,
    Exactness,
    Hypergradient,
    HypergradientEstimator,
    ProblemSize,
    Target,
    at_start,
    end_cotangent,
    sweep,
)
from metalab.core.hypergradient.family import EstimatorFamily
from metalab.core.hypergradient.route import Route
from metalab.core.inner.base import InnerLoop, InnerPath, PathStorage
from metalab.core.meta.base import PhiRole
from metalab.core.oracle import Evaluations, InnerOracle


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstOrder(HypergradientEstimator):
    """The query gradient at theta_K, carried to the start.

    Equals: the unrolled sweep with every second derivative of the inner loss taken as
        zero: d theta_{k+1} / d theta_k by I, and no mixed derivative. Learned rates and
        weight decay keep theirs, which need none.
    Valid: where phi is (part of) the start, the rates, or enters the prediction.
    Cost: no Hessian-vector product; memory grows by one gradient a step.
    Exactness: biased, by O(K * inner_lr * ||H||) relative to the exact one.

    Source: Finn et al. 2017, section 5.2 (FOMAML); Nichol et al. 2018, section 3.
    """

    name: ClassVar[str] = "first-order"
    title: ClassVar[str] = "First-order"
    family: ClassVar[EstimatorFamily] = EstimatorFamily.FIRST_ORDER
    place_in_family: ClassVar[int | None] = 0
    synonyms: ClassVar[tuple[str, ...]] = ("FOMAML",)
    exactness: ClassVar[Exactness] = Exactness.BIASED
    target: ClassVar[Target] = Target.K_STEP
    keep: ClassVar[PathStorage] = PathStorage.GRADIENTS
    learns: ClassVar[frozenset[PhiRole]] = frozenset(
        {PhiRole.START, PhiRole.RATES, PhiRole.PREDICTION}
    )
    route: ClassVar[Route] = Route.STRAIGHT
    formula: ClassVar[str] = "∂_φ f + (∂θ_0/∂φ)^T ∇f(θ_K)"
    weighs_steps: ClassVar[bool] = True

    def cost(self, size: ProblemSize) -> Evaluations:
        """Return one outer gradient."""
        del size
        return Evaluations(gradients=1)

    def estimate(
        self,
        oracle: InnerOracle,
        inner: InnerLoop,
        path: InnerPath,
        request: EstimateContext,
    ) -> Hypergradient:
        """Return the first-order hypergradient of each task."""
        v, outer_loss = end_cotangent(oracle, path, request)
        v = sweep(oracle, inner, path.steps, v, request, num_exact=0)
        return Hypergradient(per_task=at_start(oracle, v), outer_loss=outer_loss)
