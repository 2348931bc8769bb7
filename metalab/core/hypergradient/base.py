"""The contract of a hypergradient estimator, and the sweep that most of them share."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.hypergradient.family import EstimatorFamily
from metalab.core.hypergradient.route import Route
from metalab.core.hypergradient.target import Target
from metalab.core.inner.base import (
    Cotangent,
    InnerLoop,
    InnerPath,
    InnerStep,
    PathStorage,
)
from metalab.core.linear_solve import SolveQuality
from metalab.core.meta.base import PhiRole
from metalab.core.oracle import Evaluations, InnerOracle
from metalab.core.streams import RandomStreams


class Exactness(Enum):
    """How an estimate relates to its target."""

    EXACT = "exact"
    CONVERGENT = "convergent"
    UNBIASED = "unbiased"
    """Exact on average over its own random draws."""
    BIASED = "biased"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypergradient:
    """A hypergradient and the outer loss it belongs to.

    Attributes:
        per_task: One row a task, [task, meta]; the hypergradient is their mean.
        outer_loss: Query loss after adaptation of each task, [task].
        solves: How well the linear system of each task was solved; None where there is
            none.
    """

    per_task: Float[Tensor, "task meta"]
    outer_loss: Float[Tensor, " task"]
    solves: SolveQuality | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateContext:
    """What an estimate is asked for, beside the batch.

    Attributes:
        weights: Weight of the query loss after 0 ... K inner steps in the outer loss;
            None counts the last alone.
        streams: Randomness of the run, for estimators that draw.
        step: Outer steps made; what an estimator draws depends on it alone.
    """

    weights: tuple[float, ...] | None
    streams: RandomStreams
    step: int

    def generator(self) -> torch.Generator:
        """Return this step's generator, on the CPU."""
        return self.streams.generator("hypergradient", self.step)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemSize:
    """What the cost of an estimate depends on.

    Attributes:
        num_inner_steps: K.
        meta_dim: Number of meta-parameters.
        mixed: Whether phi shapes the inner loss, so that each step has a mixed product
            beside its Hessian-vector product.
    """

    num_inner_steps: int
    meta_dim: int
    mixed: bool

    @property
    def products_per_step(self) -> int:
        """Products of one exact inner step, swept in either direction."""
        return 2 if self.mixed else 1


class HypergradientEstimator(ABC):
    """A way to obtain the hypergradient. Implementations are frozen dataclasses.

    What is declared by default fits an estimate that sweeps back over the steps and
    promises nothing.

    Attributes:
        family: Decides its colour.
        place_in_family: Decides its mark, from 0; None has one for all that is new.
        slow: Whether it draws so much that it is measured last, and not along K.
        exactness: How the estimate relates to its target.
        target: Which derivative it aims at.
        keep: What of the inner path it needs.
        learns: The ways of phi that it differentiates.
        route: Which way the estimate comes back, for pictures.
        formula: The estimate for one task in a line: f the query loss, F the same as a
            function of phi, H and B the second derivatives of the inner loss; "_" and
            "^" lower and raise what follows.
        weighs_steps: Whether it can differentiate a loss over several inner steps.
        needs_strength: Whether it needs a regulariser of one strength for all parameters.
        solves_systems: Whether it solves linear systems, and tells how well.
    """

    __slots__ = ()

    name: ClassVar[str]
    title: ClassVar[str]
    synonyms: ClassVar[tuple[str, ...]] = ()
    family: ClassVar[EstimatorFamily] = EstimatorFamily.OTHER
    place_in_family: ClassVar[int | None] = None
    slow: ClassVar[bool] = False
    exactness: ClassVar[Exactness] = Exactness.BIASED
    target: ClassVar[Target] = Target.K_STEP
    keep: ClassVar[PathStorage] = PathStorage.GRAPH
    learns: ClassVar[frozenset[PhiRole]] = frozenset(PhiRole)
    route: ClassVar[Route] = Route.EVERY_STEP
    formula: ClassVar[str] = "an estimate of its own"
    weighs_steps: ClassVar[bool] = False
    draws: ClassVar[bool] = False
    needs_strength: ClassVar[bool] = False
    solves_systems: ClassVar[bool] = False

    @abstractmethod
    def cost(self, size: ProblemSize) -> Evaluations:
        """Return what an estimate of the final outer loss asks of the oracle.

        Beside the K gradients of the inner path itself, which is a descent.
        """

    @abstractmethod
    def estimate(
        self,
        oracle: InnerOracle,
        inner: InnerLoop,
        path: InnerPath,
        request: EstimateContext,
    ) -> Hypergradient:
        """Return the hypergradient of each task.

        Args:
            oracle: The meta-batch at the current meta-parameters.
            inner: The loop that made `path`.
            path: The inner path, with at least what `keep` asks for.
            request: Which outer loss, and where randomness comes from.
        """


def end_cotangent(
    oracle: InnerOracle, path: InnerPath, request: EstimateContext
) -> tuple[Cotangent, Tensor]:
    """Return the cotangent at theta_K, and the query loss there, [task]."""
    outer = oracle.outer_value_and_grad(path.end)
    weight = 1.0 if request.weights is None else request.weights[path.num_steps]
    memory = path.state.memory
    if memory is not None:
        memory = torch.zeros_like(memory)
    v = Cotangent(theta=outer.grad, memory=memory, phi=outer.direct)
    return v.scaled(weight), outer.loss


def sweep(
    oracle: InnerOracle,
    inner: InnerLoop,
    steps: Sequence[InnerStep],
    v: Cotangent,
    request: EstimateContext,
    *,
    num_exact: int,
) -> Cotangent:
    """Carry a cotangent back over inner steps, last first.

    Args:
        oracle: The meta-batch.
        inner: The loop that made the steps.
        steps: The steps, first to last.
        v: Cotangent at the end of the last one.
        request: Weights of the query losses on the way.
        num_exact: How many steps, from the last, are differentiated exactly; through the
            earlier ones the cotangent goes straight.
    """
    for distance, step in enumerate(reversed(steps)):
        pull = inner.pullback if distance < num_exact else inner.first_order_pullback
        v = pull(oracle, step, v)
        weight = 0.0 if request.weights is None else request.weights[step.index]
        if weight != 0.0:
            outer = oracle.outer_value_and_grad(step.start)
            v = v.plus_theta(outer.grad * weight)
            v = v.plus_phi(None if outer.direct is None else outer.direct * weight)
    return v


def at_start(oracle: InnerOracle, v: Cotangent) -> Float[Tensor, "task meta"]:
    """Return the hypergradient of a cotangent that has arrived at theta_0."""
    through_start = oracle.start_pullback(v.theta)
    return through_start if v.phi is None else v.phi + through_start


def outer_loss_at(
    oracle: InnerOracle, inner: InnerLoop, num_steps: int, request: EstimateContext
) -> Float[Tensor, " task"]:
    """Return the outer loss of each task at the oracle's meta-parameters, [task]."""
    path = inner.run(
        oracle, num_steps=num_steps, keep_points=request.weights is not None
    )
    if request.weights is None:
        return oracle.outer_loss(path.end)
    losses = [
        weight * oracle.outer_loss(theta)
        for weight, theta in zip(request.weights, path.points, strict=True)
        if weight != 0.0
    ]
    return torch.stack(losses).sum(dim=0)
