"""Square waves, saw-teeth, triangles and single steps: functions with edges."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
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
    uniform_columns,
    x_max_option,
    x_min_option,
)


def _fraction(turns: Tensor) -> Tensor:
    return turns - turns.floor()


def _square(turns: Tensor) -> Tensor:
    return _sign(_fraction(turns + 0.5) - 0.5)


def _saw_tooth(turns: Tensor) -> Tensor:
    return 2 * _fraction(turns) - 1


def _triangle(turns: Tensor) -> Tensor:
    return 1 - 4 * (_fraction(turns) - 0.5).abs()


def _sign(turns: Tensor) -> Tensor:
    return 2 * (turns >= 0).to(turns.dtype) - 1


SHAPES: Mapping[str, Callable[[Tensor], Tensor]] = MappingProxyType(
    {"square": _square, "saw-tooth": _saw_tooth, "triangle": _triangle, "step": _sign}
)
"""Each of unit amplitude, as a function of x in periods."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave(IntervalFamily):
    """y = amplitude * g(x / period - phase) + noise.

    g is one of four shapes between -1 and 1 that start upwards at 0:

    - square: 1 in the first half of a period, -1 in the second;
    - saw-tooth: from -1 to 1 over a period, then down at once;
    - triangle: from -1 up to 1 and down again over a period;
    - step: one step from -1 to 1, at x = phase * period.

    Amplitude, period and phase are uniform in their ranges; a phase of 1 is a period. The
    zero function has a mean squared error of E[amplitude^2] for a square wave and a step,
    by default 8.503, and a third of it for the others, 2.834.
    """

    name: ClassVar[str] = "wave"
    title: ClassVar[str] = "Wave with edges"

    shape: str = option(
        "square",
        label="Shape",
        help="Shape of a period; step: one step instead of a wave.",
        choices=tuple(SHAPES),
    )
    amplitude_min: float = smallest("amplitude", 0.1, unit="y", low=0.0, high=100.0)
    amplitude_max: float = largest("amplitude", 5.0, unit="y", low=0.0, high=100.0)
    period_min: float = smallest("period", 4.0, unit="x", low=0.01, high=1000.0)
    period_max: float = largest("period", 8.0, unit="x", low=0.01, high=1000.0)
    phase_min: float = smallest("phase", -0.5, unit="periods", low=-10.0, high=10.0)
    phase_max: float = largest("phase", 0.5, unit="periods", low=-10.0, high=10.0)
    x_min: float = x_min_option(-5.0)
    x_max: float = x_max_option(5.0)
    noise_std: float = noise_option()

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Amplitude, period and phase."""
        return ("amplitude", "period", "phase")

    def sample_parameters(
        self, num_tasks: int, *, generator: torch.Generator, dtype: torch.dtype
    ) -> Float[Tensor, "task parameter"]:
        """Draw amplitude, period and phase of each task."""
        ranges = ranges_of(self, *self.parameter_names)
        return uniform_columns(num_tasks, ranges, generator=generator, dtype=dtype)

    def target(
        self,
        parameters: Float[Tensor, "task parameter"],
        x: Float[Tensor, "task shot input"],
    ) -> Float[Tensor, "task shot output"]:
        """Return amplitude * g(x / period - phase)."""
        amplitude, period, phase = parameters[:, :, None, None].unbind(dim=1)
        return amplitude * SHAPES[self.shape](x / period - phase)
