"""Sine waves of random amplitude, frequency and phase."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.tasks.one_dimensional import (
    IntervalFamily,
    largest,
    noise_option,
    ranges_of,
    smallest,
    uniform_columns,
    x_max_option,
    x_min_option,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SinusoidFrequency(IntervalFamily):
    """y = amplitude * sin(frequency * x + phase) + noise.

    The three numbers are uniform in their ranges, x is uniform in [x_min, x_max]. With
    the default ranges, no fixed function has a mean squared error below 3.1145, and the
    zero function has 4.252.

    Source: Li et al. 2017 (Meta-SGD), section 4.1; the code of MT-net (Lee and Choi 2018)
        subtracts the phase.
    """

    name: ClassVar[str] = "sinusoid-frequency"
    title: ClassVar[str] = "Sinusoid with frequency"

    amplitude_min: float = smallest("amplitude", 0.1, unit="y", low=0.0, high=100.0)
    amplitude_max: float = largest("amplitude", 5.0, unit="y", low=0.0, high=100.0)
    frequency_min: float = smallest("frequency", 0.8, unit="rad/x", low=0.0, high=100.0)
    frequency_max: float = largest("frequency", 1.2, unit="rad/x", low=0.0, high=100.0)
    phase_min: float = smallest(
        "phase", 0.0, unit="rad", low=-10.0, high=10.0, advanced=True
    )
    phase_max: float = largest("phase", math.pi, unit="rad", low=-10.0, high=10.0)
    x_min: float = x_min_option(-5.0)
    x_max: float = x_max_option(5.0)
    noise_std: float = noise_option()

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Amplitude, frequency and phase."""
        return ("amplitude", "frequency", "phase")

    def sample_parameters(
        self, num_tasks: int, *, generator: torch.Generator, dtype: torch.dtype
    ) -> Float[Tensor, "task parameter"]:
        """Draw amplitude, frequency and phase of each task."""
        ranges = ranges_of(self, *self.parameter_names)
        return uniform_columns(num_tasks, ranges, generator=generator, dtype=dtype)

    def target(
        self,
        parameters: Float[Tensor, "task parameter"],
        x: Float[Tensor, "task shot input"],
    ) -> Float[Tensor, "task shot output"]:
        """Return amplitude * sin(frequency * x + phase)."""
        amplitude, frequency, phase = parameters[:, :, None, None].unbind(dim=1)
        return amplitude * torch.sin(frequency * x + phase)
