"""Figures made in the background, one at a time, so that the window never waits.

matplotlib takes a second to import, and longer when it first looks for fonts.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from PySide6.QtCore import QObject, Signal

from metalab.core.errors import UserError
from metalab.runs.services.service import LatestRequestService, Notify, Work
from metalab.ui.session.thread_signal import ThreadSignal


class JobKind(Enum):
    """What a job is for; also the order in which waiting jobs are begun."""

    SAVE = auto()
    COPY = auto()
    PREVIEW = auto()
    FONTS = auto()


Job = Callable[[], object]

_DRAWING = threading.Lock()
"""matplotlib's settings belong to the process: two figures are never drawn at the same
time, not even those of a dialog that is closed and of the next one."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Result of a job: what it returned, or why it could not be done."""

    kind: JobKind
    result: object
    error: Exception | None = None


class _Queue:
    """Jobs that wait, of each kind the newest, and what became of those that do not.

    Thread: any.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[JobKind, Job] = {}
        self._doing: JobKind | None = None
        self._outcomes: list[_Outcome] = []

    def put(self, kind: JobKind, job: Job) -> None:
        """Have a job wait, in the place of one of its kind."""
        with self._lock:
            self._waiting[kind] = job

    def holds(self, kind: JobKind) -> bool:
        """Return whether a job of a kind waits, is being done, or is to be told of."""
        with self._lock:
            told = all(outcome.kind is not kind for outcome in self._outcomes)
            return kind in self._waiting or self._doing is kind or not told

    def forget_all_but(self, kind: JobKind) -> None:
        """Let nothing wait but a job of a kind."""
        with self._lock:
            self._waiting = {k: j for k, j in self._waiting.items() if k is kind}

    def next(self) -> tuple[JobKind, Job] | None:
        """Return the job to do now, or None."""
        with self._lock:
            if not self._waiting:
                return None
            self._doing = min(self._waiting, key=lambda waiting: waiting.value)
            return self._doing, self._waiting.pop(self._doing)

    def end(self, outcome: _Outcome) -> None:
        """Take what became of the job that was done."""
        with self._lock:
            self._doing = None
            self._outcomes.append(outcome)

    def outcome(self) -> _Outcome | None:
        """Return the first outcome that nobody took yet, or None."""
        with self._lock:
            return self._outcomes.pop(0) if self._outcomes else None


def _done(kind: JobKind, job: Job) -> _Outcome:
    try:
        with _DRAWING:
            return _Outcome(kind, job())
    except Exception as error:  # noqa: BLE001 - told, or raised in the window's thread
        return _Outcome(kind, None, error)


class _ExportService(LatestRequestService[_Queue, None, None]):
    """Does every job that waits: stale or not, none is left undone."""

    def __init__(self, notify: Notify) -> None:
        def empty(queue: _Queue, work: Work[None]) -> None:
            del work
            while (job := queue.next()) is not None:
                queue.end(_done(*job))
                notify()

        super().__init__(empty, name="export", notify=notify)


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
        self._queue = _Queue()
        self._answered = ThreadSignal(self, self._tell)
        self._service = self._answered.add_service(_ExportService)

    def order(self, kind: JobKind, work: Job) -> None:
        """Do some work as soon as nothing else is being done.

        Args:
            kind: What it is for; work of the same kind that waits is forgotten.
            work: Touches no Qt; raises `UserError` for what a person can mend.
        """
        self._queue.put(kind, work)
        self._service.request(self._queue)

    def is_busy(self, kind: JobKind) -> bool:
        """Return whether work of a kind is waiting or being done."""
        return self._queue.holds(kind)

    @property
    def is_idle(self) -> bool:
        """Whether no work is waiting, being done, or to be told of."""
        return not any(self.is_busy(kind) for kind in JobKind)

    def keep_only_saving(self) -> None:
        """Forget what waits, but for a save: nobody will look at it."""
        self._queue.forget_all_but(JobKind.SAVE)

    def close(self) -> None:
        """Tell of nothing more, and returns at once.

        What is being done, and a save that waits, come to their end all the same.
        """
        self.keep_only_saving()
        self._answered.close()

    def _tell(self) -> None:
        outcome = self._queue.outcome()
        if outcome is not None:
            # Each has its own turn: one that raises does not silence the next.
            self._answered.emit()
            self._tell_of(outcome)

    def _tell_of(self, outcome: _Outcome) -> None:
        if outcome.error is None:
            self.finished.emit(outcome.kind, outcome.result)
        elif isinstance(outcome.error, UserError):
            self.refused.emit(outcome.kind, str(outcome.error))
        else:
            # A defect: whoever waits is told, and the window's error hook says more.
            self.refused.emit(outcome.kind, "An unexpected error; see Problems")
            raise outcome.error
