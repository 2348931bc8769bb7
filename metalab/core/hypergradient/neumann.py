"""Implicit differentiation, by a Neumann series."""

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
from metalab.core.linear_solve import MatVec, neumann
from metalab.core.meta.base import Way
from metalab.core.oracle import InnerOracle
from metalab.core.spec import option


@dataclass(frozen=True, slots=True, kw_only=True)
class ImplicitNeumann(HypergradientEstimator):
    """grad_phi f - B^T q, with q the truncated Neumann series of H^-1 grad_theta f.

    Equals: the derivative at the exact inner solution, once inner loop and series have
        converged; also the truncated sweep of that many steps started at the solution.
    Valid: where phi shapes an inner problem with a stationary point, and step_size is
        below 2 / L, L the largest eigenvalue of H.
    Cost: num_terms Hessian-vector products and one mixed product; memory does not grow
        with K.
    Exactness: convergent, like (1 - step_size mu)^(num_terms + 1), mu the smallest
        eigenvalue of H.

    Source: Lorraine et al. 2020, section 3.
    """

    name: ClassVar[str] = "implicit-neumann"
    title: ClassVar[str] = "Implicit, Neumann series"
    exactness: ClassVar[Exactness] = Exactness.CONVERGENT
    target: ClassVar[Target] = Target.SOLUTION
    keep: ClassVar[Keep] = Keep.END
    learns: ClassVar[frozenset[Way]] = frozenset({Way.INNER_LOSS})

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
        return neumann(
            damped(matvec, self.damping),
            v,
            num_terms=self.num_terms,
            step_size=self.step_size,
        )
