"""Meta-learn the strength of an L2 penalty: the classic bilevel problem."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.meta.base import MetaParameterisation, PhiRole
from metalab.core.model.base import Model
from metalab.core.script import NamedTensor, PredictorSource, code
from metalab.core.spec import option
from metalab.core.tasks import Shots


@dataclass(frozen=True, slots=True, kw_only=True)
class PenaltyStrength(MetaParameterisation):
    """phi = log lambda; the inner loss gains lambda/2 * ||theta||^2.

    Every task starts from one and the same fixed draw of the network's parameters.

    Attributes:
        strength: Where lambda starts.
        start_seed: Fixes the start of the inner loop.

    Source: Pedregosa 2016, section 4; Lorraine et al. 2020, section 5.
    """

    name: ClassVar[str] = "penalty"
    title: ClassVar[str] = "L2 strength"
    synonyms: ClassVar[tuple[str, ...]] = (
        "hyperparameter optimisation",
        "regularisation",
    )
    shapes_inner_loss: ClassVar[bool] = True
    regularised: ClassVar[bool] = True
    isotropic: ClassVar[bool] = True

    strength: float = option(
        0.1,
        label="Initial L2 strength",
        help="Where the learned strength lambda of the L2 penalty starts.",
        low=0.0,
        high=1e4,
        exclusive=True,
        log=True,
        synonyms=("weight decay", "regularisation", "regularization", "lambda"),
    )
    start_seed: int = option(
        0,
        label="Start seed",
        help="Fixes the parameters from which every task starts.",
        low=0,
        high=2**31 - 1,
        advanced=True,
    )

    @property
    def ways(self) -> tuple[frozenset[PhiRole], ...]:
        """How each part of phi enters the outer loss."""
        return (frozenset({PhiRole.INNER_LOSS}),)

    def meta_dim(self, model: Model) -> int:
        """Return 1: the logarithm of the strength."""
        del model
        return 1

    def initial(
        self, model: Model, *, generator: torch.Generator, dtype: torch.dtype
    ) -> Float[Tensor, " meta"]:
        """Return the logarithm of the initial strength."""
        del model
        strength = torch.tensor([self.strength], dtype=dtype, device=generator.device)
        return strength.log()

    def start(
        self, model: Model, phi: Float[Tensor, "task meta"]
    ) -> Float[Tensor, "task inner"]:
        """Return the fixed start, one row a task."""
        generator = torch.Generator().manual_seed(self.start_seed)
        drawn = model.initial_parameters(generator=generator, dtype=phi.dtype)
        return drawn.to(phi.device).expand(phi.shape[0], -1)

    def start_pullback(
        self, model: Model, v: Float[Tensor, "task inner"]
    ) -> Float[Tensor, "task meta"]:
        """Return zero: the start does not depend on phi."""
        del model
        return v.new_zeros(v.shape[0], 1)

    def regulariser(
        self,
        model: Model,
        theta: Float[Tensor, "task inner"],
        phi: Float[Tensor, "task meta"],
        *,
        num_shots: Shots,
    ) -> Float[Tensor, " task"] | None:
        """Return lambda/2 * ||theta||^2."""
        strength = self.isotropic_strength(model, phi, num_shots=num_shots)
        return 0.5 * strength[:, 0] * theta.square().sum(dim=1)

    def isotropic_strength(
        self, model: Model, phi: Float[Tensor, "task meta"], *, num_shots: Shots
    ) -> Float[Tensor, "task 1"]:
        """Return lambda."""
        del model, num_shots
        return phi[:, :1].exp()

    def predictor_source(
        self, model: Model, phi: Float[Tensor, " meta"]
    ) -> PredictorSource:
        """Return the network from its fixed start, and the penalty."""
        start = self.start(model, phi[None])[0]
        strength = NamedTensor(values=phi, meaning="logarithm of the L2 strength")
        return PredictorSource(
            tensors={
                **model.module_tensors(start, learned=False),
                "log_strength": strength,
            },
            adapted=model.module_names(),
            regulariser=code(_REGULARISER),
        )


_REGULARISER = """
def regulariser(predictor, num_points):
    '''Return half the learned strength times the squares of all parameters.'''
    strength = WEIGHTS["log_strength"].exp()[0]
    return 0.5 * strength * sum(p.square().sum() for p in predictor.parameters())
"""
