"""Capabilities of networks beyond applying them, for what is meta-learned that needs them.

A model states a capability by inheriting it; `MetaParameterisation.needs_model` asks for
one, and `experiment.compatibility` refuses a model without it before anything is built.
"""

import textwrap
from abc import abstractmethod
from typing import ClassVar, TypeVar

from jaxtyping import Float
from torch import Tensor

from metalab.core.model.base import Model, ParameterBlock
from metalab.core.script import ModuleUse, code


class HasLinearHead(Model):
    """Abstract: the last layer is linear, so that it can be solved for in closed form."""

    __slots__ = ()

    capability: ClassVar[str] = "a linear last layer"

    @property
    def head_blocks(self) -> tuple[ParameterBlock, ...]:
        """The arrays of the last layer."""
        last = self.blocks[-1].layer
        return tuple(block for block in self.blocks if block.layer == last)

    @property
    def body_dim(self) -> int:
        """Number of parameters before the last layer: where the head begins."""
        return self.head_blocks[0].start

    @abstractmethod
    def features(
        self,
        body: Float[Tensor, "task body"],
        x: Float[Tensor, "task shot input"],
    ) -> Float[Tensor, "task shot feature"]:
        """Return what the last layer multiplies, a 1 for its bias included.

        A prediction is features @ head, with the head's arrays one below the other as
        [feature, output].
        """


class Modulatable(Model):
    """Abstract: hidden units can be scaled and shifted."""

    __slots__ = ()

    capability: ClassVar[str] = "hidden units to modulate"

    @property
    @abstractmethod
    def num_hidden_units(self) -> int:
        """Units of all hidden layers together: what can be modulated."""

    @abstractmethod
    def apply_modulated(
        self,
        theta: Float[Tensor, "task dim"],
        x: Float[Tensor, "task shot input"],
        scale: Float[Tensor, "task unit"],
        shift: Float[Tensor, "task unit"],
    ) -> Float[Tensor, "task shot output"]:
        """Return predictions with scale * z + shift for every hidden pre-activation z.

        Source: Perez et al. 2018 (FiLM), equation 2.
        """


C = TypeVar("C", bound=Model)


def having(model: Model, capability: type[C]) -> C:
    """Return a model as one with a capability, to a type checker too."""
    assert isinstance(model, capability), "refused by experiment.compatibility"
    return model


def with_linear_head(
    about: str,
    features: str,
    use: ModuleUse,
    *,
    outputs: int,
    count: int,
    own: tuple[str, ...] = (),
) -> str:
    """Return the class `Network` of features with a linear layer `head` behind them.

    Args:
        about: The class in words.
        features: Its method `features(x)`.
        use: What `forward` returns.
        outputs: Outputs of the head.
        count: Number of features.
        own: Statements that make the features' own parameters.
    """
    found, made = "self.features(x)", list(own)
    if use is ModuleUse.FEATURES:
        features = features.replace("def features(", "def forward(")
    else:
        made.append(f"self.head = nn.Linear({count}, {outputs}, bias=False)")
        found = "self.head(self.features(x))"
    more = ", scale, shift" if use is ModuleUse.MODULATED else ""
    init = ["def __init__(self):", "    super().__init__()"]
    methods = [
        "\n".join([*init, *(f"    {line}" for line in made)]),
        code(features),
    ]
    if use is not ModuleUse.FEATURES:
        methods.append(f"def forward(self, x{more}):\n    return {found}")
    body = "\n\n".join([f'"""{about}."""', *methods[0 if made else 1 :]])
    return "class Network(nn.Module):\n" + textwrap.indent(body, "    ")
