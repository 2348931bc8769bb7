"""The one way to run an experiment: for the window, the command line and sweeps."""

import time
from collections.abc import Callable, Generator, Sequence
from typing import Protocol

from metalab.core.errors import UserError
from metalab.engine.events import Diverged, EvaluationDone, Event, RunEnded, StepsDone
from metalab.engine.trainer import Trainer
from metalab.runs.record.live import LiveRun
from metalab.runs.record.status import RunStatus
from metalab.runs.running.control import Command, RunControl

TARGET_SECONDS = 0.045
"""Time between two looks at the control: short enough for a pause to feel immediate."""

MAX_STEPS = 4096
CURVES_SECONDS = 0.1
"""Least time between two states of the gallery, where none is due by itself."""

WAIT_SECONDS = 0.5


class Sink(Protocol):
    """Takes in what a run says, and keeps it."""

    def on_event(self, event: Event, seconds: float) -> None:
        """Take in one event; `seconds` is training time without pauses."""
        ...

    def flush(self, trainer: Trainer, *, force: bool = False) -> None:
        """Make safe what was taken in, now and then or, with `force`, at once."""
        ...


class StepPacer:
    """How many outer steps fit between two looks at the control."""

    def __init__(self) -> None:
        self._num_steps = 1
        self.limit: int | None = None

    def __call__(self) -> int:
        """Return the number of steps to make next."""
        if self.limit is None:
            return self._num_steps
        return max(1, min(self._num_steps, self.limit))

    def took(self, num_steps: int, seconds: float) -> None:
        """Learn from the last steps; at most double, so one hiccup does no harm."""
        fitting = int(num_steps * TARGET_SECONDS / max(seconds, 1e-9))
        self._num_steps = max(1, min(fitting, 2 * self._num_steps, MAX_STEPS))


def run_loop(
    trainer: Trainer,
    *,
    live: LiveRun,
    control: RunControl,
    sinks: Sequence[Sink] = (),
    clock: Callable[[], float] = time.perf_counter,
) -> RunStatus:
    """Run until the planned steps are made or a stop is ordered.

    Args:
        trainer: What to run.
        live: Where the newest state can be seen.
        control: Where commands come from. A divergence pauses it.
        sinks: Who else is told; each is flushed before this returns or raises.
        clock: Seconds; only for pace and for the `seconds` column.

    Returns:
        FINISHED, STOPPED, or DIVERGED: stopped where it stood after a divergence.

    Thread: the run's thread, or the main thread of a command.
    """
    return _Execution(trainer, live, control, sinks, clock).run()


class _Execution:
    def __init__(
        self,
        trainer: Trainer,
        live: LiveRun,
        control: RunControl,
        sinks: Sequence[Sink],
        clock: Callable[[], float],
    ) -> None:
        self._trainer = trainer
        self._live = live
        self._control = control
        self._sinks = sinks
        self._clock = clock
        self._pace = StepPacer()
        past = live.snapshot().seconds
        self._seconds = float(past[-1]) if len(past) else 0.0
        self._curves_at = -CURVES_SECONDS
        self._curves_step: int | None = None
        self._diverged = False

    def run(self) -> RunStatus:
        events = self._trainer.run(self._pace)
        status = RunStatus.STOPPED
        try:
            # What belongs to the step made is told before an order is obeyed: a run that
            # starts paused can be seen, and one that stops has the evaluation that is due.
            while self._trainer.owes or self._may_go_on():
                event = self._next(events)
                self._tell(event)
                if isinstance(event, RunEnded):
                    status = RunStatus.FINISHED
                    break
        finally:
            events.close()
            for sink in self._sinks:
                sink.flush(self._trainer, force=True)
        # Nobody can ask any more: what stays to be seen is the last state, not one of
        # a tenth of a second before it.
        if self._live.curves_wanted and self._curves_step != self._trainer.step:
            self._live.show_curves(self._trainer.curves())
        if self._diverged and status is RunStatus.STOPPED:
            status = RunStatus.DIVERGED
        self._live.set_status(status)
        return status

    def _next(self, events: Generator[Event, None, None]) -> Event:
        begin = self._clock()
        event = next(events)
        took = self._clock() - begin
        self._seconds += took
        if isinstance(event, StepsDone):
            self._pace.took(len(event.metrics), took)
            self._control.made(len(event.metrics))
        return event

    def _tell(self, event: Event) -> None:
        if isinstance(event, EvaluationDone):
            # Brings the gallery's curves itself.
            self._curves_at, self._curves_step = self._clock(), event.curves.step
        elif isinstance(event, Diverged):
            self._diverged = True
            self._control.pause()
        self._live.on_event(event, self._seconds)
        for sink in self._sinks:
            sink.on_event(event, self._seconds)
            sink.flush(self._trainer)
        self._show_curves()

    def _show_curves(self) -> None:
        now = self._clock()
        if self._live.curves_wanted and now - self._curves_at >= CURVES_SECONDS:
            self._curves_at, self._curves_step = now, self._trainer.step
            self._live.show_curves(self._trainer.curves())

    def _may_go_on(self) -> bool:
        """Wait while paused; return False once stopping."""
        waiting = False
        while True:
            self._take_edits()
            turn = self._control.turn()
            if turn.order is Command.STOP:
                return False
            if turn.order is Command.GO:
                self._accept_divergence()
                self._pace.limit = turn.num_steps
                self._live.set_status(RunStatus.RUNNING)
                return True
            if not waiting:
                waiting = True
                self._live.set_status(RunStatus.PAUSED)
                for sink in self._sinks:
                    sink.flush(self._trainer, force=True)
            else:
                # Of a run that waits, bookmarks are set as well.
                for sink in self._sinks:
                    sink.flush(self._trainer)
            self._show_curves()
            self._control.wait(WAIT_SECONDS)

    def _take_edits(self) -> None:
        """Make the changes that were asked for; one that cannot be is told."""
        for path, value in self._control.take_edits():
            try:
                edit = self._trainer.edit(path, value)
            except UserError as error:
                self._live.set_edit_problem(str(error))
            else:
                self._live.set_edit_problem(None)
                self._tell(edit)

    def _accept_divergence(self) -> None:
        """Take the order to go on after a divergence for consent to it.

        The same steps would explode in the same way.
        """
        if self._diverged:
            self._diverged = False
            self._trainer.accept_explosion()
