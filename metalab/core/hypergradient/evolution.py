"""Evolution strategies: the gradient of a smoothed outer loss, from its values alone."""

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
    outer_loss_at,
)
from metalab.core.hypergradient.family import EstimatorFamily
from metalab.core.hypergradient.perturbation import pairs_option, sigma_option
from metalab.core.hypergradient.route import Route
from metalab.core.inner.base import InnerLoop, InnerPath, PathStorage
from metalab.core.meta.base import PhiRole
from metalab.core.oracle import Evaluations, InnerOracle


@dataclass(frozen=True, slots=True, kw_only=True)
class EvolutionStrategies(HypergradientEstimator):
    """Mean of (F(phi + sigma e) - F(phi - sigma e)) e / (2 sigma), e standard normal.

    Equals: the gradient of the outer loss smoothed with a Gaussian of width sigma.
    Valid: always, also where nothing is differentiable.
    Cost: 2 num_pairs inner loops; memory does not grow with K.
    Exactness: biased, by O(sigma^2); its relative variance is about
        (dim(phi) + 1) / num_pairs.

    Source: Salimans et al. 2017; Song et al. 2020 (ES-MAML).
    """

    name: ClassVar[str] = "evolution"
    title: ClassVar[str] = "Evolution strategies (antithetic)"
    family: ClassVar[EstimatorFamily] = EstimatorFamily.SAMPLED
    place_in_family: ClassVar[int | None] = 0
    slow: ClassVar[bool] = True
    synonyms: ClassVar[tuple[str, ...]] = (
        "ES",
        "zeroth-order",
        "gradient-free",
        "black box",
    )
    exactness: ClassVar[Exactness] = Exactness.BIASED
    target: ClassVar[Target] = Target.K_STEP
    keep: ClassVar[PathStorage] = PathStorage.END
    learns: ClassVar[frozenset[PhiRole]] = frozenset(PhiRole)
    route: ClassVar[Route] = Route.VALUES
    formula: ClassVar[str] = "mean of (F(φ + σe) − F(φ − σe)) e / 2σ"
    weighs_steps: ClassVar[bool] = True
    draws: ClassVar[bool] = True

    num_pairs: int = pairs_option()
    sigma: float = sigma_option()

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
        dtype, device = path.end.dtype, path.end.device
        total = torch.zeros(
            (oracle.num_tasks, oracle.meta_dim), dtype=dtype, device=device
        )
        shape = (self.num_pairs, 1, oracle.meta_dim)
        noise = torch.randn(shape, generator=request.generator(), dtype=dtype).to(
            device
        )
        for direction in noise:
            delta = self.sigma * direction
            above = outer_loss_at(
                oracle.at_shifted_phi(delta), inner, path.num_steps, request
            )
            below = outer_loss_at(
                oracle.at_shifted_phi(-delta), inner, path.num_steps, request
            )
            total += ((above - below) / (2 * self.sigma))[:, None] * direction
        return Hypergradient(
            per_task=total / self.num_pairs, outer_loss=oracle.query_loss(path.end)
        )
