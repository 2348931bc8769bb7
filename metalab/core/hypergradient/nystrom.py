"""Implicit differentiation, with the Hessian of a low rank."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from metalab.core.hypergradient.base import EstimateContext, ProblemSize
from metalab.core.hypergradient.family import EstimatorFamily
from metalab.core.hypergradient.implicit import ImplicitEstimator, damping_option
from metalab.core.linear_solve import LinearSolution, nystrom
from metalab.core.oracle import Evaluations, InnerOracle, Linearisation, LossTerms
from metalab.core.spec import option


@dataclass(frozen=True, slots=True, kw_only=True)
class ImplicitNystrom(ImplicitEstimator):
    """grad_phi f - B^T q, q from a random sketch of the prediction loss's Hessian.

    H + damping I is the regulariser's strength + damping, exactly, plus the Hessian of
    the prediction loss, which is taken to have `rank` directions.

    Equals: the derivative at the exact inner solution, once the inner loop has converged
        and the rank reaches that of the Hessian.
    Valid: where phi shapes an inner problem with a regulariser of one strength for all
        parameters; the Hessian of the prediction loss is positive semi-definite there.
    Cost: rank Hessian-vector products, of all tasks along the same directions, one more
        that tells the residual, and one mixed product; memory is rank vectors, and does
        not grow with K.
    Exactness: convergent, with the part of the spectrum that the sketch leaves out.

    Source: Hataya & Yamada 2023, section 3.
    """

    name: ClassVar[str] = "implicit-nystrom"
    title: ClassVar[str] = "Implicit, Nystrom"
    family: ClassVar[EstimatorFamily] = EstimatorFamily.IMPLICIT
    place_in_family: ClassVar[int | None] = 2
    synonyms: ClassVar[tuple[str, ...]] = ("implicit differentiation", "Nyström")
    needs_strength: ClassVar[bool] = True
    draws: ClassVar[bool] = True

    rank: int = option(
        10,
        label="Rank",
        help="Random directions along which the Hessian is known.",
        unit="directions",
        low=1,
        high=10_000,
    )
    damping: float = damping_option()

    def cost(self, size: ProblemSize) -> Evaluations:
        """Return three gradients at theta_K, a product a direction, and two more."""
        del size
        return Evaluations(gradients=3, products=self.rank + 2)

    def solve(
        self,
        oracle: InnerOracle,
        linearisation: Linearisation,
        v: Tensor,
        request: EstimateContext,
    ) -> LinearSolution:
        """Return the solution by Woodbury's identity."""
        strength = oracle.regulariser_strength()
        assert strength is not None, "the regulariser must have one strength"
        alone = oracle.linearise(
            linearisation.theta, terms=LossTerms.PREDICTION, curvature=True
        )
        return nystrom(
            alone.hvp,
            v,
            rank=min(self.rank, v.shape[1]),
            damping=strength + self.damping,
            generator=request.generator(),
        )
