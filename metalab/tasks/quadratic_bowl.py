"""Quadratic bowls with a known minimum: every hypergradient has a closed form."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.spec import option
from metalab.core.tasks import TaskFamily
from metalab.tasks.one_dimensional import noise_option


@dataclass(frozen=True, slots=True, kw_only=True)
class QuadraticBowl(TaskFamily):
    """y = w . x on a design that makes the loss of a linear network a chosen bowl.

    A task is its minimum w, normal around `centre` in each of d coordinates. Its inputs
    are not random: the n-th one is +- s_i e_i with i = (n // 2) mod d, the sign
    alternating and s_i = sqrt(d curvature_i / 2). For a multiple of 2d shots and a
    network without hidden layers, weights v and bias b, the mean squared error is

        1/2 sum_i curvature_i (v_i - w_i)^2 + b^2,

    a bowl with its minimum at v = w, b = 0 and the Hessian H = diag(curvature, 2). Any 2d
    inputs in a row hold each point of the design once, so the query set, which goes on
    where the support set ends, has the same loss if it too is a multiple of 2d. Then K
    steps of gradient descent from phi and the hypergradient through them are

        theta_K = w + (I - inner_lr H)^K (phi - w)
        (I - inner_lr H)^K H (theta_K - w)

    and with a proximal anchor of strength s the solution, and its hypergradient, are

        theta* = (H + s I)^-1 (H w + s phi),   s (H + s I)^-1 H (theta* - w).

    Attributes:
        num_dimensions: d.
        curvature_min: Smallest curvature; they rise in equal ratios.
        curvature_max: Largest curvature.
        centre: Mean of every coordinate of the minima.
        spread: Their standard deviation.
        noise_std: Noise on the targets, which moves the minimum.

    Source: the closed forms are those of linear least squares.
    """

    name: ClassVar[str] = "quadratic-bowl"
    title: ClassVar[str] = "Quadratic bowl"
    inputs_lie_on_a_curve: ClassVar[bool] = False

    num_dimensions: int = option(
        2,
        label="Dimensions",
        help="Coordinates of a task's minimum; shots and queries should be multiples of "
        "twice as many.",
        unit="inputs",
        low=1,
        high=50,
    )
    curvature_min: float = option(
        0.5,
        label="Curvature min",
        help="Smallest eigenvalue of the inner loss's Hessian.",
        low=0.0,
        high=1e4,
        exclusive=True,
        log=True,
    )
    curvature_max: float = option(
        2.0,
        label="Curvature max",
        help="Largest eigenvalue of the inner loss's Hessian.",
        low=0.0,
        high=1e4,
        exclusive=True,
        log=True,
    )
    centre: float = option(
        1.0,
        label="Centre",
        help="Mean of every coordinate of the minima: what can be meta-learned.",
        low=-100.0,
        high=100.0,
    )
    spread: float = option(
        1.0,
        label="Spread",
        help="Standard deviation of every coordinate of the minima over the tasks.",
        low=0.0,
        high=100.0,
    )
    noise_std: float = noise_option()

    def __post_init__(self) -> None:
        """Refuse an empty range.

        Raises:
            ValueError: The largest curvature lies below the smallest.
        """
        if self.curvature_max < self.curvature_min:
            raise ValueError(
                f"curvature_max is {self.curvature_max:g}; it must be at least "
                f"curvature_min, {self.curvature_min:g}"
            )

    @property
    def curvatures(self) -> tuple[float, ...]:
        """Eigenvalue of each coordinate, in equal ratios."""
        last = max(self.num_dimensions - 1, 1)
        ratio = (self.curvature_max / self.curvature_min) ** (1 / last)
        return tuple(self.curvature_min * ratio**i for i in range(self.num_dimensions))

    @property
    def scales(self) -> tuple[float, ...]:
        """s_i of each coordinate."""
        half = self.num_dimensions / 2
        return tuple((half * curvature) ** 0.5 for curvature in self.curvatures)

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """The coordinates of the minimum."""
        return tuple(f"minimum {index + 1}" for index in range(self.num_dimensions))

    @property
    def input_dim(self) -> int:
        """Number of coordinates."""
        return self.num_dimensions

    @property
    def input_range(self) -> tuple[float, float]:
        """From the one farthest input to the other."""
        return (-max(self.scales), max(self.scales))

    @property
    def noise(self) -> float:
        """Standard deviation of the noise, in units of y."""
        return self.noise_std

    def sample_parameters(
        self, num_tasks: int, *, generator: torch.Generator, dtype: torch.dtype
    ) -> Float[Tensor, "task parameter"]:
        """Draw the minimum of each task."""
        shape = (num_tasks, self.num_dimensions)
        normal = torch.randn(
            shape, generator=generator, dtype=dtype, device=generator.device
        )
        return self.centre + self.spread * normal

    def sample_inputs(
        self,
        num_tasks: int,
        num_samples: int,
        *,
        generator: torch.Generator,
        dtype: torch.dtype,
    ) -> Float[Tensor, "task shot input"]:
        """Return the design, the same for every task; nothing is drawn."""
        scales = torch.tensor(self.scales, dtype=dtype, device=generator.device)
        rows = torch.stack([scales.diag(), -scales.diag()], dim=1).flatten(0, 1)
        order = torch.arange(num_samples, device=generator.device) % len(rows)
        return rows[order].expand(num_tasks, -1, -1)

    def inputs_at(self, position: Float[Tensor, "*points"]) -> Tensor:
        """Return inputs along the first coordinate; the others are zero."""
        others = position.new_zeros(*position.shape, self.num_dimensions - 1)
        return torch.cat([position[..., None], others], dim=-1)

    def target(
        self,
        parameters: Float[Tensor, "task parameter"],
        x: Float[Tensor, "task shot input"],
    ) -> Float[Tensor, "task shot output"]:
        """Return w . x."""
        return (parameters[:, None, :] * x).sum(dim=2, keepdim=True)
