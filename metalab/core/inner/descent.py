"""Gradient steps and their derivatives, shared by every loop that descends."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

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
from metalab.core.oracle import InnerOracle, Linearisation, LossTerms
from metalab.core.script import InnerSource, code
from metalab.core.spec import option

RateOf = Callable[[int, Tensor], "Tensor | float"]
"""Learning rate at inner step k, given the gradient there: a number, or [task, 1] or
[task, inner]."""


def steps_option(default: int = 1) -> Any:
    """Declare K."""
    return option(
        default,
        label="Inner steps K",
        help="Gradient steps that each task takes on its support set.",
        unit="steps",
        low=1,
        high=1000,
        synonyms=(
            "number of inner steps",
            "adaptation steps",
            "gradient steps",
            "inner updates",
            "fast steps",
        ),
    )


def rate_option(default: float = 0.01, **spec: Any) -> Any:
    """Declare the step size of the inner loop."""
    texts = {
        "label": "Inner lr",
        "help": "Step size of the inner loop.",
        "synonyms": ("learning rate", "inner learning rate", "step size", "alpha"),
    } | spec
    return option(default, low=0.0, high=10.0, exclusive=True, log=True, **texts)


def clip_norm_option() -> Any:
    """Declare the largest norm of a task's gradient."""
    return option(
        0.0,
        label="Inner clip norm",
        help="Largest norm of a task's inner gradient, which is scaled down to it; 0 does "
        "not clip.",
        low=0.0,
        high=1e6,
        advanced=True,
        synonyms=("gradient clipping", "clip by norm"),
        at_zero="off",
    )


def weight_decay_option() -> Any:
    """Declare the share of theta that is added to its gradient."""
    return option(
        0.0,
        label="Inner weight decay",
        help="Share of theta added to its inner gradient, so that a step also pulls theta "
        "towards zero; 0 does not decay.",
        low=0.0,
        high=1e3,
        advanced=True,
        synonyms=("L2 regularisation", "weight decay", "ridge penalty"),
        at_zero="off",
    )


def _never(grad: Tensor) -> bool:
    del grad
    return False


def _all_terms(step: int) -> LossTerms:
    del step
    return LossTerms.ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Heavy-ball steps m <- momentum m + g + decay theta, theta <- theta - rate m.

    g is the gradient, clamped and clipped.

    Attributes:
        rate: Learning rate of each step.
        momentum: Share of the velocity that is kept; 0 is plain descent.
        batch_size: Support points of a step; 0 takes all.
        clamp: Largest size of an entry of the gradient; 0 does not clamp.
        clip_norm: Largest norm of a task's gradient, once clamped; 0 does not clip.
        decay: Share of theta that is added to the gradient, once clipped: as in torch's
            SGD, whose gradients are clipped before it sees them.
        terms: Terms of the inner loss that a step descends.
        at_rest: Whether a gradient moves no task any more, so that the rest of the path
            need not be computed.
    """

    rate: RateOf
    momentum: float = 0.0
    batch_size: int = 0
    clamp: float = 0.0
    clip_norm: float = 0.0
    decay: float = 0.0
    terms: Callable[[int], LossTerms] = _all_terms
    at_rest: Callable[[Tensor], bool] = _never


def minibatch(step: int, batch_size: int, num_shots: int) -> slice:
    """Return the support points of one step: cyclic blocks; 0 takes all points."""
    if batch_size == 0 or batch_size >= num_shots:
        return slice(None)
    num_blocks = -(-num_shots // batch_size)
    start = (step % num_blocks) * batch_size
    return slice(start, start + batch_size)


def descend(
    oracle: InnerOracle,
    rule: Rule,
    *,
    num_steps: int,
    begin: InnerState | None,
    keep: PathStorage,
    keep_points: bool,
) -> InnerPath:
    """Take `num_steps` steps by a rule; the other arguments are those of a loop."""
    if begin is None:
        theta = oracle.start()
        velocity = torch.zeros_like(theta) if rule.momentum > 0 else None
        begin = InnerState(index=0, theta=theta, memory=velocity)
    theta, velocity = begin.theta, begin.memory
    points = [theta]
    steps: list[InnerStep] = []
    end = begin.index + num_steps
    resting: Linearisation | None = None
    for k in range(begin.index, end):
        linearisation = resting or oracle.linearise(
            theta,
            minibatch=minibatch(k, rule.batch_size, oracle.num_shots),
            terms=rule.terms(k),
            curvature=keep is PathStorage.GRAPH,
        )
        if resting is None and rule.at_rest(linearisation.grad):
            resting = linearisation
        before = velocity
        update = clipped(clamped(linearisation.grad, rule.clamp), rule.clip_norm)
        update = with_decay(update, theta, rule.decay)
        if velocity is not None:
            update = velocity = torch.add(update, velocity, alpha=rule.momentum)
        if keep is not PathStorage.END:
            steps.append(
                InnerStep(
                    index=k,
                    start=theta,
                    memory=before,
                    update=update,
                    linearisation=linearisation,
                )
            )
        theta = scaled_difference(theta, update, rule.rate(k, linearisation.grad))
        if keep_points:
            points.append(theta)
    return InnerPath(
        begin=begin,
        state=InnerState(index=end, theta=theta, memory=velocity),
        points=tuple(points) if keep_points else (),
        steps=tuple(steps),
    )


def scaled_difference(theta: Tensor, update: Tensor, rate: Tensor | float) -> Tensor:
    """Return theta - rate * update."""
    if isinstance(rate, Tensor):
        return torch.addcmul(theta, rate, update, value=-1.0)
    return theta.sub(update, alpha=rate)


def with_decay(update: Tensor, theta: Tensor, decay: float) -> Tensor:
    """Return update + decay * theta; also its derivative, along changes of the two."""
    return update if decay == 0.0 else torch.add(update, theta, alpha=decay)


def clamped(grad: Tensor, most: float) -> Tensor:
    """Return the gradient with its entries within +- most; 0 does not clamp."""
    return grad if most == 0.0 else grad.clamp(-most, most)


def through_clamp(v: Tensor, grad: Tensor, most: float) -> Tensor:
    """Return v where the gradient's entries lie within +- most, and 0 elsewhere."""
    return v if most == 0.0 else v * (grad.abs() <= most)


