"""A run on the compiled kernels: many outer steps in one native call."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from metalab.core.fused import indices
from metalab.core.fused.kernels import steps
from metalab.core.fused.kernels.gemm import address_of_product
from metalab.core.fused.kernels.sync import STATE, SYNC_SIZE
from metalab.core.fused.layout import PRODUCT, Integers
from metalab.core.fused.plan import Counts, KernelPlan, fixed_rate, make_plan, num_exact
from metalab.core.fused.support import dtype_of
from metalab.core.learner import METRIC_NAMES, SPARED, MetaLearner, MetaState
from metalab.core.tasks import Samples, TaskBatch

ThreadTeam = Callable[[Sequence[Callable[[], None]]], None]
"""Runs jobs at the same time, each in a thread of its own, and waits for all of them."""

Array = np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a call of `FusedRun.advance` did.

    Attributes:
        metrics: Values of `METRIC_NAMES`, then gradients and products that were asked
            for, [step, column]; the row of a bad step is the last one.
        bad: Whether the last row is bad.
    """

    metrics: Array
    bad: bool


@dataclass(frozen=True, slots=True)
class Data:
    """Sampled tasks as flat arrays, in the order of their tasks.

    Masks are empty where all sets of a kind have one size.
    """

    xs: Array
    ys: Array
    xq: Array
    yq: Array
    ms: Array
    mq: Array

    @classmethod
    def of(cls, batch: TaskBatch) -> "Data":
        """Lay out the points of tasks that lie on the CPU."""
        sets = (batch.support.x, batch.support.y, batch.query.x, batch.query.y)
        masks = (_mask_of(batch.support), _mask_of(batch.query))
        return cls(
            *(tensor.contiguous().view(-1).numpy() for tensor in (*sets, *masks))
        )

    def describe(self, plan: Integers) -> None:
        """Tell the kernels which sets are masked."""
        plan[indices.SUPPORT_MASKED] = len(self.ms) > 0
        plan[indices.QUERY_MASKED] = len(self.mq) > 0


def _mask_of(samples: Samples) -> Tensor:
    mask = samples.x.new_empty(0) if samples.mask is None else samples.mask
    return mask.to(samples.x.dtype)


