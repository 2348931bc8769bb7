"""A hypergradient between the first-order and the exact one."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from metalab.core.hypergradient import base
from metalab.core.oracle import Evaluations
from metalab.core.spec import option


@dataclass(frozen=True, slots=True, kw_only=True)
class Blended(base.HypergradientEstimator):
    """share * exact + (1 - share) * first-order."""

    name: ClassVar[str] = "blended"
    title: ClassVar[str] = "Blended"

    share: float = option(
        0.5, label="Share", help="Of the exact one.", low=0.0, high=1.0
    )

    def cost(self, size):
        products = size.num_inner_steps * size.products_per_step
        return Evaluations(gradients=1, products=products)

    def estimate(self, oracle, inner, path, request):
        v, outer_loss = base.end_cotangent(oracle, path, request)
        ends = [
            base.sweep(oracle, inner, path.steps, v, request, num_exact=count)
            for count in (0, len(path.steps))
        ]
        straight, exact = (base.at_start(oracle, end) for end in ends)
        per_task = torch.lerp(straight, exact, self.share)
        return base.Hypergradient(per_task=per_task, outer_loss=outer_loss)
