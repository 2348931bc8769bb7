"""A product of two lines: the least that a model is."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from metalab.core.model.base import Model, ParameterBlock


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrownModel(Model):
    """(x . a) (x . b) for each output; no layer of it is linear, and nothing is hidden."""

    name: ClassVar[str] = "thrown-model"
    title: ClassVar[str] = "Thrown model"

    input_dim: int
    output_dim: int

    @property
    def blocks(self):
        shape = (self.input_dim, 2 * self.output_dim)
        return (ParameterBlock(name="factors", layer=0, shape=shape, start=0),)

    def initial_parameters(self, *, generator, dtype):
        return torch.rand(
            self.dim, generator=generator, dtype=dtype, device=generator.device
        )

    def apply(self, theta, x):
        factors = x @ theta.view(len(theta), self.input_dim, -1)
        first, second = factors.chunk(2, dim=2)
        return first * second
