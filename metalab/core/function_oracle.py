"""The oracle of one task whose losses are somebody's functions of flat tensors."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.autodiff import AutodiffLinearisation, gradients_of
from metalab.core.meta.base import PhiRole
from metalab.core.model.base import ParameterBlock
from metalab.core.oracle import (
    Evaluations,
    InnerOracle,
    Linearisation,
    LossTerms,
    OuterValue,
    PartialGradients,
)

LossOf = Callable[[Tensor, Tensor], Tensor]
"""theta [inner] and phi [meta] to one number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionProblem:
    """A bilevel problem of one task, as functions that torch differentiates twice.

    Attributes:
        inner_loss: What theta goes down on.
        outer_loss: What phi is to go down on, at the theta that was found.
        start: phi [meta] to theta_0 [inner].
        strength: s of a term s/2 ||theta - centre||^2 that the inner loss is known to
            have; None where nothing is known.
    """

    inner_loss: LossOf
    outer_loss: LossOf
    start: Callable[[Tensor], Tensor]
    strength: float | None = None

    def roles(self, phi: Float[Tensor, " meta"]) -> frozenset[PhiRole]:
        """Return the ways in which phi enters, as torch's graph tells them at a point.

        Raises:
            ValueError: A function does not depend on theta.
        """
        phi = phi.detach().requires_grad_()
        found: set[PhiRole] = set()
        with torch.enable_grad():
            start = self.start(phi)
            if _depends(start, phi):
                found.add(PhiRole.START)
            theta = start.detach().requires_grad_()
            inner, outer = self.inner_loss(theta, phi), self.outer_loss(theta, phi)
            for name, loss in (("inner_loss", inner), ("outer_loss", outer)):
                if not _depends(loss, theta):
                    raise ValueError(f"{name} does not depend on theta")
            (slope,) = torch.autograd.grad(inner, theta, create_graph=True)
            if _depends(slope, phi):
                found.add(PhiRole.INNER_LOSS)
            if _depends(outer, phi):
                found.add(PhiRole.PREDICTION)
        return frozenset(found)


def _depends(value: Tensor, on: Tensor) -> bool:
    if not value.requires_grad:
        return False
    # torch's types leave out that None stands for no dependence.
    found: Any = torch.autograd.grad(
        value, on, torch.ones_like(value), retain_graph=True, allow_unused=True
    )
    return found[0] is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Point:
    """Meta-parameters, and what is known of how they enter."""

    phi: Float[Tensor, "1 meta"]
    roles: frozenset[PhiRole]
    num_inner: int
    evaluations: Evaluations = field(default_factory=Evaluations)


