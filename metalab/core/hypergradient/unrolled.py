"""Differentiate through every inner step, in reverse."""

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
class Unrolled(HypergradientEstimator):
    """Reverse sweep over the inner path: v <- (d theta_{k+1} / d theta_k)^T v.

    Equals: the gradient of the K-step outer loss.
    Valid: always, for a twice differentiable support loss.
    Cost: K Hessian-vector products (and K mixed products where phi shapes the inner
        loss); memory grows linearly with K.
    Exactness: exact.

    Source: Finn et al. 2017, equation 1; Franceschi et al. 2017, section 3.1.
    """

    name: ClassVar[str] = "unrolled"
    title: ClassVar[str] = "Unrolled (exact)"
    family: ClassVar[EstimatorFamily] = EstimatorFamily.UNROLLED
    place_in_family: ClassVar[int | None] = 0
    synonyms: ClassVar[tuple[str, ...]] = (
        "backpropagation",
        "second-order",
        "BPTT",
        "reverse mode",
    )
    exactness: ClassVar[Exactness] = Exactness.EXACT
    target: ClassVar[Target] = Target.K_STEP
    keep: ClassVar[PathStorage] = PathStorage.GRAPH
    learns: ClassVar[frozenset[PhiRole]] = frozenset(PhiRole)
    route: ClassVar[Route] = Route.EVERY_STEP
    formula: ClassVar[str] = "∂_φ f + (dθ_K/dφ)^T ∇f(θ_K)"
    weighs_steps: ClassVar[bool] = True

    def cost(self, size: ProblemSize) -> Evaluations:
        """Return one outer gradient, and the products of K steps."""
        products = size.num_inner_steps * size.products_per_step
        return Evaluations(gradients=1, products=products)

    def estimate(
        self,
        oracle: InnerOracle,
        inner: InnerLoop,
        path: InnerPath,
        request: EstimateContext,
    ) -> Hypergradient:
        """Return the exact hypergradient of each task."""
        v, outer_loss = end_cotangent(oracle, path, request)
        v = sweep(oracle, inner, path.steps, v, request, num_exact=path.num_steps)
        return Hypergradient(per_task=at_start(oracle, v), outer_loss=outer_loss)
