"""Gradient descent with one fixed learning rate."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.inner.base import (
    Cotangent,
    InnerLoop,
    InnerPath,
    InnerState,
    InnerStep,
    Keep,
)
from metalab.core.inner.descent import descend, through_update
from metalab.core.model import ParameterBlock
from metalab.core.oracle import InnerOracle
from metalab.core.spec import option


@dataclass(frozen=True, slots=True, kw_only=True)
class GradientDescent(InnerLoop):
    """theta_{k+1} = theta_k - inner_lr * grad L_support(theta_k).

    Attributes:
        num_inner_steps: K.
        inner_lr: Step size.
        momentum: Heavy-ball momentum of the inner loop.
        inner_batch_size: Support points of one step; 0 takes all of them. Step k takes
            the k-th block of the support set, cyclically, as in the sine demonstration
            of Reptile (Nichol et al. 2018); the last block may be smaller.
    """

    name: ClassVar[str] = "gradient-descent"
    title: ClassVar[str] = "Gradient descent"
    learns_rates: ClassVar[bool] = False

    num_inner_steps: int = option(
        1,
        label="Inner steps K",
        help="Gradient steps that each task takes on its support set.",
        unit="steps",
        low=1,
        high=1000,
    )
    inner_lr: float = option(
        0.01,
        label="Inner lr",
        help="Step size of the inner loop.",
        low=0.0,
        high=10.0,
        exclusive=True,
        log=True,
    )
    momentum: float = option(
        0.0,
        label="Inner momentum",
        help="Share of the previous inner update that is kept; 0 is plain descent.",
        low=0.0,
        high=0.9999,
        advanced=True,
    )
    inner_batch_size: int = option(
        0,
        label="Inner batch size",
        help="Support points used by one inner step; 0 uses all of them.",
        unit="shots",
        low=0,
        high=10_000,
        advanced=True,
    )

    def meta_dim(self, adapted: tuple[ParameterBlock, ...]) -> int:
        """Return 0: the loop learns nothing itself."""
        del adapted
        return 0

    def initial_meta(
        self,
        adapted: tuple[ParameterBlock, ...],
        *,
        generator: torch.Generator,
        dtype: torch.dtype,
    ) -> Float[Tensor, " rates"]:
        """Return nothing."""
        del adapted
        return torch.empty(0, dtype=dtype, device=generator.device)

    def run(
        self,
        oracle: InnerOracle,
        *,
        num_steps: int,
        begin: InnerState | None = None,
        keep: Keep = Keep.END,
        keep_points: bool = False,
    ) -> InnerPath:
        """Take `num_steps` gradient steps."""
        return descend(
            oracle,
            num_steps=num_steps,
            begin=begin,
            rate=self._rate,
            momentum=self.momentum,
            batch_size=self.inner_batch_size,
            keep=keep,
            keep_points=keep_points,
        )

    def _rate(self, step: int) -> float:
        del step
        return self.inner_lr

    def pullback(self, oracle: InnerOracle, step: InnerStep, v: Cotangent) -> Cotangent:
        """Return (I - inner_lr H_k)^T v, and - inner_lr B_k^T v for phi."""
        of_grad, of_velocity = through_update(v, self.inner_lr, self.momentum)
        theta = v.theta + step.around.hvp(of_grad)
        back = Cotangent(theta=theta, velocity=of_velocity, phi=v.phi)
        if oracle.phi_shapes_inner_loss:
            return back.plus_phi(step.around.mixed_vjp(of_grad))
        return back

    def straight_pullback(
        self, oracle: InnerOracle, step: InnerStep, v: Cotangent
    ) -> Cotangent:
        """Return v unchanged."""
        del oracle, step
        return v
