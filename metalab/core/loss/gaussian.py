"""The negative log likelihood under Gaussian noise."""

import math
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from metalab.core.loss.base import Loss
from metalab.core.spec import option


@dataclass(frozen=True, slots=True, kw_only=True)
class GaussianLikelihood(Loss):
    """-log N(target; prediction, s^2) of one output, averaged over shots; in nats.

    It is r^2 / (2 s^2) + log s + log(2 pi) / 2 with the residual r: below zero for small
    residuals where s is below 0.4. Its gradient is that of the squared error times
    1 / (2 s^2), so that s says what a regulariser of the inner loss weighs against, and
    with a fixed inner lr how far an inner step goes.

    Attributes:
        noise_std: s, known.

    Source: Gauss 1809; Bishop 2006, equation 1.62.
    """

    name: ClassVar[str] = "gaussian"
    title: ClassVar[str] = "Gaussian likelihood"
    synonyms: ClassVar[tuple[str, ...]] = (
        "NLL",
        "negative log likelihood",
        "log likelihood",
    )
    unit: ClassVar[str] = "nats"
    quantity: ClassVar[str] = "mean negative log likelihood"
    twice_differentiable: ClassVar[bool] = True
    may_be_negative: ClassVar[bool] = True

    noise_std: float = option(
        1.0,
        label="Likelihood noise",
        help="Standard deviation of the targets' noise that the likelihood assumes.",
        unit="y",
        low=0.0,
        high=1e6,
        exclusive=True,
        log=True,
        synonyms=("sigma", "standard deviation", "noise"),
    )

    @property
    def constant(self) -> float:
        """Cost of an output without a residual."""
        return math.log(self.noise_std) + 0.5 * math.log(2 * math.pi)

    def costs(
        self,
        prediction: Float[Tensor, "task shot output"],
        target: Float[Tensor, "task shot output"],
    ) -> Float[Tensor, "task shot output"]:
        """Return the negative log likelihood of each output."""
        residual = (prediction - target) / self.noise_std
        return 0.5 * residual * residual + self.constant

    def torch_expression(self) -> str:
        """Return the mean of r^2 / (2 s^2), and the constant."""
        residual = f"((prediction - target) / {self.noise_std!r})"
        return f"0.5 * {residual}.square().mean() + {self.constant!r}"
