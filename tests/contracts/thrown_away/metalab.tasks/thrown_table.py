"""Tasks that were observed: points of two inputs, names, and no true curve."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from metalab.core.tasks import Samples, TaskDistribution


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrownTable(TaskDistribution):
    """Forty patients with thirty measurements each.

    Source: here.
    """

    name: ClassVar[str] = "thrown-table"
    title: ClassVar[str] = "Thrown table"
    parameter_names: ClassVar[tuple[str, ...]] = ("patient",)
    inputs_lie_on_a_curve: ClassVar[bool] = False
    input_dim: ClassVar[int] = 2
    input_range: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def _table(self):
        generator = torch.Generator().manual_seed(7)
        x = torch.rand(40, 30, 2, generator=generator, dtype=torch.float64)
        slopes = torch.randn(40, 1, 2, generator=generator, dtype=torch.float64)
        return x, (slopes * x).sum(dim=2, keepdim=True)

    def sample_parameters(self, num_tasks, *, generator, dtype):
        chosen = torch.randint(40, (num_tasks, 1), generator=generator)
        return chosen.to(dtype)

    def sample_points(self, parameters, *, num_shots, num_queries, query, generator):
        count = num_shots + num_queries
        rows = [torch.randperm(30, generator=generator)[:count] for _ in parameters]
        place = parameters.long(), torch.stack(rows)
        x, y = (part[place].to(parameters.dtype) for part in self._table())
        return Samples(x=x, y=y)

    def task_name(self, parameters):
        return f"patient {int(parameters[0])}"
