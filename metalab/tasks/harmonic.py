"""Sums of two sine waves an octave apart, seen in a small part of the axis."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.spec import option
from metalab.core.tasks import TaskFamily
from metalab.tasks.one_dimensional import (
    largest,
    noise_option,
    ranges_of,
    refuse_empty_ranges,
    smallest,
    uniform,
    uniform_columns,
)

REACH = 3.0
"""Inputs lie within this many spreads of their centre."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Harmonic(TaskFamily):
    """y = a1 sin(w x + b1) + a2 sin(2 w x + b2) + noise.

    The amplitudes a1 and a2 are standard normal, the phases uniform in [0, 2 pi], the
    frequency w uniform in its range. The inputs of a task lie around a centre of its own,
    uniform in [-centre_max, centre_max], with a normal deviation of `spread`. The zero
    function has a mean squared error of 1, and no fixed function has less.

    The normal deviation is cut at 3 spreads (0.27 % of the draws of the source lie
    beyond), so that the inputs have a range.

    Source: Lacoste et al. 2018 (arXiv:1806.07528), with the ranges of torchmeta's
        `Harmonic`, whose documentation calls amplitude what its code uses as frequency.
    """

    name: ClassVar[str] = "harmonic"
    title: ClassVar[str] = "Harmonic sum"

    frequency_min: float = smallest("frequency", 5.0, unit="rad/x", low=0.0, high=100.0)
    frequency_max: float = largest("frequency", 7.0, unit="rad/x", low=0.0, high=100.0)
    centre_max: float = option(
        4.0,
        label="Centre max",
        help="Largest distance of a task's inputs, on average, from 0.",
        unit="x",
        low=0.0,
        high=100.0,
    )
    spread: float = option(
        1.0,
        label="Spread",
        help="Standard deviation of the inputs of a task around their centre.",
        unit="x",
        low=0.001,
        high=100.0,
        log=True,
    )
    noise_std: float = noise_option()

    def __post_init__(self) -> None:
        """Refuse empty ranges.

        Raises:
            ValueError: frequency_max lies below frequency_min.
        """
        refuse_empty_ranges(self)

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """The frequency, both amplitudes and both phases."""
        return ("frequency", "amplitude 1", "amplitude 2", "phase 1", "phase 2")

    @property
    def input_range(self) -> tuple[float, float]:
        """Every place an input can have."""
        end = self.centre_max + REACH * self.spread
        return (-end, end)

    @property
    def noise(self) -> float:
        """Standard deviation of the noise, in units of y."""
        return self.noise_std

    def sample_parameters(
        self, num_tasks: int, *, generator: torch.Generator, dtype: torch.dtype
    ) -> Float[Tensor, "task parameter"]:
        """Draw frequency, amplitudes and phases of each task."""
        full = (0.0, 2 * math.pi)
        frequency_and_phases = uniform_columns(
            num_tasks,
            (*ranges_of(self, "frequency"), full, full),
            generator=generator,
            dtype=dtype,
        )
        amplitudes = torch.randn(
            (num_tasks, 2), generator=generator, dtype=dtype, device=generator.device
        )
        frequency, phases = frequency_and_phases.split([1, 2], dim=1)
        return torch.cat([frequency, amplitudes, phases], dim=1)

    def sample_inputs(
        self,
        num_tasks: int,
        num_samples: int,
        *,
        generator: torch.Generator,
        dtype: torch.dtype,
    ) -> Float[Tensor, "task shot input"]:
        """Draw a centre for each task, and inputs around it."""
        centre = uniform(
            (num_tasks, 1, 1),
            generator=generator,
            dtype=dtype,
            low=-self.centre_max,
            high=self.centre_max,
        )
        # The normal distribution's inverse on the part of (-1, 1) that is not cut off.
        inside = math.erf(REACH / math.sqrt(2))
        probability = uniform(
            (num_tasks, num_samples, 1),
            generator=generator,
            dtype=dtype,
            low=-inside,
            high=inside,
        )
        deviation = math.sqrt(2) * torch.erfinv(probability)
        return centre + self.spread * deviation.clamp(-REACH, REACH)

    def target(
        self,
        parameters: Float[Tensor, "task parameter"],
        x: Float[Tensor, "task shot input"],
    ) -> Float[Tensor, "task shot output"]:
        """Return the sum of the two waves."""
        frequency, a1, a2, b1, b2 = parameters[:, :, None, None].unbind(dim=1)
        angle = frequency * x
        return a1 * torch.sin(angle + b1) + a2 * torch.sin(2 * angle + b2)
