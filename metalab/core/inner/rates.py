"""Learning rates of inner steps: fixed numbers, or part of phi."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.model.base import ParameterBlock

GRANULARITIES = ("shared", "per-layer", "per-layer-per-step", "per-parameter")


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLayout:
    """How learned rates spread over the adapted parameters and the inner steps.

    Attributes:
        granularity: One of `GRANULARITIES`.
        blocks: The adapted parameters.
        num_inner_steps: K; a step beyond the last takes the last step's rates.
    """

    granularity: str
    blocks: tuple[ParameterBlock, ...]
    num_inner_steps: int

    @property
    def layers(self) -> tuple[int, ...]:
        """The adapted layers, in order."""
        return tuple(dict.fromkeys(block.layer for block in self.blocks))

    @property
    def dim(self) -> int:
        """Number of learned rates."""
        return {
            "shared": 1,
            "per-layer": len(self.layers),
            "per-layer-per-step": len(self.layers) * self.num_inner_steps,
            "per-parameter": sum(block.size for block in self.blocks),
        }[self.granularity]

    def _window(self, step: int) -> slice:
        """Return which of the learned rates step `step` uses."""
        if self.granularity != "per-layer-per-step":
            return slice(None)
        count = len(self.layers)
        index = min(step, self.num_inner_steps - 1)
        return slice(index * count, (index + 1) * count)

    def _layer_of_parameter(self, device: torch.device) -> Tensor:
        order = {layer: index for index, layer in enumerate(self.layers)}
        parts = [
            torch.full((block.size,), order[block.layer], device=device)
            for block in self.blocks
        ]
        return torch.cat(parts)

    def spread(
        self, rates: Float[Tensor, "task rates"], step: int
    ) -> Float[Tensor, "task inner"]:
        """Return the rate of each adapted parameter at one step.

        Shared rates come as one column, which broadcasts.
        """
        own = rates[:, self._window(step)]
        if self.granularity in ("shared", "per-parameter"):
            return own
        return own[:, self._layer_of_parameter(rates.device)]

    def gather(
        self, v: Float[Tensor, "task inner"], step: int
    ) -> Float[Tensor, "task rates"]:
        """Return the transpose of `spread`, [task, rates]."""
        if self.granularity == "per-parameter":
            return v
        if self.granularity == "shared":
            return v.sum(dim=1, keepdim=True)
        summed = v.new_zeros(v.shape[0], len(self.layers))
        summed = summed.index_add(1, self._layer_of_parameter(v.device), v)
        if self.granularity == "per-layer":
            return summed
        before = self._window(step).start
        after = self.dim - before - len(self.layers)
        return torch.nn.functional.pad(summed, (before, after))
