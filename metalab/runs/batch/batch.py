"""Many runs, each in its own file: started, gone on with, or found finished."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from metalab.core.paths import is_there
from metalab.engine.events import Diverged, Event, RunStarted, StepsDone
from metalab.engine.trainer import Trainer
from metalab.experiment.config import ExperimentConfig
from metalab.runs.record.file_format import RunFileError
from metalab.runs.record.history import RunHistory
from metalab.runs.record.live import LiveRun
from metalab.runs.record.reader import open_run
from metalab.runs.record.status import RunStatus
from metalab.runs.running.control import RunControl
from metalab.runs.running.run import run_experiment
from metalab.runs.system.signals import stop_on_signals


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRun:
    """One run of a batch.

    Attributes:
        config: The experiment.
        path: Its run file; what it holds of this experiment is not computed again.
    """

    config: ExperimentConfig
    path: Path


class Ending(Enum):
    """How a run of a batch ended."""

    FINISHED = "finished"
    REUSED = "found finished"
    STOPPED = "stopped"
    DIVERGED = "diverged"

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
        message: Why it diverged; else "".
    """

    ending: Ending
    step: int
    message: str = ""


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
    ) -> None:
        self._control = control
        self._tell = tell
        self._stopping = stopping
        self.diverged: Diverged | None = None

    def on_event(self, event: Event, seconds: float) -> None:
        """Pass on the step; look whether to stop."""
        del seconds
        if isinstance(event, RunStarted):
            self._tell(event.step)
        elif isinstance(event, StepsDone):
            self._tell(event.last_step)
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

    Args:
        planned: The run.
        tell: Told the outer steps made.
        stopping: Asked often whether to save and end.

    Raises:
        RunFileError: The file holds another experiment, or cannot be used.
        DeviceError: The configured device is not available.
    """
    past = None
    if is_there(planned.path):
        past = open_run(planned.path).history
        _check_same(past, planned)
        if past.step >= planned.config.outer.num_steps:
            return Outcome(ending=Ending.REUSED, step=past.step)
        if past.diverged is not None:
            # The same steps would explode again; to go further is for a person to ask.
            return Outcome(
                ending=Ending.DIVERGED, step=past.step, message=past.diverged.message
            )
    control = RunControl(also_stops=stopping)
    listener = StepListener(control, tell, stopping)
    config = planned.config if past is None else past.configs
    live = LiveRun(config, path=planned.path, past=past)
    status = run_experiment(live, control, resuming=past is not None, sinks=[listener])
    step = live.snapshot().step
    if listener.diverged is not None:
        message = listener.diverged.message
        return Outcome(ending=Ending.DIVERGED, step=step, message=message)
    ending = Ending.FINISHED if status is RunStatus.FINISHED else Ending.STOPPED
    return Outcome(ending=ending, step=step)


def _check_same(past: RunHistory, planned: PlannedRun) -> None:
    wanted, found = planned.config, past.next_config
    if not past.configs.started_as(wanted):
        raise RunFileError(
            f"{planned.path} holds another experiment (digest {found.digest()}, seed "
            f"{found.run.seed}) than {wanted.name} (digest {wanted.digest()}, seed "
            f"{wanted.run.seed}); move it away or choose another folder"
        )


def run_in_turn(planned: Sequence[PlannedRun], watch: Watch) -> list[Outcome]:
    """Carry out runs one after another in this process; a signal stops the batch.

    Returns:
        The outcomes, in order; after a stop, those of the runs that began.

    Raises:
        RunFileError: See `carry_out`.

    Thread: the main thread, for the signals.
    """
    stop = threading.Event()
    outcomes: list[Outcome] = []
    with stop_on_signals(stop.set):
        for index, run in enumerate(planned):
            if stop.is_set():
                break

            def tell(step: int, index: int = index) -> None:
                watch.stepped(index, step)

            outcome = carry_out(run, tell=tell, stopping=stop.is_set)
            watch.ended(index, outcome)
            outcomes.append(outcome)
    return outcomes
