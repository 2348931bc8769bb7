"""The oracle provider for any model, in any dtype, on any device: torch autograd."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from metalab.core.oracle import BilevelProblem, InnerOracle, Linearisation, OuterValue
from metalab.core.tasks import Samples, TaskBatch


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

    def mixed_jvp(self, u: Float[Tensor, "task meta"]) -> Float[Tensor, "task inner"]:
        """Return the mixed product: B^T w is linear in w, so its derivative is B."""
        assert self._phi is not None, "phi only sets the start: no mixed derivative"
        w = torch.zeros_like(self._theta, requires_grad=True)
        with torch.enable_grad():
            product = self._product(w, self._phi, create_graph=True)
        (forward,) = torch.autograd.grad(
            product, w, grad_outputs=u, materialize_grads=True
        )
        return forward

    def _product(
        self, v: Tensor, argument: Tensor, *, create_graph: bool = False
    ) -> Tensor:
        assert self._graph.requires_grad, "linearised without curvature"
        (product,) = torch.autograd.grad(
            self._graph,
            argument,
            grad_outputs=v,
            retain_graph=True,
            create_graph=create_graph,
            materialize_grads=True,
        )
        return product


class AutodiffOracle(InnerOracle):
    """Answers by torch autograd.

    The tasks' losses do not share parameters, so the gradient of their sum holds every
    task's own gradient and no vmap is needed.
    """

    __slots__ = (
        "_batch",
        "_phi",
        "_problem",
        "adapted",
        "meta_dim",
        "num_shots",
        "num_tasks",
        "phi_shapes_inner_loss",
    )

    def __init__(
        self,
        problem: BilevelProblem,
        phi: Float[Tensor, " meta"] | Float[Tensor, "task meta"],
        batch: TaskBatch,
    ) -> None:
        self._problem = problem
        self._batch = batch
        self.num_tasks = batch.num_tasks
        self.num_shots = batch.support.x.shape[1]
        self.meta_dim = phi.shape[-1]
        self.adapted = problem.adapted
        self.phi_shapes_inner_loss = problem.meta.shapes_inner_loss
        stacked = phi.detach().expand(batch.num_tasks, -1)
        if self.phi_shapes_inner_loss:
            stacked = stacked.clone().requires_grad_()
        self._phi = stacked

    def _problem_phi(self) -> Tensor:
        return self._phi[:, : self._problem.meta_dim]

    def start(self) -> Float[Tensor, "task inner"]:
        """Return theta_0, one row a task."""
        meta, model = self._problem.meta, self._problem.model
        return meta.start(model, self._problem_phi().detach())

    def start_pullback(
        self, v: Float[Tensor, "task inner"]
    ) -> Float[Tensor, "task meta"]:
        """Return (d theta_0 / d phi)^T v."""
        own = self._problem.meta.start_pullback(self._problem.model, v)
        return pad(own, (0, self.meta_dim - own.shape[1]))

    def rates(self) -> Float[Tensor, "task rates"]:
        """Return the part of phi that belongs to the inner loop."""
        return self._phi.detach()[:, self._problem.meta_dim :]

    def rates_pullback(
        self, v: Float[Tensor, "task rates"]
    ) -> Float[Tensor, "task meta"]:
        """Return v at the place of `rates` in phi."""
        return pad(v, (self._problem.meta_dim, 0))

    def moved(self, delta: Float[Tensor, "#task meta"]) -> "AutodiffOracle":
        """Return the same batch at phi + delta."""
        return AutodiffOracle(self._problem, self._phi.detach() + delta, self._batch)

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
            loss = self._problem.inner_loss(point, self._problem_phi(), samples)
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
            return self._problem.prediction_loss(theta, self._problem_phi(), samples)

    def outer_value_and_grad(self, theta: Float[Tensor, "task inner"]) -> OuterValue:
        """Return the query loss and its gradients in theta and, directly, in phi."""
        point = theta.detach().requires_grad_()
        with_phi = self.phi_shapes_inner_loss
        arguments = (point, self._phi) if with_phi else (point,)
        with torch.enable_grad():
            phi = self._problem_phi()
            loss = self._problem.prediction_loss(point, phi, self._batch.query)
        grads = torch.autograd.grad(
            loss, arguments, torch.ones_like(loss), materialize_grads=True
        )
        direct = grads[1] if with_phi else None
        return OuterValue(loss=loss.detach(), grad=grads[0], direct=direct)
