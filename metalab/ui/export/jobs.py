"""Figures made in the background, one at a time, so that the window never waits.

matplotlib takes a second to import, and longer when it first looks for fonts. Its settings
belong to the process, so two figures must never be drawn at the same time.
"""

from collections.abc import Callable
from enum import Enum, auto

from PySide6.QtCore import QObject, QTimer, Signal

from metalab.core.errors import UserError
from metalab.runs.system.background_job import BackgroundJob

_POLL_MS = 20


class JobKind(Enum):
    """What a job is for; also the order in which waiting jobs are begun."""

    SAVE = auto()
    COPY = auto()
    PREVIEW = auto()
    FONTS = auto()


class ExportJobs(QObject):
    """Runs jobs one after the other; of one kind, only the newest that waits.

    Attributes:
        finished: A job ended well: its kind and what it returned.
        refused: A job could not be done: its kind and why.
    """

    finished = Signal(JobKind, object)
    refused = Signal(JobKind, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: dict[JobKind, Callable[[], object]] = {}
        self._running: tuple[JobKind, BackgroundJob[object]] | None = None
        self._poll = QTimer(self)
        self._poll.setInterval(_POLL_MS)
        self._poll.timeout.connect(self._on_poll)

    def order(self, kind: JobKind, work: Callable[[], object]) -> None:
        """Do some work as soon as nothing else is being done.

        Args:
            kind: What it is for; work of the same kind that waits is forgotten.
            work: Touches no Qt; raises `UserError` for what a person can mend.
        """
        self._waiting[kind] = work
        if self._running is None:
            self._begin_next()

    def is_busy(self, kind: JobKind) -> bool:
        """Return whether work of a kind is waiting or being done."""
        running = self._running is not None and self._running[0] is kind
        return running or kind in self._waiting

    def finish(self) -> None:
        """Wait for what is being done and for a save that waits; forget the rest.

        Signals are sent before this returns.
        """
        save = self._waiting.pop(JobKind.SAVE, None)
        self._waiting.clear()
        self._wait()
        if save is not None:
            self.order(JobKind.SAVE, save)
            self._wait()

    def _wait(self) -> None:
        if self._running is not None:
            self._running[1].join()
            self._on_poll()

    def _begin_next(self) -> None:
        kind = min(self._waiting, key=lambda waiting: waiting.value)
        job = BackgroundJob(self._waiting.pop(kind), name=f"export {kind.name.lower()}")
        self._running = (kind, job)
        job.start()
        self._poll.start()

    def _on_poll(self) -> None:
        if self._running is None or not self._running[1].done:
            return
        kind, job = self._running
        self._running = None
        self._poll.stop()
        if self._waiting:
            self._begin_next()
        try:
            result = job.result()
        except UserError as error:
            self.refused.emit(kind, str(error))
        except Exception:
            # A defect: whoever waits is told, and the window's error hook says more.
            self.refused.emit(kind, "An unexpected error; see Problems")
            raise
        else:
            self.finished.emit(kind, result)