def clipped(grad: Tensor, most: float) -> Tensor:
    """Return gradients scaled down to a norm, each task's by itself; 0 does not clip.

    Args:
        grad: [task, inner].
        most: The largest norm.
    """
    return grad if most == 0.0 else grad * _scale(grad, most)


def through_clip(v: Tensor, grad: Tensor, most: float) -> Tensor:
    """Return the derivative of `clipped` at a gradient times v, which is symmetric.

    Where ||g|| > c it is c / ||g|| (I - g g^T / ||g||^2): along g nothing passes.

    Args:
        v: [task, inner].
        grad: As it was given to `clipped`, [task, inner].
        most: The largest norm; 0 does not clip.
    """
    if most == 0.0:
        return v
    square = grad.square().sum(dim=1, keepdim=True)
    along = (grad * v).sum(dim=1, keepdim=True) / square.clamp_min(_TINY)
    cut = (square > most**2).to(v.dtype)
    return _scale(grad, most) * (v - cut * along * grad)


def _scale(grad: Tensor, most: float) -> Tensor:
    """Return what each task's gradient is multiplied by, [task, 1]."""
    norm = torch.linalg.vector_norm(grad, dim=1, keepdim=True)
    return (most / norm.clamp_min(_TINY)).clamp_max(1.0)


_TINY = 1e-30


def through_limits(v: Tensor, grad: Tensor, rule: Rule) -> Tensor:
    """Return the cotangent of a gradient, from that of it clamped and clipped."""
    at = clamped(grad, rule.clamp)
    return through_clamp(through_clip(v, at, rule.clip_norm), grad, rule.clamp)


def along_limits(t: Tensor, grad: Tensor, rule: Rule) -> Tensor:
    """Return how a gradient, clamped and clipped, changes along its change t."""
    at = clamped(grad, rule.clamp)
    return through_clip(through_clamp(t, grad, rule.clamp), at, rule.clip_norm)


def through_update(
    v: Cotangent, rate: Tensor | float, momentum: float
) -> tuple[Tensor, Tensor | None]:
    """Return the cotangents of the gradient and of the velocity before the step.

    With m' = momentum m + g and theta' = theta - rate m', the cotangent of m' gathers
    what comes through theta' and what comes through the velocity of the next step.
    """
    of_update = v.theta * -rate
    if v.memory is not None:
        of_update = of_update + v.memory
    return of_update, of_update * momentum if momentum > 0 else None


