"""The oracle on compiled kernels: multilayer perceptrons on the CPU."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from metalab.core.fused.answers import InputPoints, NetworkAnswers
from metalab.core.fused.support import (
    KernelError,
    adapts_some_layers,
    cost_of,
    oracle_unsupported_reason,
)
from metalab.core.meta.layer_subset import num_layers, split_layers
from metalab.core.model.mlp import MLP
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

Array = np.ndarray


class FusedOracle(InnerOracle):
    """Answers by hand-derived gradients and products, one native call for all tasks.

    Inside, tasks hold whole networks [task, network]; a parameterisation that adapts
    some layers only reads and writes its part.
    """

    __slots__ = (
        "_batch",
        "_inner_cost",
        "_model",
        "_outer_cost",
        "_phi",
        "_place",
        "_problem",
        "_query",
        "_support",
        "adapted",
        "answers",
        "evaluations",
        "meta_dim",
        "num_shots",
        "num_tasks",
        "phi_shapes_inner_loss",
        "strength",
    )

    def __init__(
        self,
        problem: BilevelProblem,
        phi: Float[Tensor, " meta"] | Float[Tensor, "task meta"],
        batch: TaskBatch,
        evaluations: Evaluations | None = None,
    ) -> None:
        found = oracle_unsupported_reason(problem)
        if found is not None:
            raise KernelError(found)
        model, meta = problem.model, problem.meta
        assert type(model) is MLP, "the obstacle's own check, for the type checker"
        if phi.shape[-1] < problem.meta_dim:
            # Kernels look at no sizes: they would read, and write, what is not theirs.
            raise RuntimeError(
                f"phi has {phi.shape[-1]} numbers; the problem has {problem.meta_dim}"
            )
        for samples in (batch.support, batch.query):
            sizes = samples.x.shape[2], samples.y.shape[2]
            if sizes != (model.input_dim, model.output_dim):
                raise RuntimeError(
                    f"points have {sizes[0]} inputs and {sizes[1]} outputs; the network "
                    f"has {model.input_dim} and {model.output_dim}"
                )
            if samples.mask is not None and samples.mask.shape != samples.x.shape[:2]:
                raise RuntimeError(
                    f"a mask of shape {list(samples.mask.shape)} is not one of points of "
                    f"shape {list(samples.x.shape)}"
                )
        self._problem, self._model, self._batch = problem, model, batch
        self.evaluations = Evaluations() if evaluations is None else evaluations
        self.num_tasks = batch.num_tasks
        self.num_shots = batch.support.x.shape[1]
        self.meta_dim = phi.shape[-1]
        self.adapted = problem.adapted
        self.phi_shapes_inner_loss = meta.shapes_inner_loss
        self._phi = phi.detach().expand(batch.num_tasks, -1)
        self._support = InputPoints.of(batch.support)
        self._query = InputPoints.of(batch.query)
        self.answers = NetworkAnswers(model, phi.dtype)
        self._inner_cost = cost_of(problem.loss, model.output_dim)
        self._outer_cost = cost_of(problem.outer_level_loss, model.output_dim)
        self._place = slice(0, model.dim)
        if adapts_some_layers(meta):
            first, end = meta.adapted_layers(num_layers(model))
            self._place = split_layers(model, first_adapted=first, end_adapted=end)[1]
        self.strength = self.regulariser_strength()

    # What the parameterisation makes of whole networks.

    def _own_phi(self) -> Tensor:
        return self._phi[:, : self._problem.meta_dim]

    def _network(self, theta: Tensor) -> Tensor:
        """Return the whole network of each task."""
        place = self._place
        if theta.shape[1] == self._model.dim:
            return theta
        phi = self._phi
        last = self._model.dim
        return torch.cat(
            [phi[:, : place.start], theta, phi[:, place.stop : last]], dim=1
        )

    def as_network(self, v: Tensor) -> Tensor:
        """Return v at the place of the inner parameters, zero elsewhere."""
        place = self._place
        return pad(v, (place.start, self._model.dim - place.stop))

    def inner_part(self, network: Tensor) -> Tensor:
        """Return what belongs to the inner parameters."""
        return network[:, self._place]

    def shared_part(self, network: Tensor) -> Tensor:
        """Return what belongs to the shared layers, at their place in phi."""
        shared = network.clone()
        shared[:, self._place] = 0
        return pad(shared, (0, self.meta_dim - shared.shape[1]))

    def shared_direction(self, u: Tensor) -> Tensor:
        """Return the change of the network along u, inner parameters held fixed."""
        change = u[:, : self._model.dim].expand(self.num_tasks, -1).clone()
        change[:, self._place] = 0
        return change

    def regulariser_part(self, of_anchor: Tensor, of_log_strength: Tensor) -> Tensor:
        """Return derivatives of the regulariser at their places in phi."""
        learned = self._problem.meta_dim > self._model.dim
        parts = [of_anchor, of_log_strength] if learned else [of_anchor]
        own = torch.cat(parts, dim=1)
        return pad(own, (0, self.meta_dim - own.shape[1]))

    def regulariser_change(self, theta: Tensor, u: Tensor) -> Tensor:
        """Return the change of the regulariser's gradient along u."""
        assert self.strength is not None
        change = -self.strength * u[:, : self._model.dim]
        if self._problem.meta_dim > self._model.dim:
            along = u[:, self._model.dim : self._model.dim + 1]
            change = change + along * self.strength * (theta - self.start())
        return change

    # The start and the rates.

    def start(self) -> Float[Tensor, "task inner"]:
        """Return theta_0, one row a task."""
        return self._problem.meta.start(self._model, self._own_phi())

    def start_pullback(
        self, v: Float[Tensor, "task inner"]
    ) -> Float[Tensor, "task meta"]:
        """Return (d theta_0 / d phi)^T v."""
        own = self._problem.meta.start_pullback(self._model, v)
        return pad(own, (0, self.meta_dim - own.shape[1]))

    def start_pushforward(
        self, u: Float[Tensor, "#task meta"]
    ) -> Float[Tensor, "task inner"]:
        """Return (d theta_0 / d phi) u: the start is a part of phi."""
        return u[:, self._place].expand(self.num_tasks, -1)

    def rates(self) -> Float[Tensor, "task rates"]:
        """Return the part of phi that belongs to the inner loop."""
        return self._phi[:, self._problem.meta_dim :]

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

    def at_shifted_phi(self, delta: Float[Tensor, "#task meta"]) -> "FusedOracle":
        """Return the same batch at phi + delta."""
        return FusedOracle(
            self._problem, self._phi + delta, self._batch, self.evaluations
        )

    # The two levels.

    def linearise(
        self,
        theta: Float[Tensor, "task inner"],
        *,
        minibatch: slice = slice(None),
        terms: LossTerms = LossTerms.ALL,
        curvature: bool,
    ) -> Linearisation:
        """Evaluate loss and gradient at theta; keep activations when asked."""
        theta = theta.detach()
        works: Array | None = None
        if terms is LossTerms.REGULARISER:
            loss, grad = theta.new_zeros(self.num_tasks), torch.zeros_like(theta)
        else:
            if curvature:
                start, stop, _ = minibatch.indices(self.num_shots)
                works = self.answers.rows(
                    self.num_tasks, stop - start, masked=self._support.masked
                )
            network = self._network(theta)
            loss, whole = self.answers.gradients(
                self._support, network, minibatch, works, cost=self._inner_cost
            )
            grad = self.inner_part(whole)
        if self.strength is not None and terms is not LossTerms.PREDICTION:
            away = theta - self.start()
            loss = loss + 0.5 * self.strength[:, 0] * away.square().sum(dim=1)
            grad = grad + self.strength * away
        self.evaluations.gradients += 1
        return FusedLinearisation(
            self, theta, loss, grad, works, minibatch=minibatch, terms=terms
        )

    def both_gradients(
        self, linearisation: Linearisation, theta: Tensor
    ) -> PartialGradients:
        """Return the gradients at theta of the inner loss that `linearisation` is about."""
        theta = theta.detach()
        self.evaluations.gradients += 1
        if linearisation.terms is LossTerms.REGULARISER:
            whole = theta.new_zeros(self.num_tasks, self._model.dim)
        else:
            _, whole = self.answers.gradients(
                self._support,
                self._network(theta),
                linearisation.minibatch,
                None,
                cost=self._inner_cost,
            )
        grad = self.inner_part(whole)
        if not self.phi_shapes_inner_loss:
            return PartialGradients(theta=grad, phi=None)
        if self.strength is None:
            return PartialGradients(theta=grad, phi=self.shared_part(whole))
        away = theta - self.start()
        pulled = self.strength * away
        if linearisation.terms is LossTerms.PREDICTION:
            pulled = torch.zeros_like(pulled)
        energy = 0.5 * (pulled * away).sum(dim=1, keepdim=True)
        phi = self.regulariser_part(-pulled, energy)
        return PartialGradients(theta=grad + pulled, phi=phi)

    def product_of_network(self, works: Array, v: Tensor, num_shots: int) -> Tensor:
        """Return the product with the Hessian of the inner level's prediction loss."""
        return self.answers.product(
            works, v, num_shots, self._inner_cost, masked=self._support.masked
        )

    def regulariser_strength(self) -> Float[Tensor, "task 1"] | None:
        """Return the strength of an isotropic regulariser, or None."""
        return self._problem.meta.isotropic_strength(
            self._model, self._own_phi(), num_shots=self._batch.support.num_shots
        )

    def hessian_solver(self) -> Callable[[Tensor], Tensor]:
        """Raise: no inner loss of a network is a quadratic."""
        raise AssertionError("the inner loss is no quadratic")

    def support_loss(
        self, theta: Float[Tensor, "task inner"]
    ) -> Float[Tensor, " task"]:
        """Return the inner level's loss on the support set."""
        network = self._network(theta)
        return self.answers.losses(self._support, network, self._inner_cost)

    def query_loss(self, theta: Float[Tensor, "task inner"]) -> Float[Tensor, " task"]:
        """Return the outer level's loss on the query set."""
        network = self._network(theta)
        return self.answers.losses(self._query, network, self._outer_cost)

    def outer_loss(self, theta: Float[Tensor, "task inner"]) -> Float[Tensor, " task"]:
        """Return what the outer loop descends: the query loss."""
        return self.query_loss(theta)

    def outer_value_and_grad(self, theta: Float[Tensor, "task inner"]) -> OuterValue:
        """Return the query loss, and its gradients in theta and phi."""
        network = self._network(theta.detach())
        loss, whole = self.answers.gradients(
            self._query, network, slice(None), None, cost=self._outer_cost
        )
        self.evaluations.gradients += 1
        direct = None
        if self.phi_shapes_inner_loss:
            direct = theta.new_zeros(self.num_tasks, self.meta_dim)
            if self.strength is None:
                direct = self.shared_part(whole)
        return OuterValue(loss=loss, grad=self.inner_part(whole), direct=direct)


