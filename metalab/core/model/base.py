"""Functional networks whose parameters are rows of one matrix.

theta [task, dim] holds one complete network a row, so adapting a meta-batch is a handful
of batched matrix products and needs no vmap.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterBlock:
    """Where one named array lives in the flat parameter vector.

    Attributes:
        name: For example "layer 1 weight".
        layer: Index of the layer, from 0.
        shape: Shape of the array, inputs first.
        start: First index in the flat vector.
    """

    name: str
    layer: int
    shape: tuple[int, ...]
    start: int

    @property
    def size(self) -> int:
        """Number of parameters in the block."""
        return math.prod(self.shape)


class Model(ABC):
    """A function of flat, stackable parameters. Implementations are frozen."""

    __slots__ = ()

    name: ClassVar[str]
    title: ClassVar[str]
    synonyms: ClassVar[tuple[str, ...]] = ()
    only_input_dim: ClassVar[int | None] = None
    """The one number of inputs that the model takes; None for any."""

    input_dim: int
    output_dim: int

    @property
    @abstractmethod
    def blocks(self) -> tuple[ParameterBlock, ...]:
        """The arrays of the flat vector, in order and without gaps."""

    @property
    def dim(self) -> int:
        """Length of the flat parameter vector."""
        return sum(block.size for block in self.blocks)

    @property
    def head_blocks(self) -> tuple[ParameterBlock, ...]:
        """The arrays of the last layer, which is linear."""
        last = self.blocks[-1].layer
        return tuple(block for block in self.blocks if block.layer == last)

    @property
    def body_dim(self) -> int:
        """Number of parameters before the last layer: where the head begins."""
        return self.head_blocks[0].start

    @abstractmethod
    def features(
        self,
        body: Float[Tensor, "task body"],
        x: Float[Tensor, "task shot input"],
    ) -> Float[Tensor, "task shot feature"]:
        """Return what the last layer multiplies, a 1 for its bias included.

        A prediction is features @ head, with the head's arrays one below the other as
        [feature, output].
        """

    @property
    @abstractmethod
    def num_hidden_units(self) -> int:
        """Units of all hidden layers together: what can be modulated."""

    @abstractmethod
    def apply_modulated(
        self,
        theta: Float[Tensor, "task dim"],
        x: Float[Tensor, "task shot input"],
        scale: Float[Tensor, "task unit"],
        shift: Float[Tensor, "task unit"],
    ) -> Float[Tensor, "task shot output"]:
        """Return predictions with scale * z + shift for every hidden pre-activation z.

        Source: Perez et al. 2018 (FiLM), equation 2.
        """

    @abstractmethod
    def initial_parameters(
        self, *, generator: torch.Generator, dtype: torch.dtype
    ) -> Float[Tensor, " dim"]:
        """Draw initial parameters, [dim], on the generator's device."""

    @abstractmethod
    def apply(
        self,
        theta: Float[Tensor, "task dim"],
        x: Float[Tensor, "task shot input"],
    ) -> Float[Tensor, "task shot output"]:
        """Return predictions, [task, shot, output], one network for each task."""
