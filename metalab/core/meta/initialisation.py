"""Meta-learn the initialisation: phi is where every task starts."""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from metalab.core.meta.base import MetaParameterisation, PhiRole
from metalab.core.model.base import Model
from metalab.core.script import PredictorSource


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

    def predictor_source(
        self, model: Model, phi: Float[Tensor, " meta"]
    ) -> PredictorSource:
        """Return the network itself: all of it adapts."""
        return PredictorSource(
            tensors=model.module_tensors(phi), adapted=model.module_names()
        )
