"""Treat the inner steps as constants."""

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
class FirstOrder(HypergradientEstimator):
    """The query gradient at theta_K, carried to the start unchanged.

    Equals: the unrolled sweep with every d theta_{k+1} / d theta_k replaced by I, and
        every d theta_{k+1} / d phi by 0.
    Valid: where phi is (part of) the start, or enters the prediction directly.
    Cost: no Hessian-vector product; memory does not grow with K.
    Exactness: biased, by O(K * inner_lr * ||H||) relative to the exact one.

    Source: Finn et al. 2017, section 5.2 (FOMAML); Nichol et al. 2018, section 3.
    """

    name: ClassVar[str] = "first-order"
    title: ClassVar[str] = "First-order"
    exactness: ClassVar[Exactness] = Exactness.BIASED
    keep: ClassVar[Keep] = Keep.END

    def estimate(
        self, oracle: InnerOracle, inner: InnerLoop, path: InnerPath
    ) -> Hypergradient:
        """Return the first-order hypergradient of each task."""
        del inner
        outer = oracle.outer_value_and_grad(path.end)
        per_task = oracle.start_pullback(outer.grad)
        if outer.direct is not None:
            per_task = per_task + outer.direct
        return Hypergradient(per_task=per_task, outer_loss=outer.loss)
