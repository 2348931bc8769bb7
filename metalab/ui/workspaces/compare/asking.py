"""Requests from the Compare page to its background services, and the answers."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from metalab.runs.services.service import LatestRequestService, Notify, Work
from metalab.runs.services.task_adaptation import TaskAdaptationService
from metalab.ui.session.thread_signal import ThreadSignal

if TYPE_CHECKING:
    from metalab.analysis.adapt_request import AdaptRequest
    from metalab.studies.comparison import Comparison


@dataclass(frozen=True, slots=True)
class CompareRequest:
    """Runs to measure on the same held-out tasks.

    Attributes:
        paths: Run files.
        reference: Method that the others are compared with; None for the first.
    """

    paths: tuple[Path, ...]
    reference: str | None = None


class _StaleError(Exception):
    """The request has been replaced or cancelled: the rest is not measured."""


def _measured(request: CompareRequest, work: Work[str]) -> "Comparison | None":
    from metalab.studies.comparison import compare_files  # noqa: PLC0415 - torch

    # Each run is told of twice: as it is read, and as it is measured.
    count, total = 0, len(request.paths)

    def tell(what: str) -> None:
        nonlocal count
        if work.stale():
            raise _StaleError
        work.tell(f"{what[:1].upper()}{what[1:]}, {count % total + 1} of {total}")
        count += 1

    try:
        return compare_files(request.paths, reference=request.reference, tell=tell)
    except _StaleError:
        return None


class _ComparisonService(LatestRequestService[CompareRequest, "Comparison", str]):
    """Measures runs; between two of them it may be told to stop."""

    def __init__(self, notify: Notify) -> None:
        super().__init__(_measured, name="comparison of runs", notify=notify)


class CompareAsking(QObject):
    """Has runs measured, and tasks adapted to, in the background.

    Attributes:
        told: What is being measured, in words.
        found: What was measured: a `Comparison`.
        failed: Why runs cannot be compared: an error.
        adapted: How each method adapts: a tuple of `AdaptResult`.
        not_adapted: Why a task cannot be adapted to: an error.
    """

    told = Signal(str)
    found = Signal(object)
    failed = Signal(object)
    adapted = Signal(object)
    not_adapted = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._measured = ThreadSignal(self, self._take_measured)
        self._service = self._measured.add_service(_ComparisonService)
        self._adapted = ThreadSignal(self, self._take_adapted)
        self._adapting = self._adapted.add_service(TaskAdaptationService)

    @property
    def measuring(self) -> bool:
        """Whether an answer is still to come."""
        return self._service.waiting

    def measure(self, request: CompareRequest) -> None:
        """Have runs measured, in the place of what was asked before."""
        self._service.request(request)

    def cancel(self) -> None:
        """Measure no more."""
        self._service.cancel()

    def adapt(self, asked: "AdaptRequest") -> None:
        """Ask how methods adapt to a task."""
        self._adapting.request(asked)

    def shut_down(self) -> None:
        """Have every thread end; returns at once."""
        self._measured.close()
        self._adapted.close()

    def join(self) -> None:
        """Wait for every thread, after `shut_down`."""
        self._measured.join()
        self._adapted.join()

    def _take_measured(self) -> None:
        doing = self._service.progress()
        try:
            answer = self._service.take()
        except Exception as error:  # noqa: BLE001 - shown on the page
            self.failed.emit(error)
            return
        if answer is not None:
            self.found.emit(answer)
        elif doing is not None:
            self.told.emit(doing)

    def _take_adapted(self) -> None:
        try:
            answers = self._adapting.take()
        except Exception as error:  # noqa: BLE001 - shown on the page
            self.not_adapted.emit(error)
            return
        if answers is not None:
            self.adapted.emit(answers)
