"""Owns the single active run: thread, control, live view."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from metalab.runs.record.status import RunStatus
from metalab.runs.running.worker import RunWorker
from metalab.runs.system.background_job import BackgroundJob

if TYPE_CHECKING:
    from collections.abc import Callable

    from metalab.experiment.config import ExperimentConfig
    from metalab.experiment.config_history import ConfigHistory
    from metalab.runs.record.bookmarks import Bookmarks
    from metalab.runs.record.history import RunHistory
    from metalab.runs.running.fork import Fork


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How to begin a run.

    Attributes:
        config: The experiment; that of `past` (`past.configs`) where there is one.
        path: Where to keep the run; None keeps nothing.
        past: What the file holds, to go on from there; None begins afresh.
        paused: Whether the run waits for a command before its first step.
        num_steps: Outer steps to make before waiting; 0 for no such limit.
        fork: Where another run stood that this one begins from.
    """

    config: "ExperimentConfig | ConfigHistory"
    path: Path | None = None
    past: "RunHistory | None" = None
    paused: bool = False
    num_steps: int = 0
    fork: "Fork | None" = None


class MakeWorker(Protocol):
    """What `RunWorker` is called like."""

    def __call__(
        self,
        config: "ExperimentConfig | ConfigHistory",
        *,
        path: Path | None,
        past: "RunHistory | None",
        paused: bool,
        fork: "Fork | None",
    ) -> RunWorker:
        """Return a worker that has not been started."""
        ...


