"""Steppers: outer steps by the oracle, one a call, or by the compiled kernels.

Both keep the last state that is known to be good, and go back to it when a number goes
bad; a trainer does not see which one it has.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from metalab.core.learner import (
    METRIC_NAMES,
    NUM_COLUMNS,
    SPARED,
    MetaLearner,
    MetaState,
    StepResult,
)
from metalab.core.tasks import TaskBatch
from metalab.engine.events import Array
from metalab.engine.providers import runs_natively
from metalab.engine.task_stream import Ahead, TaskStream

if TYPE_CHECKING:
    from metalab.core.fused.run import Outcome, ThreadTeam

BLAME_ORDER = (
    "support_loss_before",
    "outer_loss_before",
    "adaptation_distance",
    "support_loss_after",
    "outer_loss",
    "hypergradient_norm",
    "meta_parameter_norm",
)
"""Quantities in the order in which a step computes them: the first bad one is blamed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What a call of `Stepper.advance` did.

    Attributes:
        rows: Metrics of the steps that stand, [step, column].
        bad_step: Number of the step whose numbers are bad, from 1; None if all are good.
        quantity: What went bad first.
        value: Its value.
    """

    rows: Array
    bad_step: int | None = None
    quantity: str = ""
    value: float = 0.0


class Stepper(ABC):
    """Makes outer steps. Belongs to one thread at a time."""

    @property
    @abstractmethod
    def state(self) -> MetaState:
        """Where training stands."""

    @property
    @abstractmethod
    def step(self) -> int:
        """Outer steps made."""

    @abstractmethod
    def advance(self, stop: int, limits: Array) -> Progress:
        """Step to `stop`, or to the last state whose numbers were all good.

        Args:
            stop: Outer step to reach.
            limits: Largest good absolute value of each of `METRIC_NAMES`.
        """


def largest_good(dtype: torch.dtype, largest_loss: float) -> Array:
    """Return the largest good value of each of `METRIC_NAMES`."""
    largest = float(torch.finfo(dtype).max)
    losses = [i for i, name in enumerate(METRIC_NAMES) if "loss" in name]
    limits = np.full(len(METRIC_NAMES), largest)
    limits[losses] = min(largest_loss, largest)
    return limits


def _are_bad(rows: Array, limits: Array, learner: MetaLearner) -> NDArray[np.bool_]:
    """Return which numbers are beyond their limits, [step, metric]; nan is."""
    bad = ~(np.abs(rows[:, : len(limits)]) <= limits)
    if not learner.measures_all:
        bad[:, SPARED] = False
    return bad


def _bad_entry(row: Array, limits: Array, learner: MetaLearner) -> tuple[str, float]:
    (bad,) = _are_bad(row[None], limits, learner)
    places = {name: METRIC_NAMES.index(name) for name in BLAME_ORDER}
    name = next(name for name, place in places.items() if bad[place])
    return name, float(row[places[name]])


class OracleStepper(Stepper):
    """Steps by `MetaLearner.step`: any experiment, on any device."""

    def __init__(
        self,
        learner: MetaLearner,
        state: MetaState,
        blocks: TaskStream,
    ) -> None:
        self._learner = learner
        self._blocks = blocks
        self._state = self._last_good = state

    @property
    def state(self) -> MetaState:
        """Where training stands."""
        return self._state

    @property
    def step(self) -> int:
        """Outer steps made."""
        return self._state.step

    def advance(self, stop: int, limits: Array) -> Progress:
        """Step to `stop` without looking at a value in between."""
        start = self.step
        states, rows = self._step_to(stop)
        bad = _are_bad(rows, limits, self._learner)
        if not bad.any():
            self._last_good = states[-1]
            return Progress(rows=rows)
        index = int(np.argmax(bad.any(axis=1)))
        # Row i was measured at states[i]: a bad row makes that state suspect, and the
        # one before it is the last that is known to be good.
        self._state = states[index - 1] if index > 0 else self._last_good
        self._last_good = self._state
        quantity, value = _bad_entry(rows[index], limits, self._learner)
        return Progress(
            rows=rows[: max(self.step - start, 0)],
            bad_step=start + index + 1,
            quantity=quantity,
            value=value,
        )

    def _step_to(self, stop: int) -> tuple[list[MetaState], Array]:
        """Return the state before each step, and the columns of `METRICS` there."""
        states: list[MetaState] = []
        results: list[StepResult] = []
        while self.step < stop:
            states.append(self._state)
            result = self._learner.step(
                self._state, self._blocks.batch(self.step), self._blocks.streams
            )
            self._state = result.state
            results.append(result)
        return states, _rows(results)


def _rows(results: list[StepResult]) -> Array:
    """Return the columns of `METRICS` for some steps, [step, column]."""
    numbers = torch.stack([result.metrics for result in results])
    solves = [result.solves for result in results]
    known = next((found for found in solves if found is not None), None)
    if known is not None:
        # First-order steps at the beginning of training solve nothing.
        none = torch.full_like(known, torch.nan)
        filled = torch.stack([none if found is None else found for found in solves])
        numbers = torch.cat([numbers, filled], dim=1)
    # The one synchronisation with the device for all these steps.
    values = numbers.cpu().numpy()
    costs = [(r.evaluations.gradients, r.evaluations.products) for r in results]
    rows = np.full((len(results), NUM_COLUMNS), np.nan, dtype=values.dtype)
    middle = len(METRIC_NAMES)
    rows[:, :middle] = values[:, :middle]
    rows[:, middle : middle + 2] = costs
    if known is not None:
        rows[:, middle + 2 :] = values[:, middle:]
    return rows


class FusedStepper(Stepper):
    """Steps on the compiled kernels, as many in one native call as there are tasks."""

    def __init__(
        self,
        learner: MetaLearner,
        state: MetaState,
        blocks: TaskStream,
        *,
        num_chunks: int,
        team: "ThreadTeam | None",
        ahead: Ahead | None,
    ) -> None:
        # Imported lazily so that numba stays optional.
        from metalab.core.fused.run import Data, FusedRun  # noqa: PLC0415

        self._learner = learner
        self._run: FusedRun = FusedRun(
            learner, state, blocks.counts, num_chunks=num_chunks, team=team
        )
        self._lay_out: Callable[..., Data] = Data.of
        self._blocks = blocks
        if ahead is not None:
            # Native calls alone leave the interpreter to whoever draws.
            blocks.ahead = partial(_laid_out_ahead, ahead)
        self._data: tuple[int, Data] | None = None

    @property
    def state(self) -> MetaState:
        """Where training stands: a copy."""
        return self._run.state

    @property
    def step(self) -> int:
        """Outer steps made."""
        return self._run.step

    def advance(self, stop: int, limits: Array) -> Progress:
        """Step to `stop`, one native call for each block of sampled tasks."""
        start = self.step
        parts: list[Array] = []
        while self.step < stop:
            at = self.step
            outcome = self._advance_within_block(stop, limits)
            parts.append(outcome.metrics)
            if outcome.bad:
                rows = _without_solves(np.concatenate(parts))
                quantity, value = _bad_entry(rows[-1], limits, self._learner)
                return Progress(
                    rows=rows[: max(self.step - start, 0)],
                    bad_step=at + len(outcome.metrics),
                    quantity=quantity,
                    value=value,
                )
        return Progress(rows=_without_solves(np.concatenate(parts)))

    def _advance_within_block(self, stop: int, limits: Array) -> "Outcome":
        block, offset = self._blocks.place(self.step)
        if self._data is None or self._data[0] != block:
            self._data = (block, self._lay_out(self._blocks.block(block)))
        count = min(stop - self.step, self._blocks.steps_per_block - offset)
        first = offset * self._blocks.counts.num_tasks
        return self._run.advance(self._data[1], first, count, limits)


def _without_solves(rows: Array) -> Array:
    """Return the rows of native steps with all columns: no linear system is solved."""
    lacking = NUM_COLUMNS - rows.shape[1]
    return np.pad(rows, ((0, 0), (0, lacking)), constant_values=np.nan)


def make_stepper(
    learner: MetaLearner,
    state: MetaState,
    blocks: TaskStream,
    *,
    num_chunks: int,
    team: "ThreadTeam | None",
    ahead: Ahead | None,
) -> Stepper:
    """Return what makes the outer steps: native calls, where kernels do all of a step.

    Args:
        learner: Told whether kernels compute.
        state: Where training stands.
        blocks: The tasks.
        num_chunks: Parts of a meta-batch that can be computed at the same time.
        team: Who computes them; None computes them one after another.
        ahead: Who draws tasks meanwhile.
    """
    if learner.fused and runs_natively(learner, blocks.counts):
        return FusedStepper(
            learner, state, blocks, num_chunks=num_chunks, team=team, ahead=ahead
        )
    return OracleStepper(learner, state, blocks)


def _laid_out_ahead(
    ahead: Ahead, draw: Callable[[], TaskBatch]
) -> Callable[[], TaskBatch]:
    """Begin to draw tasks that lie as the kernels read them."""
    return ahead(lambda: _laid_out(draw()))


def _laid_out(batch: TaskBatch) -> TaskBatch:
    support, query = (
        samples.each(lambda values: values.contiguous())
        for samples in (batch.support, batch.query)
    )
    return replace(batch, support=support, query=query)
