"""Moved points are adapted to while the window draws."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from metalab.analysis.edited_support import EditedSupport
from metalab.runs.services.support_edits import SupportEditRequest, SupportEditService
from metalab.ui.session.thread_signal import ThreadSignal

if TYPE_CHECKING:
    from metalab.engine.events import Curves
    from metalab.runs.record.history import RunHistory


class SupportEditController(QObject):
    """Between the plot, where points are moved, and the thread that adapts to them.

    Attributes:
        readapted: How a task with moved points is adapted to.
    """

    readapted = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._answered = ThreadSignal(self, self._take)
        self._service = self._answered.add_service(SupportEditService)
        self._history: RunHistory | None = None
        self._points: EditedSupport | None = None
        self._asked: Curves | None = None

    def set_points(self, points: EditedSupport | None) -> None:
        """Adapt to these points from now on; None adapts to none."""
        self._points = points
        if points is None:
            self._cancel()
        else:
            self._ask()

    def follow(self, history: "RunHistory | None") -> None:
        """Adapt from a run's newest meta-parameters; cheap where nothing is new."""
        before, self._history = self._history, history
        if before is None or history is None or not history.is_same_run(before):
            self._cancel()
        if history is not None and history.curves is not self._asked:
            self._ask()

    def close(self) -> None:
        """Have the thread end; returns at once."""
        self._answered.close()

    def join(self) -> None:
        """Wait for the thread, after `close`."""
        self._answered.join()

    def _ask(self) -> None:
        history, points = self._history, self._points
        if history is None or history.curves is None or points is None:
            return
        self._asked = history.curves
        self._service.request(
            SupportEditRequest(
                config=history.config_at(history.curves.step),
                points=points,
                phi=history.curves.phi,
                step=history.curves.step,
            )
        )

    def _take(self) -> None:
        answer = self._service.take()
        if answer is not None:
            self.readapted.emit(answer)

    def _cancel(self) -> None:
        self._asked = None
        self._service.cancel()
