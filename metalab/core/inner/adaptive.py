"""Inner loops that divide each step by the size of earlier gradients: their common part."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.inner.descent import (
    OptimizerOptions,
    clip_norm_option,
    clipped,
    optimizer_steps,
    rate_option,
    steps_option,
    weight_decay_option,
    with_decay,
)
from metalab.core.inner.update_loop import Here, RecordedLoop
from metalab.core.script import InnerSource
from metalab.core.spec import option


def epsilon_option(default: float = 1e-8) -> Any:
    """Declare what is added to the size of a gradient before a step is divided by it."""
    return option(
        default,
        label="Inner epsilon",
        help="Added to the size of the gradients that a step is divided by. A gradient far "
        "above it counts by its sign alone, so that no second derivative passes.",
        low=1e-12,
        high=10.0,
        log=True,
        advanced=True,
        synonyms=("eps", "numerical stability"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptiveLoop(RecordedLoop):
    """Abstract: theta_{k+1} = theta_k - inner_lr * direction(gradients so far).

    Attributes:
        num_inner_steps: K.
        inner_lr: Step size.
        inner_epsilon: Added to the size of the gradients.
        inner_clip_norm: Largest norm of a task's gradient; 0 does not clip.
        inner_weight_decay: Share of theta added to the gradient, once clipped.
    """

    num_inner_steps: int = steps_option()
    inner_lr: float = rate_option()
    inner_epsilon: float = epsilon_option()
    inner_clip_norm: float = clip_norm_option()
    inner_weight_decay: float = weight_decay_option()

    @abstractmethod
    def direction(
        self,
        grad: Float[Tensor, "task inner"],
        memory: Float[Tensor, "task memory"],
        step: int,
    ) -> tuple[Float[Tensor, "task inner"], Float[Tensor, "task memory"]]:
        """Return what a step subtracts, before the step size, and the new memory.

        Args:
            grad: Gradient, clipped and with weight decay.
            memory: What earlier steps left.
            step: k, from 0.
        """

    def advance(self, here: Here) -> tuple[Tensor, Tensor]:
        """Return theta and the memory after a step."""
        grad = with_decay(
            clipped(here.grad, self.inner_clip_norm),
            here.theta,
            self.inner_weight_decay,
        )
        direction, memory = self.direction(grad, here.memory, here.step)
        return here.theta.sub(direction, alpha=self.inner_lr), memory

    def _steps_by(self, optimizer: str, options: OptimizerOptions) -> InnerSource:
        """Return steps by an optimizer of torch, with the loop's size, decay and clipping."""
        whole = {
            "lr": self.inner_lr,
            **options,
            "weight_decay": self.inner_weight_decay,
        }
        return optimizer_steps(optimizer, whole, clip_norm=self.inner_clip_norm)


def root(square: Tensor) -> Tensor:
    """Return the square root, whose derivative at 0 is taken as 0.

    There torch's is infinite, and times the derivative of a square, which is 0, no number.
    In g / (root(g^2) + epsilon) it multiplies g = 0, so that any finite value is right.
    """
    positive = square > 0
    return torch.where(positive, torch.where(positive, square, 1.0).sqrt(), 0.0)
