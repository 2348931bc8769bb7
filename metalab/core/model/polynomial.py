"""Powers of the inputs, linear in their weights."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.model.base import ParameterBlock
from metalab.core.model.capabilities import HasLinearHead, with_linear_head
from metalab.core.script import ModuleUse, code
from metalab.core.spec import option


@dataclass(frozen=True, slots=True, kw_only=True)
class Polynomial(HasLinearHead):
    """w0 + w1 x + ... + wd x^d, of each input on its own.

    With a closed-form inner loop it is least squares on the support set; under a learned
    Gaussian prior, a mixed model: fixed features, and random coefficients of each task.

    Attributes:
        input_dim: Number of inputs.
        output_dim: Number of outputs.
        degree: d.

    Source: Laird & Ware 1982, "Random-effects models for longitudinal data".
    """

    name: ClassVar[str] = "polynomial"
    title: ClassVar[str] = "Polynomial"
    synonyms: ClassVar[tuple[str, ...]] = (
        *("mixed model", "random effects", "linear regression", "least squares"),
        "basis functions",
    )

    input_dim: int
    output_dim: int
    degree: int = option(
        2,
        label="Degree",
        help="Highest power of each input; products of inputs are left out.",
        low=1,
        high=12,
        synonyms=("order", "number of features"),
    )

    @property
    def _num_features(self) -> int:
        return 1 + self.degree * self.input_dim

    @property
    def blocks(self) -> tuple[ParameterBlock, ...]:
        """The weights of the powers, the constant first."""
        shape = (self._num_features, self.output_dim)
        return (ParameterBlock(name="layer 1 weight", layer=0, shape=shape, start=0),)

    @property
    def activations_per_point(self) -> int:
        """The powers."""
        return self._num_features

    def initial_parameters(
        self, *, generator: torch.Generator, dtype: torch.dtype
    ) -> Float[Tensor, " dim"]:
        """Return zeros, [dim]: there is no symmetry to break."""
        return torch.zeros(self.dim, dtype=dtype, device=generator.device)

    def features(
        self,
        body: Float[Tensor, "task body"],
        x: Float[Tensor, "task shot input"],
    ) -> Float[Tensor, "task shot feature"]:
        """Return [1, x, x^2, ..., x^d]."""
        del body
        powers = [x]
        for _ in range(self.degree - 1):
            powers.append(powers[-1] * x)
        return torch.cat([torch.ones_like(x[..., :1]), *powers], dim=2)

    def apply(
        self,
        theta: Float[Tensor, "task dim"],
        x: Float[Tensor, "task shot input"],
    ) -> Float[Tensor, "task shot output"]:
        """Return predictions, [task, shot, output]."""
        weight = theta.view(theta.shape[0], self._num_features, self.output_dim)
        return self.features(theta[:, :0], x) @ weight

    def module_names(self) -> tuple[str, ...]:
        """Return the name of the weights."""
        return ("head.weight",)

    def module_source(self, use: ModuleUse) -> str:
        """Return the powers, and a linear layer behind them."""
        return with_linear_head(
            f"Powers 0 to {self.degree} of each input",
            code(_FEATURES, degree=self.degree),
            use,
            outputs=self.output_dim,
            count=self._num_features,
        )


_FEATURES = """
def features(self, x):
    powers = [x]
    for _ in range(<degree> - 1):
        powers.append(powers[-1] * x)
    return torch.cat([torch.ones_like(x[:, :1]), *powers], dim=1)
"""
