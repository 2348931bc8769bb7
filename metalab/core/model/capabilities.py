"""Capabilities of networks beyond applying them, for what is meta-learned that needs them.

A model states a capability by inheriting it; `MetaParameterisation.needs_model` asks for
one, and `experiment.compatibility` refuses a model without it before anything is built.
"""

from abc import abstractmethod
from typing import ClassVar, TypeVar

from jaxtyping import Float
from torch import Tensor

from metalab.core.model.base import Model, ParameterBlock


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
