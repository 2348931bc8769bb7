"""The basis {sin x, cos x}, linear in its two weights."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.model.base import ParameterBlock
from metalab.core.model.capabilities import (
    HasLinearHead,
    Modulatable,
    with_linear_head,
)
from metalab.core.script import ModuleUse


@dataclass(frozen=True, slots=True, kw_only=True)
class SineBasis(HasLinearHead, Modulatable):
    """w1 sin x + w2 cos x: every sine of frequency 1, and nothing else.

    With a closed-form inner loop this is the least-squares oracle of the sine tasks: two
    unknowns, so two noise-free points determine a task.

    Attributes:
        input_dim: Number of inputs: 1.
        output_dim: Number of outputs.
    """

    name: ClassVar[str] = "sine-basis"
    title: ClassVar[str] = "Basis {sin x, cos x}"
    only_input_dim: ClassVar[int | None] = 1

    input_dim: int
    output_dim: int

    @property
    def blocks(self) -> tuple[ParameterBlock, ...]:
        """The two weights of each output."""
        shape = (2, self.output_dim)
        return (ParameterBlock(name="layer 1 weight", layer=0, shape=shape, start=0),)

    def initial_parameters(
        self, *, generator: torch.Generator, dtype: torch.dtype
    ) -> Float[Tensor, " dim"]:
        """Return zeros, [dim]: there is nothing to break a symmetry for."""
        return torch.zeros(self.dim, dtype=dtype, device=generator.device)

    def features(
        self,
        body: Float[Tensor, "task body"],
        x: Float[Tensor, "task shot input"],
    ) -> Float[Tensor, "task shot feature"]:
        """Return [sin x, cos x]."""
        del body
        return torch.cat([torch.sin(x), torch.cos(x)], dim=2)

    def apply(
        self,
        theta: Float[Tensor, "task dim"],
        x: Float[Tensor, "task shot input"],
    ) -> Float[Tensor, "task shot output"]:
        """Return predictions, [task, shot, output]."""
        weight = theta.view(theta.shape[0], 2, self.output_dim)
        return self.features(theta[:, :0], x) @ weight

    @property
    def activations_per_point(self) -> int:
        """None to speak of."""
        return 0

    @property
    def num_hidden_units(self) -> int:
        """None."""
        return 0

    def apply_modulated(
        self,
        theta: Float[Tensor, "task dim"],
        x: Float[Tensor, "task shot input"],
        scale: Float[Tensor, "task unit"],
        shift: Float[Tensor, "task unit"],
    ) -> Float[Tensor, "task shot output"]:
        """Return predictions: there is no hidden layer to modulate."""
        del scale, shift
        return self.apply(theta, x)

    def module_names(self) -> tuple[str, ...]:
        """Return the name of the weights."""
        return ("head.weight",)

    def module_source(self, use: ModuleUse) -> str:
        """Return the two functions, and a linear layer behind them."""
        about = "The basis {sin x, cos x}"
        return with_linear_head(about, _FEATURES, use, outputs=self.output_dim, count=2)


_FEATURES = """
def features(self, x):
    return torch.cat([torch.sin(x), torch.cos(x)], dim=1)
"""
