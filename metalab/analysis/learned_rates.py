"""The learning rates that an outer loop has learned. Importing it imports no torch."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from metalab.core.errors import UserError
from metalab.engine.events import Array, frozen

if TYPE_CHECKING:
    from metalab.core.inner.rates import RateLayout
    from metalab.experiment.config import ExperimentConfig


class LearnedRatesError(UserError):
    """A run has no learned rates to be shown."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LearnedRates:
    """Learned rates, and what each of them scales.

    Attributes:
        rates: The rates themselves, also where phi holds their logarithms, [rate].
        groups: What rates of one group share, such as "layer 1 weight" or "layer 2",
            [rate].
        inner_steps: The inner step that a rate is for, counted from 1; NaN where it is
            for all, [rate].
        granularity: What shares a rate (see `core.inner.rates.GRANULARITIES`).
        initial: Lowest and highest rate that the run began with.
    """

    rates: Array
    groups: NDArray[np.str_]
    inner_steps: Array
    granularity: str
    initial: tuple[float, float]

    @property
    def group_names(self) -> tuple[str, ...]:
        """The groups, in the order of the network."""
        return tuple(dict.fromkeys(self.groups.tolist()))

    def of_group(self, name: str) -> Array:
        """Return the rates of one group, [rate]."""
        return self.rates[self.groups == name]

    @property
    def num_negative(self) -> int:
        """Number of rates below zero: their inner steps go uphill."""
        return int((self.rates < 0).sum())

    def quantiles(self, shares: tuple[float, ...]) -> tuple[float, ...]:
        """Return quantiles of all rates; NaN where one of them is no number."""
        return tuple(np.quantile(self.rates, shares).tolist())


def learned_rates(config: "ExperimentConfig", phi: Array) -> LearnedRates:
    """Return the rates of some meta-parameters.

    Args:
        config: The experiment at the outer step of `phi`.
        phi: Meta-parameters, [meta]; the last of them are the rates.

    Raises:
        LearnedRatesError: The inner loop learns no rates.
    """
    from metalab.core.inner.learned_descent import (  # noqa: PLC0415 - torch
        LearnedDescent,
    )
    from metalab.engine.build import build_learner  # noqa: PLC0415

    learner = build_learner(config)
    inner, problem = learner.inner, learner.problem
    if not isinstance(inner, LearnedDescent):
        raise LearnedRatesError(
            f"inner.kind is {config.inner.kind!r}, which learns no rates; allowed: "
            f"{LearnedDescent.name}"
        )
    layout = inner.layout(problem.adapted)
    raw = np.asarray(phi[problem.meta_dim : problem.meta_dim + layout.dim], dtype=float)
    groups, inner_steps = _places(layout)
    return LearnedRates(
        rates=frozen(np.exp(raw) if inner.parameterisation == "exponential" else raw),
        groups=np.array(groups),
        inner_steps=frozen(np.array(inner_steps)),
        granularity=inner.granularity,
        initial=(inner.inner_lr, inner.inner_lr_high or inner.inner_lr),
    )


def _places(layout: "RateLayout") -> tuple[list[str], list[float]]:
    """Return the group and the inner step of each rate, in the order of phi."""
    layers = [f"layer {layer + 1}" for layer in layout.layers]
    if layout.granularity == "shared":
        return ["all layers"], [np.nan]
    if layout.granularity == "per-layer":
        return layers, [np.nan] * len(layers)
    if layout.granularity == "per-layer-per-step":
        steps = range(1, layout.num_inner_steps + 1)
        return layers * len(steps), [float(k) for k in steps for _ in layers]
    groups = [block.name for block in layout.blocks for _ in range(block.size)]
    return groups, [np.nan] * len(groups)
