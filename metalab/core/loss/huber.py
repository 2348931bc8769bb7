"""The Huber loss."""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from metalab.core.loss.base import Loss
from metalab.core.spec import option


@dataclass(frozen=True, slots=True, kw_only=True)
class Huber(Loss):
    """r^2 / 2 where |r| <= delta, else delta (|r| - delta / 2); r the residual, in y^2.

    Averaged over shots and outputs. Near the target it is half the squared error, far away
    it grows like the absolute error, so that a point far off pulls no more than delta. The
    derivative is r clamped to [-delta, delta]; the second one jumps from 1 to 0 at delta.

    Attributes:
        delta: Residual beyond which the loss is straight.

    Source: Huber 1964, section 4.
    """

    name: ClassVar[str] = "huber"
    title: ClassVar[str] = "Huber loss"
    synonyms: ClassVar[tuple[str, ...]] = ("smooth L1", "robust loss")
    unit: ClassVar[str] = "y²"
    quantity: ClassVar[str] = "mean Huber loss"
    twice_differentiable: ClassVar[bool] = False

    delta: float = option(
        1.0,
        label="Huber delta",
        help="Residual beyond which the loss grows no longer as a square but straight.",
        unit="y",
        low=0.0,
        high=1e6,
        exclusive=True,
        log=True,
        synonyms=("threshold", "beta"),
    )

    def costs(
        self,
        prediction: Float[Tensor, "task shot output"],
        target: Float[Tensor, "task shot output"],
    ) -> Float[Tensor, "task shot output"]:
        """Return the Huber loss of each output."""
        residual = prediction - target
        # c (r - c / 2) with c the clamped residual is both cases in one, without a branch.
        clamped = residual.clamp(-self.delta, self.delta)
        return clamped * (residual - 0.5 * clamped)

    def torch_expression(self) -> str:
        """Return torch's own."""
        return f"F.huber_loss(prediction, target, delta={self.delta!r})"
