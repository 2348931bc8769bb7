"""Implicit differentiation, solved by conjugate gradients."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from metalab.core.hypergradient.base import EstimateContext, ProblemSize
from metalab.core.hypergradient.family import EstimatorFamily
from metalab.core.hypergradient.implicit import (
    ImplicitEstimator,
    damped,
    damping_option,
    iterations_option,
    tolerance_option,
)
from metalab.core.linear_solve import LinearSolution, conjugate_gradient
from metalab.core.oracle import Evaluations, InnerOracle, Linearisation


@dataclass(frozen=True, slots=True, kw_only=True)
class ImplicitCG(ImplicitEstimator):
    """grad_phi f - B^T q, with (H + damping I) q = grad_theta f by conjugate gradients.

    Equals: the derivative at the exact inner solution, once inner loop and solver have
        converged.
    Valid: where phi shapes an inner problem with a stationary point at which H + damping
        I is positive definite (a proximal anchor or an L2 strength sees to that).
    Cost: num_iterations Hessian-vector products and one mixed product; memory does not
        grow with K.
    Exactness: convergent, like ((sqrt k - 1) / (sqrt k + 1))^num_iterations in the
        condition number k, plus a constant times the error of the inner solution. For a
        task whose matrix shows a direction of no positive curvature, theta_K is no
        minimum; its system is solved by minimal residuals, and counted.

    Source: Pedregosa 2016; Rajeswaran et al. 2019 (iMAML), section 3.
    """

    name: ClassVar[str] = "implicit-cg"
    title: ClassVar[str] = "Implicit, conjugate gradients"
    family: ClassVar[EstimatorFamily] = EstimatorFamily.IMPLICIT
    place_in_family: ClassVar[int | None] = 0
    synonyms: ClassVar[tuple[str, ...]] = ("iMAML", "implicit differentiation", "CG")
    num_iterations: int = iterations_option(10)
    tolerance: float = tolerance_option()
    damping: float = damping_option()

    def cost(self, size: ProblemSize) -> Evaluations:
        """Return two gradients at theta_K, a product an iteration, and the mixed one."""
        del size
        return Evaluations(gradients=2, products=self.num_iterations + 1)

    def solve(
        self,
        oracle: InnerOracle,
        linearisation: Linearisation,
        v: Tensor,
        request: EstimateContext,
    ) -> LinearSolution:
        """Return the last iterate."""
        del oracle, request
        return conjugate_gradient(
            damped(linearisation.hvp, self.damping),
            v,
            num_iterations=self.num_iterations,
            tolerance=self.tolerance,
        )
