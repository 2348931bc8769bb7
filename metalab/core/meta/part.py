"""Shared by parameterisations that adapt some layers and keep the others shared."""

from dataclasses import replace

import torch
from torch import Tensor

from metalab.core.model import Model, ParameterBlock


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
