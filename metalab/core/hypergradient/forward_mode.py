"""Differentiate through every inner step, forwards."""

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

DIRECTIONS_AT_ONCE = 64
"""Tangents in memory at once; the inner path is walked again for the next ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardMode(HypergradientEstimator):
    """Z_{k+1} = (d theta_{k+1} / d theta_k) Z_k + d theta_{k+1} / d phi; then Z^T v.

    Equals: the gradient of the K-step outer loss, as the reverse sweep does.
    Valid: as the unrolled one; worth its cost for few meta-parameters.
    Cost: K Hessian-vector products for each meta-parameter (and as many mixed ones where
        phi shapes the inner loss); memory does not grow with K.
    Exactness: exact.

    Source: Franceschi et al. 2017, section 3.2.
    """

    name: ClassVar[str] = "forward-mode"
    title: ClassVar[str] = "Forward mode (exact)"
    family: ClassVar[EstimatorFamily] = EstimatorFamily.UNROLLED
    place_in_family: ClassVar[int | None] = 2
    synonyms: ClassVar[tuple[str, ...]] = ("JVP", "tangents", "RTRL")
    exactness: ClassVar[Exactness] = Exactness.EXACT
    target: ClassVar[Target] = Target.K_STEP
    keep: ClassVar[PathStorage] = PathStorage.END
    learns: ClassVar[frozenset[PhiRole]] = frozenset(PhiRole)
    route: ClassVar[Route] = Route.FORWARDS
    formula: ClassVar[str] = "∂_φ f + (dθ_K/dφ)^T ∇f(θ_K)"
    weighs_steps: ClassVar[bool] = True

    def cost(self, size: ProblemSize) -> Evaluations:
        """Return a walk for each 64 meta-parameters, and every one's own products."""
        walks = -(-size.meta_dim // DIRECTIONS_AT_ONCE)
        each = size.num_inner_steps * size.products_per_step
        return Evaluations(
            gradients=walks * (size.num_inner_steps + 1), products=size.meta_dim * each
        )

    def estimate(
        self,
        oracle: InnerOracle,
        inner: InnerLoop,
        path: InnerPath,
        request: EstimateContext,
    ) -> Hypergradient:
        """Return the exact hypergradient of each task."""
        eye = torch.eye(oracle.meta_dim, dtype=path.end.dtype, device=path.end.device)
        # Without meta-parameters there is one chunk of none, and no walk.
        slopes = [
            slopes_along(oracle, inner, path, request, directions)
            for directions in eye.split(DIRECTIONS_AT_ONCE)
            if len(directions) > 0
        ]
        none = path.end.new_empty(0, oracle.num_tasks)
        return Hypergradient(
            per_task=torch.cat([none, *slopes]).T,
            outer_loss=oracle.query_loss(path.end),
        )