class RunManager:
    """Holds at most one live run; a new one waits until the old one has been saved.

    Nothing blocks: whoever holds the slot calls `poll` now and then.

    Thread: one, the window's.
    """

    def __init__(self, make_worker: MakeWorker = RunWorker) -> None:
        self._make_worker = make_worker
        self._worker: RunWorker | None = None
        self._next: Launch | None = None
        self._history: RunHistory | None = None
        self._seen_version = -1
        self._reading: BackgroundJob[RunHistory] | None = None
        self._then: Callable[[RunHistory], None] = self.show
        self._error: Exception | None = None

    @property
    def history(self) -> "RunHistory | None":
        """The newest view of the run that is or was in the slot."""
        return self._history

    @property
    def active(self) -> bool:
        """Whether there is a run that takes commands.

        One that has ended takes none, though its thread may live on for a moment.
        """
        if self._worker is None or self._worker.control.stopping:
            return False
        return self._history is None or not self._history.status.ended

    @property
    def busy(self) -> bool:
        """Whether a thread is at work, or will be."""
        return self._worker is not None or self._next is not None

    @property
    def reading(self) -> bool:
        """Whether a run file is being read."""
        return self._reading is not None

    @property
    def paused(self) -> bool:
        """Whether the run has been told to wait, and has no steps left to make."""
        return self._worker is not None and self._worker.control.paused

    def launch(self, launch: Launch) -> None:
        """Stop and keep the run there is, if any, then begin another."""
        self._next = launch
        if self._worker is None:
            self._begin()
        else:
            self._worker.stop()

    def show(self, history: "RunHistory") -> None:
        """Put a run that nobody is running into the slot."""
        assert not self.busy, "the slot is taken"
        self._history = history

    def read(
        self,
        work: "Callable[[], RunHistory]",
        then: "Callable[[RunHistory], None]",
        *,
        name: str,
    ) -> None:
        """Read a run file in the background.

        Args:
            work: Reads; its error can be had by `take_error`.
            then: What `poll` does with the history once it is there.
            name: Of the thread.
        """
        assert not self.busy, "the slot is taken"
        assert not self.reading, "another file is being read"
        self._reading = BackgroundJob(work, name=name)
        self._then = then
        self._reading.start()

    def take_error(self) -> Exception | None:
        """Return why a file could not be read, once."""
        error, self._error = self._error, None
        return error

    def pause(self) -> None:
        """Ask the run, if there is one that takes commands, to wait."""
        if self._worker is not None and self.active:
            self._worker.control.pause()

    def resume(self) -> None:
        """Ask the run, if there is one that takes commands, to go on."""
        if self._worker is not None and self.active:
            self._worker.control.resume()

    def step(self, num_steps: int) -> None:
        """Ask the run, if there is one that takes commands, for some outer steps."""
        if self._worker is not None and self.active:
            self._worker.control.step(num_steps)

    def do_without_kernels(self) -> None:
        """Ask the run, if there is one that takes commands, to wait for no compiler."""
        if self._worker is not None and self.active:
            self._worker.control.do_without_kernels()

    def edit(self, path: str, value: float | str) -> None:
        """Ask the run, if there is one that takes commands, to change a field."""
        if self._worker is not None and self.active:
            self._worker.control.edit(path, value)

    def set_bookmarks(self, marks: "Bookmarks") -> None:
        """Take in what a person has marked; a run that goes on writes it to its file."""
        if self._worker is not None:
            self._worker.live.set_bookmarks(marks)
            self._history = self._worker.live.snapshot()
        elif self._history is not None:
            self._history = replace(
                self._history, bookmarks=marks, bookmarks_kept=False
            )

    def keep_in_mind(self, marks: "Bookmarks") -> None:
        """Take in that bookmarks are in the file of a run that nobody is running."""
        history = self._history
        if self._worker is None and history is not None and history.bookmarks is marks:
            self._history = replace(history, bookmarks_kept=True)

    def stop(self) -> None:
        """Ask the run to save and end; forget what was to follow."""
        self._next = None
        self._then = _forget
        if self._worker is not None:
            self._worker.stop()

    def join(self, timeout: float) -> bool:
        """Wait for the run's thread, and for a file that is being read.

        Args:
            timeout: Seconds for each.

        Returns:
            Whether no thread is left.
        """
        read = self._reading is None or self._reading.join(timeout)
        return (self._worker is None or self._worker.join(timeout)) and read

    def request_curves(self) -> None:
        """Ask for the gallery's curves as they are now, unless they are known."""
        history = self._history
        if self._worker is None or history is None or history.held_out_tasks is None:
            return
        if history.curves is None or history.curves.step != history.step:
            self._worker.live.request_curves()

    def poll(self) -> None:
        """Take in what is new."""
        if self._reading is not None and self._reading.done:
            self._finish_reading(self._reading)
        if self._worker is None:
            return
        # In this order: what the thread said last is then in the view.
        ended = not self._worker.alive
        version = self._worker.live.version
        if version != self._seen_version:
            self._seen_version = version
            self._history = self._worker.live.snapshot()
        if ended:
            self._worker = None
            if self._next is not None:
                self._begin()

    def _finish_reading(self, job: "BackgroundJob[RunHistory]") -> None:
        self._reading = None
        try:
            history = job.result()
        except Exception as error:  # noqa: BLE001 - for whoever asked for the file
            self._error = error
        else:
            self._then(history)

    def _begin(self) -> None:
        launch = self._next
        assert launch is not None, "nothing to begin"
        self._next = None
        worker = self._make_worker(
            launch.config,
            path=launch.path,
            past=launch.past,
            paused=launch.paused or launch.num_steps > 0,
            fork=launch.fork,
        )
        if launch.num_steps:
            worker.control.step(launch.num_steps)
        worker.start()
        self._worker = worker
        self._seen_version = -1
        self._history = worker.live.snapshot()


def _forget(_history: "RunHistory") -> None:
    """Take in a file that was read for nothing."""


def can_go_on(history: "RunHistory") -> bool:
    """Return whether a run that has ended has a file and steps left to make."""
    return (
        history.status in (RunStatus.STOPPED, RunStatus.DIVERGED, RunStatus.FAILED)
        and history.path is not None
        and 0 < history.stored_step < history.num_steps
    )
