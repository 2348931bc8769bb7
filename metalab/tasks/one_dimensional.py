"""Families of functions of one input that is drawn uniformly from an interval.

Their options come in pairs, `amplitude_min` and `amplitude_max`, and share the three that
`x_min_option`, `x_max_option` and `noise_option` declare.
"""

from dataclasses import fields
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.spec import option
from metalab.core.tasks import TaskFamily


def smallest(what: str, default: float, **spec: Any) -> Any:
    """Declare the option at the low end of a range, such as "amplitude"."""
    return option(
        default,
        **{
            "label": f"{what.capitalize()} min",
            "help": f"Smallest {what} of a task.",
            **spec,
        },
    )


def largest(what: str, default: float, **spec: Any) -> Any:
    """Declare the option at the high end of a range, such as "amplitude"."""
    return option(
        default,
        **{
            "label": f"{what.capitalize()} max",
            "help": f"Largest {what} of a task.",
            **spec,
        },
    )


def x_min_option(default: float) -> Any:
    """Declare the smallest input."""
    return option(
        default,
        label="x min",
        help="Smallest input.",
        unit="x",
        low=-100.0,
        high=100.0,
        advanced=True,
        synonyms=("input range", "domain"),
    )


def x_max_option(default: float) -> Any:
    """Declare the largest input."""
    return option(
        default,
        label="x max",
        help="Largest input.",
        unit="x",
        low=-100.0,
        high=100.0,
        advanced=True,
        synonyms=("input range", "domain"),
    )


def noise_option(published: str = "") -> Any:
    """Declare the noise, none by default.

    Args:
        published: What papers use, for example "MMAML: 0.3".
    """
    note = f" ({published})" if published else ""
    return option(
        0.0,
        label="Noise",
        help=f"Standard deviation of the noise on support and query targets{note}.",
        unit="y",
        low=0.0,
        high=10.0,
        synonyms=("noise level", "target noise", "label noise"),
        at_zero="off",
    )


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


def ranges_of(family: TaskFamily, *names: str) -> tuple[tuple[float, float], ...]:
    """Return the values of the pairs of options called `name`_min and `name`_max."""
    return tuple(
        (getattr(family, f"{name}_min"), getattr(family, f"{name}_max"))
        for name in names
    )


def refuse_empty_ranges(family: TaskFamily) -> None:
    """Refuse a pair of options, such as amplitude_min and amplitude_max, out of order.

    Equal ends fix a number of the tasks; inputs must have an extent.

    Raises:
        ValueError: Names both ends and their values.
    """
    names = [entry.name for entry in fields(cast("Any", family))]
    for low in (name for name in names if name.endswith("_min")):
        high = low.removesuffix("_min") + "_max"
        start, end = getattr(family, low), getattr(family, high)
        must = "exceed" if low == "x_min" else "be at least"
        if end < start or (end == start and low == "x_min"):
            raise ValueError(f"{high} is {end:g}; it must {must} {low}, {start:g}")


class IntervalFamily(TaskFamily):
    """Abstract: inputs uniform in [x_min, x_max], Gaussian noise on the targets.

    The three options are declared by each family, after its own, with its own defaults.

    Attributes:
        x_min: Smallest input.
        x_max: Largest input.
        noise_std: Standard deviation of the noise, in units of y.
    """

    __slots__ = ()

    x_min: float
    x_max: float
    noise_std: float

    def __post_init__(self) -> None:
        """Refuse empty ranges.

        Raises:
            ValueError: A range whose end lies below its start; inputs without extent.
        """
        refuse_empty_ranges(self)

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
