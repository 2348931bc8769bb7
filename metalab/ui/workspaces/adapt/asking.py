"""Requests from the Adapt page to its background services, and the answers."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from metalab.analysis.adapt_request import AdaptRequest
from metalab.runs.services.task_adaptation import TaskAdaptationService
from metalab.runs.system.background_job import BackgroundJob, GiveUp
from metalab.ui.session.engine_access import stored_history
from metalab.ui.session.thread_signal import ThreadSignal

if TYPE_CHECKING:
    from collections.abc import Callable

    from metalab.engine.events import Checkpoint
    from metalab.runs.record.history import RunHistory

T = TypeVar("T")

BUSY_MS = 300
"""What takes longer is said: most answers are there within a frame."""


class AdaptAsking(QObject):
    """Asks how starts adapt, and has other starts made in the background.

    Attributes:
        explored: How each start adapts: a tuple of `AdaptResult`.
        failed: Why a task cannot be adapted to: an error.
        start_made: Key of a start, and its state or the error why there is none.
        run_read: A run that was read from its file, or the error why it cannot be.
        busy_changed: `doing` is something else.
        give_up: For starts that take long to make: set once nobody wants those that are
            in the making. Later ones get another.
    """

    explored = Signal(object)
    failed = Signal(object)
    start_made = Signal(str, object)
    run_read = Signal(object)
    busy_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._answered = ThreadSignal(self, self._look)
        self._service = self._answered.add_service(TaskAdaptationService)
        self._reading: BackgroundJob[RunHistory] | None = None
        self._jobs: dict[str, BackgroundJob[Checkpoint]] = {}
        self._forgotten: list[BackgroundJob[Checkpoint]] = []
        self.give_up = GiveUp()
        self._working = False
        self._slow = QTimer(self)
        self._slow.setSingleShot(True)
        self._slow.setInterval(BUSY_MS)
        self._slow.timeout.connect(self.busy_changed)

    @property
    def waiting(self) -> bool:
        """Whether an answer is still to come."""
        return self._service.waiting

    @property
    def doing(self) -> str:
        """What has been waited for so long that it should be said; "" if nothing."""
        if self._slow.isActive():
            return ""
        if self._reading is not None:
            return "reading the run…"
        if self._jobs:
            return "training the start…"
        return "adapting…" if self._service.waiting else ""

    def ask(self, asked: AdaptRequest) -> None:
        """Ask how starts adapt."""
        self._service.request(asked)
        self._begin()

    def cancel(self) -> None:
        """Forget what was asked."""
        self._service.cancel()
        self._rest_if_idle()
        self.busy_changed.emit()

    def make_start(self, key: str, work: "Callable[[], Checkpoint]") -> None:
        """Have a start made, unless it is in the making."""
        if key not in self._jobs:
            job = BackgroundJob(work, name=f"start {key}", notify=self._answered.emit)
            self._jobs[key] = job
            job.start()
            self._begin()

    def forget_starts(self) -> None:
        """Want no start that is in the making: it is of a run that made room."""
        self.give_up.set()
        self.give_up = GiveUp()
        left = [job for job in self._forgotten if not job.done]
        self._forgotten = [*left, *self._jobs.values()]
        self._jobs.clear()
        self._rest_if_idle()

    def read_run(self, path: Path) -> None:
        """Read a run file in the background, to be laid over."""
        if self._reading is None:
            self._reading = BackgroundJob(
                partial(stored_history, path),
                name="read run",
                notify=self._answered.emit,
            )
            self._reading.start()
            self._begin()

    def making(self, key: str) -> bool:
        """Whether a start is in the making."""
        return key in self._jobs

    def shut_down(self) -> None:
        """Have every thread end; returns at once."""
        self._slow.stop()
        self._answered.close()
        self.give_up.set()

    def join(self) -> None:
        """Wait for every thread, after `shut_down`."""
        self._answered.join()
        for job in (*self._jobs.values(), *self._forgotten):
            job.join()
        if self._reading is not None:
            self._reading.join()

    def _begin(self) -> None:
        if not self._working:
            self._working = True
            self._slow.start()

    def _look(self) -> None:
        """Tell of what is new."""
        self._take()
        for key, job in list(self._jobs.items()):
            if job.done:
                del self._jobs[key]
                self.start_made.emit(key, _outcome(job.result))
        reading = self._reading
        if reading is not None and reading.done:
            self._reading = None
            self.run_read.emit(_outcome(reading.result))
        if self._rest_if_idle():
            self.busy_changed.emit()

    def _rest_if_idle(self) -> bool:
        """Return whether there was something to do until now, and is nothing any more."""
        idle = not self._jobs and not self._service.waiting and self._reading is None
        if not (self._working and idle):
            return False
        self._working = False
        self._slow.stop()
        return True

    def _take(self) -> None:
        try:
            answers = self._service.take()
        except Exception as error:  # noqa: BLE001 - shown in the workspace
            self.failed.emit(error)
            return
        if answers is not None:
            self.explored.emit(answers)


def _outcome(result: "Callable[[], T]") -> "T | Exception":
    try:
        return result()
    except Exception as error:  # noqa: BLE001 - shown in the workspace
        return error
