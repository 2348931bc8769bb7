"""Sine waves of random amplitude and phase: the standard regression benchmark."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.spec import option
from metalab.core.tasks import TaskFamily


@dataclass(frozen=True, slots=True, kw_only=True)
class Sinusoid(TaskFamily):
    """y = amplitude * sin(x - phase) + noise.

    Amplitude and phase are uniform in their ranges, x is uniform in [x_min, x_max]. With
    the default ranges, no fixed function has a mean squared error below 3.006, and the
    zero function has 4.252.

    Source: Finn et al. 2017, section 5.1; the sign of the phase as in the authors' code.
    """

    name: ClassVar[str] = "sinusoid"
    title: ClassVar[str] = "Sinusoid"
    parameter_names: ClassVar[tuple[str, ...]] = ("amplitude", "phase")

    amplitude_min: float = option(
        0.1,
        label="Amplitude min",
        help="Smallest amplitude of a task.",
        unit="y",
        low=0.0,
        high=100.0,
    )
    amplitude_max: float = option(
        5.0,
        label="Amplitude max",
        help="Largest amplitude of a task.",
        unit="y",
        low=0.0,
        high=100.0,
    )
    phase_min: float = option(
        0.0,
        label="Phase min",
        help="Smallest phase of a task.",
        unit="rad",
        low=-10.0,
        high=10.0,
        advanced=True,
    )
    phase_max: float = option(
        math.pi,
        label="Phase max",
        help="Largest phase of a task (MAML: pi, Reptile's demonstration: 2 pi).",
        unit="rad",
        low=-10.0,
        high=10.0,
    )
    x_min: float = option(
        -5.0,
        label="x min",
        help="Smallest input.",
        unit="x",
        low=-100.0,
        high=100.0,
        advanced=True,
    )
    x_max: float = option(
        5.0,
        label="x max",
        help="Largest input.",
        unit="x",
        low=-100.0,
        high=100.0,
        advanced=True,
    )
    noise_std: float = option(
        0.0,
        label="Noise",
        help="Standard deviation of the noise on support and query targets.",
        unit="y",
        low=0.0,
        high=10.0,
    )

    def __post_init__(self) -> None:
        """Refuse empty ranges.

        Raises:
            ValueError: A range whose end lies below its start; inputs without extent.
        """
        for low, high in (
            ("amplitude_min", "amplitude_max"),
            ("phase_min", "phase_max"),
        ):
            if getattr(self, high) < getattr(self, low):
                raise ValueError(
                    f"{high} is {getattr(self, high):g}; it must be at least {low}, "
                    f"{getattr(self, low):g}"
                )
        if self.x_max <= self.x_min:
            raise ValueError(
                f"x_max is {self.x_max:g}; it must exceed x_min, {self.x_min:g}"
            )

    @property
    def input_range(self) -> tuple[float, float]:
        """x_min and x_max."""
        return (self.x_min, self.x_max)

    @property
    def noise(self) -> float:
        """Standard deviation of the noise, in units of y."""
        return self.noise_std

    def sample_parameters(
        self, num_tasks: int, *, generator: torch.Generator, dtype: torch.dtype
    ) -> Float[Tensor, "task parameter"]:
        """Draw amplitude and phase of each task."""
        unit = torch.rand(
            (num_tasks, 2), generator=generator, dtype=dtype, device=generator.device
        )
        low = unit.new_tensor([self.amplitude_min, self.phase_min])
        high = unit.new_tensor([self.amplitude_max, self.phase_max])
        return low + (high - low) * unit

    def sample_inputs(
        self,
        num_tasks: int,
        num_samples: int,
        *,
        generator: torch.Generator,
        dtype: torch.dtype,
    ) -> Float[Tensor, "task shot input"]:
        """Draw inputs uniformly."""
        unit = torch.rand(
            (num_tasks, num_samples, 1),
            generator=generator,
            dtype=dtype,
            device=generator.device,
        )
        return self.x_min + (self.x_max - self.x_min) * unit

    def target(
        self,
        parameters: Float[Tensor, "task parameter"],
        x: Float[Tensor, "task shot input"],
    ) -> Float[Tensor, "task shot output"]:
        """Return amplitude * sin(x - phase)."""
        amplitude = parameters[:, 0, None, None]
        phase = parameters[:, 1, None, None]
        return amplitude * torch.sin(x - phase)
