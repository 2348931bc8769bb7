"""A loss that is a square near zero and straight far away."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from metalab.core.loss.base import Loss


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrownLoss(Loss):
    """sqrt(1 + residual^2) - 1, averaged.

    Source: Charbonnier et al. 1994.
    """

    name: ClassVar[str] = "thrown-loss"
    title: ClassVar[str] = "Thrown loss"
    unit: ClassVar[str] = "y"
    quantity: ClassVar[str] = "mean thrown loss"
    twice_differentiable: ClassVar[bool] = True

    def costs(self, prediction, target):
        residual = prediction - target
        return torch.sqrt(1 + residual * residual) - 1
