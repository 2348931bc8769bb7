"""Inner loops whose steps are a few lines of torch: their derivatives are torch's."""

from abc import abstractmethod
from collections.abc import Sequence
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
from metalab.core.model.base import ParameterBlock
from metalab.core.oracle import InnerOracle


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """Place that an inner step starts from.

    Attributes:
        theta: theta_k, [task, inner].
        grad: Gradient of the inner loss there, [task, inner].
        memory: What earlier steps left, [task, memory]; empty where nothing.
        learned: The loop's own meta-parameters, [task, rates]; empty where none.
        step: k, from 0.
        blocks: The adapted arrays, as they lie in theta.
    """

    theta: Float[Tensor, "task inner"]
    grad: Float[Tensor, "task inner"]
    memory: Float[Tensor, "task memory"]
    learned: Float[Tensor, "task rates"]
    step: int
    blocks: tuple[ParameterBlock, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedLoop(InnerLoop):
    """Abstract: theta_{k+1}, memory_{k+1} = advance(theta_k, gradient, memory_k, ...).

    `advance` is any function that torch differentiates twice. What a sweep needs of a step
    is got by recording it once more, so that the path holds no graph of it.

    Attributes:
        num_inner_steps: K.
        inner_lr: Step size, which `advance` is to use.
    """

    rate_is_fixed: ClassVar[bool] = True

    num_inner_steps: int = steps_option()
    inner_lr: float = rate_option()

    def memory_width(self, inner_dim: int) -> int:
        """Return how many numbers a task remembers from step to step, at first all zero.

        Args:
            inner_dim: Numbers that a task adapts.
        """
        del inner_dim
        return 0

    @abstractmethod
    def advance(self, here: Here) -> tuple[Tensor, Tensor]:
        """Return theta and the memory after a step; nothing given is modified.

        Each task's row depends on its own row alone.
        """

    def with_rate_factor(self, factor: float) -> InnerLoop:
        """Return the loop with `inner_lr` times a number."""
        return self if factor == 1.0 else replace(self, inner_lr=self.inner_lr * factor)

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
            theta = oracle.start()
            width = self.memory_width(theta.shape[1])
            begin = InnerState(
                index=0, theta=theta, memory=theta.new_zeros(len(theta), width)
            )
        state = begin
        points, steps = [state.theta], list[InnerStep]()
        for k in range(begin.index, begin.index + num_steps):
            at = oracle.linearise(state.theta, curvature=keep is PathStorage.GRAPH)
            after, memory = self.advance(_here(oracle, state, at.grad))
            if keep is not PathStorage.END:
                step = InnerStep(
                    index=k,
                    start=state.theta,
                    memory=state.memory,
                    update=state.theta - after,
                    linearisation=at,
                )
                steps.append(step)
            state = InnerState(index=k + 1, theta=after, memory=memory)
            if keep_points:
                points.append(after)
        return InnerPath(
            begin=begin,
            state=state,
            points=tuple(points) if keep_points else (),
            steps=tuple(steps),
        )

    def pullback(self, oracle: InnerOracle, step: InnerStep, v: Cotangent) -> Cotangent:
        """Return the cotangent through theta, and through the gradient: H and B of it."""
        back, of_grad = self._vjp(oracle, step, v)
        back = back.plus_theta(step.linearisation.hvp(of_grad))
        if oracle.phi_shapes_inner_loss:
            return back.plus_phi(step.linearisation.mixed_vjp(of_grad))
        return back

    def first_order_pullback(
        self, oracle: InnerOracle, step: InnerStep, v: Cotangent
    ) -> Cotangent:
        """Return the cotangent with the gradient as a constant."""
        return self._vjp(oracle, step, v)[0]

    def pushforward(
        self,
        oracle: InnerOracle,
        step: InnerStep,
        u: Float[Tensor, "#task meta"],
        t: Tangent,
    ) -> Tangent:
        """Return how the step's end changes with all that it started from."""
        of_grad = step.linearisation.hvp(t.theta)
        if oracle.phi_shapes_inner_loss:
            wide = u.expand(len(t.theta), -1)
            of_grad = of_grad + step.linearisation.mixed_jvp(wide)
        of_learned = oracle.rates_pushforward(u).expand(len(t.theta), -1)
        memory = _remembered(step.memory, like=t.theta)
        of_memory = torch.zeros_like(memory) if t.memory is None else t.memory
        given, ends = self._recorded(oracle, step)
        found = _pushed(ends, given, (t.theta, of_grad, of_memory, of_learned))
        return Tangent(theta=found[0], memory=found[1])

    def _vjp(
        self, oracle: InnerOracle, step: InnerStep, v: Cotangent
    ) -> tuple[Cotangent, Tensor]:
        """Return the cotangent at the start, gradient held fixed, and that of the gradient."""
        given, ends = self._recorded(oracle, step)
        of_memory = torch.zeros_like(ends[1]) if v.memory is None else v.memory
        theta, grad, memory, learned = _pulled(ends, given, (v.theta, of_memory))
        back = Cotangent(theta=theta, memory=memory, phi=v.phi)
        if learned.shape[1] > 0:
            back = back.plus_phi(oracle.rates_pullback(learned))
        return back, grad

    def _recorded(
        self, oracle: InnerOracle, step: InnerStep
    ) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Return what a step starts from, and its ends as functions of that."""
        state = InnerState(index=step.index, theta=step.start, memory=step.memory)
        plain = _here(oracle, state, step.linearisation.grad)
        with torch.enable_grad():
            given = tuple(
                part.detach().requires_grad_()
                for part in (plain.theta, plain.grad, plain.memory, plain.learned)
            )
            theta, grad, memory, learned = given
            here = replace(
                plain, theta=theta, grad=grad, memory=memory, learned=learned
            )
            return given, self.advance(here)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateLoop(RecordedLoop):
    """Abstract: theta_{k+1} = update(theta_k, gradient there, k), without memory."""

    formula: ClassVar[str] = "θ ← u(θ, ∇ℓ(θ))"

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

    def advance(self, here: Here) -> tuple[Tensor, Tensor]:
        """Return the updated theta; there is no memory."""
        return self.update(here.theta, here.grad, here.step), here.memory


def _here(oracle: InnerOracle, state: InnerState, grad: Tensor) -> Here:
    return Here(
        theta=state.theta,
        grad=grad,
        memory=_remembered(state.memory, like=state.theta),
        learned=oracle.rates().expand(len(state.theta), -1),
        step=state.index,
        blocks=oracle.adapted,
    )


def _remembered(memory: Tensor | None, *, like: Tensor) -> Tensor:
    return like.new_zeros(len(like), 0) if memory is None else memory


def _pulled(
    ends: Sequence[Tensor],
    given: Sequence[Tensor],
    v: Sequence[Tensor],
    *,
    create_graph: bool = False,
) -> tuple[Tensor, ...]:
    """Return the cotangents of what was given from those of the ends."""
    moving = [i for i, end in enumerate(ends) if end.requires_grad]
    if not moving:
        return tuple(torch.zeros_like(part) for part in given)
    return torch.autograd.grad(
        [ends[i] for i in moving],
        given,
        [v[i] for i in moving],
        create_graph=create_graph,
        materialize_grads=True,
    )


def _pushed(
    ends: Sequence[Tensor], given: Sequence[Tensor], along: Sequence[Tensor]
) -> tuple[Tensor, ...]:
    """Return how the ends change along changes of what was given.

    What a cotangent is pulled back to is linear in it, and its derivative that change.
    """
    with torch.enable_grad():
        w = tuple(torch.zeros_like(end).requires_grad_() for end in ends)
        back = _pulled(ends, given, w, create_graph=True)
        total = sum(
            ((part * change).sum() for part, change in zip(back, along, strict=True)),
            start=ends[0].new_zeros(()),
        )
    if not total.requires_grad:
        return tuple(torch.zeros_like(end) for end in ends)
    return torch.autograd.grad(total, w, materialize_grads=True)
