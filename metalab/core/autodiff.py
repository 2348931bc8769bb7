"""The oracle provider for any model, in any dtype, on any device: torch autograd."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from metalab.core.oracle import (
    BilevelProblem,
    Evaluations,
    InnerOracle,
    Linearisation,
    LossTerms,
    OuterValue,
    PartialGradients,
)
from metalab.core.tasks import TaskBatch


class AutodiffLinearisation(Linearisation):
    """A linearisation that keeps the graph of the gradient."""

    __slots__ = (
        "_evaluations",
        "_graph",
        "_phi",
        "_point",
        "grad",
        "loss",
        "minibatch",
        "terms",
        "theta",
    )

    def __init__(  # noqa: PLR0913 - what the products need
        self,
        loss: Tensor,
        graph: Tensor,
        point: Tensor,
        phi: Tensor | None,
        *,
        minibatch: slice,
        terms: LossTerms,
        evaluations: Evaluations,
    ) -> None:
        self.loss = loss.detach()
        self.grad = graph.detach()
        self.theta = point.detach()
        self.minibatch = minibatch
        self.terms = terms
        self._graph = graph
        self._point = point
        self._phi = phi
        self._evaluations = evaluations

    def hvp(self, v: Float[Tensor, "task inner"]) -> Float[Tensor, "task inner"]:
        """Return the Hessian-vector product by a second reverse sweep."""
        return self._product(v, self._point)

    def mixed_vjp(self, v: Float[Tensor, "task inner"]) -> Float[Tensor, "task meta"]:
        """Return the mixed product by a second reverse sweep."""
        assert self._phi is not None, "phi only sets the start: no mixed derivative"
        return self._product(v, self._phi)

    def mixed_jvp(self, u: Float[Tensor, "task meta"]) -> Float[Tensor, "task inner"]:
        """Return the mixed product: B^T w is linear in w, so its derivative is B."""
        assert self._phi is not None, "phi only sets the start: no mixed derivative"
        w = torch.zeros_like(self._point, requires_grad=True)
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
        self._evaluations.products += 1
        (product,) = torch.autograd.grad(
            self._graph,
            argument,
            grad_outputs=v,
            retain_graph=True,
            create_graph=create_graph,
            materialize_grads=True,
        )
        return product


def gradients_of(
    loss: Tensor, point: Tensor, phi: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    """Return the gradients of a sum of losses at a point and, if there is one, in phi."""
    grads = torch.autograd.grad(
        loss,
        (point,) if phi is None else (point, phi),
        torch.ones_like(loss),
        materialize_grads=True,
    )
    return grads[0], None if phi is None else grads[1]


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
        "evaluations",
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
        evaluations: Evaluations | None = None,
    ) -> None:
        self._problem = problem
        self.evaluations = Evaluations() if evaluations is None else evaluations
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
        rest = self.meta_dim - own.shape[1]
        return pad(own, (0, rest)) if rest > 0 else own

    def start_pushforward(
        self, u: Float[Tensor, "#task meta"]
    ) -> Float[Tensor, "task inner"]:
        """Return (d theta_0 / d phi) u: the start is affine in phi."""
        meta, model = self._problem.meta, self._problem.model
        own = u[:, : self._problem.meta_dim].expand(self.num_tasks, -1)
        return meta.start(model, own) - meta.start(model, torch.zeros_like(own))

    def rates(self) -> Float[Tensor, "task rates"]:
        """Return the part of phi that belongs to the inner loop."""
        return self._phi.detach()[:, self._problem.meta_dim :]

    def rates_pullback(
        self, v: Float[Tensor, "task rates"]
    ) -> Float[Tensor, "task meta"]:
        """Return v at the place of `rates` in phi."""
        return pad(v, (self._problem.meta_dim, 0))

    def rates_pushforward(
        self, u: Float[Tensor, "#task meta"]
    ) -> Float[Tensor, "#task rates"]:
        """Return the part of u that belongs to the inner loop."""
        return u[:, self._problem.meta_dim :]

    def at_shifted_phi(self, delta: Float[Tensor, "#task meta"]) -> "AutodiffOracle":
        """Return the same batch at phi + delta."""
        phi = self._phi.detach() + delta
        return AutodiffOracle(self._problem, phi, self._batch, self.evaluations)

    def linearise(
        self,
        theta: Float[Tensor, "task inner"],
        *,
        minibatch: slice = slice(None),
        terms: LossTerms = LossTerms.ALL,
        curvature: bool,
    ) -> Linearisation:
        """Evaluate loss and gradient at theta; keep the graph when asked."""
        point = theta.detach().requires_grad_()
        with torch.enable_grad():
            loss = self._problem.inner_loss(
                point,
                self._problem_phi(),
                self._batch.support,
                minibatch=minibatch,
                terms=terms,
            )
            (graph,) = torch.autograd.grad(
                loss, point, torch.ones_like(loss), create_graph=curvature
            )
        self.evaluations.gradients += 1
        return AutodiffLinearisation(
            loss,
            graph,
            point,
            self._phi if self.phi_shapes_inner_loss else None,
            minibatch=minibatch,
            terms=terms,
            evaluations=self.evaluations,
        )

    def both_gradients(
        self, linearisation: Linearisation, theta: Tensor
    ) -> PartialGradients:
        """Return the gradients at theta in one reverse sweep."""
        point = theta.detach().requires_grad_()
        phi = self._phi if self.phi_shapes_inner_loss else None
        with torch.enable_grad():
            loss = self._problem.inner_loss(
                point,
                self._problem_phi(),
                self._batch.support,
                minibatch=linearisation.minibatch,
                terms=linearisation.terms,
            )
        of_theta, of_phi = gradients_of(loss, point, phi)
        self.evaluations.gradients += 1
        return PartialGradients(theta=of_theta, phi=of_phi)

    def regulariser_strength(self) -> Float[Tensor, "task 1"] | None:
        """Return the strength of an isotropic regulariser, or None."""
        problem = self._problem
        return problem.meta.isotropic_strength(
            problem.model,
            self._problem_phi().detach(),
            num_shots=self._batch.support.num_shots,
        )

    def hessian_solver(self) -> Callable[[Tensor], Tensor]:
        """Return v -> H^-1 v for a quadratic inner loss."""
        problem = self._problem
        with torch.no_grad():
            solver = problem.meta.hessian_solver(
                problem.model, self._problem_phi().detach(), self._batch.support
            )
        assert solver is not None, "the inner loss is no quadratic"
        return solver

    def support_loss(
        self, theta: Float[Tensor, "task inner"]
    ) -> Float[Tensor, " task"]:
        """Return the prediction loss on the support set."""
        support = self._batch.support
        with torch.no_grad():
            return self._problem.prediction_loss(
                theta, self._problem_phi(), support, support
            )

    def query_loss(self, theta: Float[Tensor, "task inner"]) -> Float[Tensor, " task"]:
        """Return the prediction loss on the query set."""
        with torch.no_grad():
            return self._problem.query_prediction_loss(
                theta, self._problem_phi(), self._batch
            )

    def outer_loss(self, theta: Float[Tensor, "task inner"]) -> Float[Tensor, " task"]:
        """Return what the outer loop descends."""
        with torch.no_grad():
            return self._problem.outer_loss(theta, self._problem_phi(), self._batch)

    def outer_value_and_grad(self, theta: Float[Tensor, "task inner"]) -> OuterValue:
        """Return the query loss, and the outer loss's gradients in theta and phi."""
        point = theta.detach().requires_grad_()
        phi = self._phi if self.phi_shapes_inner_loss else None
        problem = self._problem
        with torch.enable_grad():
            loss = problem.outer_loss(point, self._problem_phi(), self._batch)
        of_theta, of_phi = gradients_of(loss, point, phi)
        self.evaluations.gradients += 1
        reported = loss.detach()
        if problem.meta.is_probabilistic:
            reported = self.query_loss(theta)
        return OuterValue(loss=reported, grad=of_theta, direct=of_phi)
