"""Functional networks whose parameters are rows of one matrix.

theta [task, dim] holds one complete network a row, so adapting a meta-batch is a handful
of batched matrix products and needs no vmap.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.script import ModuleUse, NamedTensor


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

    def of(self, flat: Tensor) -> Tensor:
        """Return the block's numbers, [..., size], of flat vectors, [..., parameter]."""
        return flat[..., self.start : self.start + self.size]

    def as_torch(self, values: Tensor) -> Tensor:
        """Return the array as a layer of torch has it: outputs first.

        Args:
            values: Its numbers, [size].
        """
        array = values.reshape(self.shape)
        return array if array.ndim < 2 else array.movedim(-1, 0)


class Model(ABC):
    """A function of flat, stackable parameters. Implementations are frozen dataclasses.

    This is all that gradient-based methods need: which arrays there are, where they start
    and what they predict. More stands in `core.model.capabilities`.

    Attributes:
        capability: What a class of models has, in words; "" for any.
        input_dim: Number of inputs.
        output_dim: Number of outputs.
    """

    __slots__ = ()

    name: ClassVar[str]
    title: ClassVar[str]
    synonyms: ClassVar[tuple[str, ...]] = ()
    capability: ClassVar[str] = ""
    only_input_dim: ClassVar[int | None] = None
    """The one number of inputs that the model takes; None for any."""

    input_dim: int
    output_dim: int

    def obstacle(self) -> str | None:
        """Return why the network cannot be used as it is set; None if it can.

        Asked of every experiment before it is built: the end of a sentence.
        """
        return None

    @property
    @abstractmethod
    def blocks(self) -> tuple[ParameterBlock, ...]:
        """The arrays of the flat vector, in order and without gaps."""

    @property
    def dim(self) -> int:
        """Length of the flat parameter vector."""
        return sum(block.size for block in self.blocks)

    @property
    def activations_per_point(self) -> int:
        """Numbers that a prediction holds of each point, for estimates of memory."""
        return sum(block.shape[-1] for block in self.blocks)

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

    def module_source(self, use: ModuleUse) -> str | None:
        """Return the class `Network`, a module of torch; None where none is declared.

        Args:
            use: What its `forward` returns (see `core.script`).
        """
        del use
        return None

    def module_names(self) -> tuple[str, ...]:
        """Return the name that each of `blocks` has in the module's `state_dict`."""
        return ()

    def module_tensors(
        self, theta: Float[Tensor, " some"], *, prefix: str = "", learned: bool = True
    ) -> Mapping[str, NamedTensor]:
        """Return arrays of the network as its module has them, by name.

        Args:
            theta: The flat vector, or its beginning: only whole arrays of that.
            prefix: What comes before the names.
            learned: Whether the numbers are meta-learned.
        """
        return {
            prefix + name: NamedTensor(
                values=block.as_torch(block.of(theta)),
                meaning=f"network, {block.name}",
                learned=learned,
            )
            for block, name in zip(self.blocks, self.module_names(), strict=True)
            if block.start + block.size <= len(theta)
        }
