"""Meta-learn the network; adapt its head."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from metalab.core.meta.base import MetaParameterisation, Way
from metalab.core.meta.part import num_layers, spliced, split_layers
from metalab.core.model import Model, ParameterBlock


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadOnly(MetaParameterisation):
    """phi = the whole network; a task adapts its last layer only (ANIL).

    The body is shared by all tasks and learned by the outer loop, through the prediction
    and through the inner loss.

    Source: Raghu et al. 2020 (ANIL), section 4.
    """

    name: ClassVar[str] = "head"
    title: ClassVar[str] = "Initialisation, head adapts"
    shapes_inner_loss: ClassVar[bool] = True
    regularised: ClassVar[bool] = False

    @property
    def ways(self) -> tuple[frozenset[Way], ...]:
        """How each part of phi enters the outer loss."""
        return (
            frozenset({Way.START}),
            frozenset({Way.PREDICTION, Way.INNER_LOSS}),
        )

    @property
    def extra_inputs(self) -> int:
        """None."""
        return 0

    def _split(self, model: Model) -> tuple[tuple[ParameterBlock, ...], slice]:
        last = num_layers(model) - 1
        return split_layers(model, first_adapted=last, end_adapted=last + 1)

    def adapted_blocks(self, model: Model) -> tuple[ParameterBlock, ...]:
        """Return the adapted layers."""
        return self._split(model)[0]

    def meta_dim(self, model: Model) -> int:
        """Return the size of the network."""
        return model.dim

    def initial(
        self, model: Model, *, generator: torch.Generator, dtype: torch.dtype
    ) -> Float[Tensor, " meta"]:
        """Draw initial network parameters."""
        return model.initial_parameters(generator=generator, dtype=dtype)

    def start(
        self, model: Model, phi: Float[Tensor, "task meta"]
    ) -> Float[Tensor, "task inner"]:
        """Return phi's adapted layers."""
        return phi[:, self._split(model)[1]]

    def start_pullback(
        self, model: Model, v: Float[Tensor, "task inner"]
    ) -> Float[Tensor, "task meta"]:
        """Return v at the place of the adapted layers."""
        place = self._split(model)[1]
        return pad(v, (place.start, model.dim - place.stop))

    def predict(
        self,
        model: Model,
        theta: Float[Tensor, "task inner"],
        phi: Float[Tensor, "task meta"],
        x: Float[Tensor, "task shot input"],
    ) -> Float[Tensor, "task shot output"]:
        """Return the network's output with its adapted layers at theta."""
        return model.apply(spliced(phi, theta, self._split(model)[1]), x)

    def regulariser(
        self, theta: Float[Tensor, "task inner"], phi: Float[Tensor, "task meta"]
    ) -> Float[Tensor, " task"] | None:
        """Return None."""
        del theta, phi
        return None
