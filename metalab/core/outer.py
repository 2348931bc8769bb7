"""Outer optimisers: pure functions on one flat vector, and their schedules."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.spec import option

Slots = tuple[Tensor, ...]


class OuterOptimizer(ABC):
    """How phi moves along a hypergradient. Implementations are frozen dataclasses.

    Attributes:
        outer_lr: Step size before the schedule.
        moves: Whether phi moves at all; without, nothing is learned from other tasks.
    """

    __slots__ = ()

    name: ClassVar[str]
    title: ClassVar[str]
    synonyms: ClassVar[tuple[str, ...]] = ()
    moves: ClassVar[bool] = True
    outer_lr: float

    @abstractmethod
    def init(self, phi: Float[Tensor, " meta"]) -> Slots:
        """Return the optimiser's state for phi."""

    @abstractmethod
    def update(
        self,
        phi: Float[Tensor, " meta"],
        hypergradient: Float[Tensor, " meta"],
        slots: Slots,
        *,
        step: int,
        lr: float,
    ) -> tuple[Tensor, Slots]:
        """Return the next phi and state; the arguments are not modified.

        Args:
            phi: Meta-parameters.
            hypergradient: Descent is against it.
            slots: The optimiser's state.
            step: Number of updates made before this one.
            lr: Step size of this update.
        """


def _outer_lr(default: float) -> Any:
    return option(
        default,
        label="Outer lr",
        help="Step size of the outer optimiser.",
        low=0.0,
        high=10.0,
        exclusive=True,
        log=True,
        synonyms=(
            "learning rate",
            "outer learning rate",
            "meta learning rate",
            "step size",
        ),
    )


def _weight_decay() -> Any:
    return option(
        0.0,
        label="Weight decay",
        help="Share of every meta-parameter that an outer step takes away, times the "
        "outer lr of that step; decoupled from the hypergradient.",
        low=0.0,
        high=10.0,
        advanced=True,
        synonyms=("AdamW", "L2 penalty", "regularisation", "regularization"),
        at_zero="off",
    )


