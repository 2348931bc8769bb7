"""Sine waves of random amplitude and phase: the standard regression benchmark."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.spec import option
from metalab.tasks.one_dimensional import (
    IntervalFamily,
    largest,
    noise_option,
    ranges_of,
    smallest,
    uniform,
    uniform_columns,
    x_max_option,
    x_min_option,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sinusoid(IntervalFamily):
    """y = amplitude * sin(x - phase) + noise.

    Amplitude and phase are uniform in their ranges, x is uniform in [x_min, x_max]. With
    the default ranges, no fixed function has a mean squared error below 3.006, and the
    zero function has 4.252.

    Attributes:
        grid_points: Points of the grid that inputs are drawn from, each pass over it in
            a random order; 0 draws uniform inputs.

    Source: Finn et al. 2017, section 5.1; the sign of the phase as in the authors' code.
    """

    name: ClassVar[str] = "sinusoid"
    title: ClassVar[str] = "Sinusoid"

    amplitude_min: float = smallest("amplitude", 0.1, unit="y", low=0.0, high=100.0)
    amplitude_max: float = largest("amplitude", 5.0, unit="y", low=0.0, high=100.0)
    phase_min: float = smallest(
        "phase", 0.0, unit="rad", low=-10.0, high=10.0, advanced=True
    )
    phase_max: float = largest(
        "phase",
        math.pi,
        help="Largest phase of a task (MAML: pi, Reptile's demonstration: 2 pi).",
        unit="rad",
        low=-10.0,
        high=10.0,
    )
    x_min: float = x_min_option(-5.0)
    x_max: float = x_max_option(5.0)
    noise_std: float = noise_option()
    grid_points: int = option(
        0,
        label="Input grid",
        help="Points of an even grid that inputs are drawn from, in shuffled passes over "
        "it; 0 draws them uniformly (Reptile's demonstration: 50).",
        unit="points",
        low=0,
        high=10_000,
        advanced=True,
        at_zero="off",
    )

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Amplitude and phase."""
        return ("amplitude", "phase")

    def sample_parameters(
        self, num_tasks: int, *, generator: torch.Generator, dtype: torch.dtype
    ) -> Float[Tensor, "task parameter"]:
        """Draw amplitude and phase of each task."""
        ranges = ranges_of(self, "amplitude", "phase")
        return uniform_columns(num_tasks, ranges, generator=generator, dtype=dtype)

    def sample_inputs(
        self,
        num_tasks: int,
        num_samples: int,
        *,
        generator: torch.Generator,
        dtype: torch.dtype,
    ) -> Float[Tensor, "task shot input"]:
        """Draw inputs uniformly, or pass by pass over the grid."""
        if self.grid_points == 0:
            return uniform(
                (num_tasks, num_samples, 1),
                generator=generator,
                dtype=dtype,
                low=self.x_min,
                high=self.x_max,
            )
        grid = torch.linspace(
            self.x_min,
            self.x_max,
            self.grid_points,
            dtype=dtype,
            device=generator.device,
        )
        num_passes = -(-num_samples // self.grid_points)
        shape = (num_tasks, num_passes, self.grid_points)
        order = uniform(shape, generator=generator, dtype=dtype).argsort(dim=2)
        return grid[order].reshape(num_tasks, -1, 1)[:, :num_samples]

    def target(
        self,
        parameters: Float[Tensor, "task parameter"],
        x: Float[Tensor, "task shot input"],
    ) -> Float[Tensor, "task shot output"]:
        """Return amplitude * sin(x - phase)."""
        amplitude = parameters[:, 0, None, None]
        phase = parameters[:, 1, None, None]
        return amplitude * torch.sin(x - phase)
