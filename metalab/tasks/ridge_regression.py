"""Noisy linear regression: the problem whose ridge strength is to be found."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.spec import option
from metalab.core.tasks import TaskFamily
from metalab.tasks.one_dimensional import uniform


@dataclass(frozen=True, slots=True, kw_only=True)
class RidgeRegression(TaskFamily):
    """y = w . x + c + noise, with independent normal weights and uniform inputs.

    With fewer shots than features, or much noise, least squares fits the noise. Among all
    linear predictors of a task from its support set, the posterior mean is best, and that
    is ridge regression, min ||X w + c - y||^2 + strength (||w||^2 + c^2), with

        strength = noise_std^2 / weight_std^2

    for any number of shots: what a learned strength should find.

    Attributes:
        num_features: Number of inputs.
        weight_std: Standard deviation of every weight.
        noise_std: Standard deviation of the noise.

    Source: the hyperparameter problem of Pedregosa 2016, section 5.1, and Franceschi et
        al. 2017, section 5.1, with a known answer; sizes are our own.
    """

    name: ClassVar[str] = "ridge-regression"
    title: ClassVar[str] = "Ridge regression"
    inputs_lie_on_a_curve: ClassVar[bool] = False

    num_features: int = option(
        20,
        label="Features",
        help="Number of inputs, each with a weight.",
        unit="inputs",
        low=1,
        high=200,
    )
    weight_std: float = option(
        0.5,
        label="Weight deviation",
        help="Standard deviation of every weight over the tasks.",
        unit="y/x",
        low=0.0,
        high=100.0,
        exclusive=True,
    )
    noise_std: float = option(
        1.0,
        label="Noise",
        help="Standard deviation of the noise on support and query targets.",
        unit="y",
        low=0.0,
        high=100.0,
        synonyms=("noise level", "target noise", "label noise"),
        at_zero="off",
    )

    @property
    def best_strength(self) -> float:
        """noise_std^2 / weight_std^2."""
        return (self.noise_std / self.weight_std) ** 2

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """The weights, and the intercept c, which is distributed like them."""
        weights = [f"weight {index + 1}" for index in range(self.num_features)]
        return (*weights, "intercept")

    @property
    def input_dim(self) -> int:
        """Number of features."""
        return self.num_features

    @property
    def input_range(self) -> tuple[float, float]:
        """The interval around 0 on which a uniform number has variance 1."""
        return (-math.sqrt(3.0), math.sqrt(3.0))

    @property
    def noise(self) -> float:
        """Standard deviation of the noise, in units of y."""
        return self.noise_std

    def sample_parameters(
        self, num_tasks: int, *, generator: torch.Generator, dtype: torch.dtype
    ) -> Float[Tensor, "task parameter"]:
        """Draw weights and intercept of each task."""
        shape = (num_tasks, self.num_features + 1)
        return self.weight_std * torch.randn(
            shape, generator=generator, dtype=dtype, device=generator.device
        )

    def sample_inputs(
        self,
        num_tasks: int,
        num_samples: int,
        *,
        generator: torch.Generator,
        dtype: torch.dtype,
    ) -> Float[Tensor, "task shot input"]:
        """Draw inputs of variance 1."""
        low, high = self.input_range
        shape = (num_tasks, num_samples, self.num_features)
        return uniform(shape, generator=generator, dtype=dtype, low=low, high=high)

    def inputs_at(self, position: Float[Tensor, "*points"]) -> Tensor:
        """Return inputs along the first feature; the others are zero."""
        others = position.new_zeros(*position.shape, self.num_features - 1)
        return torch.cat([position[..., None], others], dim=-1)

    def target(
        self,
        parameters: Float[Tensor, "task parameter"],
        x: Float[Tensor, "task shot input"],
    ) -> Float[Tensor, "task shot output"]:
        """Return w . x + c."""
        weights, intercept = parameters[:, None, :-1], parameters[:, None, -1:]
        return (weights * x).sum(dim=2, keepdim=True) + intercept
