"""The absolute error."""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from metalab.core.loss.base import Loss


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsoluteError(Loss):
    """|prediction - target|, averaged over shots and outputs; in units of y.

    Its derivative is the sign of the residual (0 at 0), and jumps there: the Hessian of a
    loss has the curvature of the network and none of the loss.

    Source: Laplace 1774; the maximum likelihood estimate under noise of his distribution.
    """

    name: ClassVar[str] = "absolute-error"
    title: ClassVar[str] = "Absolute error"
    synonyms: ClassVar[tuple[str, ...]] = ("MAE", "mean absolute error", "L1 loss")
    unit: ClassVar[str] = "y"
    quantity: ClassVar[str] = "mean absolute error"
    twice_differentiable: ClassVar[bool] = False
    gradient_jumps: ClassVar[bool] = True

    def costs(
        self,
        prediction: Float[Tensor, "task shot output"],
        target: Float[Tensor, "task shot output"],
    ) -> Float[Tensor, "task shot output"]:
        """Return the absolute error of each output."""
        return (prediction - target).abs()

    def torch_expression(self) -> str:
        """Return torch's own."""
        return "F.l1_loss(prediction, target)"
