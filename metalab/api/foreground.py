"""Running in the foreground, with progress and obedient to signals."""

from collections.abc import Callable
from typing import Protocol

from metalab.engine.events import Diverged, EvaluationDone, Event, RunStarted, StepsDone
from metalab.engine.stability import stability_warning
from metalab.engine.trainer import Trainer
from metalab.experiment.config import ExperimentConfig
from metalab.runs.record.live import LiveRun
from metalab.runs.record.status import RunStatus
from metalab.runs.running.control import RunControl
from metalab.runs.running.run import run_experiment
from metalab.runs.system.signals import stop_on_signals


class Show(Protocol):
    """Shows a person how far a run is."""

    def moved(self, step: int, rate: str) -> None:
        """Show the outer steps made, and steps a second in words; "" where unknown."""
        ...

    def evaluated(self, loss: float) -> None:
        """Show the held-out query loss after K inner steps."""
        ...

    def told(self, line: str) -> None:
        """Show a line that stays."""
        ...


class ProgressSink:
    """Shows a run's progress; stops it at a given step or when it diverges."""

    def __init__(
        self,
        show: Show,
        control: RunControl,
        *,
        config: ExperimentConfig,
        stop_at: int | None,
    ) -> None:
        self._config = config
        self._warned = False
        self._shown = show
        self._control = control
        self._stop_at = stop_at
        self._step = 0
        self._first: tuple[int, float] | None = None
        self.diverged: Diverged | None = None

    def on_event(self, event: Event, seconds: float) -> None:
        """Show what is new."""
        if isinstance(event, RunStarted):
            self._step = event.step
            self._first = (event.step, seconds)
            self._shown.moved(event.step, "")
        elif isinstance(event, StepsDone):
            self._step = event.last_step
            self._show(event.last_step, seconds)
        elif isinstance(event, EvaluationDone):
            loss = event.evaluation.query_loss[:, self._config.num_inner_steps].mean()
            self._shown.evaluated(float(loss))
            self._warn(event)
        elif isinstance(event, Diverged):
            self.diverged = event
            self._control.stop()
        if self._stop_at is not None and self._step >= self._stop_at:
            self._control.stop()

    def _show(self, step: int, seconds: float) -> None:
        assert self._first is not None, "RunStarted comes first"
        steps, time = step - self._first[0], seconds - self._first[1]
        self._shown.moved(step, f"{steps / time:,.0f} steps/s" if time > 0 else "")

    def _warn(self, event: EvaluationDone) -> None:
        """Say once that the run may diverge."""
        warning = stability_warning(
            self._config, event.evaluation.step, event.stability
        )
        if warning is not None and not self._warned:
            self._warned = True
            self._shown.told(f"Warning: {warning.message}")

    def flush(self, trainer: Trainer, *, force: bool = False) -> None:
        """Do nothing: what is shown is not kept."""


class StorageSink:
    """Tells when the run file cannot be written, and when it can again."""

    def __init__(self, live: LiveRun, tell: Callable[[str], None]) -> None:
        """Watch a run.

        Args:
            live: The run.
            tell: Takes one line.
        """
        self._live = live
        self._tell = tell
        self._told: str | None = None

    def on_event(self, event: Event, seconds: float) -> None:
        """Do nothing: files are written between events."""

    def flush(self, trainer: Trainer, *, force: bool = False) -> None:
        """Tell what is new; comes after the file has been flushed."""
        del trainer
        problem = self._live.snapshot().storage_problem
        if problem == self._told or force:
            return
        self._told = problem
        if problem is None:
            self._tell(f"{self._live.path} is written again")
        else:
            self._tell(f"{problem}; it is kept in memory and tried again")


def run_in_foreground(
    live: LiveRun,
    *,
    show: Show,
    warn: Callable[[str], None],
    resuming: bool = False,
    stop_at: int | None = None,
) -> tuple[RunStatus, Diverged | None]:
    """Run until done, stopped by a signal, or diverged.

    Args:
        live: The run.
        show: Shows how far it is.
        warn: Takes one line about the run file.
        resuming: Whether the run's file exists.
        stop_at: Outer step to stop and keep at; None goes to the end.

    Returns:
        How the run ended, and why it diverged if it did.

    Raises:
        RunFileError: The file cannot be created, used or written.
        DeviceError: The configured device is not available.
        ProviderError: The run needs compiled kernels that cannot be had here.
    """
    control = RunControl()
    start = live.snapshot().step
    if stop_at is not None and stop_at > start:
        # Allowing exactly these steps makes the stop exact whatever the pace.
        control.step(stop_at - start)
    sink = ProgressSink(show, control, config=live.config, stop_at=stop_at)
    with stop_on_signals(control.stop):
        status = run_experiment(
            live,
            control,
            resuming=resuming,
            # The file is flushed before both.
            sinks=[sink, StorageSink(live, warn)],
            on_compiling=show.told,
        )
    return status, sink.diverged
