"""Inner loops: how one task adapts, written for the whole meta-batch at once."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from metalab.core.oracle import InnerOracle, Linearisation
from metalab.core.spec import option


class Keep(Enum):
    """What of the inner path a hypergradient estimator needs afterwards."""

    END = "end"
    """Only theta_0 and theta_K: memory does not grow with K."""
    GRAPH = "graph"
    """Every step's linearisation: memory grows linearly with K."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InnerPath:
    """What the inner loop did.

    Attributes:
        start: theta_0, [task, inner].
        end: theta_K, [task, inner].
        points: theta_0 ... theta_K; empty unless asked for.
        linearisations: The inner loss around theta_0 ... theta_{K-1}; empty for
            `Keep.END`.
    """

    start: Float[Tensor, "task inner"]
    end: Float[Tensor, "task inner"]
    points: tuple[Tensor, ...]
    linearisations: tuple[Linearisation, ...]


class InnerLoop(ABC):
    """An adaptation rule. Implementations are frozen dataclasses."""

    __slots__ = ()

    name: ClassVar[str]
    title: ClassVar[str]
    num_inner_steps: int

    @abstractmethod
    def run(
        self,
        oracle: InnerOracle,
        *,
        num_steps: int,
        keep: Keep = Keep.END,
        keep_points: bool = False,
    ) -> InnerPath:
        """Adapt every task of the oracle's batch.

        Args:
            oracle: The meta-batch.
            num_steps: Inner steps to take; need not be `num_inner_steps`.
            keep: What the path holds for a hypergradient estimator.
            keep_points: Whether the path holds every theta_k, for drawing.
        """

    @abstractmethod
    def step_pullback(
        self, linearisation: Linearisation, v: Float[Tensor, "task inner"]
    ) -> Float[Tensor, "task inner"]:
        """Return (d theta_{k+1} / d theta_k)^T v around one linearised step."""

    @abstractmethod
    def step_mixed_pullback(
        self, linearisation: Linearisation, v: Float[Tensor, "task inner"]
    ) -> Float[Tensor, "task meta"]:
        """Return (d theta_{k+1} / d phi)^T v with theta_k held fixed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GradientDescent(InnerLoop):
    """theta_{k+1} = theta_k - inner_lr * grad L_support(theta_k).

    Attributes:
        num_inner_steps: K.
        inner_lr: Step size.
        inner_batch_size: Support points of one step; 0 takes all of them. Step k takes
            the k-th block of the support set, cyclically, as in the sine demonstration
            of Reptile (Nichol et al. 2018); the last block may be smaller.
    """

    name: ClassVar[str] = "gradient-descent"
    title: ClassVar[str] = "Gradient descent"

    num_inner_steps: int = option(
        1,
        label="Inner steps K",
        help="Gradient steps that each task takes on its support set.",
        unit="steps",
        low=1,
        high=1000,
    )
    inner_lr: float = option(
        0.01,
        label="Inner lr",
        help="Step size of the inner loop.",
        low=0.0,
        high=10.0,
        exclusive=True,
        log=True,
    )
    inner_batch_size: int = option(
        0,
        label="Inner batch size",
        help="Support points used by one inner step; 0 uses all of them.",
        unit="shots",
        low=0,
        high=10_000,
        advanced=True,
    )

    def run(
        self,
        oracle: InnerOracle,
        *,
        num_steps: int,
        keep: Keep = Keep.END,
        keep_points: bool = False,
    ) -> InnerPath:
        """Take `num_steps` gradient steps."""
        start = theta = oracle.start()
        points = [theta]
        linearisations: list[Linearisation] = []
        for k in range(num_steps):
            around = oracle.linearise(
                theta,
                minibatch=self._minibatch(k, oracle.num_shots),
                curvature=keep is Keep.GRAPH,
            )
            theta = theta.sub(around.grad, alpha=self.inner_lr)
            if keep is Keep.GRAPH:
                linearisations.append(around)
            if keep_points:
                points.append(theta)
        return InnerPath(
            start=start,
            end=theta,
            points=tuple(points) if keep_points else (),
            linearisations=tuple(linearisations),
        )

    def _minibatch(self, k: int, num_shots: int) -> slice:
        size = self.inner_batch_size
        if size == 0 or size >= num_shots:
            return slice(None)
        num_blocks = -(-num_shots // size)
        start = (k % num_blocks) * size
        return slice(start, start + size)

    def step_pullback(
        self, linearisation: Linearisation, v: Float[Tensor, "task inner"]
    ) -> Float[Tensor, "task inner"]:
        """Return (I - inner_lr H_k) v."""
        return v.sub(linearisation.hvp(v), alpha=self.inner_lr)

    def step_mixed_pullback(
        self, linearisation: Linearisation, v: Float[Tensor, "task inner"]
    ) -> Float[Tensor, "task meta"]:
        """Return - inner_lr B_k^T v, with B_k = d^2 L_support / d theta d phi."""
        return linearisation.mixed_vjp(v) * -self.inner_lr
