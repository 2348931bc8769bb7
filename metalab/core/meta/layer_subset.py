"""Shared by parameterisations that adapt some layers and keep the others shared."""

from abc import abstractmethod
from dataclasses import replace
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from metalab.core.meta.base import MetaParameterisation, PhiRole
from metalab.core.model.base import Model, ParameterBlock
from metalab.core.script import PredictorSource
from metalab.core.tasks import Samples


def shifted(blocks: tuple[ParameterBlock, ...]) -> tuple[ParameterBlock, ...]:
    """Return the blocks laid out from 0, as a task's own vector holds them."""
    start = 0
    moved: list[ParameterBlock] = []
    for block in blocks:
        moved.append(replace(block, start=start))
        start += block.size
    return tuple(moved)


def split_layers(
    model: Model, *, first_adapted: int, end_adapted: int
) -> tuple[tuple[ParameterBlock, ...], slice]:
    """Return the blocks of layers first_adapted ... end_adapted - 1, and their place.

    Layers are consecutive in the flat vector, so their place is one slice.
    """
    blocks = tuple(
        block for block in model.blocks if first_adapted <= block.layer < end_adapted
    )
    last = blocks[-1]
    return shifted(blocks), slice(blocks[0].start, last.start + last.size)


def num_layers(model: Model) -> int:
    """Return the number of layers."""
    return model.blocks[-1].layer + 1


def spliced(phi: Tensor, theta: Tensor, place: slice) -> Tensor:
    """Return phi with `place` taken by theta, [task, dim]."""
    return torch.cat([phi[:, : place.start], theta, phi[:, place.stop :]], dim=1)


class LayerSubset(MetaParameterisation):
    """Abstract: phi = the whole network; a task adapts consecutive layers of it.

    The other layers are shared by all tasks and learned by the outer loop, through the
    prediction and through the inner loss.
    """

    __slots__ = ()

    shapes_inner_loss: ClassVar[bool] = True
    regularised: ClassVar[bool] = False

    @abstractmethod
    def adapted_layers(self, num_layers: int) -> tuple[int, int]:
        """Return the first adapted layer, and the one after the last, from 0."""

    @property
    def ways(self) -> tuple[frozenset[PhiRole], ...]:
        """How each part of phi enters the outer loss."""
        return (
            frozenset({PhiRole.START}),
            frozenset({PhiRole.PREDICTION, PhiRole.INNER_LOSS}),
        )

    def _split(self, model: Model) -> tuple[tuple[ParameterBlock, ...], slice]:
        first, end = self.adapted_layers(num_layers(model))
        return split_layers(model, first_adapted=first, end_adapted=end)

    def adapted_blocks(self, model: Model) -> tuple[ParameterBlock, ...]:
        """Return the adapted layers."""
        return self._split(model)[0]

    def start(
        self, model: Model, phi: Float[Tensor, "task meta"]
    ) -> Float[Tensor, "task inner"]:
        """Return phi's adapted layers."""
        return phi[:, self._split(model)[1]]

    def start_pullback(
        self, model: Model, v: Float[Tensor, "task inner"]
    ) -> Float[Tensor, "task meta"]:
        """Return v at the place of the adapted layers."""
        place = self._split(model)[1]
        return pad(v, (place.start, model.dim - place.stop))

    def predict(
        self,
        model: Model,
        theta: Float[Tensor, "task inner"],
        phi: Float[Tensor, "task meta"],
        x: Float[Tensor, "task shot input"],
        support: Samples,
    ) -> Float[Tensor, "task shot output"]:
        """Return the network's output with its adapted layers at theta."""
        del support
        return model.apply(spliced(phi, theta, self._split(model)[1]), x)

    def predictor_source(
        self, model: Model, phi: Float[Tensor, " meta"]
    ) -> PredictorSource:
        """Return the network itself, of which some layers adapt."""
        first, end = self.adapted_layers(num_layers(model))
        named = zip(model.blocks, model.module_names(), strict=True)
        return PredictorSource(
            tensors=model.module_tensors(phi),
            adapted=tuple(name for block, name in named if first <= block.layer < end),
        )
