"""The one training loop: a generator of events.

Pause is not asking for the next event, stop is closing the generator, headless is a for
loop. The trainer knows no clock, file or thread; how many steps it makes between two
events is asked of the caller and changes no number.
"""

from collections.abc import Callable, Generator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import torch

from metalab.core.compiled import compiled
from metalab.core.diagnostics import diagnose
from metalab.core.learner import MetaLearner, MetaState
from metalab.core.streams import RandomStreams
from metalab.engine.build import (
    DTYPES,
    build_learner,
    check_fits,
    resolve_device,
    training_family,
)
from metalab.engine.events import (
    Array,
    Checkpoint,
    Curves,
    DiagnosticsTaken,
    Diverged,
    EvaluationDone,
    Event,
    HeldOutTasks,
    RunEnded,
    RunStarted,
    StepsDone,
    frozen,
)
from metalab.engine.held_out import HeldOutEvaluation, held_out_evaluation, to_array
from metalab.engine.providers import FUSED, chosen_provider, counts_of
from metalab.engine.steppers import Stepper, largest_good, make_stepper
from metalab.engine.task_stream import Ahead, TaskStream
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.config_history import ConfigHistory, config_history
from metalab.experiment.edit import Edit

if TYPE_CHECKING:
    from metalab.core.fused.run import ThreadTeam


def restored(fresh: MetaState, checkpoint: Checkpoint) -> MetaState:
    """Return a training state with the numbers of a checkpoint.

    Args:
        fresh: A state of the same experiment: its shapes, precision and device.
        checkpoint: The numbers.

    Raises:
        ValueError: The checkpoint is not of such an experiment.
    """
    arrays = (checkpoint.phi, *checkpoint.slots)
    tensors = (fresh.phi, *fresh.slots)
    shapes = [tuple(tensor.shape) for tensor in tensors]
    if [array.shape for array in arrays] != shapes:
        raise ValueError(
            f"the checkpoint holds arrays of shapes {[a.shape for a in arrays]}; "
            f"the experiment needs {shapes}"
        )
    phi, *slots = (
        torch.tensor(array, dtype=fresh.phi.dtype, device=fresh.phi.device)
        for array in arrays
    )
    return MetaState(step=checkpoint.step, phi=phi, slots=tuple(slots))


def is_evaluation_step(config: ExperimentConfig, step: int) -> bool:
    """Return whether the held-out tasks are evaluated after so many outer steps."""
    every = config.evaluation.every
    return step % every == 0 or (step < every and step in _early_steps(every))