def _decayed(phi: Tensor, rate: float) -> Tensor:
    """Return (1 - rate) phi; phi itself at 0, so that without decay no bit changes."""
    return phi if rate == 0 else phi * (1.0 - rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adam(OuterOptimizer):
    """Adam with bias correction; with weight decay, AdamW.

    Attributes:
        weight_decay: lambda of phi <- (1 - lr lambda) phi before the step. As in torch,
            lr is the whole step size; the paper keeps lambda apart from its constant
            part.

    Source: Kingma & Ba 2015, algorithm 1; Loshchilov & Hutter 2019, algorithm 2.
    """

    name: ClassVar[str] = "adam"
    title: ClassVar[str] = "Adam"
    synonyms: ClassVar[tuple[str, ...]] = ("AdamW",)

    outer_lr: float = _outer_lr(1e-3)
    beta1: float = option(
        0.9,
        label="Beta 1",
        help="Decay of the running mean of the hypergradient.",
        low=0.0,
        high=0.9999,
        advanced=True,
        synonyms=("momentum",),
    )
    beta2: float = option(
        0.999,
        label="Beta 2",
        help="Decay of the running mean of its square.",
        low=0.0,
        high=0.999999,
        advanced=True,
    )
    epsilon: float = option(
        1e-8,
        label="Epsilon",
        help="Added to the root of the second moment.",
        low=0.0,
        high=1.0,
        exclusive=True,
        log=True,
        advanced=True,
        synonyms=("Adam epsilon",),
    )
    weight_decay: float = _weight_decay()

    def init(self, phi: Float[Tensor, " meta"]) -> Slots:
        """Return zero first and second moments."""
        return (torch.zeros_like(phi), torch.zeros_like(phi))

    def update(
        self,
        phi: Float[Tensor, " meta"],
        hypergradient: Float[Tensor, " meta"],
        slots: Slots,
        *,
        step: int,
        lr: float,
    ) -> tuple[Tensor, Slots]:
        """Return the next phi and moments."""
        first, second = slots
        first = torch.lerp(first, hypergradient, 1 - self.beta1)
        second = torch.lerp(second, hypergradient * hypergradient, 1 - self.beta2)
        count = step + 1
        correction1 = 1 - self.beta1**count
        correction2 = math.sqrt(1 - self.beta2**count)
        scale = second.sqrt().div_(correction2).add_(self.epsilon)
        kept = _decayed(phi, lr * self.weight_decay)
        return kept.addcdiv(first, scale, value=-lr / correction1), (first, second)


@dataclass(frozen=True, slots=True, kw_only=True)
class SGD(OuterOptimizer):
    """Gradient descent, with heavy-ball momentum and weight decay when asked.

    Attributes:
        weight_decay: lambda of phi <- (1 - lr lambda) phi before the step; it never
            enters the velocity.

    Source: Loshchilov & Hutter 2019, algorithm 1 (SGDW), for the decay.
    """

    name: ClassVar[str] = "sgd"
    title: ClassVar[str] = "SGD"
    synonyms: ClassVar[tuple[str, ...]] = ("stochastic gradient descent", "heavy ball")

    outer_lr: float = _outer_lr(1e-2)
    momentum: float = option(
        0.0,
        label="Momentum",
        help="Share of the previous update that is kept; 0 is plain descent.",
        low=0.0,
        high=0.9999,
        advanced=True,
        synonyms=("heavy ball",),
        at_zero="off",
    )
    weight_decay: float = _weight_decay()

    def init(self, phi: Float[Tensor, " meta"]) -> Slots:
        """Return a zero velocity, or nothing without momentum."""
        return (torch.zeros_like(phi),) if self.momentum > 0 else ()

    def update(
        self,
        phi: Float[Tensor, " meta"],
        hypergradient: Float[Tensor, " meta"],
        slots: Slots,
        *,
        step: int,
        lr: float,
    ) -> tuple[Tensor, Slots]:
        """Return the next phi and velocity."""
        del step
        kept = _decayed(phi, lr * self.weight_decay)
        if not slots:
            return kept.sub(hypergradient, alpha=lr), ()
        velocity = torch.add(hypergradient, slots[0], alpha=self.momentum)
        return kept.sub(velocity, alpha=lr), (velocity,)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoUpdate(OuterOptimizer):
    """phi stays where it is: a baseline that learns nothing from other tasks.

    Attributes:
        outer_lr: 0.
    """

    name: ClassVar[str] = "none"
    title: ClassVar[str] = "None: phi stays"
    moves: ClassVar[bool] = False

    outer_lr: float = field(default=0.0, init=False)

    def init(self, phi: Float[Tensor, " meta"]) -> Slots:
        """Return nothing."""
        del phi
        return ()

    def update(
        self,
        phi: Float[Tensor, " meta"],
        hypergradient: Float[Tensor, " meta"],
        slots: Slots,
        *,
        step: int,
        lr: float,
    ) -> tuple[Tensor, Slots]:
        """Return phi."""
        del hypergradient, slots, step, lr
        return phi, ()


SCHEDULES = ("constant", "linear", "cosine")


def schedule_factor(
    schedule: str, step: int, num_steps: int, *, floor: float = 0.0
) -> float:
    """Return what `outer_lr` is multiplied by at `step` of `num_steps`.

    Args:
        schedule: "constant"; "linear" decay to the floor (Reptile's sine demonstration);
            or "cosine" decay to it.
        step: Number of updates made so far; past the end the factor stays where it was.
        num_steps: Planned number of updates, at least 1.
        floor: Where a schedule that decays ends, from 0 to 1.

    Source: Loshchilov and Hutter 2017, SGDR, equation 5 (eta_min is the floor);
        Antoniou et al. 2019, MAML++, whose code ends at 1 % of the outer lr.
    """
    progress = min(step / num_steps, 1.0)
    if schedule == "constant":
        return 1.0
    if schedule == "linear":
        decayed = 1.0 - progress
    else:
        assert schedule == "cosine", schedule
        decayed = 0.5 * (1.0 + math.cos(math.pi * progress))
    # Without a floor, to the bit what it was before there was one.
    return floor + (1.0 - floor) * decayed


def warmup_factor(step: int, warmup_steps: int) -> float:
    """Return what `outer_lr` is multiplied by while it warms up, besides the schedule.

    Args:
        step: Number of updates made so far.
        warmup_steps: Updates of the linear ramp; the first takes 1 / warmup_steps of the
            rate, the last all of it. 0 does not warm up.
    """
    return (step + 1) / warmup_steps if step < warmup_steps else 1.0
