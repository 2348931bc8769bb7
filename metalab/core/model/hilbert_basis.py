"""Sines on an interval, weighed as a stationary kernel weighs frequencies."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.model.base import ParameterBlock
from metalab.core.model.capabilities import HasLinearHead, with_linear_head
from metalab.core.script import ModuleUse, code
from metalab.core.spec import option

MOST_FEATURES = 1_024
"""Of a head in closed form: it costs their third power for each task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HilbertBasis(HasLinearHead):
    """Gaussian process of reduced rank: its kernel as features with unit-normal weights.

    On [-L, L] the squared-exponential kernel of length-scale l and signal deviation s is

        k(x, x') = s^2 exp(-(x - x')^2 / (2 l^2)) = sum_j S(w_j) p_j(x) p_j(x'),
        p_j(x) = L^(-1/2) sin(w_j (x + L)),    w_j = pi j / (2 L),
        S(w) = s^2 (2 pi)^(1/2) l exp(-l^2 w^2 / 2),

    up to the functions after the m-th, and to what the boundary changes, where functions
    are 0. So sum_j W_j S(w_j)^(1/2) p_j(x) with W ~ N(0, I) is that Gaussian process, and
    its regression a ridge regression on m features. Several inputs have products of these
    functions, m for each, and a length-scale each.

    The body is log l, one an input, and log s: shared by all tasks. The head is W.

    It is close where the inputs stay within 2/3 of L, L is above 3 l beyond them, and m
    above 2 L / l. The functions are periodic: nothing holds beyond L.

    Attributes:
        input_dim: Number of inputs, D.
        output_dim: Number of outputs; they share one kernel.
        num_functions: m, of each input; m^D features.
        boundary: L, in the unit of the inputs as the model is given them.
        length_scale: l at first, of every input.
        signal_std: s at first.

    Source: Solin & Särkkä 2020, "Hilbert space methods for reduced-rank Gaussian process
        regression", equations 56 to 60; how far L and m must go: Riutort-Mayol et al.
        2023, section 4.
    """

    name: ClassVar[str] = "hilbert-basis"
    title: ClassVar[str] = "Gaussian process, reduced rank"
    synonyms: ClassVar[tuple[str, ...]] = (
        *("GP", "kriging", "kernel", "squared exponential", "RBF"),
        *("basis functions", "Hilbert-space approximation", "spectral density"),
    )

    input_dim: int
    output_dim: int
    num_functions: int = option(
        32,
        label="Basis functions",
        help="How many sines stand for the kernel, of each input; short length-scales "
        "need more.",
        low=1,
        high=256,
        synonyms=("number of features", "rank", "order"),
    )
    boundary: float = option(
        10.0,
        label="Boundary L",
        help="The basis lives on [-L, L] and is 0 at its ends: well beyond the inputs, "
        "which a table standardises.",
        unit="x",
        low=0.0,
        high=1e6,
        exclusive=True,
        log=True,
        advanced=True,
    )
    length_scale: float = option(
        1.0,
        label="Initial length-scale",
        help="How far apart inputs are whose outputs still go together, at first; the "
        "outer loop learns it.",
        unit="x",
        low=0.0,
        high=1e6,
        exclusive=True,
        log=True,
        synonyms=("kernel width", "bandwidth"),
    )
    signal_std: float = option(
        1.0,
        label="Initial signal deviation",
        help="Standard deviation of the tasks' curves around their mean, at first; the "
        "outer loop learns it.",
        unit="y",
        low=0.0,
        high=1e6,
        exclusive=True,
        log=True,
        advanced=True,
        synonyms=("output scale", "amplitude", "kernel variance"),
    )

    def obstacle(self) -> str | None:
        """Refuse more features than a head in closed form can be solved for."""
        if self._num_features <= MOST_FEATURES:
            return None
        most = int(MOST_FEATURES ** (1 / self.input_dim) + 1e-9)
        return (
            f"{self.num_functions} basis functions of each of {self.input_dim} inputs "
            f"are {self._num_features:,} products; allowed: {MOST_FEATURES:,}, so "
            f"model.num_functions up to {most}"
        )

    @property
    def _num_features(self) -> int:
        return self.num_functions**self.input_dim

    @property
    def blocks(self) -> tuple[ParameterBlock, ...]:
        """The kernel's logarithms, and the weights of the features."""
        return _blocks(self.input_dim, self._num_features, self.output_dim)

    @property
    def activations_per_point(self) -> int:
        """The functions of each input, and their products."""
        return self.num_functions * self.input_dim + self._num_features

    def initial_parameters(
        self, *, generator: torch.Generator, dtype: torch.dtype
    ) -> Float[Tensor, " dim"]:
        """Return the kernel as it is set, and a head of zeros, [dim]."""
        kernel = [math.log(self.length_scale)] * self.input_dim
        body = torch.tensor([*kernel, math.log(self.signal_std)], dtype=dtype)
        head = torch.zeros(self.dim - len(body), dtype=dtype)
        return torch.cat([body, head]).to(generator.device)

    def features(
        self,
        body: Float[Tensor, "task body"],
        x: Float[Tensor, "task shot input"],
    ) -> Float[Tensor, "task shot feature"]:
        """Return s prod_d S_d(w_j)^(1/2) p_j(x_d), the first input's j slowest."""
        length = body[:, None, : self.input_dim, None].exp()
        count = torch.arange(1, self.num_functions + 1, dtype=x.dtype, device=x.device)
        frequency = count * (math.pi / (2 * self.boundary))
        waves = torch.sin(frequency * (x[..., None] + self.boundary))
        # Square roots of the density and of 1/L: (2 pi)^(1/4), l^(1/2), exp(-l^2 w^2/4).
        weight = length.sqrt() * torch.exp(-0.25 * (length * frequency).square())
        single = (math.sqrt(2 * math.pi) / self.boundary) ** 0.5 * weight * waves
        found = body[:, None, self.input_dim :].exp()
        for index in range(self.input_dim):
            found = (found[..., :, None] * single[:, :, index, None, :]).flatten(2)
        return found

    def apply(
        self,
        theta: Float[Tensor, "task dim"],
        x: Float[Tensor, "task shot input"],
    ) -> Float[Tensor, "task shot output"]:
        """Return predictions, [task, shot, output]."""
        size = self.body_dim
        weight = theta[:, size:].view(-1, self._num_features, self.output_dim)
        return self.features(theta[:, :size], x) @ weight

    def module_names(self) -> tuple[str, ...]:
        """Return the names of the kernel's logarithms, and of the weights."""
        return ("log_length", "log_signal", "head.weight")

    def module_source(self, use: ModuleUse) -> str:
        """Return the features of the kernel, and a linear layer behind them."""
        interval = f"[-{self.boundary:g}, {self.boundary:g}]"
        return with_linear_head(
            f"Sines on {interval}, weighed as a kernel weighs frequencies",
            code(
                _FEATURES,
                returned=_ONE if self.input_dim == 1 else _PRODUCT.strip(),
                inputs=self.input_dim,
                number=self.num_functions,
                boundary=repr(self.boundary),
            ),
            use,
            outputs=self.output_dim,
            count=self._num_features,
            own=(
                f"self.log_length = nn.Parameter(torch.zeros({self.input_dim}))",
                "self.log_signal = nn.Parameter(torch.zeros(1))",
            ),
        )


