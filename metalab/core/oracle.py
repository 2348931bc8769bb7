"""The seam between mathematics and speed: what an estimator may ask of a meta-batch.

Inner loops and hypergradient estimators are written once, for the whole meta-batch, on
`InnerOracle`. A provider answers: `AutodiffOracle` for any model on any device.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.loss import mean_squared_error
from metalab.core.meta.base import MetaParameterisation
from metalab.core.model import Model
from metalab.core.tasks import Samples, TaskBatch


@dataclass(frozen=True, slots=True, kw_only=True)
class BilevelProblem:
    """The functions of the two levels, without data.

    Attributes:
        model: The network.
        meta: What is meta-learned.
    """

    model: Model
    meta: MetaParameterisation

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
        """Return d/dphi <grad, v>, where phi enters other than as the start."""


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
        phi_shapes_inner_loss: Whether `mixed_vjp` has a meaning.
    """

    __slots__ = ()

    num_tasks: int
    num_shots: int
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


class AutodiffLinearisation(Linearisation):
    """A linearisation that keeps the graph of the gradient."""

    __slots__ = ("_graph", "_phi", "_theta", "grad", "loss")

    def __init__(
        self, loss: Tensor, graph: Tensor, theta: Tensor, phi: Tensor | None
    ) -> None:
        self.loss = loss.detach()
        self.grad = graph.detach()
        self._graph = graph
        self._theta = theta
        self._phi = phi

    def hvp(self, v: Float[Tensor, "task inner"]) -> Float[Tensor, "task inner"]:
        """Return the Hessian-vector product by a second reverse sweep."""
        return self._product(v, self._theta)

    def mixed_vjp(self, v: Float[Tensor, "task inner"]) -> Float[Tensor, "task meta"]:
        """Return the mixed product by a second reverse sweep."""
        assert self._phi is not None, "phi only sets the start: no mixed derivative"
        return self._product(v, self._phi)

    def _product(self, v: Tensor, argument: Tensor) -> Tensor:
        assert self._graph.requires_grad, "linearised without curvature"
        (product,) = torch.autograd.grad(
            self._graph,
            argument,
            grad_outputs=v,
            retain_graph=True,
            materialize_grads=True,
        )
        return product


class AutodiffOracle(InnerOracle):
    """Answers by torch autograd, for any model, in any dtype, on any device.

    The tasks' losses do not share parameters, so the gradient of their sum holds every
    task's own gradient and no vmap is needed.
    """

    __slots__ = (
        "_batch",
        "_phi",
        "_problem",
        "num_shots",
        "num_tasks",
        "phi_shapes_inner_loss",
    )

    def __init__(
        self,
        problem: BilevelProblem,
        phi: Float[Tensor, " meta"],
        batch: TaskBatch,
    ) -> None:
        self._problem = problem
        self._batch = batch
        self.num_tasks = batch.num_tasks
        self.num_shots = batch.support.x.shape[1]
        self.phi_shapes_inner_loss = problem.meta.shapes_inner_loss
        stacked = phi.detach().expand(batch.num_tasks, -1)
        if self.phi_shapes_inner_loss:
            stacked = stacked.clone().requires_grad_()
        self._phi = stacked

    def start(self) -> Float[Tensor, "task inner"]:
        """Return theta_0, one row a task."""
        return self._problem.meta.start(self._problem.model, self._phi.detach())

    def start_pullback(
        self, v: Float[Tensor, "task inner"]
    ) -> Float[Tensor, "task meta"]:
        """Return (d theta_0 / d phi)^T v."""
        return self._problem.meta.start_pullback(self._problem.model, v)

    def linearise(
        self,
        theta: Float[Tensor, "task inner"],
        *,
        minibatch: slice = slice(None),
        curvature: bool,
    ) -> Linearisation:
        """Evaluate loss and gradient at theta; keep the graph when asked."""
        samples = self._batch.support
        if minibatch != slice(None):
            samples = Samples(x=samples.x[:, minibatch], y=samples.y[:, minibatch])
        point = theta.detach().requires_grad_()
        with torch.enable_grad():
            loss = self._problem.inner_loss(point, self._phi, samples)
            (graph,) = torch.autograd.grad(
                loss, point, torch.ones_like(loss), create_graph=curvature
            )
        phi = self._phi if self.phi_shapes_inner_loss else None
        return AutodiffLinearisation(loss, graph, point, phi)

    def support_loss(
        self, theta: Float[Tensor, "task inner"]
    ) -> Float[Tensor, " task"]:
        """Return the mean squared error on the support set."""
        return self._loss(theta, self._batch.support)

    def query_loss(self, theta: Float[Tensor, "task inner"]) -> Float[Tensor, " task"]:
        """Return the mean squared error on the query set."""
        return self._loss(theta, self._batch.query)

    def _loss(self, theta: Tensor, samples: Samples) -> Tensor:
        with torch.no_grad():
            return self._problem.prediction_loss(theta, self._phi, samples)

    def outer_value_and_grad(self, theta: Float[Tensor, "task inner"]) -> OuterValue:
        """Return the query loss and its gradients in theta and, directly, in phi."""
        point = theta.detach().requires_grad_()
        with_phi = self.phi_shapes_inner_loss
        arguments = (point, self._phi) if with_phi else (point,)
        with torch.enable_grad():
            loss = self._problem.prediction_loss(point, self._phi, self._batch.query)
        grads = torch.autograd.grad(
            loss, arguments, torch.ones_like(loss), materialize_grads=True
        )
        direct = grads[1] if with_phi else None
        return OuterValue(loss=loss.detach(), grad=grads[0], direct=direct)
