"""The seam between mathematics and speed: what an estimator may ask of a meta-batch.

Inner loops and hypergradient estimators are written once, for the whole meta-batch, on
`InnerOracle`. A provider answers: `AutodiffOracle` for any model on any device,
`AnalyticOracle` for multilayer perceptrons that are learned as they are, `FusedOracle` on
compiled kernels.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from jaxtyping import Float
from torch import Tensor

from metalab.core.loss.base import Loss
from metalab.core.loss.squared_error import SquaredError
from metalab.core.meta.base import MetaParameterisation
from metalab.core.model.base import Model, ParameterBlock
from metalab.core.tasks import Samples, TaskBatch


class LossTerms(Enum):
    """Which terms of the inner loss are meant."""

    ALL = "all"
    PREDICTION = "prediction"
    """The prediction loss, without regulariser."""
    REGULARISER = "regulariser"


@dataclass(frozen=True, slots=True, kw_only=True)
class BilevelProblem:
    """The functions of the two levels, without data.

    Attributes:
        model: The network.
        meta: What is meta-learned.
        loss: What a prediction costs on the support set: what the inner loop descends.
        query_loss: What it costs on the query set; None where it is `loss`.
    """

    model: Model
    meta: MetaParameterisation
    loss: Loss = field(default_factory=SquaredError)
    query_loss: Loss | None = None

    @property
    def outer_level_loss(self) -> Loss:
        """Loss of the query set."""
        return self.loss if self.query_loss is None else self.query_loss

    @property
    def adapted(self) -> tuple[ParameterBlock, ...]:
        """The arrays that a task adapts."""
        return self.meta.adapted_blocks(self.model)

    @property
    def inner_dim(self) -> int:
        """Numbers that a task adapts, at least one."""
        return sum(block.size for block in self.adapted)

    @property
    def meta_dim(self) -> int:
        """Meta-parameters of the problem; those of the inner loop come after them."""
        return self.meta.meta_dim(self.model)

    def prediction_loss(
        self, theta: Tensor, phi: Tensor, samples: Samples, support: Samples
    ) -> Tensor:
        """Return the inner level's loss of each task's predictions on `samples`, [task]."""
        prediction = self.meta.predict(self.model, theta, phi, samples.x, support)
        return self.loss(prediction, samples)

    def query_prediction_loss(
        self, theta: Tensor, phi: Tensor, batch: TaskBatch
    ) -> Tensor:
        """Return the outer level's loss of each task's predictions on its queries."""
        x, support = batch.query.x, batch.support
        prediction = self.meta.predict(self.model, theta, phi, x, support)
        return self.outer_level_loss(prediction, batch.query)

    def noise_deviation(self, outputs: Tensor, *, num_targets: int) -> Tensor | None:
        """Return the noise of the first target that the network predicts, or None.

        Args:
            outputs: [task, shot, output].
            num_targets: Of a task.
        """
        outer, inner = (
            loss.deviation(outputs, num_targets)
            for loss in (self.outer_level_loss, self.loss)
        )
        return inner if outer is None else outer

    def outer_loss(self, theta: Tensor, phi: Tensor, batch: TaskBatch) -> Tensor:
        """Return what the outer loop descends, [task].

        The prediction loss on the query set, unless the parameterisation has an outer
        loss of its own.
        """
        own = self.meta.own_outer_loss(self.model, theta, phi, batch)
        if own is not None:
            return own
        return self.query_prediction_loss(theta, phi, batch)

    def inner_loss(
        self,
        theta: Tensor,
        phi: Tensor,
        support: Samples,
        *,
        minibatch: slice = slice(None),
        terms: LossTerms = LossTerms.ALL,
    ) -> Tensor:
        """Return what the inner loop descends: prediction loss plus regulariser, [task].

        Args:
            theta: Inner parameters, [task, inner].
            phi: Meta-parameters of the problem, [task, meta].
            support: The support sets.
            minibatch: Which of their points the prediction loss counts; the regulariser
                is always that of the whole set.
            terms: Which terms count.
        """
        if terms is LossTerms.PREDICTION:
            penalty = None
        else:
            penalty = self.meta.regulariser(
                self.model, theta, phi, num_shots=support.num_shots
            )
        if terms is LossTerms.REGULARISER:
            assert penalty is not None, "the inner loss has no regulariser"
            return penalty
        part = support if minibatch == slice(None) else support.shots(minibatch)
        loss = self.prediction_loss(theta, phi, part, support)
        return loss if penalty is None else loss + penalty


@dataclass(slots=True, kw_only=True)
class Evaluations:
    """How often an oracle was asked, a whole meta-batch at a time.

    Attributes:
        gradients: Gradients of the inner or of the outer loss.
        products: Hessian-vector and mixed products.
    """

    gradients: int = 0
    products: int = 0


class Linearisation(ABC):
    """The inner loss around one point theta [task, inner], ready for products.

    Attributes:
        loss: Inner loss of each task, [task].
        grad: Its gradient in theta, [task, inner].
        theta: The point.
        minibatch: Which support points count.
        terms: Which terms of the inner loss count.
    """

    __slots__ = ()

    loss: Float[Tensor, " task"]
    grad: Float[Tensor, "task inner"]
    theta: Float[Tensor, "task inner"]
    minibatch: slice
    terms: LossTerms

    @abstractmethod
    def hvp(self, v: Float[Tensor, "task inner"]) -> Float[Tensor, "task inner"]:
        """Return the Hessian of the inner loss times v, for each task."""

    @abstractmethod
    def mixed_vjp(self, v: Float[Tensor, "task inner"]) -> Float[Tensor, "task meta"]:
        """Return B^T v = d/dphi <grad, v>, where phi shapes the inner loss."""

    @abstractmethod
    def mixed_jvp(self, u: Float[Tensor, "task meta"]) -> Float[Tensor, "task inner"]:
        """Return B u, the change of the gradient along u, theta held fixed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OuterValue:
    """The outer loss at adapted parameters.

    Attributes:
        loss: Prediction loss of each task on its query set, [task]: the outer loss,
            unless the parameterisation has one of its own.
        grad: Gradient of the outer loss in theta, [task, inner].
        direct: Its gradient in phi with theta held fixed, [task, meta]; None where phi
            does not enter the prediction.
    """

    loss: Float[Tensor, " task"]
    grad: Float[Tensor, "task inner"]
    direct: Float[Tensor, "task meta"] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialGradients:
    """First derivatives of the inner loss.

    Attributes:
        theta: In theta, [task, inner].
        phi: In phi, theta held fixed, [task, meta]; None where phi is only the start.
    """

    theta: Float[Tensor, "task inner"]
    phi: Float[Tensor, "task meta"] | None


