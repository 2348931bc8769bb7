"""Implicit differentiation with the inverse Hessian taken for I."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from metalab.core.hypergradient.base import EstimateContext, Exactness, ProblemSize
from metalab.core.hypergradient.family import EstimatorFamily
from metalab.core.hypergradient.implicit import ImplicitEstimator
from metalab.core.linear_solve import LinearSolution
from metalab.core.oracle import Evaluations, InnerOracle, Linearisation


@dataclass(frozen=True, slots=True, kw_only=True)
class T1T2(ImplicitEstimator):
    """grad_phi f - B^T grad_theta f: the implicit formula with I for H^-1.

    Equals: a Neumann series of one term and step size 1.
    Valid: where phi shapes the inner loss; no guarantee of scale.
    Cost: one mixed product, no Hessian-vector product; memory does not grow with K.
    Exactness: biased, by O(||I - H^-1||).

    Source: Luketina et al. 2016, section 3.
    """

    name: ClassVar[str] = "t1-t2"
    title: ClassVar[str] = "T1-T2"
    family: ClassVar[EstimatorFamily] = EstimatorFamily.TRUNCATED
    place_in_family: ClassVar[int | None] = 1
    exactness: ClassVar[Exactness] = Exactness.BIASED
    solves_systems: ClassVar[bool] = False
    formula: ClassVar[str] = "∂_φ f − B^T ∇f(θ_K)"

    def cost(self, size: ProblemSize) -> Evaluations:
        """Return two gradients at theta_K, and the mixed product."""
        del size
        return Evaluations(gradients=2, products=1)

    def solve(
        self,
        oracle: InnerOracle,
        linearisation: Linearisation,
        v: Tensor,
        request: EstimateContext,
    ) -> LinearSolution:
        """Return v; that this solves nothing is the method, and not measured."""
        del oracle, linearisation, request
        return LinearSolution(q=v)
