"""Adam as an inner loop."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.inner.adaptive import AdaptiveLoop, root
from metalab.core.model.base import ParameterBlock
from metalab.core.script import InnerSource
from metalab.core.spec import option


@dataclass(frozen=True, slots=True, kw_only=True)
class InnerAdam(AdaptiveLoop):
    """theta - inner_lr * m / (sqrt(v) + epsilon), m and v unbiased means of g and g^2.

    Both means start anew with each task, and are differentiated through.

    Attributes:
        num_inner_steps: K.
        inner_lr: Step size.
        inner_epsilon: Added to the size of the gradients.
        inner_clip_norm: Largest norm of a task's gradient; 0 does not clip.
        inner_weight_decay: Share of theta added to the gradient, once clipped.
        inner_beta1: Share of the mean of gradients that a step keeps.
        inner_beta2: Share of the mean of squared gradients that a step keeps.

    Source: Kingma and Ba 2015, algorithm 1.
    """

    name: ClassVar[str] = "adam"
    title: ClassVar[str] = "Adam"
    synonyms: ClassVar[tuple[str, ...]] = ("adaptive moment estimation",)
    formula: ClassVar[str] = "θ ← θ − α m / (√v + ε)"

    inner_beta1: float = option(
        0.9,
        label="Inner beta 1",
        help="Share of the running mean of inner gradients that a step keeps.",
        low=0.0,
        high=0.9999,
        advanced=True,
        synonyms=("momentum", "first moment"),
    )
    inner_beta2: float = option(
        0.999,
        label="Inner beta 2",
        help="Share of the running mean of squared inner gradients that a step keeps.",
        low=0.0,
        high=0.99999,
        advanced=True,
        synonyms=("second moment",),
    )

    def memory_width(self, inner_dim: int) -> int:
        """Return the width of both means, side by side."""
        return 2 * inner_dim

    def direction(
        self, grad: Tensor, memory: Tensor, step: int
    ) -> tuple[Tensor, Tensor]:
        """Return m / (sqrt(v) + epsilon), and the means that m and v are from."""
        first, second = memory.chunk(2, dim=1)
        first = self.inner_beta1 * first + (1 - self.inner_beta1) * grad
        second = self.inner_beta2 * second + (1 - self.inner_beta2) * grad.square()
        mean = first / (1 - self.inner_beta1 ** (step + 1))
        square = second / (1 - self.inner_beta2 ** (step + 1))
        direction = mean / (root(square) + self.inner_epsilon)
        return direction, torch.cat([first, second], dim=1)

    def step_source(
        self, adapted: Mapping[str, ParameterBlock], rates: Float[Tensor, " rates"]
    ) -> InnerSource:
        """Return steps of torch.optim.Adam."""
        del adapted, rates
        betas = (self.inner_beta1, self.inner_beta2)
        return self._steps_by("Adam", {"betas": betas, "eps": self.inner_epsilon})
