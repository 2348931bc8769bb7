"""Meta-learn features and prior of a Bayesian linear regression."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from metalab.core.meta.anchor import STRENGTHS
from metalab.core.meta.base import PhiRole
from metalab.core.meta.linear_head import LinearHead, Prior
from metalab.core.model.base import Model
from metalab.core.model.capabilities import HasLinearHead, having
from metalab.core.script import NamedTensor
from metalab.core.spec import option
from metalab.core.tasks import Samples, TaskBatch

LEARNED, UNIT, STANDARD = "learned", "unit-covariance", "standard-normal"
PRIORS = (LEARNED, UNIT, STANDARD)
"""Mean and covariance are learned; the mean alone, with covariance I; neither."""

LEAST_NOISE = 0.01
"""Learned noise stays above this share of its first value: without any, F^T F + P is
singular, and on noise-free tasks the likelihood would go there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BayesianHead(LinearHead):
    """phi = body, and what is learned of the head's prior and noise: Bayesian regression.

    The head has the prior W ~ N(M, s^2 P^-1), with s the noise of the targets and P =
    A A^T. Its posterior mean minimises ||F W - Y||^2 + trace((W - M)^T P (W - M)); at x
    the predictive distribution is normal with variance

        s^2 (1 + f(x)^T (F^T F + P)^-1 f(x)).

    The outer loss is the negative log likelihood of the query targets under it, in nats
    for one target; reported losses stay squared errors of its mean.

    Under a prior of covariance I, which is P = s^2 I, the head is a Gaussian process with
    kernel f(x)^T f(x'): what the body learns is a kernel (`core.model.hilbert_basis`).

    phi is body, M, A and r, without those that are not learned; s = noise_std (c + (1 - c)
    exp r) with c = `LEAST_NOISE`.

    Attributes:
        noise_std: s, or where it starts if it is learned.
        noise_is: "fixed", or "learned".
        prior_is: One of `PRIORS`.
        prior_strength: Strength of a learned prior at first: A = sqrt(prior_strength) I.

    Source: Harrison, Sharma & Pavone 2018 (ALPaCA), section 4; here the features of a
        network have a constant 1 beside them for the bias. Rasmussen & Williams 2006,
        section 2.1.2, for the head as a Gaussian process.
    """

    name: ClassVar[str] = "bayesian-head"
    title: ClassVar[str] = "Bayesian linear head"
    synonyms: ClassVar[tuple[str, ...]] = (
        "ALPaCA",
        "Bayesian linear regression",
        "last layer",
        "Gaussian process",
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
    noise_is: str = option(
        "fixed",
        label="Noise is",
        help="Whether the outer loop learns the noise too.",
        choices=STRENGTHS,
        advanced=True,
    )
    prior_is: str = option(
        LEARNED,
        label="Prior is",
        help="What is learned of the head's prior: mean and covariance; the mean beside "
        "covariance 1; nothing. With covariance 1 the features alone are the kernel of a "
        "Gaussian process.",
        choices=PRIORS,
        advanced=True,
    )
    prior_strength: float = option(
        1.0,
        label="Initial prior strength",
        help="Precision of a learned prior at first, relative to the noise's.",
        low=0.0,
        high=1e6,
        exclusive=True,
        log=True,
        advanced=True,
    )

    @property
    def ways(self) -> tuple[frozenset[PhiRole], ...]:
        """Ways in which body, prior mean, prior factor and noise enter the outer loss."""
        both = frozenset({PhiRole.PREDICTION, PhiRole.INNER_LOSS})
        # The noise weighs a prior whose covariance does not go with it.
        noise = frozenset({PhiRole.PREDICTION}) if self._has_factor else both
        return (
            both,
            *[frozenset({PhiRole.START, PhiRole.INNER_LOSS})] * self._has_mean,
            *[both] * self._has_factor,
            *[noise] * self._has_noise,
        )

    @property
    def _has_mean(self) -> bool:
        return self.prior_is != STANDARD

    @property
    def _has_factor(self) -> bool:
        return self.prior_is == LEARNED

    @property
    def _has_noise(self) -> bool:
        return self.noise_is == "learned"

    def _num_features(self, model: Model) -> int:
        return (model.dim - having(model, HasLinearHead).body_dim) // model.output_dim

    def _head_end(self, model: Model) -> int:
        """Return where phi goes on after body and prior mean."""
        return model.dim if self._has_mean else having(model, HasLinearHead).body_dim

    def meta_dim(self, model: Model) -> int:
        """Return the size of body, and of what is learned of mean, factor and noise."""
        factor = self._num_features(model) ** 2 * self._has_factor
        return self._head_end(model) + factor + self._has_noise

    def initial(
        self, model: Model, *, generator: torch.Generator, dtype: torch.dtype
    ) -> Float[Tensor, " meta"]:
        """Draw a network, whose head is the prior mean."""
        drawn = model.initial_parameters(generator=generator, dtype=dtype)
        parts = [drawn[: self._head_end(model)]]
        if self._has_factor:
            eye = torch.eye(self._num_features(model), dtype=dtype, device=drawn.device)
            parts.append((math.sqrt(self.prior_strength) * eye).flatten())
        if self._has_noise:
            parts.append(drawn.new_zeros(1))
        return torch.cat(parts)

    def start(
        self, model: Model, phi: Float[Tensor, "task meta"]
    ) -> Float[Tensor, "task inner"]:
        """Return the prior mean."""
        body = having(model, HasLinearHead).body_dim
        if not self._has_mean:
            return phi.new_zeros(phi.shape[0], model.dim - body)
        return phi[:, body : model.dim]

    def start_pullback(
        self, model: Model, v: Float[Tensor, "task inner"]
    ) -> Float[Tensor, "task meta"]:
        """Return v at the place of the prior mean; zero without one."""
        if not self._has_mean:
            return v.new_zeros(v.shape[0], self.meta_dim(model))
        return pad(
            v,
            (having(model, HasLinearHead).body_dim, self.meta_dim(model) - model.dim),
        )

    def prior(self, model: Model, phi: Float[Tensor, "task meta"]) -> Prior:
        """Return M and P."""
        size = self._num_features(model)
        mean = self.as_matrix(model, self.start(model, phi)) if self._has_mean else None
        if not self._has_factor:
            eye = torch.eye(size, dtype=phi.dtype, device=phi.device)
            return Prior(mean=mean, precision=self._noise(phi).square() * eye)
        entries = phi[:, model.dim : model.dim + size**2]
        factor = entries.reshape(-1, size, size)
        return Prior(mean=mean, precision=factor @ factor.mT)

    def _noise(self, phi: Tensor) -> Tensor:
        """Return s of each task, [task, 1, 1]."""
        if not self._has_noise:
            return phi.new_full((phi.shape[0], 1, 1), self.noise_std)
        share = LEAST_NOISE + (1 - LEAST_NOISE) * phi[:, -1:, None].exp()
        return self.noise_std * share

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
        return self._noise(phi)[:, 0].square() * (1 + spread.square().sum(dim=1))

    def prior_source(
        self, model: Model, phi: Float[Tensor, " meta"]
    ) -> tuple[Mapping[str, NamedTensor], str]:
        """Return A A^T, or the noise's variance times I."""
        size, tensors = self._num_features(model), dict[str, NamedTensor]()
        noise = repr(self.noise_std)
        if self._has_noise:
            tensors["log_noise"] = NamedTensor(
                values=phi[-1:],
                meaning="r of the noise, noise_std (c + (1 - c) exp r)",
            )
            share = f'{1 - LEAST_NOISE!r} * WEIGHTS["log_noise"].exp()'
            noise = f"{noise} * ({LEAST_NOISE!r} + {share})"
        if not self._has_factor:
            eye = f"torch.eye({size}, dtype=DTYPE)"
            return tensors, f"{eye}\n    precision *= ({noise}) ** 2"
        factor = phi[model.dim : model.dim + size**2].reshape(size, size)
        meaning = "A of the prior's precision A A^T, relative to the noise's"
        tensors["prior_factor"] = NamedTensor(values=factor, meaning=meaning)
        return tensors, 'WEIGHTS["prior_factor"] @ WEIGHTS["prior_factor"].T'
