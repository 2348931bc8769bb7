"""Meta-learn an initialisation with inputs that carry no data."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.meta.base import MetaParameterisation, PhiRole
from metalab.core.meta.context import EXTRA_INPUTS
from metalab.core.model.base import Model, ParameterBlock
from metalab.core.script import NamedTensor, PredictorSource, code
from metalab.core.spec import option
from metalab.core.tasks import Samples


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraInputs(MetaParameterisation):
    """phi = theta_0 = extra inputs and network; a task adapts all of it.

    The extra inputs are the same numbers for every x, zero at first. It is what CAVIA
    compares itself with, to show that its context is more than a few more inputs.

    Attributes:
        num_extra_inputs: How many.

    Source: Zintgraf et al. 2019, section 5.1, "MAML" with additional input biases;
        Finn et al. 2017b, section 4 (bias transformation).
    """

    name: ClassVar[str] = "extra-inputs"
    title: ClassVar[str] = "Initialisation with extra inputs"
    synonyms: ClassVar[tuple[str, ...]] = ("bias transformation",)
    shapes_inner_loss: ClassVar[bool] = False
    regularised: ClassVar[bool] = False

    num_extra_inputs: int = option(
        5,
        label="Extra inputs",
        help="Inputs beside the task's own, adapted like weights.",
        unit="inputs",
        low=1,
        high=1000,
    )

    @property
    def ways(self) -> tuple[frozenset[PhiRole], ...]:
        """How each part of phi enters the outer loss."""
        return (frozenset({PhiRole.START}),)

    @property
    def extra_inputs(self) -> int:
        """Those that are learned."""
        return self.num_extra_inputs

    def adapted_blocks(self, model: Model) -> tuple[ParameterBlock, ...]:
        """Return the whole network, and the inputs behind it."""
        inputs = ParameterBlock(
            name="extra inputs",
            layer=0,
            shape=(self.num_extra_inputs,),
            start=model.dim,
        )
        return (*model.blocks, inputs)

    def meta_dim(self, model: Model) -> int:
        """Return the size of the network and of the inputs."""
        return model.dim + self.num_extra_inputs

    def initial(
        self, model: Model, *, generator: torch.Generator, dtype: torch.dtype
    ) -> Float[Tensor, " meta"]:
        """Draw initial network parameters; the inputs start at zero."""
        network = model.initial_parameters(generator=generator, dtype=dtype)
        return torch.cat([network, network.new_zeros(self.num_extra_inputs)])

    def start(
        self, model: Model, phi: Float[Tensor, "task meta"]
    ) -> Float[Tensor, "task inner"]:
        """Return phi itself."""
        del model
        return phi

    def start_pullback(
        self, model: Model, v: Float[Tensor, "task inner"]
    ) -> Float[Tensor, "task meta"]:
        """Return v: the start is the identity."""
        del model
        return v

    def predict(
        self,
        model: Model,
        theta: Float[Tensor, "task inner"],
        phi: Float[Tensor, "task meta"],
        x: Float[Tensor, "task shot input"],
        support: Samples,
    ) -> Float[Tensor, "task shot output"]:
        """Return the network's output at [x, extra inputs]."""
        del phi, support
        extra = theta[:, model.dim :].unsqueeze(1).expand(-1, x.shape[1], -1)
        return model.apply(theta[:, : model.dim], torch.cat([x, extra], dim=2))

    def predictor_source(
        self, model: Model, phi: Float[Tensor, " meta"]
    ) -> PredictorSource:
        """Return the network with the extra inputs as a parameter; all of it adapts."""
        extra = NamedTensor(values=phi[model.dim :], meaning="extra inputs")
        network = model.module_tensors(phi[: model.dim], prefix="network.")
        return PredictorSource(
            tensors={**network, "extra": extra},
            adapted=(*network, "extra"),
            source=code(EXTRA_INPUTS, name="extra", size=self.num_extra_inputs),
            predictor="Predictor",
        )