class Descent(InnerLoop):
    """Abstract: a loop of gradient steps by a `Rule`."""

    __slots__ = ()

    @abstractmethod
    def rule(self, oracle: InnerOracle) -> Rule:
        """Return how the loop steps, for one meta-batch."""

    def rate_tangent(
        self, oracle: InnerOracle, step: int, u: Float[Tensor, "#task meta"]
    ) -> Tensor | None:
        """Return how a step's rate changes along u; None where it does not."""
        del oracle, step, u
        return None

    def run(
        self,
        oracle: InnerOracle,
        *,
        num_steps: int,
        begin: InnerState | None = None,
        keep: PathStorage = PathStorage.END,
        keep_points: bool = False,
    ) -> InnerPath:
        """Take `num_steps` gradient steps."""
        return descend(
            oracle,
            self.rule(oracle),
            num_steps=num_steps,
            begin=begin,
            keep=keep,
            keep_points=keep_points,
        )

    def pullback(self, oracle: InnerOracle, step: InnerStep, v: Cotangent) -> Cotangent:
        """Return (I - rate (H_k + decay I))^T v, and - rate B_k^T v for phi."""
        rule = self.rule(oracle)
        rate = rule.rate(step.index, step.linearisation.grad)
        of_update, of_velocity = through_update(v, rate, rule.momentum)
        of_grad = through_limits(of_update, step.linearisation.grad, rule)
        straight = self.first_order_pullback(oracle, step, v)
        theta = straight.theta + step.linearisation.hvp(of_grad)
        back = Cotangent(theta=theta, memory=of_velocity, phi=straight.phi)
        if oracle.phi_shapes_inner_loss:
            return back.plus_phi(step.linearisation.mixed_vjp(of_grad))
        return back

    def first_order_pullback(
        self, oracle: InnerOracle, step: InnerStep, v: Cotangent
    ) -> Cotangent:
        """Return v, less what weight decay takes: that needs no second derivative."""
        rule = self.rule(oracle)
        if rule.decay == 0.0:
            return v
        rate = rule.rate(step.index, step.linearisation.grad)
        of_update, of_velocity = through_update(v, rate, rule.momentum)
        theta = with_decay(v.theta, of_update, rule.decay)
        return Cotangent(theta=theta, memory=of_velocity, phi=v.phi)

    def pushforward(
        self,
        oracle: InnerOracle,
        step: InnerStep,
        u: Float[Tensor, "#task meta"],
        t: Tangent,
    ) -> Tangent:
        """Return the change of the step's end along changes of its start and of phi.

        That is (I - rate (H_k + decay I)) t - rate B_k u - (change of the rate) * update.
        """
        rule = self.rule(oracle)
        of_update = step.linearisation.hvp(t.theta)
        if oracle.phi_shapes_inner_loss:
            of_update = of_update + step.linearisation.mixed_jvp(
                u.expand(len(t.theta), -1)
            )
        of_update = along_limits(of_update, step.linearisation.grad, rule)
        of_update = with_decay(of_update, t.theta, rule.decay)
        velocity = None
        if t.memory is not None:
            velocity = of_update = of_update + rule.momentum * t.memory
        rate = rule.rate(step.index, step.linearisation.grad)
        theta = scaled_difference(t.theta, of_update, rate)
        of_rate = self.rate_tangent(oracle, step.index, u)
        if of_rate is not None:
            theta = theta - of_rate * step.update
        return Tangent(theta=theta, memory=velocity)


class FixedRateDescent(Descent):
    """Abstract: a descent whose step size is one number that is set.

    Attributes:
        inner_lr: Step size.
    """

    __slots__ = ()

    rate_is_fixed: ClassVar[bool] = True
    inner_lr: float

    def with_rate_factor(self, factor: float) -> InnerLoop:
        """Return the loop with `inner_lr` times a number."""
        if factor == 1.0:
            return self
        loop: Any = self
        return replace(loop, inner_lr=self.inner_lr * factor)


OptimizerOptions = Mapping[str, float | tuple[float, ...]]
"""Arguments of a class of `torch.optim`."""


def optimizer_steps(
    optimizer: str,
    options: OptimizerOptions,
    *,
    clamp: float = 0.0,
    clip_norm: float = 0.0,
    before: str = "",
) -> InnerSource:
    """Return steps by an optimizer of torch.

    Args:
        optimizer: Its class in `torch.optim`.
        options: Its arguments; those of 0 are left out.
        clamp: Largest size of an entry of the gradient; 0 does not clamp.
        clip_norm: Largest norm of the gradient, once clamped; 0 does not clip.
        before: Statements of a step that come first.
    """
    given = ", ".join(f"{name}={value!r}" for name, value in options.items() if value)
    limits = [before] if before else []
    if clamp:
        limits.append(f"grads = [g.clamp({-clamp!r}, {clamp!r}) for g in grads]")
    if clip_norm:
        limits.append(NORM)
        limits.append(f"scale = ({clip_norm!r} / norm).clamp(max=1.0)")
        limits.append("grads = [scale * g for g in grads]")
    made = f"optimizer = torch.optim.{optimizer}(adapted, {given})"
    if len(made) > _LONGEST:
        made = f"options = dict({given})\n"
        made += f"optimizer = torch.optim.{optimizer}(adapted, **options)"
    return InnerSource(before=made, step="\n".join([*limits, code(_OPTIMIZE)]))


_LONGEST = 80

NORM = "norm = torch.cat([g.flatten() for g in grads]).norm()"

_OPTIMIZE = """
for p, grad in zip(adapted, grads):
    p.grad = grad
optimizer.step()
"""
