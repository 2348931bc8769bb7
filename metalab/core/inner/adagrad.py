"""Adagrad as an inner loop."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from metalab.core.inner.adaptive import AdaptiveLoop, root
from metalab.core.model.base import ParameterBlock
from metalab.core.script import InnerSource


@dataclass(frozen=True, slots=True, kw_only=True)
class InnerAdagrad(AdaptiveLoop):
    """theta - inner_lr * g / (sqrt(s) + epsilon), s the sum of all g^2 so far.

    The sum starts anew with each task, and is differentiated through.

    Attributes:
        num_inner_steps: K.
        inner_lr: Step size.
        inner_epsilon: Added to the size of the gradients.
        inner_clip_norm: Largest norm of a task's gradient; 0 does not clip.
        inner_weight_decay: Share of theta added to the gradient, once clipped.

    Source: Duchi, Hazan and Singer 2011, section 1.3 (diagonal).
    """

    name: ClassVar[str] = "adagrad"
    title: ClassVar[str] = "Adagrad"
    formula: ClassVar[str] = "θ ← θ − α ∇ℓ(θ) / (√s + ε)"

    def memory_width(self, inner_dim: int) -> int:
        """Return the width of the sum."""
        return inner_dim

    def direction(
        self, grad: Tensor, memory: Tensor, step: int
    ) -> tuple[Tensor, Tensor]:
        """Return g / (sqrt(s) + epsilon), and s."""
        del step
        total = memory + grad.square()
        return grad / (root(total) + self.inner_epsilon), total

    def step_source(
        self, adapted: Mapping[str, ParameterBlock], rates: Float[Tensor, " rates"]
    ) -> InnerSource:
        """Return steps of torch.optim.Adagrad."""
        del adapted, rates
        return self._steps_by("Adagrad", {"eps": self.inner_epsilon})
