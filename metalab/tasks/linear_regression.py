"""Linear regression on several features with a chosen condition number."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.spec import option
from metalab.core.tasks import TaskFamily
from metalab.tasks.one_dimensional import noise_option, uniform


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearRegression(TaskFamily):
    """y = w . x + noise, with inputs x of `num_features` coordinates.

    With a network without hidden layers, the inner problem is a quadratic and its exact
    solution, and so the exact hypergradient, has a closed form. The weights w are normal
    around `weight_mean`. The inputs lie on a curve, so that a task can be plotted:

        x_j = s_j T_j(u),    u = cos(pi t),  t uniform in [0, 1],  j = 1 ... num_features

    T_j is a Chebyshev polynomial: T_j(cos a) = cos(j a). The coordinates therefore have
    mean 0 and no correlation, and E[x x^T] = diag(s_j^2) / 2. The scales s_j fall in
    equal ratios from 1 to 1 / sqrt(condition_number), which so is the condition number of
    E[x x^T]. The first coordinate, u, is the x axis of plots. The zero function has a
    mean squared error of (weight_mean^2 + weight_std^2) sum(s_j^2) / 2.

    Source: the kind of problem on which Rajeswaran et al. 2019 (iMAML) compare
        hypergradients with the exact one; features and sizes are our own.
    """

    name: ClassVar[str] = "linear-regression"
    title: ClassVar[str] = "Linear regression"

    num_features: int = option(
        20,
        label="Features",
        help="Number of inputs, each with a weight.",
        unit="inputs",
        low=1,
        high=200,
    )
    condition_number: float = option(
        50.0,
        label="Condition number",
        help="Largest over smallest variance of the inputs: how stretched the inner "
        "problem is.",
        low=1.0,
        high=1_000_000.0,
        log=True,
    )
    weight_mean: float = option(
        1.0,
        label="Weight mean",
        help="Mean of every weight over the tasks: what can be meta-learned.",
        unit="y/x",
        low=-100.0,
        high=100.0,
    )
    weight_std: float = option(
        1.0,
        label="Weight deviation",
        help="Standard deviation of every weight over the tasks.",
        unit="y/x",
        low=0.0,
        high=100.0,
    )
    noise_std: float = noise_option()

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """The weights."""
        return tuple(f"weight {index + 1}" for index in range(self.num_features))

    @property
    def input_dim(self) -> int:
        """Number of features."""
        return self.num_features

    @property
    def input_range(self) -> tuple[float, float]:
        """Where Chebyshev polynomials live."""
        return (-1.0, 1.0)

    @property
    def noise(self) -> float:
        """Standard deviation of the noise, in units of y."""
        return self.noise_std

    @property
    def scales(self) -> tuple[float, ...]:
        """s_j of each feature, from 1 down."""
        last = max(self.num_features - 1, 1)
        ratio = self.condition_number ** (-0.5 / last)
        return tuple(ratio**index for index in range(self.num_features))

    def sample_parameters(
        self, num_tasks: int, *, generator: torch.Generator, dtype: torch.dtype
    ) -> Float[Tensor, "task parameter"]:
        """Draw the weights of each task."""
        normal = torch.randn(
            (num_tasks, self.num_features),
            generator=generator,
            dtype=dtype,
            device=generator.device,
        )
        return self.weight_mean + self.weight_std * normal

    def sample_inputs(
        self,
        num_tasks: int,
        num_samples: int,
        *,
        generator: torch.Generator,
        dtype: torch.dtype,
    ) -> Float[Tensor, "task shot input"]:
        """Draw places on the curve of the inputs."""
        shape = (num_tasks, num_samples)
        t = uniform(shape, generator=generator, dtype=dtype)
        return self.inputs_at(torch.cos(math.pi * t))

    def inputs_at(self, position: Float[Tensor, "*points"]) -> Tensor:
        """Return the inputs whose first coordinate is `position`, in [-1, 1]."""
        scales = position.new_tensor(self.scales)
        orders = torch.arange(
            2, self.num_features + 1, dtype=position.dtype, device=position.device
        )
        others = scales[1:] * torch.cos(orders * torch.arccos(position)[..., None])
        return torch.cat([position[..., None], others], dim=-1)

    def target(
        self,
        parameters: Float[Tensor, "task parameter"],
        x: Float[Tensor, "task shot input"],
    ) -> Float[Tensor, "task shot output"]:
        """Return w . x."""
        return (parameters[:, None, :] * x).sum(dim=2, keepdim=True)
