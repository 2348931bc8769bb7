"""Differentiate through the last inner steps only."""

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
from metalab.core.spec import option


@dataclass(frozen=True, slots=True, kw_only=True)
class Truncated(HypergradientEstimator):
    """The reverse sweep, exact for the last steps and straight through the others.

    Where phi is the start, "truncated" cannot mean forgetting the early steps: the
    gradient would be exactly zero. It means taking their d theta_{k+1} / d theta_k as I.

    Equals: the unrolled sweep with I in place of the early factors; with
        num_backprop_steps >= K the exact one, with 0 the first-order one.
    Valid: as the unrolled one; a descent direction where the inner loss is strongly
        convex.
    Cost: num_backprop_steps Hessian-vector products; memory as the unrolled one here,
        since which steps are last is known only at the end.
    Exactness: biased, by about (1 - inner_lr mu)^num_backprop_steps.

    Source: Shaban et al. 2019, section 3 (K-RMD).
    """

    name: ClassVar[str] = "truncated"
    title: ClassVar[str] = "Truncated"
    family: ClassVar[EstimatorFamily] = EstimatorFamily.TRUNCATED
    place_in_family: ClassVar[int | None] = 0
    synonyms: ClassVar[tuple[str, ...]] = ("truncated backpropagation",)
    exactness: ClassVar[Exactness] = Exactness.BIASED
    target: ClassVar[Target] = Target.K_STEP
    keep: ClassVar[PathStorage] = PathStorage.GRAPH
    learns: ClassVar[frozenset[PhiRole]] = frozenset(PhiRole)
    route: ClassVar[Route] = Route.LAST_STEPS
    formula: ClassVar[str] = "∂_φ f + (dθ_K/dφ)^T ∇f(θ_K)"
    weighs_steps: ClassVar[bool] = True

    num_backprop_steps: int = option(
        1,
        label="Backprop steps",
        help="Inner steps, from the last, that are differentiated exactly.",
        unit="steps",
        low=0,
        high=1000,
        synonyms=("truncation", "horizon", "backpropagation steps"),
    )

    def cost(self, size: ProblemSize) -> Evaluations:
        """Return one outer gradient, and the products of the exact steps."""
        exact = min(self.num_backprop_steps, size.num_inner_steps)
        return Evaluations(gradients=1, products=exact * size.products_per_step)

    def estimate(
        self,
        oracle: InnerOracle,
        inner: InnerLoop,
        path: InnerPath,
        request: EstimateContext,
    ) -> Hypergradient:
        """Return the truncated hypergradient of each task."""
        v, outer_loss = end_cotangent(oracle, path, request)
        v = sweep(
            oracle, inner, path.steps, v, request, num_exact=self.num_backprop_steps
        )
        return Hypergradient(per_task=at_start(oracle, v), outer_loss=outer_loss)
