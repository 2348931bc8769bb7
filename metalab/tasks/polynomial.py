"""Polynomials with random coefficients."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.spec import option
from metalab.tasks.one_dimensional import (
    IntervalFamily,
    noise_option,
    uniform_columns,
    x_max_option,
    x_min_option,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Polynomial(IntervalFamily):
    """y = c0 + c1 x + c2 x^2 + ... + noise.

    Coefficient ci is uniform in [-1, 1] * coefficient_max / shrinkage^i, x is uniform in
    [x_min, x_max]. By default, with inputs up to 2 in size, each term lies in [-1, 1];
    the zero function has a mean squared error of the sum of 1 / (3 (2 i + 1)): 0.333,
    0.444 and 0.511 for the published degrees 0, 1 and 2.

    Source: Lee and Choi 2018 (MT-net), the polynomials of the authors' code.
    """

    name: ClassVar[str] = "polynomial"
    title: ClassVar[str] = "Polynomial"

    degree: int = option(
        2,
        label="Degree",
        help="Highest power of x (MT-net: 0, 1 and 2).",
        low=0,
        high=12,
    )
    coefficient_max: float = option(
        1.0,
        label="Coefficient max",
        help="The constant term lies between minus this and this.",
        unit="y",
        low=0.0,
        high=100.0,
    )
    shrinkage: float = option(
        2.0,
        label="Shrinkage",
        help="The range of each further coefficient is smaller by this factor.",
        low=0.1,
        high=100.0,
        log=True,
        advanced=True,
    )
    x_min: float = x_min_option(-2.0)
    x_max: float = x_max_option(2.0)
    noise_std: float = noise_option()

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """The coefficients, from the constant term up."""
        return tuple(f"c{power}" for power in range(self.degree + 1))

    def sample_parameters(
        self, num_tasks: int, *, generator: torch.Generator, dtype: torch.dtype
    ) -> Float[Tensor, "task parameter"]:
        """Draw the coefficients of each task."""
        ends = [
            self.coefficient_max / self.shrinkage**power
            for power in range(self.degree + 1)
        ]
        ranges = tuple((-end, end) for end in ends)
        return uniform_columns(num_tasks, ranges, generator=generator, dtype=dtype)

    def target(
        self,
        parameters: Float[Tensor, "task parameter"],
        x: Float[Tensor, "task shot input"],
    ) -> Float[Tensor, "task shot output"]:
        """Return the polynomial at x, by Horner's rule."""
        coefficients = parameters[:, :, None, None].unbind(dim=1)
        value = coefficients[-1].expand_as(x)
        for coefficient in reversed(coefficients[:-1]):
            value = value * x + coefficient
        return value
