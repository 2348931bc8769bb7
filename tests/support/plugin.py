"""A task family as a third party would write it: one file, no import of the catalog."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from metalab.core.spec import option
from metalab.core.tasks import TaskFamily


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane(TaskFamily):
    """y = slope * x."""

    name: ClassVar[str] = "plane"
    title: ClassVar[str] = "Plane"
    parameter_names: ClassVar[tuple[str, ...]] = ("slope",)

    slope_max: float = option(
        1.0, label="Slope max", help="Largest slope.", low=0.0, high=9.0
    )

    @property
    def input_range(self):
        return (-1.0, 1.0)

    @property
    def noise(self):
        return 0.0

    def sample_parameters(self, num_tasks, *, generator, dtype):
        return self.slope_max * torch.rand(
            (num_tasks, 1), generator=generator, dtype=dtype
        )

    def sample_inputs(self, num_tasks, num_samples, *, generator, dtype):
        return torch.rand((num_tasks, num_samples, 1), generator=generator, dtype=dtype)

    def target(self, parameters, x):
        return parameters[:, :, None] * x
