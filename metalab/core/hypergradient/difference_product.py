"""The unrolled sweep without second derivatives: differences of gradients."""

from dataclasses import dataclass, replace
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
from metalab.core.hypergradient.differences import DifferencedLinearisation
from metalab.core.hypergradient.family import EstimatorFamily
from metalab.core.hypergradient.route import Route
from metalab.core.inner.base import InnerLoop, InnerPath, PathStorage
from metalab.core.meta.base import PhiRole
from metalab.core.oracle import Evaluations, InnerOracle
from metalab.core.spec import option

DIFFERENCES = ("central", "one-sided")


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceProduct(HypergradientEstimator):
    """Unrolled, each product with H or B^T from gradients at theta +- epsilon v / ||v||.

    For K = 1 and phi in the inner loss this is the second-order approximation of DARTS.

    Equals: the gradient of the K-step outer loss, but for the differences' error.
    Valid: as the unrolled one, for a smooth activation.
    Cost: two inner gradients a step (plain ones: no second derivative is ever taken);
        memory grows with K, without any graph.
    Exactness: convergent, with epsilon^2 (one-sided: epsilon) until rounding takes over;
        best near 1e-5 in float64 and 1e-2 in float32.

    Source: Liu et al. 2019 (DARTS), equation 8; epsilon 0.01 as there.
    """

    name: ClassVar[str] = "difference-product"
    title: ClassVar[str] = "Unrolled by differences (DARTS)"
    family: ClassVar[EstimatorFamily] = EstimatorFamily.DIFFERENCES
    place_in_family: ClassVar[int | None] = 0
    synonyms: ClassVar[tuple[str, ...]] = ("Hessian-free",)
    exactness: ClassVar[Exactness] = Exactness.CONVERGENT
    target: ClassVar[Target] = Target.K_STEP
    keep: ClassVar[PathStorage] = PathStorage.GRADIENTS
    learns: ClassVar[frozenset[PhiRole]] = frozenset(PhiRole)
    route: ClassVar[Route] = Route.EVERY_STEP
    formula: ClassVar[str] = "∂_φ f + (dθ_K/dφ)^T ∇f(θ_K)"
    weighs_steps: ClassVar[bool] = True

    epsilon: float = option(
        0.01,
        label="Epsilon",
        help="Length of the step in theta.",
        low=0.0,
        high=1.0,
        exclusive=True,
        log=True,
    )
    difference: str = option(
        "central",
        label="Difference",
        help="central: gradients on both sides; one-sided: on one side and at theta.",
        choices=DIFFERENCES,
        advanced=True,
    )

    def cost(self, size: ProblemSize) -> Evaluations:
        """Return one outer gradient, and two inner ones a step."""
        return Evaluations(gradients=1 + 2 * size.num_inner_steps)

    def estimate(
        self,
        oracle: InnerOracle,
        inner: InnerLoop,
        path: InnerPath,
        request: EstimateContext,
    ) -> Hypergradient:
        """Return the hypergradient of each task, without a second derivative."""
        central = self.difference == "central"
        steps = [
            replace(
                step,
                linearisation=DifferencedLinearisation(
                    oracle, step.linearisation, epsilon=self.epsilon, central=central
                ),
            )
            for step in path.steps
        ]
        v, outer_loss = end_cotangent(oracle, path, request)
        v = sweep(oracle, inner, steps, v, request, num_exact=len(steps))
        return Hypergradient(per_task=at_start(oracle, v), outer_loss=outer_loss)
