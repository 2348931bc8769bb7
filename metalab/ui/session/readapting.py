"""Moved points are adapted to while the window draws."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from metalab.analysis.moved import EditedSupport
from metalab.runs.services.readapter import SupportEditRequest, SupportEditService

if TYPE_CHECKING:
    from metalab.engine.events import Curves
    from metalab.runs.record.history import RunHistory

ANSWER_SECONDS = 0.03
"""How long a move waits for its curves, about a frame: then point and curves are painted
at once. Curves that take longer come after the point."""

POLL_MS = 4


class SupportEditController(QObject):
    """Between the plot, where points are moved, and the thread that adapts to them.

    Attributes:
        readapted: How a task with moved points is adapted to.
    """

    readapted = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._readapter = SupportEditService()
        self._history: RunHistory | None = None
        self._points: EditedSupport | None = None
        self._asked: Curves | None = None
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._take)

    def set_points(self, points: EditedSupport | None) -> None:
        """Adapt to these points from now on; None adapts to none."""
        self._points = points
        if points is None:
            self._cancel()
        else:
            self._ask()
            self._take(ANSWER_SECONDS)

    def follow(self, history: "RunHistory | None") -> None:
        """Adapt from a run's newest meta-parameters; cheap where nothing is new."""
        before, self._history = self._history, history
        if before is None or history is None or not history.is_same_run(before):
            self._cancel()
        if history is not None and history.curves is not self._asked:
            self._ask()

    def close(self) -> None:
        """End the thread."""
        self._timer.stop()
        self._readapter.close()

    def _ask(self) -> None:
        history, points = self._history, self._points
        if history is None or history.curves is None or points is None:
            return
        self._asked = history.curves
        self._readapter.request(
            SupportEditRequest(
                config=history.config_at(history.curves.step),
                points=points,
                phi=history.curves.phi,
                step=history.curves.step,
            )
        )
        self._timer.start()

    def _take(self, timeout: float = 0.0) -> None:
        answer = self._readapter.take(timeout)
        if not self._readapter.waiting:
            self._timer.stop()
        if answer is not None:
            self.readapted.emit(answer)

    def _cancel(self) -> None:
        self._asked = None
        self._timer.stop()
        self._readapter.cancel()
