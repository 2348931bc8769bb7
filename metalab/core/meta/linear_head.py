"""A linear head on learned features: the inner problem is a quadratic."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.meta.base import MetaParameterisation
from metalab.core.meta.layer_subset import shifted
from metalab.core.model.base import Model, ParameterBlock
from metalab.core.model.capabilities import HasLinearHead, having
from metalab.core.script import ModuleUse, NamedTensor, PredictorSource, code
from metalab.core.tasks import Samples, Shots


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """What the head is pulled to, and how strongly.

    Attributes:
        mean: Centre of the head, [task, feature, output]; None for zero.
        precision: Strength matrix P, [task, feature, feature]; positive semi-definite.
    """

    mean: Float[Tensor, "task feature output"] | None
    precision: Float[Tensor, "task feature feature"]


class LinearHead(MetaParameterisation):
    """Abstract: phi holds the body; a task adapts the head W, a ridge regression.

    The inner loss of N shots and C outputs is, with features F [shot, feature],

        ( ||F W - Y||^2 + trace((W - M)^T P (W - M)) ) / (N C),

    so that its Hessian is 2 / (N C) (F^T F + P) for each output. The sums of squares in
    it are those of the papers; the division makes its gradients those of a mean.
    """

    __slots__ = ()

    shapes_inner_loss: ClassVar[bool] = True
    regularised: ClassVar[bool] = True
    closed_form: ClassVar[bool] = True
    one_output_a_target: ClassVar[bool] = True
    needs_model: ClassVar[type[Model]] = HasLinearHead

    @abstractmethod
    def prior(self, model: Model, phi: Float[Tensor, "task meta"]) -> Prior:
        """Return centre and strength of the head's regulariser."""

    def adapted_blocks(self, model: Model) -> tuple[ParameterBlock, ...]:
        """Return the head."""
        return shifted(having(model, HasLinearHead).head_blocks)

    def features(
        self, model: Model, phi: Float[Tensor, "task meta"], x: Tensor
    ) -> Float[Tensor, "task shot feature"]:
        """Return the inputs of the head, [task, shot, feature]."""
        network = having(model, HasLinearHead)
        return network.features(phi[:, : network.body_dim], x)

    def as_matrix(self, model: Model, theta: Tensor) -> Tensor:
        """Return a flat head as [task, feature, output]."""
        return theta.reshape(theta.shape[0], -1, model.output_dim)

    def predict(
        self,
        model: Model,
        theta: Float[Tensor, "task inner"],
        phi: Float[Tensor, "task meta"],
        x: Float[Tensor, "task shot input"],
        support: Samples,
    ) -> Float[Tensor, "task shot output"]:
        """Return features @ head."""
        del support
        return self.features(model, phi, x) @ self.as_matrix(model, theta)

    def regulariser(
        self,
        model: Model,
        theta: Float[Tensor, "task inner"],
        phi: Float[Tensor, "task meta"],
        *,
        num_shots: Shots,
    ) -> Float[Tensor, " task"]:
        """Return trace((W - M)^T P (W - M)) / (N C)."""
        prior = self.prior(model, phi)
        head = self.as_matrix(model, theta)
        away = head if prior.mean is None else head - prior.mean
        weighted = (away * (prior.precision @ away)).sum(dim=(1, 2))
        shots = num_shots if isinstance(num_shots, int) else num_shots[:, 0]
        return weighted / (shots * head.shape[2])

    def posterior_precision(
        self, model: Model, phi: Float[Tensor, "task meta"], support: Samples
    ) -> Float[Tensor, "task feature feature"]:
        """Return F^T F + P."""
        features = self.features(model, phi, support.x)
        return (
            features.mT @ support.counted(features) + self.prior(model, phi).precision
        )

    def hessian_solver(
        self, model: Model, phi: Float[Tensor, "task meta"], support: Samples
    ) -> Callable[[Tensor], Tensor]:
        """Return v -> H^-1 v, by one Cholesky factorisation."""
        factor = torch.linalg.cholesky_ex(
            self.posterior_precision(model, phi, support)
        ).L
        scale = 0.5 * support.num_shots * support.y.shape[2]

        def solve(v: Tensor) -> Tensor:
            right = self.as_matrix(model, v)
            return scale * torch.cholesky_solve(right, factor).flatten(start_dim=1)

        return solve

    def prior_source(
        self, model: Model, phi: Float[Tensor, " meta"]
    ) -> tuple[Mapping[str, NamedTensor], str] | None:
        """Return tensors of the prior, and its P: what follows `precision = `.

        Returns:
            None where no source is declared; then there is no `predictor_source`.
        """
        del model, phi
        return None

    def predictor_source(
        self, model: Model, phi: Float[Tensor, " meta"]
    ) -> PredictorSource | None:
        """Return the features with a linear head, which adapts."""
        network, declared = having(model, HasLinearHead), self.prior_source(model, phi)
        blocks = network.head_blocks
        layer = [len(block.shape) for block in blocks]
        if declared is None or layer not in ([2], [2, 1]):
            return None
        tensors, precision = declared
        has_mean = self.prior(model, phi[None]).mean is not None
        names = tuple(f"head.{kind}" for kind in ("weight", "bias")[: len(blocks)])
        start = self.start(model, phi[None])[0]
        head = {
            name: NamedTensor(
                values=block.as_torch(block.of(start)),
                meaning="prior mean of the head" if has_mean else "head at the start",
                learned=has_mean,
            )
            for name, block in zip(names, shifted(blocks), strict=True)
        }
        body = network.module_tensors(phi[: network.body_dim], prefix="network.")
        mean = _joined('WEIGHTS["{}"]', names)
        # One column of the features is the 1 that the bias multiplies.
        biased = len(blocks) == 2
        inputs, outputs = blocks[0].shape
        values = {
            "layer": f"{inputs}, {outputs}" + ("" if biased else ", bias=False"),
            "given": "[:, :-1]" if biased else "",
            "head": _joined("predictor.{}", names),
            "away": f"\n    away = away - {mean}" if has_mean else "",
            "precision": precision,
            "outputs": outputs,
        }
        return PredictorSource(
            tensors={**body, **head, **tensors},
            adapted=names,
            use=ModuleUse.FEATURES,
            source=code(_PREDICTOR, **values),
            predictor="Predictor",
            regulariser=code(_REGULARISER, **values),
            solve=code(_SOLVE + (_SOLVE_BIAS if biased else _SOLVE_WEIGHT), **values),
        )


