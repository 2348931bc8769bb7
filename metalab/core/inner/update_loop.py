"""An inner loop that is one line of torch: its derivatives are torch's."""

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.inner.base import (
    Cotangent,
    InnerLoop,
    InnerPath,
    InnerState,
    InnerStep,
    PathStorage,
    Tangent,
)
from metalab.core.inner.descent import rate_option, steps_option
from metalab.core.oracle import InnerOracle


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateLoop(InnerLoop):
    """Abstract: theta_{k+1} = update(theta_k, gradient there, k), by any torch operations.

    Attributes:
        num_inner_steps: K.
        inner_lr: Step size, which `update` is to use.
    """

    rate_is_fixed: ClassVar[bool] = True

    num_inner_steps: int = steps_option()
    inner_lr: float = rate_option()

    @abstractmethod
    def update(
        self,
        theta: Float[Tensor, "task inner"],
        grad: Float[Tensor, "task inner"],
        step: int,
    ) -> Float[Tensor, "task inner"]:
        """Return theta after a step; neither argument is modified.

        Each task's row depends on its own row alone.

        Args:
            theta: Parameters before the step.
            grad: Gradient of the inner loss there.
            step: k, from 0.
        """

    def with_rate_factor(self, factor: float) -> InnerLoop:
        """Return the loop with `inner_lr` times a number."""
        return replace(self, inner_lr=self.inner_lr * factor)

    def run(
        self,
        oracle: InnerOracle,
        *,
        num_steps: int,
        begin: InnerState | None = None,
        keep: PathStorage = PathStorage.END,
        keep_points: bool = False,
    ) -> InnerPath:
        """Take `num_steps` steps."""
        if begin is None:
            begin = InnerState(index=0, theta=oracle.start(), velocity=None)
        theta = begin.theta
        points, steps = [theta], list[InnerStep]()
        for k in range(begin.index, begin.index + num_steps):
            at = oracle.linearise(theta, curvature=keep is PathStorage.GRAPH)
            after = self.update(theta, at.grad, k)
            if keep is not PathStorage.END:
                step = InnerStep(
                    index=k,
                    start=theta,
                    velocity=None,
                    update=theta - after,
                    linearisation=at,
                )
                steps.append(step)
            theta = after
            points.append(theta)
        end = InnerState(index=begin.index + num_steps, theta=theta, velocity=None)
        return InnerPath(
            begin=begin,
            state=end,
            points=tuple(points) if keep_points else (),
            steps=tuple(steps),
        )

    def pullback(self, oracle: InnerOracle, step: InnerStep, v: Cotangent) -> Cotangent:
        """Return the cotangent through theta, and through the gradient: H and B of it."""
        of_theta, of_grad = self._vjp(step, v.theta)
        theta = of_theta + step.linearisation.hvp(of_grad)
        back = Cotangent(theta=theta, velocity=None, phi=v.phi)
        if oracle.phi_shapes_inner_loss:
            return back.plus_phi(step.linearisation.mixed_vjp(of_grad))
        return back

    def first_order_pullback(
        self, oracle: InnerOracle, step: InnerStep, v: Cotangent
    ) -> Cotangent:
        """Return the cotangent through theta alone."""
        del oracle
        return Cotangent(theta=self._vjp(step, v.theta)[0], velocity=None, phi=v.phi)

    def pushforward(
        self,
        oracle: InnerOracle,
        step: InnerStep,
        u: Float[Tensor, "#task meta"],
        t: Tangent,
    ) -> Tangent:
        """Return how the step's end changes with theta and with the gradient there."""
        of_grad = step.linearisation.hvp(t.theta)
        if oracle.phi_shapes_inner_loss:
            wide = u.expand(len(t.theta), -1)
            of_grad = of_grad + step.linearisation.mixed_jvp(wide)

        return Tangent(theta=self._jvp(step, t.theta, of_grad), velocity=None)

    def _vjp(self, step: InnerStep, v: Tensor) -> tuple[Tensor, Tensor]:
        """Return the cotangents of theta and of the gradient from that of the end."""
        theta, grad, end = self._recorded(step)
        if not end.requires_grad:
            return torch.zeros_like(theta), torch.zeros_like(grad)
        return _cotangents(end, theta, grad, v)

    def _jvp(self, step: InnerStep, of_theta: Tensor, of_grad: Tensor) -> Tensor:
        """Return the change of the end along changes of theta and of the gradient.

        What a cotangent is pulled back to is linear in it, and its derivative that change.
        """
        theta, grad, end = self._recorded(step)
        if not end.requires_grad:
            return torch.zeros_like(theta)
        with torch.enable_grad():
            w = torch.zeros_like(end, requires_grad=True)
            back = _cotangents(end, theta, grad, w, create_graph=True)
            along = (back[0] * of_theta).sum() + (back[1] * of_grad).sum()
        if not along.requires_grad:
            return torch.zeros_like(theta)
        return torch.autograd.grad(along, w, materialize_grads=True)[0]

    def _recorded(self, step: InnerStep) -> tuple[Tensor, Tensor, Tensor]:
        """Return theta, the gradient there, and the end as a function of the two."""
        with torch.enable_grad():
            theta = step.start.detach().requires_grad_()
            grad = step.linearisation.grad.detach().requires_grad_()
            return theta, grad, self.update(theta, grad, step.index)


def _cotangents(
    end: Tensor, theta: Tensor, grad: Tensor, v: Tensor, *, create_graph: bool = False
) -> tuple[Tensor, Tensor]:
    of_theta, of_grad = torch.autograd.grad(
        end, (theta, grad), v, create_graph=create_graph, materialize_grads=True
    )
    return of_theta, of_grad
