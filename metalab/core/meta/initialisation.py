"""Meta-learn the initialisation: phi is where every task starts."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.meta.base import MetaParameterisation, PhiRole
from metalab.core.model.base import Model, ParameterBlock
from metalab.core.tasks import Samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Initialisation(MetaParameterisation):
    """phi = theta_0, all of the network (MAML, FOMAML, Reptile).

    Source: Finn et al. 2017, equation 1.
    """

    name: ClassVar[str] = "initialisation"
    title: ClassVar[str] = "Initialisation"
    synonyms: ClassVar[tuple[str, ...]] = ("MAML", "initialization")
    shapes_inner_loss: ClassVar[bool] = False
    regularised: ClassVar[bool] = False

    @property
    def ways(self) -> tuple[frozenset[PhiRole], ...]:
        """How each part of phi enters the outer loss."""
        return (frozenset({PhiRole.START}),)

    @property
    def extra_inputs(self) -> int:
        """None."""
        return 0

    def meta_dim(self, model: Model) -> int:
        """Return the size of the network."""
        return model.dim

    def adapted_blocks(self, model: Model) -> tuple[ParameterBlock, ...]:
        """Return the whole network."""
        return model.blocks

    def initial(
        self, model: Model, *, generator: torch.Generator, dtype: torch.dtype
    ) -> Float[Tensor, " meta"]:
        """Draw initial network parameters."""
        return model.initial_parameters(generator=generator, dtype=dtype)

    def start(
        self, model: Model, phi: Float[Tensor, "task meta"]
    ) -> Float[Tensor, "task inner"]:
        """Return phi itself."""
        del model
        return phi

    def start_pullback(
        self, model: Model, v: Float[Tensor, "task inner"]
    ) -> Float[Tensor, "task meta"]:
        """Return v: the start is the identity."""
        del model
        return v

    def predict(
        self,
        model: Model,
        theta: Float[Tensor, "task inner"],
        phi: Float[Tensor, "task meta"],
        x: Float[Tensor, "task shot input"],
        support: Samples,
    ) -> Float[Tensor, "task shot output"]:
        """Return the network's output at theta."""
        del phi, support
        return model.apply(theta, x)
