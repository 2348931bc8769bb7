"""RMSprop as an inner loop."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from metalab.core.inner.adaptive import AdaptiveLoop, root
from metalab.core.model.base import ParameterBlock
from metalab.core.script import InnerSource
from metalab.core.spec import option


@dataclass(frozen=True, slots=True, kw_only=True)
class InnerRMSprop(AdaptiveLoop):
    """theta - inner_lr * g / (sqrt(v) + epsilon), v a running mean of g^2 from zero.

    The mean starts anew with each task, and is differentiated through. As in torch, it is
    not corrected for its start, so that a first step is 1 / sqrt(1 - decay) times as long.

    Attributes:
        num_inner_steps: K.
        inner_lr: Step size.
        inner_epsilon: Added to the size of the gradients.
        inner_clip_norm: Largest norm of a task's gradient; 0 does not clip.
        inner_weight_decay: Share of theta added to the gradient, once clipped.
        inner_decay: Share of the mean of squared gradients that a step keeps.

    Source: Tieleman and Hinton 2012, Neural Networks for Machine Learning, lecture 6.5.
    """

    name: ClassVar[str] = "rmsprop"
    title: ClassVar[str] = "RMSprop"
    formula: ClassVar[str] = "θ ← θ − α ∇ℓ(θ) / (√v + ε)"

    inner_decay: float = option(
        0.99,
        label="Inner decay",
        help="Share of the running mean of squared inner gradients that a step keeps.",
        low=0.0,
        high=0.99999,
        advanced=True,
        synonyms=("smoothing constant", "second moment", "rho"),
    )

    def memory_width(self, inner_dim: int) -> int:
        """Return the width of the mean."""
        return inner_dim

    def direction(
        self, grad: Tensor, memory: Tensor, step: int
    ) -> tuple[Tensor, Tensor]:
        """Return g / (sqrt(v) + epsilon), and v."""
        del step
        square = self.inner_decay * memory + (1 - self.inner_decay) * grad.square()
        return grad / (root(square) + self.inner_epsilon), square

    def step_source(
        self, adapted: Mapping[str, ParameterBlock], rates: Float[Tensor, " rates"]
    ) -> InnerSource:
        """Return steps of torch.optim.RMSprop."""
        del adapted, rates
        return self._steps_by(
            "RMSprop", {"alpha": self.inner_decay, "eps": self.inner_epsilon}
        )
