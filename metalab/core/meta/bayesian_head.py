"""Meta-learn features and prior of a Bayesian linear regression."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from metalab.core.meta.base import PhiRole
from metalab.core.meta.linear_head import LinearHead, Prior
from metalab.core.model.base import Model
from metalab.core.model.capabilities import HasLinearHead, having
from metalab.core.spec import option
from metalab.core.tasks import Samples, TaskBatch


@dataclass(frozen=True, slots=True, kw_only=True)
class BayesianHead(LinearHead):
    """phi = body, prior mean M and factor A of the head: Bayesian linear regression.

    The head has the prior W ~ N(M, s^2 (A A^T)^-1), with s the noise of the targets. Its
    posterior mean minimises ||F W - Y||^2 + trace((W - M)^T A A^T (W - M)); at x the
    predictive distribution is normal with variance

        s^2 (1 + f(x)^T (F^T F + A A^T)^-1 f(x)).

    The outer loss is the negative log likelihood of the query targets under it, in nats
    for one target; reported losses stay squared errors of its mean.

    Attributes:
        noise_std: s, known.
        prior_strength: Strength of the prior at first: A = sqrt(prior_strength) I.

    Source: Harrison, Sharma & Pavone 2018 (ALPaCA), section 4; here the features have a
        constant 1 beside them for the bias.
    """

    name: ClassVar[str] = "bayesian-head"
    title: ClassVar[str] = "Bayesian linear head"
    synonyms: ClassVar[tuple[str, ...]] = (
        "ALPaCA",
        "Bayesian linear regression",
        "last layer",
    )
    is_probabilistic: ClassVar[bool] = True

    noise_std: float = option(
        0.1,
        label="Assumed noise",
        help="Standard deviation of the targets' noise that the predictive distribution "
        "assumes.",
        unit="y",
        low=0.0,
        high=100.0,
        exclusive=True,
        log=True,
    )
    prior_strength: float = option(
        1.0,
        label="Initial prior strength",
        help="Precision of the head's prior at first, relative to the noise's.",
        low=0.0,
        high=1e6,
        exclusive=True,
        log=True,
        advanced=True,
    )

    @property
    def ways(self) -> tuple[frozenset[PhiRole], ...]:
        """How body, prior mean and prior factor enter the outer loss."""
        return (
            frozenset({PhiRole.PREDICTION, PhiRole.INNER_LOSS}),
            frozenset({PhiRole.START, PhiRole.INNER_LOSS}),
            frozenset({PhiRole.PREDICTION, PhiRole.INNER_LOSS}),
        )

    def _num_features(self, model: Model) -> int:
        return (model.dim - having(model, HasLinearHead).body_dim) // model.output_dim

    def meta_dim(self, model: Model) -> int:
        """Return the size of the network, and of the square factor."""
        return model.dim + self._num_features(model) ** 2

    def initial(
        self, model: Model, *, generator: torch.Generator, dtype: torch.dtype
    ) -> Float[Tensor, " meta"]:
        """Draw a network, whose head is the prior mean."""
        drawn = model.initial_parameters(generator=generator, dtype=dtype)
        eye = torch.eye(self._num_features(model), dtype=dtype, device=drawn.device)
        factor = math.sqrt(self.prior_strength) * eye
        return torch.cat([drawn, factor.flatten()])

    def start(
        self, model: Model, phi: Float[Tensor, "task meta"]
    ) -> Float[Tensor, "task inner"]:
        """Return the prior mean."""
        return phi[:, having(model, HasLinearHead).body_dim : model.dim]

    def start_pullback(
        self, model: Model, v: Float[Tensor, "task inner"]
    ) -> Float[Tensor, "task meta"]:
        """Return v at the place of the prior mean."""
        return pad(
            v, (having(model, HasLinearHead).body_dim, self._num_features(model) ** 2)
        )

    def prior(self, model: Model, phi: Float[Tensor, "task meta"]) -> Prior:
        """Return M and A A^T."""
        size = self._num_features(model)
        factor = phi[:, model.dim :].reshape(-1, size, size)
        mean = self.as_matrix(model, self.start(model, phi))
        return Prior(mean=mean, precision=factor @ factor.mT)

    def own_outer_loss(
        self,
        model: Model,
        theta: Float[Tensor, "task inner"],
        phi: Float[Tensor, "task meta"],
        batch: TaskBatch,
    ) -> Float[Tensor, " task"]:
        """Return the mean negative log likelihood of a query target, in nats."""
        mean = self.predict(model, theta, phi, batch.query.x, batch.support)
        variance = self._variance(model, phi, batch.query.x, batch.support)[..., None]
        residual = batch.query.y - mean
        loss = residual * residual / variance + torch.log(2 * math.pi * variance)
        return 0.5 * batch.query.mean(loss)

    def deviation(
        self,
        model: Model,
        phi: Float[Tensor, "task meta"],
        x: Float[Tensor, "task shot input"],
        support: Samples | None,
    ) -> Float[Tensor, "task shot"]:
        """Return the predictive standard deviation of a noisy target."""
        return self._variance(model, phi, x, support).sqrt()

    def _variance(
        self, model: Model, phi: Tensor, x: Tensor, support: Samples | None
    ) -> Tensor:
        precision = (
            self.prior(model, phi).precision
            if support is None
            else self.posterior_precision(model, phi, support)
        )
        features = self.features(model, phi, x)
        factor = torch.linalg.cholesky_ex(precision).L
        spread = torch.linalg.solve_triangular(factor, features.mT, upper=False)
        return self.noise_std**2 * (1 + spread.square().sum(dim=1))
