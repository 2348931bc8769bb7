"""Central differences of the outer loss: the oracle of every other estimator."""

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
from metalab.core.hypergradient.route import Route
from metalab.core.inner.base import InnerLoop, InnerPath, PathStorage
from metalab.core.meta.base import PhiRole
from metalab.core.oracle import Evaluations, InnerOracle
from metalab.core.spec import option


@dataclass(frozen=True, slots=True, kw_only=True)
class FiniteDifferences(HypergradientEstimator):
    """(F(phi + epsilon e_i) - F(phi - epsilon e_i)) / (2 epsilon) for each coordinate.

    Equals: the gradient of the K-step outer loss, but for O(epsilon^2) and rounding.
    Valid: always; float64 and a smooth activation for more than three digits.
    Cost: 2 dim(phi) inner loops; memory does not grow with K.
    Exactness: convergent as epsilon falls, until rounding takes over.

    Source: Nocedal & Wright 2006, section 8.1.
    """

    name: ClassVar[str] = "finite-differences"
    title: ClassVar[str] = "Finite differences"
    family: ClassVar[EstimatorFamily] = EstimatorFamily.DIFFERENCES
    place_in_family: ClassVar[int | None] = 1
    synonyms: ClassVar[tuple[str, ...]] = ("numerical gradient", "zeroth-order")
    exactness: ClassVar[Exactness] = Exactness.CONVERGENT
    target: ClassVar[Target] = Target.K_STEP
    keep: ClassVar[PathStorage] = PathStorage.END
    learns: ClassVar[frozenset[PhiRole]] = frozenset(PhiRole)
    route: ClassVar[Route] = Route.VALUES
    formula: ClassVar[str] = "(F(φ + εe_i) − F(φ − εe_i)) / 2ε"
    weighs_steps: ClassVar[bool] = True

    epsilon: float = option(
        1e-5,
        label="Epsilon",
        help="Distance of a difference; about 1e-5 in float64, 1e-2 in float32.",
        low=0.0,
        high=1.0,
        exclusive=True,
        log=True,
    )

    def cost(self, size: ProblemSize) -> Evaluations:
        """Return the inner gradients of two paths for each meta-parameter."""
        return Evaluations(gradients=2 * size.meta_dim * size.num_inner_steps)

    def estimate(
        self,
        oracle: InnerOracle,
        inner: InnerLoop,
        path: InnerPath,
        request: EstimateContext,
    ) -> Hypergradient:
        """Return the differences of each task's outer loss."""
        columns = [path.end.new_empty(oracle.num_tasks, 0)]
        for index in range(oracle.meta_dim):
            delta = path.end.new_zeros(1, oracle.meta_dim)
            delta[0, index] = self.epsilon
            above = outer_loss_at(
                oracle.at_shifted_phi(delta), inner, path.num_steps, request
            )
            below = outer_loss_at(
                oracle.at_shifted_phi(-delta), inner, path.num_steps, request
            )
            columns.append(((above - below) / (2 * self.epsilon))[:, None])
        return Hypergradient(
            per_task=torch.cat(columns, dim=1), outer_loss=oracle.query_loss(path.end)
        )