_FEATURES = """
def features(self, x):
    length = self.log_length[:, None].exp()
    frequency = torch.arange(1, <number> + 1).to(x) * (math.pi / (2 * <boundary>))
    waves = torch.sin(frequency * (x[..., None] + <boundary>))
    weight = length.sqrt() * torch.exp(-0.25 * (length * frequency).square())
    single = (math.sqrt(2 * math.pi) / <boundary>) ** 0.5 * weight * waves
    <returned>
"""

_ONE = "return self.log_signal.exp() * single[:, 0]"

_PRODUCT = """
    found = self.log_signal.exp().expand(len(x), 1)
    for index in range(<inputs>):
        found = (found[..., :, None] * single[:, index, None, :]).flatten(1)
    return found
"""


# Asked for with every prediction.
@lru_cache(maxsize=64)
def _blocks(
    num_inputs: int, num_features: int, num_outputs: int
) -> tuple[ParameterBlock, ...]:
    return (
        ParameterBlock(
            name="layer 1 log length-scale", layer=0, shape=(num_inputs,), start=0
        ),
        ParameterBlock(
            name="layer 1 log signal", layer=0, shape=(1,), start=num_inputs
        ),
        ParameterBlock(
            name="layer 2 weight",
            layer=1,
            shape=(num_features, num_outputs),
            start=num_inputs + 1,
        ),
    )
