"""A batch behind a window: processes carry the runs out, a thread listens to them."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from metalab.runs.batch.batch import Outcome, PlannedRun
from metalab.runs.batch.folder import held_folder
from metalab.runs.batch.pool import ProcessPool
from metalab.runs.batch.run_queue import RETRIES, RunQueue
from metalab.runs.record.file_format import RunFileError
from metalab.runs.record.reader import open_run
from metalab.runs.record.status import RunStatus
from metalab.runs.system.background_job import BackgroundJob


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRun:
    """A run as its file tells of it.

    Attributes:
        step: Outer steps made.
        state: How it ended, in a word; "cannot be read" for a file that is none.
        loss: Last held-out query loss; infinite where it diverged, None without any.
    """

    step: int = 0
    state: str = "cannot be read"
    loss: float | None = None

    @property
    def failed(self) -> bool:
        """Whether there is nothing to go by: it diverged, or cannot be read."""
        return self.state in (FoundRun().state, RunStatus.DIVERGED.value)


def run_found(path: Path) -> FoundRun:
    """Return what a run file tells."""
    try:
        history = open_run(path).history
    except RunFileError:
        return FoundRun()
    diverged = history.diverged is not None
    return FoundRun(
        step=history.step,
        state=history.status.value,
        loss=float("inf") if diverged else history.latest_evaluation,
    )


def held_out_loss(path: Path) -> float | None:
    """Return the last held-out query loss of a run file; infinite where it diverged.

    Returns:
        None where there is no evaluation, or no file that can be read.
    """
    return run_found(path).loss


class BackgroundBatch:
    """Runs that are carried out while somebody does something else.

    Thread: made and asked by one thread. The runs go on in processes of their own.
    """

    def __init__(
        self,
        planned: Sequence[PlannedRun],
        folder: Path,
        *,
        num_processes: int,
        retries: int = RETRIES,
    ) -> None:
        """Prepare the batch; `start` begins it.

        Args:
            planned: The runs.
            folder: Where their files are kept; it exists.
            num_processes: Runs that go on at once.
            retries: See `RunQueue`.
        """
        self.queue = RunQueue(planned, self, retries=retries)
        self._planned = planned
        self._folder = folder
        self._lock = threading.Lock()
        self._losses: dict[int, float | None] = {}
        self._pool = ProcessPool(num_processes)
        self._job = BackgroundJob(self._work, name="sweep")

    def start(self) -> None:
        """Start the thread, which starts the processes."""
        self._job.start()

    @property
    def done(self) -> bool:
        """Whether everything has ended."""
        return self._job.done

    def check(self) -> None:
        """Raise what ended the batch before its time, once it is `done`.

        Raises:
            BatchError: The folder is in use, or processes end before they can begin.
        """
        self._job.result()

    @property
    def losses(self) -> dict[int, float | None]:
        """Held-out loss of each run that has ended."""
        with self._lock:
            return dict(self._losses)

    def set_num_processes(self, num_processes: int) -> None:
        """Change how many runs go on at once."""
        self._pool.set_num_processes(num_processes)

    def stop(self) -> None:
        """Ask every run to save and end; returns at once."""
        self.queue.stop()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the processes; return whether they have ended."""
        return self._job.join(timeout)

    def _work(self) -> None:
        with held_folder(self._folder), self._pool as pool:
            pool.run(self.queue)

    # What the queue tells, in the thread.

    def stepped(self, index: int, step: int) -> None:
        """Do nothing: the queue knows."""

    def ended(self, index: int, outcome: Outcome) -> None:
        """Note the loss of a run."""
        del outcome
        loss = held_out_loss(self._planned[index].path)
        with self._lock:
            self._losses[index] = loss
