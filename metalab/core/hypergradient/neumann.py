"""Implicit differentiation, by a Neumann series."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from metalab.core.hypergradient.base import EstimateContext, ProblemSize
from metalab.core.hypergradient.family import EstimatorFamily
from metalab.core.hypergradient.implicit import (
    ImplicitEstimator,
    damped,
    damping_option,
)
from metalab.core.linear_solve import LinearSolution, neumann
from metalab.core.oracle import Evaluations, InnerOracle, Linearisation
from metalab.core.spec import option


@dataclass(frozen=True, slots=True, kw_only=True)
class ImplicitNeumann(ImplicitEstimator):
    """grad_phi f - B^T q, with q the truncated Neumann series of H^-1 grad_theta f.

    Equals: the derivative at the exact inner solution, once inner loop and series have
        converged; also the truncated sweep of that many steps started at the solution.
    Valid: where phi shapes an inner problem with a stationary point, and step_size is
        below 2 / L, L the largest eigenvalue of H.
    Cost: num_terms + 1 Hessian-vector products, of which the last tells the residual,
        and one mixed product; memory does not grow with K.
    Exactness: convergent, like (1 - step_size mu)^(num_terms + 1), mu the smallest
        eigenvalue of H.

    Source: Lorraine et al. 2020, section 3.
    """

    name: ClassVar[str] = "implicit-neumann"
    title: ClassVar[str] = "Implicit, Neumann series"
    family: ClassVar[EstimatorFamily] = EstimatorFamily.IMPLICIT
    place_in_family: ClassVar[int | None] = 1
    synonyms: ClassVar[tuple[str, ...]] = ("implicit differentiation",)
    num_terms: int = option(
        20,
        label="Neumann terms",
        help="Terms of the series after the first.",
        unit="terms",
        low=0,
        high=100_000,
    )
    step_size: float = option(
        0.1,
        label="Neumann step",
        help="Step size of the series; it diverges above 2 / L.",
        low=0.0,
        high=100.0,
        exclusive=True,
        log=True,
    )
    damping: float = damping_option()

    def cost(self, size: ProblemSize) -> Evaluations:
        """Return two gradients at theta_K, a product a term, and two more."""
        del size
        return Evaluations(gradients=2, products=self.num_terms + 2)

    def solve(
        self,
        oracle: InnerOracle,
        linearisation: Linearisation,
        v: Tensor,
        request: EstimateContext,
    ) -> LinearSolution:
        """Return the sum of the series so far."""
        del oracle, request
        return neumann(
            damped(linearisation.hvp, self.damping),
            v,
            num_terms=self.num_terms,
            step_size=self.step_size,
        )
