"""The contract of "what is meta-learned".

Notation, here and in every module that follows: phi are the meta-parameters, theta the
inner (task) parameters, both flat; stacked over tasks they are matrices with one row a
task. phi is stacked too, so that a hypergradient comes out one row a task.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import Enum
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.model.base import Model, ParameterBlock
from metalab.core.script import PredictorSource
from metalab.core.tasks import Samples, Shots, TaskBatch


class PhiRole(Enum):
    """A way in which meta-parameters enter the outer loss."""

    START = "as the start of the inner loop"
    RATES = "in the steps of the inner loop"
    PREDICTION = "directly in the prediction"
    INNER_LOSS = "in the inner loss"


class MetaParameterisation(ABC):
    """Which meta-parameters there are and how they enter the inner problem.

    Attributes:
        shapes_inner_loss: Whether phi enters the inner problem other than as its start;
            only then does the mixed derivative d^2 L_support / d phi d theta exist.
        regularised: Whether the inner loss has a stationary point for every network,
            which implicit hypergradients rest on.
        isotropic: Whether `isotropic_strength` is defined.
        closed_form: Whether the inner loss with the squared error is a quadratic in theta
            for every network, so that its minimum has a closed form.
        needs_model: What the network must be able to do, as a class of models.
        one_output_a_target: Whether it compares or joins the network's outputs with the
            targets, so that an output for their noise has no place.
        is_probabilistic: Whether there are `own_outer_loss` and `deviation`: a likelihood
            instead of the prediction loss.
    """

    __slots__ = ()

    name: ClassVar[str]
    title: ClassVar[str]
    synonyms: ClassVar[tuple[str, ...]] = ()
    shapes_inner_loss: ClassVar[bool]
    regularised: ClassVar[bool]
    isotropic: ClassVar[bool] = False
    closed_form: ClassVar[bool] = False
    needs_model: ClassVar[type[Model]] = Model
    one_output_a_target: ClassVar[bool] = False
    is_probabilistic: ClassVar[bool] = False

    @classmethod
    def adds_regulariser(cls) -> bool:
        """Return whether the inner loss has a term beside the prediction loss.

        Asked of the method itself, not of a declaration: `regularised` promises more.
        """
        return cls.regulariser is not MetaParameterisation.regulariser

    @property
    @abstractmethod
    def ways(self) -> tuple[frozenset[PhiRole], ...]:
        """For each part of phi, the ways in which it enters the outer loss.

        An estimator can learn a part if it differentiates at least one of its ways.
        """

    @property
    def extra_inputs(self) -> int:
        """Inputs that the network gets beside the task's own; by default none."""
        return 0

    def adapted_blocks(self, model: Model) -> tuple[ParameterBlock, ...]:
        """Return the arrays that a task adapts, laid out from 0 without gaps.

        By default the whole network.
        """
        return model.blocks

    def meta_dim(self, model: Model) -> int:
        """Return the number of meta-parameters; by default the size of the network."""
        return model.dim

    def initial(
        self, model: Model, *, generator: torch.Generator, dtype: torch.dtype
    ) -> Float[Tensor, " meta"]:
        """Draw the initial meta-parameters; by default those of the network."""
        return model.initial_parameters(generator=generator, dtype=dtype)

    @abstractmethod
    def start(
        self, model: Model, phi: Float[Tensor, "task meta"]
    ) -> Float[Tensor, "task inner"]:
        """Return theta_0(phi), the start of the inner loop. Affine in phi."""

    @abstractmethod
    def start_pullback(
        self, model: Model, v: Float[Tensor, "task inner"]
    ) -> Float[Tensor, "task meta"]:
        """Return (d theta_0 / d phi)^T v."""

    def predict(
        self,
        model: Model,
        theta: Float[Tensor, "task inner"],
        phi: Float[Tensor, "task meta"],
        x: Float[Tensor, "task shot input"],
        support: Samples,
    ) -> Float[Tensor, "task shot output"]:
        """Return the adapted network's predictions; by default those at theta.

        Args:
            model: The network.
            theta: Inner parameters.
            phi: Meta-parameters.
            x: Where to predict.
            support: The support set, for what sees a task other than by adapting to it.
        """
        del phi, support
        return model.apply(theta, x)

    def regulariser(
        self,
        model: Model,
        theta: Float[Tensor, "task inner"],
        phi: Float[Tensor, "task meta"],
        *,
        num_shots: Shots,
    ) -> Float[Tensor, " task"] | None:
        """Return what is added to the support loss of each task, or None."""
        del model, theta, phi, num_shots
        return None

    def isotropic_strength(
        self, model: Model, phi: Float[Tensor, "task meta"], *, num_shots: Shots
    ) -> Float[Tensor, "task 1"] | None:
        """Return the strength s of a regulariser s/2 * ||theta - centre||^2.

        Returns:
            None where the regulariser has another form, or where there is none.
        """
        del model, phi, num_shots
        return None

    def hessian_solver(
        self, model: Model, phi: Float[Tensor, "task meta"], support: Samples
    ) -> Callable[[Tensor], Tensor] | None:
        """Return v -> H^-1 v, H the Hessian of a quadratic inner loss, [task, inner].

        Returns:
            None unless `closed_form`.
        """
        del model, phi, support
        return None

    def own_outer_loss(
        self,
        model: Model,
        theta: Float[Tensor, "task inner"],
        phi: Float[Tensor, "task meta"],
        batch: TaskBatch,
    ) -> Float[Tensor, " task"] | None:
        """Return what the outer loop descends instead of the prediction loss, or None."""
        del model, theta, phi, batch
        return None

    def deviation(
        self,
        model: Model,
        phi: Float[Tensor, "task meta"],
        x: Float[Tensor, "task shot input"],
        support: Samples | None,
    ) -> Float[Tensor, "task shot"] | None:
        """Return the standard deviation of the predictive distribution.

        Args:
            model: The network.
            phi: Meta-parameters.
            x: Where to predict.
            support: What the task has been adapted to; None before adaptation.

        Returns:
            None for a parameterisation that predicts numbers, not distributions.
        """
        del model, phi, x, support
        return None

    def predictor_source(
        self, model: Model, phi: Float[Tensor, " meta"]
    ) -> PredictorSource | None:
        """Return the adapted module as source of torch alone; None where none is declared.

        Args:
            model: The network.
            phi: Meta-parameters of the problem.
        """
        del model, phi
        return None
