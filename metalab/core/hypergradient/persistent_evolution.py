"""Evolution strategies over segments of the inner path, with accumulated noise."""

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
from metalab.core.hypergradient.perturbation import (
    PerturbedWalk,
    pairs_option,
    sigma_option,
)
from metalab.core.hypergradient.route import Route
from metalab.core.inner.base import InnerLoop, InnerPath, PathStorage
from metalab.core.meta.base import PhiRole
from metalab.core.oracle import Evaluations, InnerOracle
from metalab.core.spec import option


@dataclass(frozen=True, slots=True, kw_only=True)
class PersistentEvolution(HypergradientEstimator):
    """Sum over segments s of (F_s(+) - F_s(-)) (e_1 + ... + e_s) / (2 sigma).

    The inner path is cut into segments of `segment_steps`; each has its own perturbation
    sigma e_s of phi, and the loss in a segment is weighed with all the noise so far.

    Equals: the gradient of the smoothed outer loss; with one segment, antithetic
        evolution strategies.
    Valid: always, also where nothing is differentiable.
    Cost: 2 num_pairs inner loops; memory does not grow with K.
    Exactness: biased, by O(sigma^2) of smoothing alone, unlike evolution strategies on
        truncated paths; its variance grows with the number of segments.

    Source: Vicol, Metz & Sohl-Dickstein 2021 (PES), equation 8.
    """

    name: ClassVar[str] = "persistent-evolution"
    title: ClassVar[str] = "Persistent evolution strategies (PES)"
    family: ClassVar[EstimatorFamily] = EstimatorFamily.SAMPLED
    place_in_family: ClassVar[int | None] = 1
    slow: ClassVar[bool] = True
    synonyms: ClassVar[tuple[str, ...]] = ("zeroth-order", "gradient-free")
    exactness: ClassVar[Exactness] = Exactness.BIASED
    target: ClassVar[Target] = Target.K_STEP
    keep: ClassVar[PathStorage] = PathStorage.END
    learns: ClassVar[frozenset[PhiRole]] = frozenset(PhiRole)
    route: ClassVar[Route] = Route.VALUES
    formula: ClassVar[str] = "Σ_s (F_s^+ − F_s^−)(e_1 + … + e_s) / 2σ"
    weighs_steps: ClassVar[bool] = True
    draws: ClassVar[bool] = True

    num_pairs: int = pairs_option()
    sigma: float = sigma_option()
    segment_steps: int = option(
        5,
        label="Segment",
        help="Inner steps of one segment.",
        unit="steps",
        low=1,
        high=1000,
    )

    def cost(self, size: ProblemSize) -> Evaluations:
        """Return the inner gradients of two paths for each pair."""
        return Evaluations(gradients=2 * self.num_pairs * size.num_inner_steps)

    def estimate(
        self,
        oracle: InnerOracle,
        inner: InnerLoop,
        path: InnerPath,
        request: EstimateContext,
    ) -> Hypergradient:
        """Return the estimate of each task; every pair serves all tasks."""
        num_segments = -(-path.num_steps // self.segment_steps)
        shape = (self.num_pairs, num_segments, 1, oracle.meta_dim)
        noise = torch.randn(shape, generator=request.generator(), dtype=path.end.dtype)
        total = path.end.new_zeros(oracle.num_tasks, oracle.meta_dim)
        for pair in noise.to(path.end.device):
            weighed = pair.cumsum(dim=0)
            for sign in (1, -1):
                walk = PerturbedWalk(oracle, inner, path.num_steps, request)
                for delta, factor in zip(
                    self.sigma * sign * pair, weighed, strict=True
                ):
                    loss = walk.advance(delta, self.segment_steps)
                    total += sign * loss[:, None] * factor
        return Hypergradient(
            per_task=total / (2 * self.sigma * self.num_pairs),
            outer_loss=oracle.query_loss(path.end),
        )