def next_look(config: ExperimentConfig, step: int) -> int:
    """Return the next step with an evaluation or with diagnostics."""
    every = config.evaluation.every
    intervals = [every, config.diagnostics.every or every]
    following = [(step // interval + 1) * interval for interval in intervals]
    early = [at for at in _early_steps(every) if at > step]
    return min([*following, *early])


def _early_steps(every: int) -> tuple[int, ...]:
    """Return 1, 2, 5, 10, 20, 50, ... below `every`: training is fastest at the start."""
    steps = (lead * 10**power for power in range(10) for lead in (1, 2, 5))
    return tuple(step for step in steps if step < every)


EXPLOSION_FACTOR = 1e4
"""A loss this many times that of the untrained network counts as exploded."""


class Trainer:
    """Trains one experiment.

    Attributes:
        config: The experiment as the next outer step is made with it.
        step: Outer steps made.
        learner: How steps are made and tasks adapted to, from the next step on.
        task_stream: The meta-batches.
        streams: Where randomness comes from.
        explosion_limit: Outer loss beyond which training has diverged.
    """

    def __init__(
        self,
        config: ExperimentConfig | ConfigHistory,
        *,
        checkpoint: Checkpoint | None = None,
        provider: str | None = None,
        team: "ThreadTeam | None" = None,
        ahead: Ahead | None = None,
    ) -> None:
        """Prepare a run.

        Args:
            config: The experiment, with edits that a run makes again at their steps.
            checkpoint: Where to go on from; None starts afresh.
            provider: Who computes the outer steps, "fused" or "autodiff"; None takes
                what `engine.providers` chooses.
            team: Who computes the parts of a meta-batch on several threads; without it
                they are computed one after another, with the same numbers.
            ahead: Who draws tasks while compiled kernels compute; without it the two take
                turns, with the same numbers.

        Raises:
            DeviceError: The configured device is not available.
            MemoryNeedError: The held-out tasks would not fit into memory.
            ValueError: The checkpoint does not fit the experiment.
        """
        self._configs = config_history(config)
        # Edits at this step apply after its evaluation, as in the original run.
        self.config = self._configs.at(0 if checkpoint is None else checkpoint.step)
        config = self.config
        check_fits(config, trains=False)
        self._device = resolve_device(config)
        self._dtype = DTYPES[config.run.precision]
        self._provider = provider or chosen_provider(config)[0]
        self._team, self._ahead = team, ahead
        self._slots_from = 0 if checkpoint is None else checkpoint.slots_from
        self.learner = self._build_learner()
        self.streams = RandomStreams(config.run.seed)
        fresh = self._initial_state()
        state = fresh if checkpoint is None else restored(fresh, checkpoint)
        self._stepper = self._make_stepper(state)
        self._held_out = self._make_held_out()
        # From the untrained network, so that a resumed run has the limit of a straight
        # one. Not zero, lest a network that starts out perfect could never move.
        self.explosion_limit = EXPLOSION_FACTOR * max(
            self._held_out.loss_before_adaptation(fresh.phi), self._least_loss()
        )
        self._owed: list[Callable[[], Event]] = [self._start]

    def _least_loss(self) -> float:
        """Return the loss that the limit is at least a multiple of."""
        # Where losses may be negative, zero is a loss like any other.
        return 1e-6 if self.config.loss_words.logarithmic else 1.0

    @property
    def step(self) -> int:
        """Outer steps made."""
        return self._stepper.step

    @property
    def state(self) -> MetaState:
        """Training state that the next outer step is made from."""
        return self._stepper.state

    @property
    def evaluation_due(self) -> bool:
        """Whether an evaluation belongs to the step that training stands at."""
        last = self.step == self.config.outer.num_steps
        return last or is_evaluation_step(self.config, self.step)

    @property
    def diagnostics_due(self) -> bool:
        """Whether diagnostics belong to the step that training stands at."""
        return self.config.diagnostics.due(self.step)

    @property
    def owes(self) -> bool:
        """Whether the next event of `run` is about the step that training stands at.

        Its evaluation, its diagnostics, that training has diverged, or the beginning or end
        of the run. Who stops or waits takes these first: they belong to that step, whoever
        stops there.
        """
        return bool(self._owed)

    @property
    def compiles(self) -> bool:
        """Whether torch is to compile the outer steps."""
        return self.learner.compiled

    def compile(self) -> str | None:
        """Compile the outer steps before the first one; changes no number.

        Returns:
            Why they are not compiled; None if they are.
        """
        learner = self.learner
        outer_gradient = compiled(
            learner.outer_gradient(max(self.step, learner.settles_at))
        )
        outer_gradient(
            self.state.phi, self.task_stream.batch(self.step), self.streams, self.step
        )
        return outer_gradient.obstacle

    def edit(self, path: str, value: float | str) -> Edit:
        """Change a field from the next outer step on, and return what was changed.

        Raises:
            EditError: The field cannot change while a run goes on.
            ConfigError: The value is not allowed.
        """
        edit = Edit(step=self.step, path=path, value=value)
        self._configs = self._configs.with_edit(edit)
        self._take_edits()
        return edit

    def _take_edits(self) -> None:
        """Go on from the same state with the experiment as it is after its edits."""
        config = self._configs.after(self.step)
        if config is self.config:
            return
        self.config = config
        self.learner = self._build_learner()
        self._stepper = self._make_stepper(self._stepper.state)
        self._held_out = self._make_held_out()

    def _build_learner(self) -> MetaLearner:
        return replace(
            build_learner(self.config, fused=self._provider == FUSED),
            compiled=self._provider != FUSED and self.config.run.compile == "on",
            slots_from=self._slots_from,
        )

    def _make_held_out(self) -> HeldOutEvaluation:
        return held_out_evaluation(self.config, self.learner, device=self._device)

    def _make_stepper(self, state: MetaState) -> Stepper:
        self.task_stream = TaskStream(
            family=training_family(self.config),
            streams=self.streams,
            counts=counts_of(self.config),
            dtype=self._dtype,
            device=self._device,
            num_training_tasks=self.config.tasks.num_training_tasks,
        )
        return make_stepper(
            self.learner,
            state,
            self.task_stream,
            num_chunks=self.config.run.num_threads,
            team=self._team,
            ahead=self._ahead,
        )

    def _initial_state(self) -> MetaState:
        return self.learner.initial_state(
            generator=self.streams.generator("initial meta-parameters"),
            dtype=self._dtype,
            device=self._device,
        )

    def checkpoint(self) -> Checkpoint:
        """Return the training state as plain arrays."""
        state = self.state
        return Checkpoint(
            step=state.step,
            phi=to_array(state.phi),
            slots=tuple(to_array(slot) for slot in state.slots),
            slots_from=self._slots_from,
        )

    def curves(self) -> Curves:
        """Return how the gallery's tasks adapt right now; changes nothing."""
        return self._held_out.curves(self.state.phi, self.step)

    def held_out(self) -> HeldOutTasks:
        """Return the held-out tasks."""
        return self._held_out.describe()

    def accept_explosion(self) -> None:
        """Let losses grow a thousandfold further before the run is stopped again.

        A value that is not finite is never accepted: nothing comes back from it.
        """
        self.explosion_limit *= 1e3

    def run(self, pace: Callable[[], int] = lambda: 16) -> Generator[Event, None, None]:
        """Yield events until the planned number of outer steps is made.

        Args:
            pace: Asked before each batch of steps: how many to make, at least 1.

        Yields:
            `RunStarted` first, `RunEnded` last. After `Diverged` the state is the last
            good one, at most one step before the last `StepsDone`; going on repeats the
            steps from there.
        """
        # Also when going on: the run may have been killed just before this evaluation.
        self._owed = [self._start, *self._due()]
        yield from self._pay()
        total = self.config.outer.num_steps
        while self.step < total:
            self._take_edits()
            start = self.step
            count = self.task_stream.even(start, max(1, pace()))
            stop = min(start + count, total, self._next_stop())
            rows, diverged = self._advance(stop)
            if diverged is None:
                self._owed = self._due()
            else:
                self._owed = [partial(_said, diverged)]
                # An edit that this went back behind is in force already.
                self._configs = self._configs.rewound(self.step, made=start)
            if len(rows) > 0:
                yield StepsDone(first_step=start + 1, metrics=frozen(rows.copy()))
            yield from self._pay()

    def _due(self) -> list[Callable[[], Event]]:
        """Return what makes the events about the step that training stands at."""
        due: list[Callable[[], Event]] = []
        if self.evaluation_due:
            due.append(self._evaluate)
        if self.diagnostics_due:
            due.append(self._take_diagnostics)
        if self.step >= self.config.outer.num_steps:
            due.append(self._end)
        return due

    def _pay(self) -> Generator[Event, None, None]:
        while self._owed:
            yield self._owed.pop(0)()

    def _start(self) -> RunStarted:
        return RunStarted(
            step=self.step,
            device=str(self._device),
            provider=self._provider,
            held_out_tasks=self.held_out(),
        )

    def _end(self) -> RunEnded:
        return RunEnded(step=self.step)

    def _advance(self, stop: int) -> tuple[Array, Diverged | None]:
        """Step to `stop`, or to the last state whose numbers were all good.

        Returns:
            Metrics of the steps that stand, [step, metric], and what went wrong.
        """
        progress = self._stepper.advance(
            stop, largest_good(self._dtype, self.explosion_limit)
        )
        if progress.bad_step is None:
            return progress.rows, None
        diverged = Diverged(
            step=progress.bad_step,
            last_good_step=self.step,
            quantity=progress.quantity,
            value=progress.value,
        )
        return progress.rows, diverged

    def _next_stop(self) -> int:
        """Return the next step at which something is looked at or changed."""
        look, edit = (
            next_look(self.config, self.step),
            self._configs.next_edit(self.step),
        )
        return look if edit is None else min(look, edit)

    def _evaluate(self) -> EvaluationDone:
        phi = self.state.phi
        evaluation, curves = self._held_out.evaluate(phi, self.step)
        return EvaluationDone(
            evaluation=evaluation,
            curves=curves,
            snapshot=self.checkpoint(),
            stability=self._held_out.stability(phi, evaluation),
        )

    def _take_diagnostics(self) -> DiagnosticsTaken:
        values = diagnose(
            self.learner,
            self.state,
            self.task_stream.batch(self.step),
            self.streams,
            num_power_iterations=self.config.diagnostics.num_power_iterations,
        )
        numbers = torch.stack(list(values.values())).tolist()
        return DiagnosticsTaken(
            step=self.step, values=dict(zip(values, numbers, strict=True))
        )


def _said(event: Event) -> Event:
    return event
