"""Many runs, each in its own file: started, gone on with, or found finished."""

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from metalab.core.errors import UserError
from metalab.core.paths import is_there
from metalab.engine.events import Diverged, Event, RunStarted, StepsDone
from metalab.engine.trainer import Trainer
from metalab.experiment.config import ExperimentConfig
from metalab.runs.record.file_format import RunBusyError, RunFileError
from metalab.runs.record.history import RunHistory
from metalab.runs.record.live import LiveRun
from metalab.runs.record.reader import open_run
from metalab.runs.record.status import RunStatus
from metalab.runs.record.writer import check_unlocked
from metalab.runs.running.control import RunControl
from metalab.runs.running.run import run_experiment
from metalab.runs.system.faults import one_line

BUSY_SECONDS = 20.0
"""Time that a run file may be written by a process whose batch was killed: it has to
notice, to finish its outer step, and to save."""

_LOOK_SECONDS = 0.1


class BatchError(UserError):
    """A batch that cannot be carried out, or some of whose runs failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRun:
    """One run of a batch.

    Attributes:
        config: The experiment.
        path: Its run file; what it holds of this experiment is not computed again.
        stop_at: Outer step at which it is kept for now; None goes to the end.
    """

    config: ExperimentConfig
    path: Path
    stop_at: int | None = None

    @property
    def num_steps(self) -> int:
        """Outer steps that its file shall hold."""
        planned = self.config.outer.num_steps
        return planned if self.stop_at is None else min(self.stop_at, planned)


class Ending(Enum):
    """How a run of a batch ended."""

    FINISHED = "finished"
    REUSED = "found finished"
    HELD = "held at the step it was planned to"
    STOPPED = "stopped"
    CANCELLED = "cancelled"
    DIVERGED = "diverged"
    FAILED = "failed"

    @property
    def complete(self) -> bool:
        """Whether the run made all its steps."""
        return self in (Ending.FINISHED, Ending.REUSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a run.

    Attributes:
        ending: How it ended.
        step: Outer steps that its file holds.
        message: Why it diverged or failed; else "".
        traceback: Of a failure that is nobody's mistake in settings or files: another
            attempt may succeed; else "".
    """

    ending: Ending
    step: int
    message: str = ""
    traceback: str = ""


class Watch(Protocol):
    """Is told how a batch goes on. Called in the thread that runs the batch."""

    def stepped(self, index: int, step: int) -> None:
        """Run `index` stands at outer step `step`; the first word about it, too."""
        ...

    def ended(self, index: int, outcome: Outcome) -> None:
        """Run `index` is over."""
        ...


class StepListener:
    """A sink that tells the steps made, and ends the run when asked to."""

    def __init__(
        self,
        control: RunControl,
        tell: Callable[[int], None],
        stopping: Callable[[], bool],
        *,
        stop_at: int | None = None,
    ) -> None:
        self._control = control
        self._tell = tell
        self._stopping = stopping
        self._stop_at = stop_at
        self.diverged: Diverged | None = None

    def on_event(self, event: Event, seconds: float) -> None:
        """Pass on the step; look whether to stop."""
        del seconds
        if isinstance(event, RunStarted):
            self._tell(event.step)
        elif isinstance(event, StepsDone):
            self._tell(event.last_step)
            if event.last_step == self._stop_at:
                self._control.stop()
        elif isinstance(event, Diverged):
            self.diverged = event
            # Going on would repeat the same steps for ever.
            self._control.stop()
        if self._stopping():
            self._control.stop()

    def flush(self, trainer: Trainer, *, force: bool = False) -> None:
        """Do nothing: the listener keeps nothing."""


def carry_out(
    planned: PlannedRun, *, tell: Callable[[int], None], stopping: Callable[[], bool]
) -> Outcome:
    """Start a run, go on with it, or find it finished.

    A file that another process is writing is waited for: it may be one whose batch was
    killed, which is about to save and end.

    Args:
        planned: The run.
        tell: Told the outer steps made.
        stopping: Asked often whether to save and end.

    Raises:
        RunFileError: The file holds another experiment, cannot be used, or is still
            written by another process after `BUSY_SECONDS`.
        DeviceError: The configured device is not available.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return _carry_out(planned, tell=tell, stopping=stopping)
        except RunBusyError:
            if stopping():
                return Outcome(ending=Ending.STOPPED, step=0)
            if time.monotonic() > deadline:
                raise
            time.sleep(_LOOK_SECONDS)


def _carry_out(
    planned: PlannedRun, *, tell: Callable[[int], None], stopping: Callable[[], bool]
) -> Outcome:
    past = None
    if is_there(planned.path):
        # First: what another process is about to write would be computed again.
        check_unlocked(planned.path)
        past = open_run(planned.path).history
        _check_same(past, planned)
        found = _found(past, planned)
        if found is not None:
            return found
    control = RunControl(also_stops=stopping)
    step = 0 if past is None else past.step
    if planned.num_steps < planned.config.outer.num_steps:
        control.step(planned.num_steps - step)
    listener = StepListener(control, tell, stopping, stop_at=planned.stop_at)
    config = planned.config if past is None else past.configs
    live = LiveRun(config, path=planned.path, past=past)
    status = run_experiment(live, control, resuming=past is not None, sinks=[listener])
    step = live.snapshot().step
    if listener.diverged is not None:
        message = listener.diverged.message
        return Outcome(ending=Ending.DIVERGED, step=step, message=message)
    if status is RunStatus.FINISHED:
        return Outcome(ending=Ending.FINISHED, step=step)
    ending = Ending.HELD if step >= planned.num_steps else Ending.STOPPED
    return Outcome(ending=ending, step=step)


def _found(past: RunHistory, planned: PlannedRun) -> Outcome | None:
    """Return what became of a run whose file needs no further step; else None."""
    if past.step >= planned.config.outer.num_steps:
        return Outcome(ending=Ending.REUSED, step=past.step)
    if past.diverged is not None:
        # The same steps would explode again; to go further is for a person to ask.
        message = past.diverged.message
        return Outcome(ending=Ending.DIVERGED, step=past.step, message=message)
    if past.step >= planned.num_steps:
        return Outcome(ending=Ending.HELD, step=past.step)
    return None


def attempt(
    planned: PlannedRun, *, tell: Callable[[int], None], stopping: Callable[[], bool]
) -> Outcome:
    """Carry out a run of a batch: its failure is its own, and the others go on.

    Args:
        planned: The run.
        tell: Told the outer steps made.
        stopping: Asked often whether to save and end.
    """
    step = 0

    def note(made: int) -> None:
        nonlocal step
        step = made
        tell(made)

    try:
        return carry_out(planned, tell=note, stopping=stopping)
    except UserError as error:
        return Outcome(ending=Ending.FAILED, step=step, message=str(error))
    except Exception as error:  # noqa: BLE001 - told as the run's outcome, traceback and all
        told = "".join(traceback.format_exception(error))
        message = one_line(error)
        return Outcome(ending=Ending.FAILED, step=step, message=message, traceback=told)


def _check_same(past: RunHistory, planned: PlannedRun) -> None:
    wanted, found = planned.config, past.next_config
    if not past.configs.started_as(wanted):
        raise RunFileError(
            f"{planned.path} holds another experiment (digest {found.digest()}, seed "
            f"{found.run.seed}) than {wanted.name} (digest {wanted.digest()}, seed "
            f"{wanted.run.seed}); move it away or choose another folder"
        )
