"""Differentiate through every inner step, in reverse."""

from dataclasses import dataclass
from typing import ClassVar

from metalab.core.hypergradient.base import (
    Exactness,
    Hypergradient,
    HypergradientEstimator,
)
from metalab.core.inner import InnerLoop, InnerPath, Keep
from metalab.core.oracle import InnerOracle


@dataclass(frozen=True, slots=True, kw_only=True)
class Unrolled(HypergradientEstimator):
    """Reverse sweep over the inner path: v <- (d theta_{k+1} / d theta_k)^T v.

    Equals: the gradient of the K-step outer loss.
    Valid: always, for a twice differentiable support loss.
    Cost: K Hessian-vector products (and K mixed products where phi shapes the inner
        loss); memory grows linearly with K.
    Exactness: exact.

    Source: Finn et al. 2017, equation 1; Franceschi et al. 2017, section 3.1.
    """

    name: ClassVar[str] = "unrolled"
    title: ClassVar[str] = "Unrolled (exact)"
    exactness: ClassVar[Exactness] = Exactness.EXACT
    keep: ClassVar[Keep] = Keep.GRAPH

    def estimate(
        self, oracle: InnerOracle, inner: InnerLoop, path: InnerPath
    ) -> Hypergradient:
        """Return the exact hypergradient of each task."""
        outer = oracle.outer_value_and_grad(path.end)
        v = outer.grad
        total = outer.direct
        for around in reversed(path.linearisations):
            if total is not None:
                total = total + inner.step_mixed_pullback(around, v)
            v = inner.step_pullback(around, v)
        through_start = oracle.start_pullback(v)
        per_task = through_start if total is None else total + through_start
        return Hypergradient(per_task=per_task, outer_loss=outer.loss)
