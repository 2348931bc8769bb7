"""Sine waves whose amplitude and phase are told to the network."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.tasks.sinusoid import Sinusoid


@dataclass(frozen=True, slots=True, kw_only=True)
class SinusoidKnown(Sinusoid):
    """The sinusoid family, with inputs [x, amplitude, phase].

    What a network can do that need not find out its task: trained jointly, it is the
    oracle of the MAML paper.

    Source: Finn et al. 2017, section 5.1, "oracle".
    """

    name: ClassVar[str] = "sinusoid-known"
    title: ClassVar[str] = "Sinusoid, task known"
    tells_the_task: ClassVar[bool] = True

    @property
    def input_dim(self) -> int:
        """x, amplitude and phase."""
        return 3

    def observed(
        self,
        parameters: Float[Tensor, "task parameter"],
        x: Float[Tensor, "task shot place"],
    ) -> Float[Tensor, "task shot input"]:
        """Return [x, amplitude, phase]."""
        told = parameters[:, None, :].expand(-1, x.shape[1], -1)
        return torch.cat([x, told], dim=2)

    def target(
        self,
        parameters: Float[Tensor, "task parameter"],
        x: Float[Tensor, "task shot input"],
    ) -> Float[Tensor, "task shot output"]:
        """Return amplitude * sin(x - phase), of the first input."""
        return Sinusoid.target(self, parameters, x[..., :1])