class FusedLinearisation(Linearisation):
    """A linearisation that keeps each task's activations."""

    __slots__ = (
        "_oracle",
        "_works",
        "grad",
        "loss",
        "minibatch",
        "terms",
        "theta",
    )

    def __init__(  # noqa: PLR0913 - what the products need
        self,
        oracle: FusedOracle,
        theta: Tensor,
        loss: Tensor,
        grad: Tensor,
        works: Array | None,
        *,
        minibatch: slice,
        terms: LossTerms,
    ) -> None:
        self._oracle = oracle
        self._works = works
        self.theta, self.loss, self.grad = theta, loss, grad
        self.minibatch, self.terms = minibatch, terms

    def hvp(self, v: Float[Tensor, "task inner"]) -> Float[Tensor, "task inner"]:
        """Return the Hessian of the inner loss times v, for each task."""
        oracle = self._oracle
        product = oracle.inner_part(self._product(oracle.as_network(v)))
        if self.terms is not LossTerms.PREDICTION and oracle.strength is not None:
            product = product + oracle.strength * v
        return product

    def mixed_vjp(self, v: Float[Tensor, "task inner"]) -> Float[Tensor, "task meta"]:
        """Return d/dphi <grad, v>."""
        oracle = self._oracle
        assert oracle.phi_shapes_inner_loss, "phi only sets the start"
        if oracle.strength is None:
            return oracle.shared_part(self._product(oracle.as_network(v)))
        oracle.evaluations.products += 1
        if self.terms is LossTerms.PREDICTION:
            return v.new_zeros(oracle.num_tasks, oracle.meta_dim)
        pulled = -oracle.strength * v
        away = (self.theta - oracle.start()) * pulled
        return oracle.regulariser_part(pulled, -away.sum(dim=1, keepdim=True))

    def mixed_jvp(self, u: Float[Tensor, "task meta"]) -> Float[Tensor, "task inner"]:
        """Return the change of the gradient along u, theta held fixed."""
        oracle = self._oracle
        assert oracle.phi_shapes_inner_loss, "phi only sets the start"
        if oracle.strength is None:
            return oracle.inner_part(self._product(oracle.shared_direction(u)))
        oracle.evaluations.products += 1
        if self.terms is LossTerms.PREDICTION:
            return torch.zeros_like(self.theta)
        return oracle.regulariser_change(self.theta, u)

    def _product(self, v: Tensor) -> Tensor:
        oracle = self._oracle
        oracle.evaluations.products += 1
        if self.terms is LossTerms.REGULARISER:
            return torch.zeros_like(v)
        assert self._works is not None, "linearised without curvature"
        start, stop, _ = self.minibatch.indices(oracle.num_shots)
        return oracle.product_of_network(self._works, v, stop - start)
