"""Gradient descent whose learning rates are meta-learned."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.inner.base import Cotangent, InnerStep
from metalab.core.inner.descent import Descent, Rule, rate_option, steps_option
from metalab.core.inner.rates import GRANULARITIES, RateLayout
from metalab.core.model.base import ParameterBlock
from metalab.core.oracle import InnerOracle
from metalab.core.script import InnerSource, NamedTensor, code
from metalab.core.spec import option

PARAMETERISATIONS = ("linear", "exponential")


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedDescent(Descent):
    """theta_{k+1} = theta_k - alpha_k(phi) * grad L_support(theta_k), alpha learned.

    With `per-parameter` rates this is Meta-SGD, and a meta-learned diagonal
    preconditioner; with `per-layer-per-step` rates, the step sizes of MAML++.

    Attributes:
        num_inner_steps: K.
        inner_lr: Where the rates start (the lower end, if they start spread).
        inner_lr_high: Upper end of the uniform start of the rates; 0 starts all of them
            at `inner_lr`.
        granularity: What shares a rate.
        parameterisation: "linear": phi holds the rates, which may turn negative, as in
            Meta-SGD; "exponential": phi holds their logarithms.

    Source: Li et al. 2017 (Meta-SGD), equation 2; Antoniou et al. 2019 (MAML++),
        section 4.
    """

    name: ClassVar[str] = "learned-descent"
    title: ClassVar[str] = "Gradient descent, learned rates"
    synonyms: ClassVar[tuple[str, ...]] = (
        "Meta-SGD",
        "MAML++",
        "learned learning rates",
        "diagonal preconditioner",
    )
    learned: ClassVar[str] = "learning rates"

    num_inner_steps: int = steps_option()
    inner_lr: float = rate_option(
        label="Initial inner lr",
        help="Where the learned rates start; the lower end, if they start spread.",
    )
    inner_lr_high: float = option(
        0.0,
        label="Initial inner lr, high",
        help="Upper end of the uniform start of the rates; 0 starts all alike.",
        low=0.0,
        high=10.0,
        advanced=True,
        synonyms=("inner learning rate", "alpha"),
        at_zero="off",
    )
    granularity: str = option(
        "per-parameter",
        label="Granularity",
        help="What shares one learned rate.",
        choices=GRANULARITIES,
        synonyms=("per-layer rates", "per-parameter rates"),
    )
    parameterisation: str = option(
        "linear",
        label="Parameterisation",
        help="linear: phi holds the rates; exponential: their logarithms, so that they "
        "stay positive.",
        choices=PARAMETERISATIONS,
        advanced=True,
    )

    def __post_init__(self) -> None:
        """Refuse an empty range.

        Raises:
            ValueError: The upper end of the start lies below the lower one.
        """
        if 0 < self.inner_lr_high < self.inner_lr:
            raise ValueError(
                f"inner_lr_high is {self.inner_lr_high:g}; it must be 0 or at least "
                f"inner_lr, {self.inner_lr:g}"
            )

    def layout(self, adapted: tuple[ParameterBlock, ...]) -> RateLayout:
        """Return how the rates spread over the adapted parameters and the steps."""
        return RateLayout(
            granularity=self.granularity,
            blocks=adapted,
            num_inner_steps=self.num_inner_steps,
        )

    def meta_dim(self, adapted: tuple[ParameterBlock, ...]) -> int:
        """Return the number of rates."""
        return self.layout(adapted).dim

    def initial_meta(
        self,
        adapted: tuple[ParameterBlock, ...],
        *,
        generator: torch.Generator,
        dtype: torch.dtype,
    ) -> Float[Tensor, " rates"]:
        """Draw the initial rates, or their logarithms."""
        shape = (self.layout(adapted).dim,)
        unit = torch.rand(
            shape, generator=generator, dtype=dtype, device=generator.device
        )
        high = self.inner_lr_high or self.inner_lr
        rates = self.inner_lr + (high - self.inner_lr) * unit
        return rates.log() if self.parameterisation == "exponential" else rates

    def rule(self, oracle: InnerOracle) -> Rule:
        """Return descent at the learned rates."""
        return Rule(rate=_Rates(self, oracle).at)

    def rate_tangent(
        self, oracle: InnerOracle, step: int, u: Float[Tensor, "#task meta"]
    ) -> Tensor:
        """Return how the rates of a step change along u."""
        return _Rates(self, oracle).pushforward(oracle.rates_pushforward(u), step)

    def first_order_pullback(
        self, oracle: InnerOracle, step: InnerStep, v: Cotangent
    ) -> Cotangent:
        """Return v, with d alpha_k = - v * grad: that needs no second derivative."""
        of_rates = _Rates(self, oracle).pullback(-(v.theta * step.update), step.index)
        return v.plus_phi(oracle.rates_pullback(of_rates))

    def step_source(
        self, adapted: Mapping[str, ParameterBlock], rates: Float[Tensor, " rates"]
    ) -> InnerSource:
        """Return descent at the learned rates."""
        exponential = self.parameterisation == "exponential"
        kind, to_rate = ("log_rates", ".exp()") if exponential else ("rates", "")
        meaning = "logarithms of learning rates" if exponential else "learning rates"
        if self.granularity == "per-parameter":
            tensors = {
                f"{kind}.{name}": NamedTensor(
                    values=block.as_torch(block.of(rates)), meaning=f"{meaning}, {name}"
                )
                for name, block in adapted.items()
            }
            before = (
                f'rates = [WEIGHTS[f"{kind}.{{name}}"]{to_rate} for name in ADAPTED]'
            )
            return InnerSource(tensors=tensors, before=before, step=code(_STEP))
        blocks = tuple(adapted.values())
        layers = self.layout(blocks).layers
        shape = {
            "shared": (1, 1),
            "per-layer": (1, len(layers)),
            "per-layer-per-step": (self.num_inner_steps, len(layers)),
        }[self.granularity]
        shared = self.granularity == "shared"
        of_array = [0 if shared else layers.index(block.layer) for block in blocks]
        values = rates.reshape(shape)
        return InnerSource(
            tensors={
                kind: NamedTensor(values=values, meaning=f"{meaning}, [step, layer]")
            },
            before=f"layers = {of_array}  # of the arrays in ADAPTED",
            step="\n".join(
                [
                    f'row = WEIGHTS["{kind}"][min(number, {shape[0] - 1})]{to_rate}',
                    "rates = row[layers]",
                    code(_STEP),
                ]
            ),
        )


_STEP = """
with torch.no_grad():
    for p, rate, grad in zip(adapted, rates, grads):
        p -= rate * grad
"""


class _Rates:
    """The learned rates of one oracle."""

    def __init__(self, loop: LearnedDescent, oracle: InnerOracle) -> None:
        self._layout = loop.layout(oracle.adapted)
        self._exponential = loop.parameterisation == "exponential"
        raw = oracle.rates()
        self._rates = raw.exp() if self._exponential else raw

    def at(self, step: int, grad: Tensor) -> Tensor:
        del grad
        return self._layout.spread(self._rates, step)

    def pullback(self, v: Tensor, step: int) -> Tensor:
        of_rates = self._layout.gather(v, step)
        return of_rates * self._rates if self._exponential else of_rates

    def pushforward(self, u: Tensor, step: int) -> Tensor:
        change = u * self._rates if self._exponential else u
        return self._layout.spread(change, step)
