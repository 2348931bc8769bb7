"""The seam between mathematics and speed: what an estimator may ask of a meta-batch.

Inner loops and hypergradient estimators are written once, for the whole meta-batch, on
`InnerOracle`. A provider answers: `AutodiffOracle` for any model on any device.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from metalab.core.loss import mean_squared_error
from metalab.core.meta.base import MetaParameterisation
from metalab.core.model import Model, ParameterBlock
from metalab.core.tasks import Samples


@dataclass(frozen=True, slots=True, kw_only=True)
class BilevelProblem:
    """The functions of the two levels, without data.

    Attributes:
        model: The network.
        meta: What is meta-learned.
    """

    model: Model
    meta: MetaParameterisation

    @property
    def adapted(self) -> tuple[ParameterBlock, ...]:
        """The arrays that a task adapts."""
        return self.meta.adapted_blocks(self.model)

    @property
    def meta_dim(self) -> int:
        """Meta-parameters of the problem; those of the inner loop come after them."""
        return self.meta.meta_dim(self.model)

    def prediction_loss(self, theta: Tensor, phi: Tensor, samples: Samples) -> Tensor:
        """Return the mean squared error of each task on `samples`, [task]."""
        prediction = self.meta.predict(self.model, theta, phi, samples.x)
        return mean_squared_error(prediction, samples.y)

    def inner_loss(self, theta: Tensor, phi: Tensor, samples: Samples) -> Tensor:
        """Return what the inner loop descends: prediction loss plus regulariser."""
        loss = self.prediction_loss(theta, phi, samples)
        penalty = self.meta.regulariser(theta, phi)
        return loss if penalty is None else loss + penalty


class Linearisation(ABC):
    """The inner loss around one point theta [task, inner], ready for products.

    Attributes:
        loss: Inner loss of each task, [task].
        grad: Its gradient in theta, [task, inner].
    """

    __slots__ = ()

    loss: Float[Tensor, " task"]
    grad: Float[Tensor, "task inner"]

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
        loss: Query loss of each task, [task].
        grad: Its gradient in theta, [task, inner].
        direct: Its gradient in phi with theta held fixed, [task, meta]; None where phi
            does not enter the prediction.
    """

    loss: Float[Tensor, " task"]
    grad: Float[Tensor, "task inner"]
    direct: Float[Tensor, "task meta"] | None


class InnerOracle(ABC):
    """Answers about one meta-batch at fixed meta-parameters.

    Attributes:
        num_tasks: Number of tasks in the batch.
        num_shots: Support points of each task.
        meta_dim: Number of meta-parameters, those of the inner loop included.
        adapted: The arrays that a task adapts.
        phi_shapes_inner_loss: Whether `mixed_vjp` has a meaning.
    """

    __slots__ = ()

    num_tasks: int
    num_shots: int
    meta_dim: int
    adapted: tuple[ParameterBlock, ...]
    phi_shapes_inner_loss: bool

    @abstractmethod
    def start(self) -> Float[Tensor, "task inner"]:
        """Return theta_0."""

    @abstractmethod
    def start_pullback(
        self, v: Float[Tensor, "task inner"]
    ) -> Float[Tensor, "task meta"]:
        """Return (d theta_0 / d phi)^T v."""

    @abstractmethod
    def rates(self) -> Float[Tensor, "task rates"]:
        """Return the part of phi that belongs to the inner loop."""

    @abstractmethod
    def rates_pullback(
        self, v: Float[Tensor, "task rates"]
    ) -> Float[Tensor, "task meta"]:
        """Return v at the place of `rates` in phi, zero elsewhere."""

    @abstractmethod
    def moved(self, delta: Float[Tensor, "#task meta"]) -> "InnerOracle":
        """Return the same batch at phi + delta."""

    @abstractmethod
    def linearise(
        self,
        theta: Float[Tensor, "task inner"],
        *,
        minibatch: slice = slice(None),
        curvature: bool,
    ) -> Linearisation:
        """Evaluate loss and gradient at theta.

        Args:
            theta: Inner parameters; not modified.
            minibatch: Which support points count.
            curvature: Keep what `hvp` and `mixed_vjp` need. Memory then lives as long
                as the returned object.
        """

    @abstractmethod
    def support_loss(
        self, theta: Float[Tensor, "task inner"]
    ) -> Float[Tensor, " task"]:
        """Return the mean squared error on the support set, without regulariser."""

    @abstractmethod
    def query_loss(self, theta: Float[Tensor, "task inner"]) -> Float[Tensor, " task"]:
        """Return the mean squared error on the query set."""

    @abstractmethod
    def outer_value_and_grad(self, theta: Float[Tensor, "task inner"]) -> OuterValue:
        """Return the query loss and its gradients at adapted parameters theta."""