class FusedRun:
    """Meta-parameters, optimiser state and workspaces of a run on the kernels."""

    def __init__(
        self,
        learner: MetaLearner,
        state: MetaState,
        counts: Counts,
        *,
        num_chunks: int = 1,
        team: ThreadTeam | None = None,
    ) -> None:
        """Prepare a run.

        Args:
            learner: One without `core.fused.plan.unsupported_reason`.
            state: Where training stands.
            counts: Sizes of a meta-batch.
            num_chunks: Parts of a meta-batch that can be computed at the same time; the
                order of sums, and so the last bits of the numbers, depend on it.
            team: Who computes them; None computes them one after another.
        """
        chunks = min(num_chunks, counts.num_tasks)
        self._learner = learner
        self._plan: KernelPlan = make_plan(learner, counts, num_chunks=chunks)
        self._team = team
        self._workers = chunks if team is not None else 1
        self._plan.plan[indices.WORKERS] = self._workers
        dtype = dtype_of(state.phi.dtype)
        self._dtype = state.phi.dtype
        size = int(self._plan.plan[indices.META])
        self._net = self._plan.layout.description.copy()
        self._net[PRODUCT] = address_of_product(dtype)
        self._works = aligned((chunks, self._plan.num_numbers), dtype)
        self._sums = np.zeros((chunks, indices.SUMS_SIZE))
        self._shared = np.zeros(SYNC_SIZE, dtype=np.int64)
        self._arrays = np.zeros((3, size), dtype)
        self._previous = np.zeros((3, size), dtype)
        self._num_slots = len(state.slots)
        self._step = self._previous_step = state.step
        self.state = state

    @property
    def step(self) -> int:
        """Outer steps made."""
        return self._step

    @property
    def state(self) -> MetaState:
        """Where training stands: a copy."""
        order = self._plan.order
        phi, *slots = (
            torch.from_numpy(array[order])
            for array in self._arrays[: 1 + self._num_slots]
        )
        return MetaState(step=self._step, phi=phi, slots=tuple(slots))

    @state.setter
    def state(self, state: MetaState) -> None:
        self._arrays[:] = 0
        for array, values in zip(self._arrays, (state.phi, *state.slots), strict=False):
            array[self._plan.order] = values.numpy()
        self._previous[:] = self._arrays
        self._step = self._previous_step = state.step

    def advance(
        self, data: Data, first_task: int, num_steps: int, limits: Array
    ) -> Outcome:
        """Make outer steps, up to the first whose numbers are bad.

        After a bad one the state is the last that is known to be good.

        Args:
            data: Sampled tasks.
            first_task: Index in `data` of the first task of the first step.
            num_steps: Outer steps to make.
            limits: Largest good absolute value of each metric.
        """
        rows = np.zeros((num_steps, indices.ROW_SIZE), self._arrays.dtype)
        numbers = self._numbers(num_steps)
        data.describe(self._plan.plan)
        shared = self._shared
        shared[:] = 0
        done = [0] * self._workers

        def work(worker: int) -> None:
            done[worker] = steps.run_steps(
                worker, shared, self._works, self._net,
                self._plan.plan, self._plan.scalars, self._plan.ranges, self._arrays[0], self._arrays[1], self._arrays[2],
                self._previous, self._step - self._learner.slots_from, numbers.lrs, numbers.inner_steps,
                numbers.exact_steps, numbers.rates, numbers.weights, self._sums, rows,
                limits, first_task, data.xs, data.ys, data.xq, data.yq, data.ms, data.mq,
            )  # fmt: skip

        if self._workers == 1:
            work(0)
        else:
            assert self._team is not None
            self._team([_Job(work, worker) for worker in range(self._workers)])
        return self._settled(done[0], int(shared[STATE]), rows, numbers)

    def _settled(
        self, done: int, ending: int, rows: Array, numbers: "_Numbers"
    ) -> Outcome:
        """Take note of how a call ended."""
        bad = ending != indices.GOOD
        if ending == indices.BAD_ROW:
            # Undone up to the state before the one that the row was measured at.
            previous = self._step + done - 1 if done > 0 else self._previous_step
            self._step = previous
        else:
            previous = self._step + done - (0 if bad else 1)
            self._step += done
        self._previous_step = previous
        metrics = np.empty((done + bad, len(METRIC_NAMES) + 2), rows.dtype)
        shown = slice(0, len(metrics))
        metrics[:, :-2] = rows[shown, : len(METRIC_NAMES)]
        if not self._learner.measures_all:
            metrics[:, SPARED] = np.nan
        inner = rows[shown, indices.INNER_GRADIENTS]
        metrics[:, -2] = inner + numbers.outer_gradients[shown]
        mixed = 2 if self._learner.problem.meta.shapes_inner_loss else 1
        metrics[:, -1] = numbers.exact_steps[shown] * mixed
        return Outcome(metrics=metrics, bad=bad)

    def _numbers(self, num_steps: int) -> "_Numbers":
        """Return what changes from one outer step to the next."""
        first, learner = self._step, self._learner
        lrs = [learner.outer_lr_at(first + i) for i in range(num_steps)]
        distinct = min(num_steps, max(learner.settles_at - first, 0) + 1)
        rows = [self._row(first + i) for i in range(distinct)]
        rows += rows[-1:] * (num_steps - distinct)
        inner_steps, exact_steps, rates, weights, outer_gradients = zip(
            *rows, strict=True
        )
        return _Numbers(
            lrs=np.array(lrs, dtype=np.float64),
            inner_steps=np.array(inner_steps, dtype=np.int64),
            exact_steps=np.array(exact_steps, dtype=np.int64),
            rates=np.array(rates, dtype=np.float64),
            weights=np.array(weights, dtype=np.float64),
            outer_gradients=np.array(outer_gradients),
        )

    def _row(self, step: int) -> tuple[int, int, float, list[float], int]:
        learner, size = self._learner, self._plan.most_steps + 1
        inner, num_steps = learner.inner_at(step)
        exact = num_exact(learner.estimator(step), num_steps)
        rate = fixed_rate(inner)
        asked = learner.objective.weights(step, num_steps)
        weights = [0.0] * size
        if asked is None:
            weights[num_steps] = 1.0
        else:
            weights[: len(asked)] = asked
        method = self._plan.plan[indices.METHOD]
        outer_gradients = 0 if method == indices.REPTILE else 1
        if method == indices.SWEEP:
            outer_gradients += sum(w != 0.0 for w in weights[:num_steps])
        return num_steps, exact, rate, weights, outer_gradients


@dataclass(frozen=True, slots=True, kw_only=True)
class _Numbers:
    """What changes from one outer step to the next, [step] each; weights [step, K + 1]."""

    lrs: Array
    inner_steps: Array
    exact_steps: Array
    rates: Array
    weights: Array
    outer_gradients: Array


@dataclass(frozen=True, slots=True)
class _Job:
    """A worker's share, to be called in a thread of its own."""

    work: Callable[[int], None]
    worker: int

    def __call__(self) -> None:
        self.work(self.worker)


def aligned(shape: tuple[int, int], dtype: np.dtype) -> Array:
    """Return zeros that begin at a cache line, as do their rows."""
    size = shape[0] * shape[1]
    line = 64 // dtype.itemsize
    room = np.zeros(size + line, dtype)
    start = (-room.ctypes.data // dtype.itemsize) % line
    return room[start : start + size].reshape(shape)
