"""Lines through the origin."""

from dataclasses import dataclass
from typing import ClassVar

from metalab.tasks.one_dimensional import (
    IntervalFamily,
    noise_option,
    uniform_columns,
    x_max_option,
    x_min_option,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrownPlane(IntervalFamily):
    """y = slope * x + noise.

    Source: here.
    """

    name: ClassVar[str] = "thrown-plane"
    title: ClassVar[str] = "Thrown plane"
    parameter_names: ClassVar[tuple[str, ...]] = ("slope",)

    x_min: float = x_min_option(-1.0)
    x_max: float = x_max_option(1.0)
    noise_std: float = noise_option()

    def sample_parameters(self, num_tasks, *, generator, dtype):
        return uniform_columns(
            num_tasks, ((-2.0, 2.0),), generator=generator, dtype=dtype
        )

    def target(self, parameters, x):
        return parameters[:, :, None] * x
