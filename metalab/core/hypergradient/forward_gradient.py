"""The slope along random directions, times those directions."""

from dataclasses import dataclass
from typing import ClassVar

import torch

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
from metalab.core.hypergradient.tangents import slopes_along
from metalab.core.inner.base import InnerLoop, InnerPath, PathStorage
from metalab.core.meta.base import PhiRole
from metalab.core.oracle import Evaluations, InnerOracle
from metalab.core.spec import option


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardGradient(HypergradientEstimator):
    """Mean of (G . z) z over standard normal directions z, G . z carried forwards.

    Equals: the gradient of the K-step outer loss, on average.
    Valid: as the unrolled one.
    Cost: K Hessian-vector products a direction (and as many mixed ones where phi shapes
        the inner loss); memory does not grow with K.
    Exactness: unbiased; its cosine with the exact one is about
        sqrt(N / (N + dim(phi) + 1)) for N directions.

    Source: Baydin et al. 2022, theorem 1.
    """

    name: ClassVar[str] = "forward-gradient"
    title: ClassVar[str] = "Forward gradient"
    family: ClassVar[EstimatorFamily] = EstimatorFamily.SAMPLED
    place_in_family: ClassVar[int | None] = 2
    slow: ClassVar[bool] = True
    synonyms: ClassVar[tuple[str, ...]] = ("JVP", "random directions")
    exactness: ClassVar[Exactness] = Exactness.UNBIASED
    target: ClassVar[Target] = Target.K_STEP
    keep: ClassVar[PathStorage] = PathStorage.END
    learns: ClassVar[frozenset[PhiRole]] = frozenset(PhiRole)
    route: ClassVar[Route] = Route.FORWARDS
    formula: ClassVar[str] = "mean of (dF/dφ · z) z"
    weighs_steps: ClassVar[bool] = True
    draws: ClassVar[bool] = True

    num_directions: int = option(
        16,
        label="Directions",
        help="Random directions; the variance falls with their number.",
        unit="directions",
        low=1,
        high=100_000,
    )

    def cost(self, size: ProblemSize) -> Evaluations:
        """Return one walk, and the products of each direction."""
        each = size.num_inner_steps * size.products_per_step
        return Evaluations(
            gradients=size.num_inner_steps + 1, products=self.num_directions * each
        )

    def estimate(
        self,
        oracle: InnerOracle,
        inner: InnerLoop,
        path: InnerPath,
        request: EstimateContext,
    ) -> Hypergradient:
        """Return the estimate of each task; every direction serves all tasks."""
        shape = (self.num_directions, oracle.meta_dim)
        drawn = torch.randn(shape, generator=request.generator(), dtype=path.end.dtype)
        directions = drawn.to(path.end.device)
        slopes = slopes_along(oracle, inner, path, request, directions)
        return Hypergradient(
            per_task=slopes.T @ directions / self.num_directions,
            outer_loss=oracle.query_loss(path.end),
        )
