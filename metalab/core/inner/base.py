"""The contract of an inner loop.

phi has two parts, [problem | rates]: what shapes the problem and its start (see
`core.meta`), and what an inner loop learns about its own steps, such as learning rates.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.model.base import ParameterBlock
from metalab.core.oracle import InnerOracle, Linearisation
from metalab.core.script import InnerSource


class PathStorage(Enum):
    """What of the inner path a hypergradient estimator needs afterwards."""

    END = "end"
    """Only theta_0 and theta_K: memory does not grow with K."""
    GRADIENTS = "gradients"
    """Also each step's gradient: memory grows with K, without any graph."""
    GRAPH = "graph"
    """Every step's linearisation: memory grows linearly with K."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InnerState:
    """Where an inner loop stands between two steps.

    Attributes:
        index: Inner steps made.
        theta: theta_index, [task, inner].
        memory: What it remembers of earlier steps, such as a velocity, [task, memory];
            None for nothing.
    """

    index: int
    theta: Float[Tensor, "task inner"]
    memory: Float[Tensor, "task memory"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InnerStep:
    """One inner step, with what its derivative needs.

    Attributes:
        index: k; the step leads from theta_k to theta_{k+1}.
        start: theta_k, [task, inner].
        memory: What was remembered before the step, [task, memory]; None for nothing.
        update: What was subtracted, before the learning rate, [task, inner].
        linearisation: The inner loss around theta_k; without curvature unless kept.
    """

    index: int
    start: Float[Tensor, "task inner"]
    memory: Float[Tensor, "task memory"] | None = None
    update: Float[Tensor, "task inner"]
    linearisation: Linearisation


@dataclass(frozen=True, slots=True, kw_only=True)
class InnerPath:
    """What the inner loop did.

    Attributes:
        begin: Where the path begins; theta_0 unless it is a later segment.
        state: Where it ends.
        points: theta_0 ... theta_K; empty unless asked for.
        steps: The steps; empty for `PathStorage.END`.
    """

    begin: InnerState
    state: InnerState
    points: tuple[Tensor, ...]
    steps: tuple[InnerStep, ...]

    @property
    def start(self) -> Float[Tensor, "task inner"]:
        """Parameters at its beginning: theta_0."""
        return self.begin.theta

    @property
    def end(self) -> Float[Tensor, "task inner"]:
        """Parameters at its end: theta_K."""
        return self.state.theta

    @property
    def num_steps(self) -> int:
        """Number of steps that were made."""
        return self.state.index - self.begin.index


@dataclass(frozen=True, slots=True, kw_only=True)
class Cotangent:
    """What a reverse sweep carries.

    Attributes:
        theta: With respect to theta_k, [task, inner].
        memory: With respect to the memory, [task, memory]; None where there is none.
        phi: Gathered so far with respect to phi, [task, meta]; None for nothing yet.
    """

    theta: Float[Tensor, "task inner"]
    memory: Float[Tensor, "task memory"] | None = None
    phi: Float[Tensor, "task meta"] | None = None

    def scaled(self, factor: float) -> "Cotangent":
        """Return the cotangent times a number; that of the memory starts at zero."""
        if factor == 1.0:
            return self
        phi = None if self.phi is None else self.phi * factor
        return Cotangent(theta=self.theta * factor, memory=self.memory, phi=phi)

    def plus_theta(self, more: Tensor) -> "Cotangent":
        """Return the cotangent with `more` added to its theta part."""
        theta = self.theta + more
        return Cotangent(theta=theta, memory=self.memory, phi=self.phi)

    def plus_phi(self, more: Tensor | None) -> "Cotangent":
        """Return the cotangent with `more` added to its phi part."""
        if more is None:
            return self
        phi = more if self.phi is None else self.phi + more
        return Cotangent(theta=self.theta, memory=self.memory, phi=phi)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tangent:
    """What a forward sweep carries: derivatives along one direction of phi.

    Attributes:
        theta: Of theta_k, [task, inner].
        memory: Of the memory, [task, memory]; None where there is none.
    """

    theta: Float[Tensor, "task inner"]
    memory: Float[Tensor, "task memory"] | None = None


class InnerRequirement(Enum):
    """What an inner loop asks of the inner problem."""

    NOTHING = "nothing"
    STATIONARY_POINT = "a regulariser, so that there is a point to converge to"
    CLOSED_FORM = "a quadratic inner loss, so that its minimum has a closed form"
    ANCHOR = "a proximal anchor to be pulled back to"


class InnerLoop(ABC):
    """An adaptation rule. Implementations are frozen dataclasses.

    Attributes:
        num_inner_steps: K of training.
        learned: What the loop has meta-parameters of its own for, in words; "" for none.
        rate_is_fixed: Whether the setting `inner_lr` scales its steps, whatever is learned.
        formula: A step, in symbols.
        needs: What it asks of the inner problem.
    """

    __slots__ = ()

    name: ClassVar[str]
    title: ClassVar[str]
    synonyms: ClassVar[tuple[str, ...]] = ()
    learned: ClassVar[str] = ""
    rate_is_fixed: ClassVar[bool] = False
    formula: ClassVar[str] = "θ ← θ − α ∇ℓ(θ)"
    needs: ClassVar[InnerRequirement] = InnerRequirement.NOTHING
    num_inner_steps: int

    def meta_dim(self, adapted: tuple[ParameterBlock, ...]) -> int:
        """Return how many meta-parameters the loop itself learns."""
        del adapted
        return 0

    def initial_meta(
        self,
        adapted: tuple[ParameterBlock, ...],
        *,
        generator: torch.Generator,
        dtype: torch.dtype,
    ) -> Float[Tensor, " rates"]:
        """Draw the loop's own meta-parameters."""
        del adapted
        return torch.empty(0, dtype=dtype, device=generator.device)

    def with_rate_factor(self, factor: float) -> "InnerLoop":
        """Return the loop with its fixed rate times a number.

        Raises:
            ValueError: The loop has no fixed rate, and the factor is not 1.
        """
        if factor == 1.0:
            return self
        raise ValueError(f"factor is {factor:g}; {self.name!r} has no fixed rate")

    def with_num_steps(self, num_inner_steps: int) -> "InnerLoop":
        """Return the loop for another K, with the same meta-parameters.

        Most loops step alike whatever K is, and `run` is told how far to go.
        """
        del num_inner_steps
        return self

    @abstractmethod
    def run(
        self,
        oracle: InnerOracle,
        *,
        num_steps: int,
        begin: InnerState | None = None,
        keep: PathStorage = PathStorage.END,
        keep_points: bool = False,
    ) -> InnerPath:
        """Adapt every task of the oracle's batch.

        Args:
            oracle: The meta-batch.
            begin: Where to go on from; None starts at theta_0.
            num_steps: Inner steps to take; need not be `num_inner_steps`.
            keep: What the path holds for a hypergradient estimator.
            keep_points: Whether the path holds every theta_k, for drawing.
        """

    @abstractmethod
    def pullback(self, oracle: InnerOracle, step: InnerStep, v: Cotangent) -> Cotangent:
        """Return the cotangent at the start of a step from the one at its end, exactly."""

    @abstractmethod
    def pushforward(
        self,
        oracle: InnerOracle,
        step: InnerStep,
        u: Float[Tensor, "#task meta"],
        t: Tangent,
    ) -> Tangent:
        """Return the tangent at the end of a step from the one at its start.

        Args:
            oracle: The meta-batch.
            step: The step, with curvature.
            u: Direction of phi.
            t: Derivatives along u at the start of the step.
        """

    @abstractmethod
    def first_order_pullback(
        self, oracle: InnerOracle, step: InnerStep, v: Cotangent
    ) -> Cotangent:
        """Return it with every second derivative of the inner loss taken as zero."""

    def step_source(
        self, adapted: Mapping[str, ParameterBlock], rates: Float[Tensor, " rates"]
    ) -> InnerSource | None:
        """Return a step as source of torch alone; None where none is declared.

        Args:
            adapted: The arrays that a task adapts, by their names in the program.
            rates: The loop's own meta-parameters.
        """
        del adapted, rates
        return None
