"""Joint training: the gradient before any adaptation."""

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
class Joint(HypergradientEstimator):
    """grad f at theta_0: ordinary training on the points of all tasks at once.

    The baseline of the field: one loop and one loss, then fine-tuning of what it found.
    The inner loop runs to be looked at; nothing of it enters.

    Equals: the hypergradient of zero inner steps.
    Valid: where phi is the start of the inner loop or enters the prediction.
    Cost: one outer gradient; no Hessian-vector product; memory does not grow with K.
    Exactness: biased: adaptation is not in it.

    Source: Finn et al. 2017, section 5.1, "pretrained".
    """

    name: ClassVar[str] = "joint"
    title: ClassVar[str] = "Joint training (no adaptation)"
    family: ClassVar[EstimatorFamily] = EstimatorFamily.START_AND_END
    place_in_family: ClassVar[int | None] = 1
    synonyms: ClassVar[tuple[str, ...]] = ("pre-training", "multi-task learning")
    exactness: ClassVar[Exactness] = Exactness.BIASED
    target: ClassVar[Target] = Target.K_STEP
    keep: ClassVar[PathStorage] = PathStorage.END
    learns: ClassVar[frozenset[PhiRole]] = frozenset(
        {PhiRole.START, PhiRole.PREDICTION}
    )
    route: ClassVar[Route] = Route.START
    formula: ClassVar[str] = "∂_φ f + (∂θ_0/∂φ)^T ∇f(θ_0)"

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
        """Return the gradient at the start of each task."""
        del inner, request
        outer = oracle.outer_value_and_grad(path.start)
        through_start = oracle.start_pullback(outer.grad)
        direct = 0.0 if outer.direct is None else outer.direct
        return Hypergradient(
            per_task=through_start + direct, outer_loss=oracle.query_loss(path.end)
        )
