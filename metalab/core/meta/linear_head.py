"""A linear head on learned features: the inner problem is a quadratic."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.meta.base import MetaParameterisation
from metalab.core.meta.layer_subset import shifted
from metalab.core.model.base import Model, ParameterBlock
from metalab.core.model.capabilities import HasLinearHead, having
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
