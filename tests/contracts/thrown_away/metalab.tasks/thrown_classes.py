"""Points of two classes, known for certain."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from metalab.core.tasks import Samples, Targets, TaskDistribution


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrownClasses(TaskDistribution):
    """Left or right of a threshold.

    Source: here.
    """

    name: ClassVar[str] = "thrown-classes"
    title: ClassVar[str] = "Thrown classes"
    parameter_names: ClassVar[tuple[str, ...]] = ("threshold",)
    output_dim: ClassVar[int] = 2
    targets: ClassVar[Targets] = Targets.PROBABILITIES
    input_range: ClassVar[tuple[float, float]] = (-1.0, 1.0)

    def sample_parameters(self, num_tasks, *, generator, dtype):
        return torch.rand(num_tasks, 1, generator=generator, dtype=dtype) - 0.5

    def sample_points(self, parameters, *, num_shots, num_queries, query, generator):
        shape = (len(parameters), num_shots + num_queries, 1)
        x = 2 * torch.rand(shape, generator=generator, dtype=parameters.dtype) - 1
        right = (x > parameters[:, None]).to(x)
        return Samples(x=x, y=torch.cat([1 - right, right], dim=2))
