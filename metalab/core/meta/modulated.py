"""Meta-learn an initialisation, and how a look at the support set modulates it."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from metalab.core.meta.base import MetaParameterisation, PhiRole
from metalab.core.model.base import Model
from metalab.core.model.capabilities import Modulatable, having
from metalab.core.model.mlp import MLP
from metalab.core.script import ModuleUse, NamedTensor, PredictorSource, code
from metalab.core.spec import option
from metalab.core.tasks import Samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Modulated(MetaParameterisation):
    """phi = network, task encoder and modulator; a task adapts the modulated network.

    The encoder maps each support point (x, y) to a vector; their mean, the embedding of
    the task, is mapped linearly to a scale and a shift for every hidden unit. The inner
    loop adapts the network under this modulation, which stays. At first the modulator is
    zero: scale 1 and shift 0.

    Attributes:
        embedding_dim: Length of the embedding, and width of the encoder's hidden layer.

    Source: Vuorio, Sun, Hu & Lim 2019 (MMAML), section 4, with FiLM modulation; their
        encoder is a recurrent network, here it is a mean over points, which does not
        depend on their order (Garnelo et al. 2018, section 2).
    """

    name: ClassVar[str] = "modulated"
    title: ClassVar[str] = "Modulated initialisation"
    synonyms: ClassVar[tuple[str, ...]] = ("MMAML", "FiLM", "task-aware modulation")
    shapes_inner_loss: ClassVar[bool] = True
    regularised: ClassVar[bool] = False
    needs_model: ClassVar[type[Model]] = Modulatable
    one_output_a_target: ClassVar[bool] = True

    embedding_dim: int = option(
        100,
        label="Embedding size",
        help="Length of the vector that the encoder makes of a support set.",
        unit="units",
        low=1,
        high=1000,
        synonyms=("dimension", "task embedding"),
    )

    @property
    def ways(self) -> tuple[frozenset[PhiRole], ...]:
        """How the network, and how encoder and modulator enter the outer loss."""
        return (
            frozenset({PhiRole.START}),
            frozenset({PhiRole.PREDICTION, PhiRole.INNER_LOSS}),
        )

    def _encoder(self, model: Model) -> MLP:
        return MLP(
            input_dim=model.input_dim + model.output_dim,
            output_dim=self.embedding_dim,
            hidden_sizes=(self.embedding_dim,),
        )

    def _modulator(self, model: Model) -> MLP:
        return MLP(
            input_dim=self.embedding_dim,
            output_dim=2 * having(model, Modulatable).num_hidden_units,
            hidden_sizes=(),
        )

    def _extra_dim(self, model: Model) -> int:
        return self._encoder(model).dim + self._modulator(model).dim

    def meta_dim(self, model: Model) -> int:
        """Return the size of network, encoder and modulator."""
        return model.dim + self._extra_dim(model)

    def initial(
        self, model: Model, *, generator: torch.Generator, dtype: torch.dtype
    ) -> Float[Tensor, " meta"]:
        """Draw network and encoder; the modulator starts at zero."""
        network = model.initial_parameters(generator=generator, dtype=dtype)
        encoder = self._encoder(model).initial_parameters(
            generator=generator, dtype=dtype
        )
        modulator = network.new_zeros(self._modulator(model).dim)
        return torch.cat([network, encoder, modulator])

    def start(
        self, model: Model, phi: Float[Tensor, "task meta"]
    ) -> Float[Tensor, "task inner"]:
        """Return phi's network."""
        return phi[:, : model.dim]

    def start_pullback(
        self, model: Model, v: Float[Tensor, "task inner"]
    ) -> Float[Tensor, "task meta"]:
        """Return v at the place of the network."""
        return pad(v, (0, self._extra_dim(model)))

    def modulation(
        self, model: Model, phi: Float[Tensor, "task meta"], support: Samples
    ) -> tuple[Tensor, Tensor]:
        """Return scale and shift of every hidden unit, each [task, unit]."""
        encoder, modulator = self._encoder(model), self._modulator(model)
        middle = model.dim + encoder.dim
        points = torch.cat([support.x, support.y], dim=2)
        vectors = encoder.apply(phi[:, model.dim : middle], points)
        embedding = support.mean_over_shots(vectors)[:, None]
        change = modulator.apply(phi[:, middle:], embedding)[:, 0]
        scale, shift = change.chunk(2, dim=1)
        return 1 + scale, shift

    def predict(
        self,
        model: Model,
        theta: Float[Tensor, "task inner"],
        phi: Float[Tensor, "task meta"],
        x: Float[Tensor, "task shot input"],
        support: Samples,
    ) -> Float[Tensor, "task shot output"]:
        """Return the output of the modulated network at theta."""
        scale, shift = self.modulation(model, phi, support)
        return having(model, Modulatable).apply_modulated(theta, x, scale, shift)

    def predictor_source(
        self, model: Model, phi: Float[Tensor, " meta"]
    ) -> PredictorSource:
        """Return network, encoder and modulator; the network adapts."""
        network = model.module_tensors(phi[: model.dim], prefix="network.")
        parts: list[tuple[MLP, tuple[str, ...]]] = [
            (self._encoder(model), ("encoder.0", "encoder.2")),
            (self._modulator(model), ("modulator",)),
        ]
        tensors, read = dict(network), model.dim
        for part, layers in parts:
            for block in part.blocks:
                layer, kind = layers[block.layer], block.name.rpartition(" ")[2]
                values = block.as_torch(block.of(phi[read:]))
                tensors[f"{layer}.{kind}"] = NamedTensor(
                    values=values, meaning=f"{layer}, {kind}"
                )
            read += part.dim
        return PredictorSource(
            tensors=tensors,
            adapted=tuple(network),
            use=ModuleUse.MODULATED,
            source=code(
                _PREDICTOR,
                points=model.input_dim + model.output_dim,
                size=self.embedding_dim,
                change=2 * having(model, Modulatable).num_hidden_units,
            ),
            predictor="Predictor",
            sees_support=True,
        )


_PREDICTOR = """
class Predictor(nn.Module):
    '''The network, modulated by what an encoder makes of the support set.'''

    def __init__(self):
        super().__init__()
        self.network = Network()
        hidden, out = nn.Linear(<points>, <size>), nn.Linear(<size>, <size>)
        self.encoder = nn.Sequential(hidden, nn.ReLU(), out)
        self.modulator = nn.Linear(<size>, <change>)

    def see(self, x, y):
        embedding = self.encoder(torch.cat([x, y], dim=1)).mean(dim=0)
        scale, shift = self.modulator(embedding).chunk(2)
        self.scale, self.shift = 1 + scale, shift

    def forward(self, x):
        return self.network(x, self.scale, self.shift)
"""
