"""Meta-learn the anchor of a proximal inner problem."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from metalab.core.meta.base import MetaParameterisation, PhiRole
from metalab.core.model.base import Model
from metalab.core.script import NamedTensor, PredictorSource, code
from metalab.core.spec import option
from metalab.core.tasks import Shots

STRENGTHS = ("fixed", "learned")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProximalAnchor(MetaParameterisation):
    """phi = anchor and start; the inner loss gains strength/2 * ||theta - anchor||^2.

    Attributes:
        strength: lambda, or where it starts if it is learned.
        strength_is: "fixed", or "learned": phi then ends with log lambda.

    Source: Rajeswaran et al. 2019 (iMAML), equation 3.
    """

    name: ClassVar[str] = "anchor"
    title: ClassVar[str] = "Proximal anchor"
    synonyms: ClassVar[tuple[str, ...]] = ("iMAML", "proximal regularisation")
    shapes_inner_loss: ClassVar[bool] = True
    regularised: ClassVar[bool] = True
    isotropic: ClassVar[bool] = True

    strength: float = option(
        2.0,
        label="Proximal strength",
        help="lambda: how strongly adapted parameters are pulled to the anchor.",
        low=0.0,
        high=1e4,
        exclusive=True,
        log=True,
        synonyms=("regularisation", "regularization", "lambda"),
    )
    strength_is: str = option(
        "fixed",
        label="Strength is",
        help="Whether the outer loop learns the strength too.",
        choices=STRENGTHS,
    )

    @property
    def ways(self) -> tuple[frozenset[PhiRole], ...]:
        """How each part of phi enters the outer loss."""
        return (
            frozenset({PhiRole.START, PhiRole.INNER_LOSS}),
            *[frozenset({PhiRole.INNER_LOSS})] * self._num_learned,
        )

    @property
    def _num_learned(self) -> int:
        return 1 if self.strength_is == "learned" else 0

    def meta_dim(self, model: Model) -> int:
        """Return the size of the network, and one if the strength is learned."""
        return model.dim + self._num_learned

    def initial(
        self, model: Model, *, generator: torch.Generator, dtype: torch.dtype
    ) -> Float[Tensor, " meta"]:
        """Draw an initial anchor; the strength starts where it is set."""
        anchor = model.initial_parameters(generator=generator, dtype=dtype)
        log_strength = anchor.new_tensor([self.strength] * self._num_learned).log()
        return torch.cat([anchor, log_strength])

    def _anchor(self, phi: Tensor) -> Tensor:
        return phi[:, : phi.shape[1] - self._num_learned]

    def start(
        self, model: Model, phi: Float[Tensor, "task meta"]
    ) -> Float[Tensor, "task inner"]:
        """Return the anchor."""
        del model
        return self._anchor(phi)

    def start_pullback(
        self, model: Model, v: Float[Tensor, "task inner"]
    ) -> Float[Tensor, "task meta"]:
        """Return v at the place of the anchor."""
        del model
        return pad(v, (0, self._num_learned))

    def regulariser(
        self,
        model: Model,
        theta: Float[Tensor, "task inner"],
        phi: Float[Tensor, "task meta"],
        *,
        num_shots: Shots,
    ) -> Float[Tensor, " task"] | None:
        """Return strength/2 * ||theta - anchor||^2."""
        distance = (theta - self._anchor(phi)).square().sum(dim=1)
        strength = self.isotropic_strength(model, phi, num_shots=num_shots)
        return 0.5 * strength[:, 0] * distance

    def isotropic_strength(
        self, model: Model, phi: Float[Tensor, "task meta"], *, num_shots: Shots
    ) -> Float[Tensor, "task 1"]:
        """Return lambda."""
        del model, num_shots
        if self._num_learned:
            return phi[:, -1:].exp()
        return phi.new_full((phi.shape[0], 1), self.strength)

    def predictor_source(
        self, model: Model, phi: Float[Tensor, " meta"]
    ) -> PredictorSource:
        """Return the network from its anchor, and the pull to it."""
        anchor, tensors = self._anchor(phi[None])[0], {}
        strength = repr(self.strength)
        if self._num_learned:
            meaning = "logarithm of the proximal strength"
            tensors["log_strength"] = NamedTensor(values=phi[-1:], meaning=meaning)
            strength = 'WEIGHTS["log_strength"].exp()[0]'
        return PredictorSource(
            tensors={**model.module_tensors(anchor), **tensors},
            adapted=model.module_names(),
            regulariser=code(_REGULARISER, strength=strength),
        )


_REGULARISER = """
def regulariser(predictor, num_points):
    '''Return half the strength times the squared distance to the anchor.'''
    now = predictor.named_parameters()
    distance = sum((p - WEIGHTS[name]).square().sum() for name, p in now)
    return 0.5 * <strength> * distance
"""
