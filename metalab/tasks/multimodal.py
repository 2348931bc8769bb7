"""Mixtures of up to five shapes: the benchmark of multimodal meta-learning."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.spec import option
from metalab.tasks.one_dimensional import (
    IntervalFamily,
    noise_option,
    uniform,
    x_max_option,
    x_min_option,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """One shape g of y = scale * g(x - shift) + offset, with the ranges of its numbers.

    Attributes:
        shape: g.
        scale: Range of the absolute value of the scale.
        signed: Whether the scale is negative half the time.
        shift: Range of the shift.
        offset: Range of the offset.
    """

    shape: Callable[[Tensor], Tensor]
    scale: tuple[float, float]
    signed: bool = True
    shift: tuple[float, float] = (-3.0, 3.0)
    offset: tuple[float, float] = (-3.0, 3.0)

    @property
    def row(self) -> list[float]:
        """Start and extent of each range, and whether the scale has a sign."""
        starts, ends = zip(self.scale, self.shift, self.offset, strict=True)
        extents = [end - start for start, end in zip(starts, ends, strict=True)]
        return [*starts, *extents, float(self.signed)]


SINE = Mode(
    shape=torch.sin,
    scale=(0.1, 5.0),
    signed=False,
    shift=(0.0, math.pi),
    offset=(0.0, 0.0),
)
LINE = Mode(shape=torch.positive, scale=(0.0, 3.0), shift=(0.0, 0.0))
QUADRATIC = Mode(shape=torch.square, scale=(0.02, 0.15))
TANH = Mode(shape=torch.tanh, scale=(0.0, 3.0))
ABSOLUTE = Mode(shape=torch.abs, scale=(0.0, 3.0))

MODES = (SINE, LINE, QUADRATIC, TANH, ABSOLUTE)
"""In the order in which the number of modes adds them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Multimodal(IntervalFamily):
    """y = scale * g(x - shift) + offset + noise, with a shape g drawn for each task.

    Mode 0 is a sine (scale 0.1 to 5, shift 0 to pi, no offset), 1 a line (slope -3 to 3,
    no shift), 2 a parabola (scale 0.02 to 0.15 of either sign), 3 tanh and 4 |x| (scale
    -3 to 3); shift and offset are -3 to 3 where not said otherwise. Every range is
    uniform and as published. Each mode is equally likely for each task, where the source
    has equal numbers of them in a batch.

    The zero function has a mean squared error of 4.25, 28.0, 5.50, 5.41 and 37.06 on the
    modes; on mixtures of 2, 3 and 5 modes, 16.13, 12.58 and 16.04.

    Source: Vuorio et al. 2019 (MMAML), section 5.1, ranges as in the authors' code; noise
        0.3 on support and query targets.
    """

    name: ClassVar[str] = "multimodal"
    title: ClassVar[str] = "Multimodal"

    num_modes: int = option(
        5,
        label="Modes",
        help="How many of the shapes sine, line, parabola, tanh and |x| occur, from the "
        "first on (MMAML: 2, 3 and 5).",
        unit="modes",
        low=1,
        high=len(MODES),
    )
    x_min: float = x_min_option(-5.0)
    x_max: float = x_max_option(5.0)
    noise_std: float = noise_option("MMAML: 0.3")

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """The mode, from 0, and its three numbers."""
        return ("mode", "scale", "shift", "offset")

    def sample_parameters(
        self, num_tasks: int, *, generator: torch.Generator, dtype: torch.dtype
    ) -> Float[Tensor, "task parameter"]:
        """Draw the mode of each task and its numbers."""
        unit = uniform((num_tasks, 4), generator=generator, dtype=dtype)
        # Rounding may lift the largest draws to num_modes itself.
        mode = (unit[:, 0] * self.num_modes).floor().clamp(max=self.num_modes - 1)
        ranges = unit.new_tensor([m.row for m in MODES])[mode.long()]
        start, extent, signed = ranges.split([3, 3, 1], dim=1)
        # The sign of the scale and its size both come from one uniform number.
        about_zero = 2 * unit[:, 1:2] - 1
        size = torch.cat([about_zero.abs(), unit[:, 2:]], dim=1)
        scale, shift_and_offset = (start + extent * size).split([1, 2], dim=1)
        scale = torch.where((signed > 0) & (about_zero < 0), -scale, scale)
        return torch.cat([mode[:, None], scale, shift_and_offset], dim=1)

    def target(
        self,
        parameters: Float[Tensor, "task parameter"],
        x: Float[Tensor, "task shot input"],
    ) -> Float[Tensor, "task shot output"]:
        """Return scale * g(x - shift) + offset, with the shape of each task."""
        mode, scale, shift, offset = parameters[:, :, None, None].unbind(dim=1)
        z = x - shift
        value = torch.zeros_like(z)
        for index, known in enumerate(MODES[: self.num_modes]):
            value = torch.where(mode == index, known.shape(z), value)
        return scale * value + offset
