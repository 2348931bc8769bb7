"""Families of functions of one input, drawn uniformly from an interval."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.spec import option
from metalab.core.tasks import TaskFamily


def uniform(
    shape: tuple[int, ...],
    *,
    generator: torch.Generator,
    dtype: torch.dtype,
    low: float = 0.0,
    high: float = 1.0,
) -> Tensor:
    """Return uniform numbers on the generator's device."""
    unit = torch.rand(shape, generator=generator, dtype=dtype, device=generator.device)
    return low + (high - low) * unit


def uniform_columns(
    num_tasks: int,
    ranges: tuple[tuple[float, float], ...],
    *,
    generator: torch.Generator,
    dtype: torch.dtype,
) -> Float[Tensor, "task parameter"]:
    """Return one uniform column for each range."""
    unit = uniform((num_tasks, len(ranges)), generator=generator, dtype=dtype)
    low = unit.new_tensor([low for low, _ in ranges])
    high = unit.new_tensor([high for _, high in ranges])
    return low + (high - low) * unit


def refuse_empty_range(low_name: str, low: float, high_name: str, high: float) -> None:
    """Refuse a range whose end lies below its start.

    Raises:
        ValueError: Names both ends and their values.
    """
    if high < low:
        raise ValueError(
            f"{high_name} is {high:g}; it must be at least {low_name}, {low:g}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalFamily(TaskFamily):
    """Abstract: inputs uniform in [x_min, x_max], Gaussian noise on the targets.

    Attributes:
        x_min: Smallest input.
        x_max: Largest input.
        noise_std: Standard deviation of the noise, in units of y.
    """

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
        """Refuse inputs without extent.

        Raises:
            ValueError: x_max does not exceed x_min.
        """
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

    def sample_inputs(
        self,
        num_tasks: int,
        num_samples: int,
        *,
        generator: torch.Generator,
        dtype: torch.dtype,
    ) -> Float[Tensor, "task shot input"]:
        """Draw inputs uniformly."""
        return uniform(
            (num_tasks, num_samples, 1),
            generator=generator,
            dtype=dtype,
            low=self.x_min,
            high=self.x_max,
        )
