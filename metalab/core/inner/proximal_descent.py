"""Gradient descent until the inner problem is solved, or a cap is reached."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.inner.base import InnerRequirement
from metalab.core.inner.descent import (
    NORM,
    FixedRateDescent,
    Rule,
    optimizer_steps,
    rate_option,
)
from metalab.core.model.base import ParameterBlock
from metalab.core.oracle import InnerOracle
from metalab.core.script import InnerSource
from metalab.core.spec import option


@dataclass(frozen=True, slots=True, kw_only=True)
class ProximalDescent(FixedRateDescent):
    """Descend the regularised inner loss; a task stops once its gradient is small.

    A task whose gradient has a norm of at most `tolerance` takes steps of size 0 from
    then on, so that its path and every derivative of it end there.

    Attributes:
        num_inner_steps: K, the cap.
        inner_lr: Step size.
        tolerance: Norm of the gradient at which a task stops.

    Source: Rajeswaran et al. 2019 (iMAML), algorithm 2: any solver to an accuracy delta.
    """

    name: ClassVar[str] = "proximal-descent"
    title: ClassVar[str] = "Descent to a tolerance"
    synonyms: ClassVar[tuple[str, ...]] = ("early stopping",)
    needs: ClassVar[InnerRequirement] = InnerRequirement.STATIONARY_POINT

    num_inner_steps: int = option(
        100,
        label="Inner steps K, at most",
        help="Cap on the gradient steps that each task takes.",
        unit="steps",
        low=1,
        high=1000,
        synonyms=(
            "number of inner steps",
            "adaptation steps",
            "gradient steps",
            "inner updates",
        ),
    )
    inner_lr: float = rate_option(0.05)
    tolerance: float = option(
        1e-3,
        label="Inner tolerance",
        help="Norm of the inner gradient at which a task stops.",
        low=0.0,
        high=1e6,
        exclusive=True,
        log=True,
        synonyms=("stopping criterion", "convergence"),
    )

    def rule(self, oracle: InnerOracle) -> Rule:
        """Return descent at `inner_lr`, or at 0 for a task that has converged."""
        del oracle
        return Rule(rate=self._rate, at_rest=self._at_rest)

    def _active(self, grad: Tensor) -> Tensor:
        norm = torch.linalg.vector_norm(grad, dim=1, keepdim=True)
        return norm > self.tolerance

    def _rate(self, step: int, grad: Tensor) -> Tensor:
        del step
        return self._active(grad).to(grad.dtype) * self.inner_lr

    def _at_rest(self, grad: Tensor) -> bool:
        # Only where a look at a value costs nothing: elsewhere it would wait for the
        # device, and the steps of size 0 give the same numbers.
        return grad.device.type == "cpu" and not bool(self._active(grad).any())

    def step_source(
        self, adapted: Mapping[str, ParameterBlock], rates: Float[Tensor, " rates"]
    ) -> InnerSource:
        """Return steps of torch.optim.SGD until the gradient is small."""
        del adapted, rates
        rest = f"{NORM}\nif norm <= {self.tolerance!r}:\n    break"
        return optimizer_steps("SGD", {"lr": self.inner_lr}, before=rest)
