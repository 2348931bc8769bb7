"""The linear system that the authors' code of iMAML solves."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from metalab.core.hypergradient.base import (
    EstimateContext,
    Exactness,
    Hypergradient,
    HypergradientEstimator,
    ProblemSize,
    Target,
)
from metalab.core.hypergradient.family import EstimatorFamily
from metalab.core.hypergradient.implicit import iterations_option, tolerance_option
from metalab.core.hypergradient.route import Route
from metalab.core.inner.base import InnerLoop, InnerPath, PathStorage
from metalab.core.linear_solve import conjugate_gradient
from metalab.core.meta.base import PhiRole
from metalab.core.oracle import Evaluations, InnerOracle, LossTerms
from metalab.core.spec import option


@dataclass(frozen=True, slots=True, kw_only=True)
class ImamlRepository(HypergradientEstimator):
    """q with ((1 + cg_damping) I + H / (strength + 10)) q = grad_theta f.

    H is the Hessian of the prediction loss alone. The paper's system is (I + H / strength)
    q = grad_theta f: here strength 2 and cg_damping 1 make it 2 I + H / 12.

    Equals: nothing that has a name; half the paper's direction where H is small.
    Valid: where phi is the anchor of a proximal inner problem of a fixed strength.
    Cost: num_iterations Hessian-vector products; memory does not grow with K.
    Exactness: biased, in direction and in size.

    Source: the authors' code of Rajeswaran et al. 2019, `matrix_evaluator`.
    """

    name: ClassVar[str] = "imaml-repository"
    title: ClassVar[str] = "Implicit, as in iMAML's code"
    family: ClassVar[EstimatorFamily] = EstimatorFamily.FIRST_ORDER
    place_in_family: ClassVar[int | None] = 1
    synonyms: ClassVar[tuple[str, ...]] = ("implicit differentiation",)
    exactness: ClassVar[Exactness] = Exactness.BIASED
    target: ClassVar[Target] = Target.SOLUTION
    keep: ClassVar[PathStorage] = PathStorage.END
    learns: ClassVar[frozenset[PhiRole]] = frozenset({PhiRole.START})
    route: ClassVar[Route] = Route.SOLUTION
    formula: ClassVar[str] = "(∂θ_0/∂φ)^T q,  ((1 + c) I + H/(λ + 10)) q = ∇f(θ_K)"
    needs_strength: ClassVar[bool] = True
    solves_systems: ClassVar[bool] = True

    num_iterations: int = iterations_option(5)
    tolerance: float = tolerance_option()
    cg_damping: float = option(
        1.0,
        label="CG damping",
        help="Added to the factor 1 of the identity in the linear system.",
        low=0.0,
        high=1e6,
        synonyms=("regularisation", "regularization"),
        at_zero="off",
    )

    def cost(self, size: ProblemSize) -> Evaluations:
        """Return two gradients at theta_K, and a product an iteration."""
        del size
        return Evaluations(gradients=2, products=self.num_iterations)

    def estimate(
        self,
        oracle: InnerOracle,
        inner: InnerLoop,
        path: InnerPath,
        request: EstimateContext,
    ) -> Hypergradient:
        """Return the solution of each task's system."""
        del inner, request
        outer = oracle.outer_value_and_grad(path.end)
        alone = oracle.linearise(path.end, terms=LossTerms.PREDICTION, curvature=True)
        strength = oracle.regulariser_strength()
        assert strength is not None, "the regulariser must have one strength"

        def system(q: Tensor) -> Tensor:
            return torch.add(
                alone.hvp(q) / (strength + 10), q, alpha=1 + self.cg_damping
            )

        solution = conjugate_gradient(
            system,
            outer.grad,
            num_iterations=self.num_iterations,
            tolerance=self.tolerance,
        )
        return Hypergradient(
            per_task=oracle.start_pullback(solution.q),
            outer_loss=outer.loss,
            solves=solution.quality,
        )
