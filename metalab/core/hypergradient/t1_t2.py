"""Implicit differentiation with the inverse Hessian taken for I."""

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
from metalab.core.hypergradient.implicit import implicit
from metalab.core.inner.base import InnerLoop, InnerPath, Keep
from metalab.core.linear_solve import MatVec
from metalab.core.meta.base import Way
from metalab.core.oracle import InnerOracle


@dataclass(frozen=True, slots=True, kw_only=True)
class T1T2(HypergradientEstimator):
    """grad_phi f - B^T grad_theta f: the implicit formula with I for H^-1.

    Equals: a Neumann series of one term and step size 1.
    Valid: where phi shapes the inner loss; no guarantee of scale.
    Cost: one mixed product, no Hessian-vector product; memory does not grow with K.
    Exactness: biased, by O(||I - H^-1||).

    Source: Luketina et al. 2016, section 3.
    """

    name: ClassVar[str] = "t1-t2"
    title: ClassVar[str] = "T1-T2"
    exactness: ClassVar[Exactness] = Exactness.BIASED
    target: ClassVar[Target] = Target.SOLUTION
    keep: ClassVar[Keep] = Keep.END
    learns: ClassVar[frozenset[Way]] = frozenset({Way.INNER_LOSS})

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
        del matvec
        return v
