"""log cosh of the residual: a square near zero, straight far away, smooth between."""

import math
from dataclasses import dataclass
from typing import ClassVar

from torch.nn.functional import softplus

from metalab.core.loss.base import Loss
from metalab.core.spec import option


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCosh(Loss):
    """width^2 log cosh(residual / width), averaged over the points."""

    name: ClassVar[str] = "log-cosh"
    title: ClassVar[str] = "Log cosh"

    width: float = option(
        1.0, label="Width", help="Where it turns straight.", low=0.01, high=100.0
    )

    def costs(self, prediction, target):
        size = ((prediction - target) / self.width).abs()
        return self.width**2 * (size + softplus(-2 * size) - math.log(2))
