"""The negative log likelihood under Gaussian noise."""

import math
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

from metalab.core.loss.base import Loss
from metalab.core.script import code
from metalab.core.spec import option

FIXED, LEARNED = "fixed", "learned"

LEAST_NOISE = 0.01
"""Learned noise stays above this share of `noise_std`: without any, the likelihood of
points that the network meets exactly has no bound."""

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)

_AT_ZERO = math.log(math.e - 1)
"""Argument at which softplus is 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GaussianLikelihood(Loss):
    """-log N(target; prediction, s^2) of one output, averaged over shots; in nats.

    It is r^2 / (2 s^2) + log s + log(2 pi) / 2 with the residual r: below zero for small
    residuals where s is below 0.4. Its gradient is that of the squared error times
    1 / (2 s^2), so that s says what a regulariser of the inner loss weighs against, and
    with a fixed inner lr how far an inner step goes.

    Learned noise is an output of the network beside each prediction: at an input with the
    output v it is s = noise_std (c + (1 - c) softplus(v + log(e - 1))), c = `LEAST_NOISE`:
    noise_std at v = 0. It differs from input to input, and a task adapts it as it adapts
    the prediction.

    Attributes:
        noise_std: s, known; or what a network starts around, if it is learned.
        noise_is: "fixed", or "learned".

    Source: Gauss 1809; Bishop 2006, equation 1.62. Nix & Weigend 1994, equation 4, for
        noise that the network predicts.
    """

    name: ClassVar[str] = "gaussian"
    title: ClassVar[str] = "Gaussian likelihood"
    synonyms: ClassVar[tuple[str, ...]] = (
        "NLL",
        "negative log likelihood",
        "log likelihood",
        "heteroscedastic",
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
    noise_is: str = option(
        FIXED,
        label="Likelihood noise is",
        help="fixed: the same everywhere. learned: a second output of the network, which "
        "begins around the value set.",
        choices=(FIXED, LEARNED),
        advanced=True,
        synonyms=("heteroscedastic", "aleatoric"),
    )

    @property
    def learns_noise(self) -> bool:
        """Whether the network predicts the noise."""
        return self.noise_is == LEARNED

    @property
    def constant(self) -> float:
        """Cost of an output without a residual, where the noise is fixed."""
        return math.log(self.noise_std) + _HALF_LOG_2PI

    def num_outputs(self, num_targets: int) -> int:
        """Return one output a target, and one more for its noise where it is learned."""
        return 2 * num_targets if self.learns_noise else num_targets

    def deviation(
        self, outputs: Float[Tensor, "task shot output"], num_targets: int
    ) -> Float[Tensor, "task shot"] | None:
        """Return the learned noise of the first target; None where it is fixed."""
        if not self.learns_noise:
            return None
        return self._noise(outputs[:, :, num_targets])

    def _noise(self, outputs: Tensor) -> Tensor:
        # Not exp: one wild inner step would overflow.
        share = softplus(outputs + _AT_ZERO)
        return self.noise_std * (LEAST_NOISE + (1 - LEAST_NOISE) * share)

    def costs(
        self,
        prediction: Float[Tensor, "task shot output"],
        target: Float[Tensor, "task shot target"],
    ) -> Float[Tensor, "task shot target"]:
        """Return the negative log likelihood of each target."""
        if self.learns_noise:
            mean, outputs = prediction.chunk(2, dim=2)
            noise = self._noise(outputs)
            residual = (mean - target) / noise
            return 0.5 * residual.square() + noise.log() + _HALF_LOG_2PI
        residual = (prediction - target) / self.noise_std
        return 0.5 * residual * residual + self.constant

    def torch_expression(self) -> str:
        """Return the mean of r^2 / (2 s^2) + log s, and the constant."""
        if self.learns_noise:
            return code(
                _LEARNED_NOISE,
                scale=self.noise_std,
                least=LEAST_NOISE,
                rest=1 - LEAST_NOISE,
                shift=_AT_ZERO,
            )
        residual = f"((prediction - target) / {self.noise_std!r})"
        return f"0.5 * {residual}.square().mean() + {self.constant!r}"


# torch's `eps` would keep the variance above 1e-6.
_LEARNED_NOISE = """
F.gaussian_nll_loss(
    prediction.chunk(2, dim=1)[0],
    target,
    (
        <scale>
        * (
            <least>
            + <rest> * F.softplus(prediction.chunk(2, dim=1)[1] + <shift>)
        )
    ).square(),
    full=True,
    eps=1e-30,
)
"""
