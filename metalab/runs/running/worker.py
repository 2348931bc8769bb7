"""The background thread of a run."""

import threading
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from metalab.core.errors import UserError
from metalab.runs.record.history import Failure
from metalab.runs.record.live import LiveRun
from metalab.runs.running.control import RunControl
from metalab.runs.system.faults import one_line

if TYPE_CHECKING:
    from metalab.experiment.config import ExperimentConfig
    from metalab.experiment.config_history import ConfigHistory
    from metalab.runs.record.history import RunHistory
    from metalab.runs.running.fork import Fork


class RunWorker:
    """One run in a plain background thread.

    Everything the window needs is in `live` and `control`; nothing of Qt crosses over.
    """

    def __init__(
        self,
        config: "ExperimentConfig | ConfigHistory",
        *,
        path: Path | None = None,
        past: "RunHistory | None" = None,
        paused: bool = False,
        fork: "Fork | None" = None,
    ) -> None:
        """Prepare a run; `start` begins it.

        Args:
            config: The experiment; that of `past` (`past.configs`) where there is one.
            path: Where to keep the run; None keeps nothing. With `past` the run that
                the file holds goes on, else the file is created.
            past: What the run file holds, to go on from there.
            paused: Whether the run waits for a command before its first step.
            fork: Where another run stood that this one begins from.
        """
        self.live = LiveRun(config, path=path, past=past)
        self._fork = fork
        self.control = RunControl(paused=paused)
        self._resuming = past is not None
        self._thread = threading.Thread(
            target=self._guarded, name=f"run {self.live.config.name}", daemon=False
        )

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread has work left."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Ask the run to save and end; returns at once."""
        self.control.stop()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the thread; return whether it has ended."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _guarded(self) -> None:
        try:
            self._run()
        except Exception as error:  # noqa: BLE001 - the thread's edge: shown to the user
            self.live.fail(_failure(error))

    def _run(self) -> None:
        # Imported here: the window can create a worker while torch is still loading.
        from metalab.runs.running.run import run_experiment  # noqa: PLC0415

        run_experiment(
            self.live, self.control, resuming=self._resuming, fork=self._fork
        )


def _failure(error: Exception) -> Failure:
    message = str(error) if isinstance(error, UserError) else one_line(error)
    return Failure(
        message=message,
        traceback="".join(traceback.format_exception(error)),
    )
