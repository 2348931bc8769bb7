"""The unrolled hypergradient in less memory: replay the inner path in segments."""

import math
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
from metalab.core.inner.base import InnerLoop, InnerPath, InnerState, PathStorage
from metalab.core.meta.base import PhiRole
from metalab.core.oracle import Evaluations, InnerOracle


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpointed(HypergradientEstimator):
    """The unrolled sweep, with the inner path recomputed segment by segment.

    Equals: the gradient of the K-step outer loss; the same numbers as `unrolled`.
    Valid: as the unrolled one.
    Cost: K Hessian-vector products and two more inner paths without graphs; the graphs
        of about sqrt(K) steps and sqrt(K) states are in memory at once.
    Exactness: exact.

    Source: Griewank 1992; Chen et al. 2016.
    """

    name: ClassVar[str] = "checkpointed"
    title: ClassVar[str] = "Unrolled, checkpointed (exact)"
    family: ClassVar[EstimatorFamily] = EstimatorFamily.UNROLLED
    place_in_family: ClassVar[int | None] = 1
    synonyms: ClassVar[tuple[str, ...]] = ("gradient checkpointing", "memory")
    exactness: ClassVar[Exactness] = Exactness.EXACT
    target: ClassVar[Target] = Target.K_STEP
    keep: ClassVar[PathStorage] = PathStorage.END
    learns: ClassVar[frozenset[PhiRole]] = frozenset(PhiRole)
    route: ClassVar[Route] = Route.EVERY_STEP
    formula: ClassVar[str] = "∂_φ f + (dθ_K/dφ)^T ∇f(θ_K)"
    weighs_steps: ClassVar[bool] = True

    def cost(self, size: ProblemSize) -> Evaluations:
        """Return the products of K steps, and their gradients up to twice more."""
        length = max(1, math.isqrt(size.num_inner_steps))
        to_last_segment = (-(-size.num_inner_steps // length) - 1) * length
        return Evaluations(
            gradients=1 + to_last_segment + size.num_inner_steps,
            products=size.num_inner_steps * size.products_per_step,
        )

    def estimate(
        self,
        oracle: InnerOracle,
        inner: InnerLoop,
        path: InnerPath,
        request: EstimateContext,
    ) -> Hypergradient:
        """Return the exact hypergradient of each task."""
        length = max(1, math.isqrt(path.num_steps))
        starts: list[InnerState] = [path.begin]
        while starts[-1].index + length < path.num_steps:
            starts.append(inner.run(oracle, num_steps=length, begin=starts[-1]).state)
        v, outer_loss = end_cotangent(oracle, path, request)
        stop = path.num_steps
        for state in reversed(starts):
            segment = inner.run(
                oracle,
                num_steps=stop - state.index,
                begin=state,
                keep=PathStorage.GRAPH,
            )
            v = sweep(
                oracle, inner, segment.steps, v, request, num_exact=segment.num_steps
            )
            stop = state.index
        return Hypergradient(per_task=at_start(oracle, v), outer_loss=outer_loss)
