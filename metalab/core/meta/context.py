"""Meta-learn the network; adapt a context vector at its input."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.meta.base import MetaParameterisation, PhiRole
from metalab.core.model.base import Model, ParameterBlock
from metalab.core.script import NamedTensor, PredictorSource, code
from metalab.core.spec import option
from metalab.core.tasks import Samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Context(MetaParameterisation):
    """phi = the network; a task adapts only extra inputs, which start at zero (CAVIA).

    Attributes:
        context_dim: Number of extra inputs.

    Source: Zintgraf et al. 2019, section 3.1.
    """

    name: ClassVar[str] = "context"
    title: ClassVar[str] = "Context vector"
    synonyms: ClassVar[tuple[str, ...]] = ("CAVIA", "context parameters")
    shapes_inner_loss: ClassVar[bool] = True
    regularised: ClassVar[bool] = False

    context_dim: int = option(
        5,
        label="Context size",
        help="Extra inputs of the network, which each task adapts from zero.",
        unit="inputs",
        low=1,
        high=1000,
        synonyms=("context parameters", "number of context parameters", "dimension"),
    )

    @property
    def ways(self) -> tuple[frozenset[PhiRole], ...]:
        """How each part of phi enters the outer loss."""
        return (frozenset({PhiRole.PREDICTION, PhiRole.INNER_LOSS}),)

    @property
    def extra_inputs(self) -> int:
        """The context."""
        return self.context_dim

    def adapted_blocks(self, model: Model) -> tuple[ParameterBlock, ...]:
        """Return the context vector."""
        del model
        return (
            ParameterBlock(name="context", layer=0, shape=(self.context_dim,), start=0),
        )

    def start(
        self, model: Model, phi: Float[Tensor, "task meta"]
    ) -> Float[Tensor, "task inner"]:
        """Return zero: every task starts from the same, unlearned context."""
        del model
        return phi.new_zeros(phi.shape[0], self.context_dim)

    def start_pullback(
        self, model: Model, v: Float[Tensor, "task inner"]
    ) -> Float[Tensor, "task meta"]:
        """Return zero: the start does not depend on phi."""
        return v.new_zeros(v.shape[0], model.dim)

    def predict(
        self,
        model: Model,
        theta: Float[Tensor, "task inner"],
        phi: Float[Tensor, "task meta"],
        x: Float[Tensor, "task shot input"],
        support: Samples,
    ) -> Float[Tensor, "task shot output"]:
        """Return the network's output at [x, context]."""
        del support
        context = theta.unsqueeze(1).expand(-1, x.shape[1], -1)
        return model.apply(phi, torch.cat([x, context], dim=2))

    def predictor_source(
        self, model: Model, phi: Float[Tensor, " meta"]
    ) -> PredictorSource:
        """Return the network with the context as a parameter."""
        start = NamedTensor(
            values=phi.new_zeros(self.context_dim),
            meaning="context at the start",
            learned=False,
        )
        network = model.module_tensors(phi, prefix="network.")
        return PredictorSource(
            tensors={"context": start, **network},
            adapted=("context",),
            source=code(EXTRA_INPUTS, name="context", size=self.context_dim),
            predictor="Predictor",
        )


EXTRA_INPUTS = """
class Predictor(nn.Module):
    '''The network, with inputs beside those of the task.'''

    def __init__(self):
        super().__init__()
        self.<name> = nn.Parameter(torch.zeros(<size>))
        self.network = Network()

    def forward(self, x):
        return self.network(torch.cat([x, self.<name>.expand(len(x), -1)], dim=1))
"""
