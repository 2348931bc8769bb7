"""The squared error."""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from metalab.core.loss.base import Loss


@dataclass(frozen=True, slots=True, kw_only=True)
class SquaredError(Loss):
    """(prediction - target)^2, averaged over shots and outputs; in units of y^2."""

    name: ClassVar[str] = "squared-error"
    title: ClassVar[str] = "Squared error"
    synonyms: ClassVar[tuple[str, ...]] = ("MSE", "mean squared error", "L2 loss")
    unit: ClassVar[str] = "y²"
    quantity: ClassVar[str] = "mean squared error"
    twice_differentiable: ClassVar[bool] = True

    def costs(
        self,
        prediction: Float[Tensor, "task shot output"],
        target: Float[Tensor, "task shot output"],
    ) -> Float[Tensor, "task shot output"]:
        """Return the squared error of each output."""
        residual = prediction - target
        return residual * residual

    def torch_expression(self) -> str:
        """Return torch's own."""
        return "F.mse_loss(prediction, target)"
