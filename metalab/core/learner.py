"""A meta-learner: what is learned x inner loop x hypergradient x outer optimiser."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.compiled import compiled, torch_oracle
from metalab.core.hypergradient.base import HypergradientEstimator
from metalab.core.hypergradient.first_order import FirstOrder
from metalab.core.inner.base import InnerLoop, InnerPath
from metalab.core.inner_schedule import InnerSchedule
from metalab.core.linear_solve import QUALITY_NAMES
from metalab.core.objective import OuterObjective
from metalab.core.oracle import BilevelProblem, Evaluations, InnerOracle
from metalab.core.outer import (
    OuterOptimizer,
    Slots,
    schedule_factor,
    warmup_factor,
)
from metalab.core.outer_gradient import OuterGradient, OuterGradientResult
from metalab.core.streams import RandomStreams
from metalab.core.tasks import TaskBatch

METRIC_NAMES = (
    "outer_loss",
    "outer_loss_before",
    "support_loss_before",
    "support_loss_after",
    "hypergradient_norm",
    "adaptation_distance",
    "meta_parameter_norm",
)
"""Columns of `StepResult.metrics`, in order; described in `engine.events.METRICS`."""

NUM_COLUMNS = len(METRIC_NAMES) + 2 + len(QUALITY_NAMES)
"""Columns of a step's row: metrics, gradients and products asked for, and how well the
linear systems were solved; NaN where there are none."""

SPARED = [
    METRIC_NAMES.index(name) for name in ("outer_loss_before", "support_loss_after")
]
"""Metrics that cost a forward pass of their own, and that training can do without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaState:
    """Everything that training carries from one outer step to the next.

    Attributes:
        step: Outer steps made.
        phi: Meta-parameters, [meta].
        slots: State of the outer optimiser.
    """

    step: int
    phi: Float[Tensor, " meta"]
    slots: Slots


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """One outer step.

    Attributes:
        state: The next state.
        metrics: Values of `METRIC_NAMES`, [metric], still on the device: measured before
            the update, except the norm of the meta-parameters, measured after it.
        evaluations: What the step asked of the oracle.
        solves: Numbers of `linear_solve.QUALITY_NAMES`, [quality], still on the device;
            None where no linear system was solved.
    """

    state: MetaState
    metrics: Float[Tensor, " metric"]
    evaluations: Evaluations
    solves: Float[Tensor, " quality"] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaLearner:
    """A valid combination of the four parts.

    Attributes:
        problem: The network and what is meta-learned.
        inner: How a task adapts.
        hypergradient: How d outer loss / d phi is obtained.
        outer: How phi moves.
        num_steps: Planned outer steps, for the schedule.
        schedule: Name of the schedule of `outer.outer_lr`.
        schedule_floor: Where it ends, as a share of `outer.outer_lr`.
        warmup_steps: Outer steps at the start over which `outer.outer_lr` also rises
            linearly.
        clip_norm: Largest norm of the hypergradient; 0 does not clip.
        objective: Which inner steps the outer loss counts.
        first_order_steps: Outer steps at the start that use the first-order
            hypergradient instead (MAML++, derivative-order annealing).
        inner_schedule: How training's inner lr and K start; `adapt` never follows it.
        fused: Whether compiled kernels answer about a meta-batch, instead of automatic
            differentiation; only for a problem without
            `core.fused.plan.oracle_unsupported_reason`.
        slots_from: The outer step at which the optimiser's state was zero.
        measures_all: Whether a step measures the metrics of `SPARED` too; NaN otherwise.
        compiled: Whether torch compiles the steps, where it can; not with `fused`.
    """

    problem: BilevelProblem
    inner: InnerLoop
    hypergradient: HypergradientEstimator
    outer: OuterOptimizer
    num_steps: int
    objective: OuterObjective
    schedule: str = "constant"
    schedule_floor: float = 0.0
    warmup_steps: int = 0
    clip_norm: float = 0.0
    first_order_steps: int = 0
    inner_schedule: InnerSchedule = field(default_factory=InnerSchedule)
    fused: bool = False
    slots_from: int = 0
    measures_all: bool = True
    compiled: bool = False

    def initial_state(
        self,
        *,
        generator: torch.Generator,
        dtype: torch.dtype,
        device: torch.device,
    ) -> MetaState:
        """Draw the initial state.

        Drawn on the generator's device and then moved, so that every device starts
        from the same numbers.
        """
        meta = self.problem.meta
        shaping = meta.initial(self.problem.model, generator=generator, dtype=dtype)
        rates = self.inner.initial_meta(
            self.problem.adapted, generator=generator, dtype=dtype
        )
        phi = torch.cat([shaping, rates]).to(device)
        return MetaState(step=0, phi=phi, slots=self.outer.init(phi))

    def oracle(self, phi: Float[Tensor, " meta"], batch: TaskBatch) -> InnerOracle:
        """Return the answers about `batch` at `phi`."""
        if self.fused:
            # Imported lazily so that numba stays optional.
            from metalab.core.fused.oracle import FusedOracle  # noqa: PLC0415

            return FusedOracle(self.problem, phi, batch)
        return torch_oracle(self.problem, phi, batch)

    def adapt(
        self, phi: Float[Tensor, " meta"], batch: TaskBatch, *, num_inner_steps: int
    ) -> InnerPath:
        """Adapt every task of `batch` and keep each theta_k, for looking at.

        By the set inner loop, wherever training's schedule stands.
        """
        return self.inner.run(
            self.oracle(phi, batch), num_steps=num_inner_steps, keep_points=True
        )

    def estimator(self, step: int) -> HypergradientEstimator:
        """Return what estimates the hypergradient of outer step `step`, from 0."""
        return FirstOrder() if step < self.first_order_steps else self.hypergradient

    def inner_at(self, step: int) -> tuple[InnerLoop, int]:
        """Return the inner loop of one outer step, and its K."""
        set_steps = self.inner.num_inner_steps
        factor, num_steps = self.inner_schedule.at(step, set_steps)
        inner = self.inner.with_rate_factor(factor)
        if num_steps != set_steps:
            inner = inner.with_num_steps(num_steps)
        return inner, num_steps

    @property
    def settles_at(self) -> int:
        """The outer step from which on all but `outer_lr_at` stays as it is."""
        annealing = 0
        if self.objective.loss != "final":
            annealing = self.objective.annealing_steps
        return max(annealing, self.first_order_steps, self.inner_schedule.ramp_steps)

    def outer_lr_at(self, step: int) -> float:
        """Return the step size of one outer step."""
        factor = schedule_factor(
            self.schedule, step, self.num_steps, floor=self.schedule_floor
        )
        return self.outer.outer_lr * factor * warmup_factor(step, self.warmup_steps)

    def outer_gradient(self, step: int) -> OuterGradient:
        """Return what outer step `step`, from 0, computes of its meta-batch."""
        inner, num_steps = self.inner_at(step)
        return OuterGradient(
            problem=self.problem,
            inner=inner,
            num_steps=num_steps,
            estimator=self.estimator(step),
            weights=self.objective.weights(step, num_steps),
            measures_all=self.measures_all,
        )

    def step(
        self, state: MetaState, batch: TaskBatch, streams: RandomStreams
    ) -> StepResult:
        """Make one outer step. No argument is modified; nothing synchronises.

        Args:
            state: Where training stands.
            batch: The meta-batch of this step, on the state's device.
            streams: For estimators that draw.

        Returns:
            The next state and the metrics.
        """
        answer = self._answer(state, batch, streams)
        direction = answer.hypergradient
        norm = torch.linalg.vector_norm(direction)
        if self.clip_norm > 0:
            direction = direction * (self.clip_norm / norm).clamp(max=1.0)
        phi, slots = self.outer.update(
            state.phi,
            direction,
            state.slots,
            step=state.step - self.slots_from,
            lr=self.outer_lr_at(state.step),
        )
        unknown = norm.new_full((), torch.nan)
        before, after = answer.outer_loss_before, answer.support_loss_after
        metrics = torch.stack(
            [
                answer.outer_loss,
                unknown if before is None else before,
                answer.support_loss_before,
                unknown if after is None else after,
                norm,
                answer.distance,
                torch.linalg.vector_norm(phi),
            ]
        )
        return StepResult(
            state=MetaState(step=state.step + 1, phi=phi, slots=slots),
            metrics=metrics,
            evaluations=answer.evaluations,
            solves=answer.solves,
        )

    def _answer(
        self, state: MetaState, batch: TaskBatch, streams: RandomStreams
    ) -> OuterGradientResult:
        outer_gradient = self.outer_gradient(state.step)
        # What changes from step to step would be compiled at every one of them.
        if self.compiled and state.step >= self.settles_at:
            return compiled(outer_gradient)(state.phi, batch, streams, state.step)
        return outer_gradient(self.oracle(state.phi, batch), streams, state.step)