def _joined(array: str, names: tuple[str, ...]) -> str:
    """Return source of a head's arrays one below the other, [feature, output]."""
    weight, *bias = (array.format(name) for name in names)
    if not bias:
        return f"{weight}.T"
    return f"torch.cat([{weight}.T, {bias[0]}[None]])"


_PREDICTOR = """
class Predictor(nn.Module):
    '''Features of the network, and a linear head.'''

    def __init__(self):
        super().__init__()
        self.network = Network()
        self.head = nn.Linear(<layer>)

    def forward(self, x):
        return self.head(self.network(x)<given>)
"""

_REGULARISER = """
def regulariser(predictor, num_points):
    '''Return what the inner loss adds for a head away from its prior.'''
    precision = <precision>
    away = <head><away>
    return (away * (precision @ away)).sum() / (num_points * <outputs>)
"""

_SOLVE = """
@torch.no_grad()
def solve(predictor, x, y):
    '''Move the head from its prior mean to its posterior mean, by regression.'''
    features = predictor.network(x)
    precision = <precision>
    factor = torch.linalg.cholesky_ex(features.T @ features + precision).L
    change = torch.cholesky_solve(features.T @ (y - predictor(x)), factor)
"""

_SOLVE_BIAS = """    predictor.head.weight += change[:-1].T
    predictor.head.bias += change[-1]
"""

_SOLVE_WEIGHT = """    predictor.head.weight += change.T
"""
