"""The multilayer perceptron."""

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.model.base import ParameterBlock
from metalab.core.model.capabilities import HasLinearHead, Modulatable
from metalab.core.script import ModuleUse, code
from metalab.core.spec import option

ACTIVATIONS = ("relu", "tanh", "sine")
INITIALISATIONS = ("uniform", "he", "glorot", "truncated-normal")


@lru_cache(maxsize=64)
def _blocks(layer_sizes: tuple[int, ...]) -> tuple[ParameterBlock, ...]:
    """Return the arrays of a network; cached, since every prediction asks for them."""
    blocks: list[ParameterBlock] = []
    start = 0
    for layer, (inputs, outputs) in enumerate(pairwise(layer_sizes)):
        for kind, shape in (("weight", (inputs, outputs)), ("bias", (outputs,))):
            block = ParameterBlock(
                name=f"layer {layer + 1} {kind}", layer=layer, shape=shape, start=start
            )
            blocks.append(block)
            start += block.size
    return tuple(blocks)


@lru_cache(maxsize=64)
def _array_sizes(layer_sizes: tuple[int, ...]) -> list[int]:
    """Return the size of each array, in order."""
    return [block.size for block in _blocks(layer_sizes)]


@dataclass(frozen=True, slots=True, kw_only=True)
class MLP(HasLinearHead, Modulatable):
    """A multilayer perceptron with a linear output.

    Attributes:
        input_dim: Number of inputs.
        output_dim: Number of outputs.
        hidden_sizes: Width of each hidden layer.
        activation: Nonlinearity of the hidden layers.
        initialisation: Rule for the initial weights.
    """

    name: ClassVar[str] = "mlp"
    title: ClassVar[str] = "Multilayer perceptron"
    synonyms: ClassVar[tuple[str, ...]] = ("neural network", "MLP", "fully connected")

    input_dim: int
    output_dim: int
    hidden_sizes: tuple[int, ...] = option(
        (40, 40),
        label="Hidden sizes",
        help="Width of each hidden layer, for example 40, 40.",
        unit="units",
        low=1,
        high=4096,
        synonyms=(
            "hidden layers",
            "width",
            "depth",
            "number of units",
            "neurons",
            "architecture",
        ),
    )
    activation: str = option(
        "relu",
        label="Activation",
        help="Nonlinearity after each hidden layer.",
        choices=ACTIVATIONS,
        synonyms=("nonlinearity",),
    )
    initialisation: str = option(
        "uniform",
        label="Initialisation",
        help="uniform: U(-1, 1)/sqrt(inputs) for weights and biases (torch's default); "
        "he and glorot: normal weights, zero biases; truncated-normal: standard "
        "deviation 0.01, zero biases (the code of the MAML paper).",
        choices=INITIALISATIONS,
        advanced=True,
        synonyms=("weight init", "initialization"),
    )

    @property
    def layer_sizes(self) -> tuple[int, ...]:
        """Units of every layer, inputs and outputs included."""
        return (self.input_dim, *self.hidden_sizes, self.output_dim)

    @property
    def blocks(self) -> tuple[ParameterBlock, ...]:
        """Weight [inputs, outputs] and bias [outputs] of each layer, in order."""
        return _blocks(self.layer_sizes)

    def initial_parameters(
        self, *, generator: torch.Generator, dtype: torch.dtype
    ) -> Float[Tensor, " dim"]:
        """Draw initial parameters by the rule `initialisation`, [dim]."""
        parts = [
            self._initial_block(block, generator, dtype).reshape(-1)
            for block in self.blocks
        ]
        return torch.cat(parts)

    def _initial_block(
        self, block: ParameterBlock, generator: torch.Generator, dtype: torch.dtype
    ) -> Tensor:
        inputs = self.layer_sizes[block.layer]
        outputs = self.layer_sizes[block.layer + 1]
        values = torch.empty(block.shape, dtype=dtype, device=generator.device)
        if self.initialisation == "uniform":
            bound = 1 / math.sqrt(inputs)
            return values.uniform_(-bound, bound, generator=generator)
        if len(block.shape) == 1:
            return values.zero_()
        if self.initialisation == "truncated-normal":
            return torch.nn.init.trunc_normal_(
                values, std=0.01, a=-0.02, b=0.02, generator=generator
            )
        fan = inputs / 2 if self.initialisation == "he" else (inputs + outputs) / 2
        return values.normal_(std=math.sqrt(1 / fan), generator=generator)

    def apply(
        self,
        theta: Float[Tensor, "task dim"],
        x: Float[Tensor, "task shot input"],
    ) -> Float[Tensor, "task shot output"]:
        """Return predictions, [task, shot, output]."""
        # One split, not one slice per block: its backward is a single concatenation.
        parts = theta.split(_array_sizes(self.layer_sizes), dim=1)
        hidden = self._hidden(parts[:-2], x)
        return self._linear(parts, len(self.hidden_sizes), hidden)

    def features(
        self,
        body: Float[Tensor, "task body"],
        x: Float[Tensor, "task shot input"],
    ) -> Float[Tensor, "task shot feature"]:
        """Return the last hidden layer, and a 1 for the bias."""
        sizes = _array_sizes(self.layer_sizes)[:-2]
        hidden = self._hidden(body.split(sizes, dim=1) if sizes else (), x)
        one = hidden.new_ones(*hidden.shape[:-1], 1)
        return torch.cat([hidden, one], dim=2)

    @property
    def num_hidden_units(self) -> int:
        """Units of all hidden layers together."""
        return sum(self.hidden_sizes)

    @property
    def activations_per_point(self) -> int:
        """Units of all hidden layers together."""
        return self.num_hidden_units

    def apply_modulated(
        self,
        theta: Float[Tensor, "task dim"],
        x: Float[Tensor, "task shot input"],
        scale: Float[Tensor, "task unit"],
        shift: Float[Tensor, "task unit"],
    ) -> Float[Tensor, "task shot output"]:
        """Return predictions with scale * z + shift for every hidden pre-activation z."""
        parts = theta.split(_array_sizes(self.layer_sizes), dim=1)
        scales = scale.unsqueeze(1).split(self.hidden_sizes, dim=2)
        shifts = shift.unsqueeze(1).split(self.hidden_sizes, dim=2)
        for layer in range(len(self.hidden_sizes)):
            z = self._linear(parts, layer, x)
            x = self._activate(torch.addcmul(shifts[layer], scales[layer], z))
        return self._linear(parts, len(self.hidden_sizes), x)

    def _hidden(self, parts: tuple[Tensor, ...], x: Tensor) -> Tensor:
        for layer in range(len(parts) // 2):
            x = self._activate(self._linear(parts, layer, x))
        return x

    def _linear(self, parts: tuple[Tensor, ...], layer: int, x: Tensor) -> Tensor:
        shape = (self.layer_sizes[layer], self.layer_sizes[layer + 1])
        weight = parts[2 * layer].view(x.shape[0], *shape)
        return torch.baddbmm(parts[2 * layer + 1].unsqueeze(1), x, weight)

    def _activate(self, x: Tensor) -> Tensor:
        if self.activation == "relu":
            return torch.relu(x)
        if self.activation == "tanh":
            return torch.tanh(x)
        return torch.sin(x)

    def module_names(self) -> tuple[str, ...]:
        """Return names of layers as torch has them."""
        return tuple(
            f"layers.{block.layer}.{block.name.rpartition(' ')[2]}"
            for block in self.blocks
        )

    def module_source(self, use: ModuleUse) -> str:
        """Return a perceptron of `nn.Linear` layers."""
        features = use is ModuleUse.FEATURES
        sizes = self.layer_sizes[:-1] if features else self.layer_sizes
        about = f"Multilayer perceptron, {'-'.join(map(str, sizes))}"
        if features:
            about += ", and a 1 for the bias of the head"
        return code(
            _MODULE,
            about=about,
            sizes=list(sizes),
            forward=_FORWARD[use].strip(),
            activate="torch.sin"
            if self.activation == "sine"
            else f"torch.{self.activation}",
        )


_MODULE = """
class Network(nn.Module):
    '''<about>.'''

    def __init__(self):
        super().__init__()
        sizes = <sizes>
        self.layers = nn.ModuleList(map(nn.Linear, sizes[:-1], sizes[1:]))

    <forward>
"""

_FORWARD = {
    ModuleUse.PREDICTIONS: """
    def forward(self, x):
        for layer in self.layers[:-1]:
            x = <activate>(layer(x))
        return self.layers[-1](x)
""",
    ModuleUse.FEATURES: """
    def forward(self, x):
        for layer in self.layers:
            x = <activate>(layer(x))
        return torch.cat([x, torch.ones_like(x[:, :1])], dim=1)
""",
    ModuleUse.MODULATED: """
    def forward(self, x, scale, shift):
        widths = [layer.out_features for layer in self.layers[:-1]]
        for layer, s, t in zip(self.layers, scale.split(widths), shift.split(widths)):
            x = <activate>(s * layer(x) + t)
        return self.layers[-1](x)
""",
}
