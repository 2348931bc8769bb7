"""Gradient descent with one fixed learning rate."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from metalab.core.inner.descent import (
    FixedRateDescent,
    Rule,
    clip_norm_option,
    optimizer_steps,
    rate_option,
    steps_option,
    weight_decay_option,
)
from metalab.core.model.base import ParameterBlock
from metalab.core.oracle import InnerOracle
from metalab.core.script import InnerSource
from metalab.core.spec import option


@dataclass(frozen=True, slots=True, kw_only=True)
class GradientDescent(FixedRateDescent):
    """theta_{k+1} = theta_k - inner_lr * grad L_support(theta_k).

    Attributes:
        num_inner_steps: K.
        inner_lr: Step size.
        momentum: Heavy-ball momentum of the inner loop.
        inner_batch_size: Support points of one step; 0 takes all of them. Step k takes
            the k-th block of the support set, cyclically, as in the sine demonstration
            of Reptile (Nichol et al. 2018); the last block may be smaller.
        inner_clamp: Largest size of an entry of a gradient; 0 does not clamp.
        inner_clip_norm: Largest norm of a task's gradient, once clamped; 0 does not clip.
        inner_weight_decay: Share of theta added to the gradient, once clipped.
    """

    name: ClassVar[str] = "gradient-descent"
    title: ClassVar[str] = "Gradient descent"
    synonyms: ClassVar[tuple[str, ...]] = ("SGD", "heavy ball")

    num_inner_steps: int = steps_option()
    inner_lr: float = rate_option()
    momentum: float = option(
        0.0,
        label="Inner momentum",
        help="Share of the previous inner update that is kept; 0 is plain descent.",
        low=0.0,
        high=0.9999,
        advanced=True,
        synonyms=("heavy ball",),
        at_zero="off",
    )
    inner_batch_size: int = option(
        0,
        label="Inner batch size",
        help="Support points used by one inner step; 0 uses all of them.",
        unit="shots",
        low=0,
        high=10_000,
        advanced=True,
        synonyms=("minibatch",),
        at_zero="all shots",
    )

    inner_clamp: float = option(
        0.0,
        label="Inner clamp",
        help="Largest size of an entry of an inner gradient; 0 does not clamp (MMAML: 10).",
        low=0.0,
        high=1e6,
        advanced=True,
        synonyms=("clip by value", "gradient clipping"),
        at_zero="off",
    )

    inner_clip_norm: float = clip_norm_option()
    inner_weight_decay: float = weight_decay_option()

    def rule(self, oracle: InnerOracle) -> Rule:
        """Return descent at `inner_lr`."""
        del oracle
        return Rule(
            rate=self._rate,
            momentum=self.momentum,
            batch_size=self.inner_batch_size,
            clamp=self.inner_clamp,
            clip_norm=self.inner_clip_norm,
            decay=self.inner_weight_decay,
        )

    def _rate(self, step: int, grad: Tensor) -> float:
        del step, grad
        return self.inner_lr

    def step_source(
        self, adapted: Mapping[str, ParameterBlock], rates: Float[Tensor, " rates"]
    ) -> InnerSource:
        """Return steps of torch.optim.SGD."""
        del adapted, rates
        options = {
            "lr": self.inner_lr,
            "momentum": self.momentum,
            "weight_decay": self.inner_weight_decay,
        }
        steps = optimizer_steps(
            "SGD", options, clamp=self.inner_clamp, clip_norm=self.inner_clip_norm
        )
        return replace(steps, batch_size=self.inner_batch_size)