class InnerOracle(ABC):
    """Answers about one meta-batch at fixed meta-parameters.

    Attributes:
        num_tasks: Number of tasks in the batch.
        num_shots: Support points of each task, those that fill up included.
        meta_dim: Number of meta-parameters, those of the inner loop included.
        adapted: The arrays that a task adapts.
        phi_shapes_inner_loss: Whether `mixed_vjp` has a meaning.
        evaluations: What it was asked so far; shared with every `at_shifted_phi` one.
    """

    __slots__ = ()

    num_tasks: int
    num_shots: int
    meta_dim: int
    adapted: tuple[ParameterBlock, ...]
    phi_shapes_inner_loss: bool
    evaluations: Evaluations

    @abstractmethod
    def start(self) -> Float[Tensor, "task inner"]:
        """Return theta_0."""

    @abstractmethod
    def start_pullback(
        self, v: Float[Tensor, "task inner"]
    ) -> Float[Tensor, "task meta"]:
        """Return (d theta_0 / d phi)^T v."""

    @abstractmethod
    def start_pushforward(
        self, u: Float[Tensor, "#task meta"]
    ) -> Float[Tensor, "task inner"]:
        """Return (d theta_0 / d phi) u."""

    @abstractmethod
    def rates(self) -> Float[Tensor, "task rates"]:
        """Return the part of phi that belongs to the inner loop."""

    @abstractmethod
    def rates_pullback(
        self, v: Float[Tensor, "task rates"]
    ) -> Float[Tensor, "task meta"]:
        """Return v at the place of `rates` in phi, zero elsewhere."""

    @abstractmethod
    def rates_pushforward(
        self, u: Float[Tensor, "#task meta"]
    ) -> Float[Tensor, "#task rates"]:
        """Return the part of u that belongs to the inner loop."""

    @abstractmethod
    def at_shifted_phi(self, delta: Float[Tensor, "#task meta"]) -> "InnerOracle":
        """Return the same batch at phi + delta."""

    @abstractmethod
    def linearise(
        self,
        theta: Float[Tensor, "task inner"],
        *,
        minibatch: slice = slice(None),
        terms: LossTerms = LossTerms.ALL,
        curvature: bool,
    ) -> Linearisation:
        """Evaluate loss and gradient at theta.

        Args:
            theta: Inner parameters; not modified.
            minibatch: Which support points count.
            terms: Which terms of the inner loss count.
            curvature: Keep what `hvp` and `mixed_vjp` need. Memory then lives as long
                as the returned object.
        """

    @abstractmethod
    def both_gradients(
        self, linearisation: Linearisation, theta: Tensor
    ) -> PartialGradients:
        """Return the gradients at theta of the inner loss that `linearisation` is about."""

    @abstractmethod
    def regulariser_strength(self) -> Float[Tensor, "task 1"] | None:
        """Return s of an inner loss with the term s/2 ||theta - centre||^2, or None."""

    @abstractmethod
    def hessian_solver(self) -> Callable[[Tensor], Tensor]:
        """Return v -> H^-1 v, each [task, inner], for a quadratic inner loss.

        Raises:
            AssertionError: The inner loss has no closed-form minimum.
        """

    @abstractmethod
    def support_loss(
        self, theta: Float[Tensor, "task inner"]
    ) -> Float[Tensor, " task"]:
        """Return the prediction loss on the support set."""

    @abstractmethod
    def query_loss(self, theta: Float[Tensor, "task inner"]) -> Float[Tensor, " task"]:
        """Return the prediction loss on the query set."""

    @abstractmethod
    def outer_loss(self, theta: Float[Tensor, "task inner"]) -> Float[Tensor, " task"]:
        """Return what the outer loop descends, at adapted parameters theta."""

    @abstractmethod
    def outer_value_and_grad(self, theta: Float[Tensor, "task inner"]) -> OuterValue:
        """Return the query loss, and the outer loss's gradients, at adapted theta."""
