"""Meta-learn the features of a ridge regression."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.meta.anchor import STRENGTHS
from metalab.core.meta.base import PhiRole
from metalab.core.meta.linear_head import LinearHead, Prior
from metalab.core.model.base import Model
from metalab.core.model.capabilities import HasLinearHead, having
from metalab.core.script import NamedTensor
from metalab.core.spec import option
from metalab.core.tasks import Shots


@dataclass(frozen=True, slots=True, kw_only=True)
class RidgeHead(LinearHead):
    """phi = body, and log strength if it is learned; the head is ridge regression.

    A task minimises ||F W - Y||^2 + strength ||W||^2 over its head W, which starts at
    zero; the bias counts as a weight. On a network without hidden layers, phi is the
    logarithm of the strength alone: the ridge-hyperparameter problem.

    Attributes:
        strength: lambda, or where it starts if it is learned.
        strength_is: "fixed", or "learned".

    Source: Bertinetto et al. 2019 (R2-D2), equation 5; the scale and bias that the paper
        adds for classification have no use in regression.
    """

    name: ClassVar[str] = "ridge-head"
    title: ClassVar[str] = "Ridge head"
    synonyms: ClassVar[tuple[str, ...]] = ("R2-D2", "ridge regression", "last layer")
    isotropic: ClassVar[bool] = True

    strength: float = option(
        1.0,
        label="Ridge strength",
        help="lambda of ||F W - Y||^2 + lambda ||W||^2, on sums of squares.",
        low=0.0,
        high=1e6,
        exclusive=True,
        log=True,
        synonyms=("regularisation", "regularization", "lambda", "L2 penalty"),
    )
    strength_is: str = option(
        "learned",
        label="Strength is",
        help="Whether the outer loop learns the strength too.",
        choices=STRENGTHS,
    )

    @property
    def _num_learned(self) -> int:
        return 1 if self.strength_is == "learned" else 0

    @property
    def ways(self) -> tuple[frozenset[PhiRole], ...]:
        """How each part of phi enters the outer loss."""
        return (
            frozenset({PhiRole.PREDICTION, PhiRole.INNER_LOSS}),
            *[frozenset({PhiRole.INNER_LOSS})] * self._num_learned,
        )

    def meta_dim(self, model: Model) -> int:
        """Return the size of the body, and one if the strength is learned."""
        return having(model, HasLinearHead).body_dim + self._num_learned

    def initial(
        self, model: Model, *, generator: torch.Generator, dtype: torch.dtype
    ) -> Float[Tensor, " meta"]:
        """Draw an initial body; the strength starts where it is set."""
        drawn = model.initial_parameters(generator=generator, dtype=dtype)
        log_strength = drawn.new_tensor([self.strength] * self._num_learned).log()
        return torch.cat([drawn[: having(model, HasLinearHead).body_dim], log_strength])

    def start(
        self, model: Model, phi: Float[Tensor, "task meta"]
    ) -> Float[Tensor, "task inner"]:
        """Return zero."""
        return phi.new_zeros(
            phi.shape[0], model.dim - having(model, HasLinearHead).body_dim
        )

    def start_pullback(
        self, model: Model, v: Float[Tensor, "task inner"]
    ) -> Float[Tensor, "task meta"]:
        """Return zero: the start does not depend on phi."""
        return v.new_zeros(v.shape[0], self.meta_dim(model))

    def _strength(self, phi: Tensor) -> Tensor:
        if self._num_learned:
            return phi[:, -1:].exp()
        return phi.new_full((phi.shape[0], 1), self.strength)

    def prior(self, model: Model, phi: Float[Tensor, "task meta"]) -> Prior:
        """Return lambda I around zero."""
        outputs = model.output_dim
        features = (model.dim - having(model, HasLinearHead).body_dim) // outputs
        eye = torch.eye(features, dtype=phi.dtype, device=phi.device)
        return Prior(mean=None, precision=self._strength(phi)[:, :, None] * eye)

    def isotropic_strength(
        self, model: Model, phi: Float[Tensor, "task meta"], *, num_shots: Shots
    ) -> Float[Tensor, "task 1"]:
        """Return 2 lambda / (N C)."""
        outputs = model.output_dim
        return 2 * self._strength(phi) / (num_shots * outputs)

    def prior_source(
        self, model: Model, phi: Float[Tensor, " meta"]
    ) -> tuple[Mapping[str, NamedTensor], str]:
        """Return the strength times I."""
        tensors, strength = dict[str, NamedTensor](), repr(self.strength)
        if self._num_learned:
            meaning = "logarithm of the ridge strength"
            tensors["log_strength"] = NamedTensor(values=phi[-1:], meaning=meaning)
            strength = 'WEIGHTS["log_strength"].exp()'
        size = len(self.prior(model, phi[None]).precision[0])
        return tensors, f"{strength} * torch.eye({size}, dtype=DTYPE)"