class FunctionOracle(InnerOracle):
    """Answers by torch autograd, about one task; every row axis has length one."""

    __slots__ = (
        "_at",
        "_problem",
        "adapted",
        "evaluations",
        "meta_dim",
        "num_shots",
        "num_tasks",
        "phi_shapes_inner_loss",
    )

    def __init__(self, problem: FunctionProblem, at: _Point) -> None:
        self._problem, self._at = problem, at
        self.num_tasks = self.num_shots = 1
        self.meta_dim = at.phi.shape[1]
        shape = (at.num_inner,)
        self.adapted = (ParameterBlock(name="theta", layer=0, shape=shape, start=0),)
        # Of a network's oracle, too, what phi does beside being the start.
        self.phi_shapes_inner_loss = bool(at.roles - {PhiRole.START})
        self.evaluations = at.evaluations

    @classmethod
    def of(
        cls,
        problem: FunctionProblem,
        phi: Float[Tensor, " meta"],
        roles: frozenset[PhiRole],
    ) -> "FunctionOracle":
        """Return the oracle at some meta-parameters.

        Args:
            problem: The functions.
            phi: Meta-parameters; not modified.
            roles: The ways in which they enter (`FunctionProblem.roles`).
        """
        with torch.no_grad():
            num_inner = len(problem.start(phi.detach()))
        leaf = phi.detach()[None].clone().requires_grad_()
        return cls(problem, _Point(phi=leaf, roles=roles, num_inner=num_inner))

    def start(self) -> Float[Tensor, "1 inner"]:
        """Return theta_0."""
        with torch.no_grad():
            return self._problem.start(self._at.phi.detach()[0]).detach()[None].clone()

    def start_pullback(self, v: Float[Tensor, "1 inner"]) -> Float[Tensor, "1 meta"]:
        """Return (d theta_0 / d phi)^T v, at these meta-parameters."""
        return self._start_pullback(v, create_graph=False)

    def _start_pullback(self, v: Tensor, *, create_graph: bool) -> Tensor:
        phi = self._at.phi
        if PhiRole.START not in self._at.roles:
            return torch.zeros_like(phi)
        with torch.enable_grad():
            theta = self._problem.start(phi[0])[None]
            (found,) = torch.autograd.grad(
                theta, phi, v, create_graph=create_graph, materialize_grads=True
            )
        return found

    def start_pushforward(self, u: Float[Tensor, "1 meta"]) -> Float[Tensor, "1 inner"]:
        """Return (d theta_0 / d phi) u: the pullback is linear, this is its derivative."""
        v = u.new_zeros(1, self._at.num_inner).requires_grad_()
        if PhiRole.START not in self._at.roles:
            return v.detach()
        (found,) = torch.autograd.grad(
            self._start_pullback(v, create_graph=True), v, u, materialize_grads=True
        )
        return found

    def rates(self) -> Float[Tensor, "1 rates"]:
        """Return nothing: the inner loop learns nothing of its own."""
        return self._at.phi.detach()[:, self.meta_dim :]

    def rates_pullback(self, v: Float[Tensor, "1 rates"]) -> Float[Tensor, "1 meta"]:
        """Return zero."""
        del v
        return torch.zeros_like(self._at.phi)

    def rates_pushforward(self, u: Float[Tensor, "1 meta"]) -> Float[Tensor, "1 rates"]:
        """Return nothing."""
        return u[:, self.meta_dim :]

    def at_shifted_phi(self, delta: Float[Tensor, "1 meta"]) -> "FunctionOracle":
        """Return the same task at phi + delta."""
        at = _Point(
            phi=(self._at.phi.detach() + delta).requires_grad_(),
            roles=self._at.roles,
            num_inner=self._at.num_inner,
            evaluations=self.evaluations,
        )
        return FunctionOracle(self._problem, at)

    def _inner_loss(self, theta: Tensor, terms: LossTerms) -> Tensor:
        """Return the inner loss, [1].

        Without its regulariser it is right up to what is linear in theta, since nobody
        knows the centre: for Hessians alone.
        """
        loss = self._problem.inner_loss(theta[0], self._at.phi[0]).reshape(1)
        if terms is LossTerms.ALL:
            return loss
        assert terms is LossTerms.PREDICTION, "nobody knows the regulariser alone"
        assert self._problem.strength is not None, "nor without its strength"
        return loss - self._problem.strength / 2 * theta.square().sum()

    def linearise(
        self,
        theta: Float[Tensor, "1 inner"],
        *,
        minibatch: slice = slice(None),
        terms: LossTerms = LossTerms.ALL,
        curvature: bool,
    ) -> Linearisation:
        """Evaluate loss and gradient at theta; keep the graph when asked."""
        assert minibatch == slice(None), "there are no points to choose from"
        point = theta.detach().requires_grad_()
        with torch.enable_grad():
            loss = self._inner_loss(point, terms)
            (graph,) = torch.autograd.grad(
                loss, point, torch.ones_like(loss), create_graph=curvature
            )
            if curvature and not graph.requires_grad:
                # A loss that is linear in theta: its products are zero.
                graph = graph + 0 * point
        self.evaluations.gradients += 1
        return AutodiffLinearisation(
            loss,
            graph,
            point,
            self._at.phi if self.phi_shapes_inner_loss else None,
            minibatch=minibatch,
            terms=terms,
            evaluations=self.evaluations,
        )

    def both_gradients(
        self, linearisation: Linearisation, theta: Tensor
    ) -> PartialGradients:
        """Return the gradients at theta in one reverse sweep."""
        point = theta.detach().requires_grad_()
        with torch.enable_grad():
            loss = self._inner_loss(point, linearisation.terms)
        of_theta, of_phi = self._gradients(loss, point)
        return PartialGradients(theta=of_theta, phi=of_phi)

    def _gradients(self, loss: Tensor, point: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the gradients in theta and, where phi is more than the start, in phi."""
        self.evaluations.gradients += 1
        phi = self._at.phi if self.phi_shapes_inner_loss else None
        return gradients_of(loss, point, phi)

    def regulariser_strength(self) -> Float[Tensor, "1 1"] | None:
        """Return the strength that is known."""
        strength = self._problem.strength
        return None if strength is None else self._at.phi.new_full((1, 1), strength)

    def hessian_solver(self) -> Callable[[Tensor], Tensor]:
        """Refuse: nobody knows that the inner loss is a quadratic."""
        raise AssertionError("a function has no closed form")

    def support_loss(self, theta: Float[Tensor, "1 inner"]) -> Float[Tensor, " 1"]:
        """Return the inner loss."""
        with torch.no_grad():
            return self._inner_loss(theta, LossTerms.ALL)

    def query_loss(self, theta: Float[Tensor, "1 inner"]) -> Float[Tensor, " 1"]:
        """Return the outer loss."""
        return self.outer_loss(theta)

    def outer_loss(self, theta: Float[Tensor, "1 inner"]) -> Float[Tensor, " 1"]:
        """Return the outer loss."""
        with torch.no_grad():
            return self._problem.outer_loss(theta[0], self._at.phi[0]).reshape(1)

    def outer_value_and_grad(self, theta: Float[Tensor, "1 inner"]) -> OuterValue:
        """Return the outer loss and its gradients in theta and phi."""
        point = theta.detach().requires_grad_()
        with torch.enable_grad():
            loss = self._problem.outer_loss(point[0], self._at.phi[0]).reshape(1)
        of_theta, of_phi = self._gradients(loss, point)
        return OuterValue(loss=loss.detach(), grad=of_theta, direct=of_phi)
