"""Sine waves and straight lines in one family: is a task of one kind or the other?"""

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
    smallest,
    uniform,
    x_max_option,
    x_min_option,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SineOrLine(IntervalFamily):
    """y = amplitude * sin(x - phase) + noise, or y = slope * x + intercept + noise.

    A task is a line with probability `line_share`. Amplitude and phase are uniform in
    their ranges, slope and intercept in [-max, max], x in [x_min, x_max]. By default the
    zero function has a mean squared error of 4.25 on sines, 28 on lines, 16.13 on both.

    Source: Finn et al. 2018 (probabilistic MAML) with noise 0.3, Yoon et al. 2018 (BMAML).
    """

    name: ClassVar[str] = "sine-or-line"
    title: ClassVar[str] = "Sine or line"

    line_share: float = option(
        0.5,
        label="Share of lines",
        help="Probability that a task is a line.",
        low=0.0,
        high=1.0,
    )
    amplitude_min: float = smallest("amplitude", 0.1, unit="y", low=0.0, high=100.0)
    amplitude_max: float = largest("amplitude", 5.0, unit="y", low=0.0, high=100.0)
    phase_min: float = smallest(
        "phase", 0.0, unit="rad", low=-10.0, high=10.0, advanced=True
    )
    phase_max: float = largest("phase", math.pi, unit="rad", low=-10.0, high=10.0)
    slope_max: float = option(
        3.0,
        label="Slope max",
        help="Slopes of lines lie between minus this and this.",
        unit="y/x",
        low=0.0,
        high=100.0,
    )
    intercept_max: float = option(
        3.0,
        label="Intercept max",
        help="Intercepts of lines lie between minus this and this.",
        unit="y",
        low=0.0,
        high=100.0,
    )
    x_min: float = x_min_option(-5.0)
    x_max: float = x_max_option(5.0)
    noise_std: float = noise_option("probabilistic MAML: 0.3")

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """1 for a line and 0 for a sine, then the two numbers of that kind."""
        return ("line", "amplitude or slope", "phase or intercept")

    def sample_parameters(
        self, num_tasks: int, *, generator: torch.Generator, dtype: torch.dtype
    ) -> Float[Tensor, "task parameter"]:
        """Draw the kind and the two numbers of each task."""
        unit = uniform((num_tasks, 3), generator=generator, dtype=dtype)
        line = (unit[:, :1] < self.line_share).to(dtype)
        sine_low = unit.new_tensor([self.amplitude_min, self.phase_min])
        sine_high = unit.new_tensor([self.amplitude_max, self.phase_max])
        of_sine = sine_low + (sine_high - sine_low) * unit[:, 1:]
        line_end = unit.new_tensor([self.slope_max, self.intercept_max])
        of_line = line_end * (2 * unit[:, 1:] - 1)
        return torch.cat([line, torch.where(line > 0, of_line, of_sine)], dim=1)

    def target(
        self,
        parameters: Float[Tensor, "task parameter"],
        x: Float[Tensor, "task shot input"],
    ) -> Float[Tensor, "task shot output"]:
        """Return the sine or the line of each task."""
        line, first, second = parameters[:, :, None, None].unbind(dim=1)
        return torch.where(line > 0, first * x + second, first * torch.sin(x - second))
