"""The outer loss under perturbations of phi: what evolution strategies share."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.hypergradient.base import EstimateContext
from metalab.core.inner.base import InnerLoop, InnerState
from metalab.core.oracle import InnerOracle
from metalab.core.spec import option


class PerturbedWalk:
    """An inner path whose phi is perturbed anew in each segment."""

    def __init__(
        self,
        oracle: InnerOracle,
        inner: InnerLoop,
        num_steps: int,
        request: EstimateContext,
    ) -> None:
        self._oracle = oracle
        self._inner = inner
        self._num_steps = num_steps
        self._weights = request.weights or (*[0.0] * num_steps, 1.0)
        self._state: InnerState | None = None

    def advance(
        self, delta: Float[Tensor, "#task meta"], num_steps: int
    ) -> Float[Tensor, " task"]:
        """Walk on at phi + delta, at most to the end of the path.

        Returns:
            The part of the outer loss that falls into this segment, [task].
        """
        moved = self._oracle.at_shifted_phi(delta)
        first = 0 if self._state is None else self._state.index
        count = min(num_steps, self._num_steps - first)
        path = self._inner.run(
            moved, num_steps=count, begin=self._state, keep_points=True
        )
        # The start belongs to the first segment; after it, each point to one alone.
        skipped = 0 if self._state is None else 1
        self._state = path.state
        weights = self._weights[first : first + count + 1]
        losses = [
            weight * moved.outer_loss(theta)
            for weight, theta in list(zip(weights, path.points, strict=True))[skipped:]
            if weight != 0.0
        ]
        if not losses:
            return path.end.new_zeros(len(path.end))
        return torch.stack(losses).sum(dim=0)


def pairs_option() -> Any:
    """Declare the number of antithetic pairs."""
    return option(
        32,
        label="Antithetic pairs",
        help="Pairs of perturbations; the variance falls with their number.",
        unit="pairs",
        low=1,
        high=100_000,
        synonyms=("population size", "number of samples"),
    )


def sigma_option() -> Any:
    """Declare the size of a perturbation."""
    return option(
        0.01,
        label="Sigma",
        help="Standard deviation of a perturbation of each meta-parameter.",
        low=0.0,
        high=10.0,
        exclusive=True,
        log=True,
        synonyms=("noise level", "smoothing"),
    )
