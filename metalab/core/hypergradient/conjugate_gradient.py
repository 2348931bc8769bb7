"""Implicit differentiation, solved by conjugate gradients."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from metalab.core.hypergradient.base import (
    Exactness,
    Hypergradient,
    HypergradientEstimator,
    Request,
    Target,
)
from metalab.core.hypergradient.implicit import damped, damping_option, implicit
from metalab.core.inner.base import InnerLoop, InnerPath, Keep
from metalab.core.linear_solve import MatVec, conjugate_gradient
from metalab.core.meta.base import Way
from metalab.core.oracle import InnerOracle
from metalab.core.spec import option


@dataclass(frozen=True, slots=True, kw_only=True)
class ImplicitCG(HypergradientEstimator):
    """grad_phi f - B^T q, with (H + damping I) q = grad_theta f by conjugate gradients.

    Equals: the derivative at the exact inner solution, once inner loop and solver have
        converged.
    Valid: where phi shapes an inner problem with a stationary point at which H + damping
        I is positive definite (a proximal anchor or an L2 strength sees to that).
    Cost: num_iterations Hessian-vector products and one mixed product; memory does not
        grow with K.
    Exactness: convergent, like ((sqrt k - 1) / (sqrt k + 1))^num_iterations in the
        condition number k, plus a constant times the error of the inner solution.

    Source: Pedregosa 2016; Rajeswaran et al. 2019 (iMAML), section 3.
    """

    name: ClassVar[str] = "implicit-cg"
    title: ClassVar[str] = "Implicit, conjugate gradients"
    exactness: ClassVar[Exactness] = Exactness.CONVERGENT
    target: ClassVar[Target] = Target.SOLUTION
    keep: ClassVar[Keep] = Keep.END
    learns: ClassVar[frozenset[Way]] = frozenset({Way.INNER_LOSS})

    num_iterations: int = option(
        10,
        label="CG iterations",
        help="Most iterations of the linear solver.",
        unit="iterations",
        low=1,
        high=10_000,
    )
    tolerance: float = option(
        1e-6,
        label="CG tolerance",
        help="Relative residual at which a task's solve stops.",
        low=0.0,
        high=1.0,
        exclusive=True,
        log=True,
        advanced=True,
    )
    damping: float = damping_option()

    def estimate(
        self,
        oracle: InnerOracle,
        inner: InnerLoop,
        path: InnerPath,
        request: Request,
    ) -> Hypergradient:
        """Return the implicit hypergradient of each task."""
        del inner, request
        return implicit(oracle, path, self._solve)

    def _solve(self, matvec: MatVec, v: Tensor) -> Tensor:
        return conjugate_gradient(
            damped(matvec, self.damping),
            v,
            num_iterations=self.num_iterations,
            tolerance=self.tolerance,
        )
