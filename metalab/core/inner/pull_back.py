"""Gradient descent without the proximal term, and one step of it at the end."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from metalab.core.inner.base import InnerRequirement
from metalab.core.inner.descent import (
    FixedRateDescent,
    Rule,
    optimizer_steps,
    rate_option,
)
from metalab.core.model.base import ParameterBlock
from metalab.core.oracle import InnerOracle, LossTerms
from metalab.core.script import InnerSource
from metalab.core.spec import option


@dataclass(frozen=True, slots=True, kw_only=True)
class PullBackDescent(FixedRateDescent):
    """K - 1 steps on the prediction loss alone, then one on the regulariser alone.

    What the authors' code of iMAML runs, in contrast to the paper, whose inner loop
    descends both at every step. Steps beyond K are on the prediction loss again.

    Attributes:
        num_inner_steps: K, the pull-back included.
        inner_lr: Step size of every step.

    Source: the authors' code of Rajeswaran et al. 2019, `omniglot_implicit_maml.py`.
    """

    name: ClassVar[str] = "pull-back-descent"
    title: ClassVar[str] = "Descent, then one pull-back (iMAML's code)"
    synonyms: ClassVar[tuple[str, ...]] = ("iMAML",)
    needs: ClassVar[InnerRequirement] = InnerRequirement.ANCHOR

    num_inner_steps: int = option(
        17,
        label="Inner steps K",
        help="Gradient steps that each task takes; the last one is the pull-back.",
        unit="steps",
        low=2,
        high=1000,
        synonyms=(
            "number of inner steps",
            "adaptation steps",
            "gradient steps",
            "inner updates",
        ),
    )
    inner_lr: float = rate_option()

    def with_num_steps(self, num_inner_steps: int) -> "PullBackDescent":
        """Return the loop whose pull-back is the last of so many steps."""
        return replace(self, num_inner_steps=num_inner_steps)

    def rule(self, oracle: InnerOracle) -> Rule:
        """Return descent at `inner_lr` of the terms that a step is about."""
        del oracle
        return Rule(rate=self._rate, terms=self._terms)

    def _rate(self, step: int, grad: Tensor) -> float:
        del step, grad
        return self.inner_lr

    def _terms(self, step: int) -> LossTerms:
        pulls = step == self.num_inner_steps - 1
        return LossTerms.REGULARISER if pulls else LossTerms.PREDICTION

    def step_source(
        self, adapted: Mapping[str, ParameterBlock], rates: Float[Tensor, " rates"]
    ) -> InnerSource:
        """Return steps of torch.optim.SGD, of which the K-th is the pull-back."""
        del adapted, rates
        steps = optimizer_steps("SGD", {"lr": self.inner_lr})
        return replace(steps, pulls_at=self.num_inner_steps - 1)
