"""The one training loop: a generator of events.

Pause is not asking for the next event, stop is closing the generator, headless is a for
loop. The trainer knows no clock, file or thread; how many steps it makes between two
events is asked of the caller and changes no number.
"""

from collections.abc import Callable, Generator

import numpy as np
import torch

from metalab.core.diagnostics import diagnose
from metalab.core.learner import METRIC_NAMES, MetaState
from metalab.core.streams import RandomStreams
from metalab.core.tasks import TaskBatch, sample_batch
from metalab.engine.build import DTYPES, build_family, build_learner, resolve_device
from metalab.engine.config import ExperimentConfig
from metalab.engine.events import (
    Array,
    Checkpoint,
    Curves,
    DiagnosticsTaken,
    Diverged,
    Event,
    ProbeTaken,
    RunEnded,
    RunStarted,
    StepsDone,
    frozen,
)
from metalab.engine.probe import make_probe, to_array

STEPS_PER_BLOCK = 256
"""Outer steps whose tasks are drawn in one call (about five times cheaper a step)."""

POINTS_PER_BLOCK = 2**20
"""Most points that one call draws, where a single step does not need more."""

EXPLOSION_FACTOR = 1e4
"""A loss this many times that of the untrained network counts as exploded."""

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


class Trainer:
    """Trains one experiment.

    Attributes:
        config: The experiment.
        step: Outer steps made.
    """

    def __init__(
        self, config: ExperimentConfig, *, checkpoint: Checkpoint | None = None
    ) -> None:
        """Prepare a run.

        Args:
            config: The experiment.
            checkpoint: Where to go on from; None starts afresh.

        Raises:
            DeviceError: The configured device is not available.
            ValueError: The checkpoint does not fit the experiment.
        """
        self.config = config
        self._device = resolve_device(config)
        self._dtype = DTYPES[config.run.precision]
        self._family = build_family(config)
        self._learner = build_learner(config)
        self._streams = RandomStreams(config.run.seed)
        fresh = self._initial_state()
        self._state = fresh if checkpoint is None else self._restored(fresh, checkpoint)
        self._probe = make_probe(
            self._learner,
            self._family,
            self._streams,
            num_tasks=config.evaluation.num_tasks,
            num_shots=config.eval_shots,
            num_queries=config.evaluation.num_queries,
            num_inner_steps=config.evaluation.num_inner_steps,
            query=config.held_out_query,
            dtype=self._dtype,
            device=self._device,
        )
        self._last_good = self._state
        self._block: tuple[int, TaskBatch] | None = None
        self._steps_per_block = _steps_per_block(config)
        # From the untrained network, so that a resumed run has the limit of a straight
        # one. Not zero, lest a network that starts out perfect could never move.
        self._explosion_limit = EXPLOSION_FACTOR * max(
            self._probe.loss_before_adaptation(fresh.phi), 1e-6
        )

    @property
    def step(self) -> int:
        """Outer steps made."""
        return self._state.step

    @property
    def probe_due(self) -> bool:
        """Whether `run`, begun now, takes a probe before its first step."""
        return self._is_probe_step(self.step)

    @property
    def diagnostics_due(self) -> bool:
        """Whether `run`, begun now, takes diagnostics before its first step."""
        return self.config.diagnostics.due(self.step)

    def _initial_state(self) -> MetaState:
        return self._learner.initial_state(
            generator=self._streams.generator("initial meta-parameters"),
            dtype=self._dtype,
            device=self._device,
        )

    def _restored(self, fresh: MetaState, checkpoint: Checkpoint) -> MetaState:
        arrays = (checkpoint.phi, *checkpoint.slots)
        shapes = [tuple(tensor.shape) for tensor in (fresh.phi, *fresh.slots)]
        if [array.shape for array in arrays] != shapes:
            raise ValueError(
                f"the checkpoint holds arrays of shapes {[a.shape for a in arrays]}; "
                f"the experiment needs {shapes}"
            )
        phi, *slots = (
            torch.tensor(array, dtype=self._dtype, device=self._device)
            for array in arrays
        )
        return MetaState(step=checkpoint.step, phi=phi, slots=tuple(slots))

    def checkpoint(self) -> Checkpoint:
        """Return the training state as plain arrays."""
        return Checkpoint(
            step=self._state.step,
            phi=to_array(self._state.phi),
            slots=tuple(to_array(slot) for slot in self._state.slots),
        )

    def curves(self) -> Curves:
        """Return how the gallery's tasks adapt right now; changes nothing."""
        return self._probe.curves(self._state.phi, self._state.step)

    def accept_explosion(self) -> None:
        """Let losses grow a thousandfold further before the run is stopped again.

        A value that is not finite is never accepted: nothing comes back from it.
        """
        self._explosion_limit *= 1e3

    def run(self, pace: Callable[[], int] = lambda: 16) -> Generator[Event, None, None]:
        """Yield events until the planned number of outer steps is made.

        Args:
            pace: Asked before each batch of steps: how many to make, at least 1.

        Yields:
            `RunStarted` first, `RunEnded` last. After `Diverged` the state is the last
            good one, at most one step before the last `StepsDone`; going on repeats the
            steps from there.
        """
        yield RunStarted(
            step=self.step,
            device=str(self._device),
            provider="autodiff",
            probe_tasks=self._probe.describe(self._family),
        )
        # Also when going on: the run may have been stopped just before this probe.
        if self.probe_due:
            yield self._take_probe()
        if self.diagnostics_due:
            yield self._take_diagnostics()
        total = self.config.outer.num_steps
        while self.step < total:
            start = self.step
            stop = min(start + max(1, pace()), total, self._next_stop())
            rows, diverged = self._advance(stop)
            if len(rows) > 0:
                yield StepsDone(first_step=start + 1, metrics=frozen(rows.copy()))
            if diverged is not None:
                yield diverged
                continue
            if self._is_probe_step(self.step) or self.step == total:
                yield self._take_probe()
            if self.diagnostics_due:
                yield self._take_diagnostics()
        yield RunEnded(step=self.step)

    def _advance(self, stop: int) -> tuple[Array, Diverged | None]:
        """Step to `stop`, or to the last state whose numbers were all good.

        Returns:
            Metrics of the steps that stand, [step, metric], and what went wrong.
        """
        start = self.step
        states, rows = self._step_to(stop)
        bad = self._first_bad_row(rows)
        if bad is None:
            self._last_good = states[-1]
            return rows, None
        index, quantity = bad
        # Row i was measured at states[i]: a bad row makes that state suspect, and the
        # one before it is the last that is known to be good.
        self._state = states[index - 1] if index > 0 else self._last_good
        self._last_good = self._state
        diverged = Diverged(
            step=start + index + 1,
            last_good_step=self.step,
            quantity=quantity,
            value=float(rows[index, METRIC_NAMES.index(quantity)]),
        )
        return rows[: max(self.step - start, 0)], diverged

    def _step_to(self, stop: int) -> tuple[list[MetaState], Array]:
        """Make steps without looking at a value in between.

        Returns:
            The state before each step, and the columns of `METRICS` measured there.
        """
        states: list[MetaState] = []
        rows: list[torch.Tensor] = []
        costs: list[tuple[int, int]] = []
        while self.step < stop:
            states.append(self._state)
            result = self._learner.step(
                self._state, self._batch(self.step), self._streams
            )
            self._state = result.state
            rows.append(result.metrics)
            asked = result.evaluations
            costs.append((asked.gradients, asked.products))
        # The one synchronisation with the device for all these steps.
        metrics = torch.stack(rows).cpu().numpy()
        return states, np.column_stack([metrics, np.array(costs, dtype=metrics.dtype)])

    def _first_bad_row(self, rows: Array) -> tuple[int, str] | None:
        losses = [i for i, name in enumerate(METRIC_NAMES) if "loss" in name]
        largest = float(np.finfo(rows.dtype).max)
        limits = np.full(len(METRIC_NAMES), largest)
        limits[losses] = min(self._explosion_limit, largest)
        # What a step costs comes after these columns, and cannot go wrong.
        bad = ~(np.abs(rows[:, : len(limits)]) <= limits)
        if not bad.any():
            return None
        index = int(np.argmax(bad.any(axis=1)))
        blamed = next(
            name for name in BLAME_ORDER if bad[index, METRIC_NAMES.index(name)]
        )
        return index, blamed

    def _batch(self, step: int) -> TaskBatch:
        """Return the meta-batch of one step; it depends on the step alone."""
        block, offset = divmod(step, self._steps_per_block)
        if self._block is None or self._block[0] != block:
            config = self.config
            drawn = sample_batch(
                self._family,
                config.outer.num_tasks * self._steps_per_block,
                num_shots=config.tasks.num_shots,
                num_queries=config.tasks.num_queries,
                generator=self._streams.generator("training tasks", block),
                dtype=self._dtype,
            )
            self._block = (block, drawn.to(self._device))
        count = self.config.outer.num_tasks
        return self._block[1].rows(offset * count, (offset + 1) * count)

    def _is_probe_step(self, step: int) -> bool:
        every = self.config.evaluation.every
        return step % every == 0 or (step < every and step in _early_steps(every))

    def _next_stop(self) -> int:
        """Return the next step at which something is looked at."""
        every = self.config.evaluation.every
        intervals = [every, self.config.diagnostics.every or every]
        following = [(self.step // interval + 1) * interval for interval in intervals]
        early = [step for step in _early_steps(every) if step > self.step]
        return min([*following, *early])

    def _take_probe(self) -> ProbeTaken:
        phi = self._state.phi
        evaluation, curves = self._probe.evaluate(phi, self.step)
        return ProbeTaken(evaluation=evaluation, curves=curves, phi=to_array(phi))

    def _take_diagnostics(self) -> DiagnosticsTaken:
        values = diagnose(
            self._learner,
            self._state,
            self._batch(self.step),
            self._streams,
            num_power_iterations=self.config.diagnostics.num_power_iterations,
        )
        numbers = torch.stack(list(values.values())).tolist()
        return DiagnosticsTaken(
            step=self.step, values=dict(zip(values, numbers, strict=True))
        )


def _steps_per_block(config: ExperimentConfig) -> int:
    tasks = config.tasks
    points = config.outer.num_tasks * (tasks.num_shots + tasks.num_queries)
    return max(1, min(STEPS_PER_BLOCK, POINTS_PER_BLOCK // points))


def _early_steps(every: int) -> tuple[int, ...]:
    """Return 1, 2, 5, 10, 20, 50, ... below `every`: training is fastest at the start."""
    steps = (lead * 10**power for power in range(10) for lead in (1, 2, 5))
    return tuple(step for step in steps if step < every)
