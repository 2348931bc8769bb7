"""Closing the window: ask, stop, save, and leave no thread."""

from collections.abc import Callable
from enum import Enum, auto

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from metalab.ui.session.phase import Stake
from metalab.ui.session.session import Session
from metalab.ui.shell.questions import question_before_closing
from metalab.ui.widgets.dialogs import LeaveDialog

POLL_MS = 20
LAST_WAIT_SECONDS = 3.0
"""How long the end of the application may block on a run that has not ended."""


class _Stage(Enum):
    OPEN = auto()
    ASKING = auto()
    STOPPING = auto()
    CLOSED = auto()


class Closer(QObject):
    """Decides whether the window may close now, and closes it when the run is saved.

    Nothing blocks: while the run ends, the window lives on.

    Attributes:
        remembered: Not to ask again was ticked.
        stayed: The question was answered with no: the window stays.
    """

    remembered = Signal()
    stayed = Signal()

    def __init__(
        self,
        session: Session,
        *,
        asks: Callable[[], bool],
        parent: QObject | None = None,
    ) -> None:
        """Guard a window.

        Args:
            session: What may be in progress.
            asks: Whether a person wants to be asked.
            parent: Qt's owner.
        """
        super().__init__(parent)
        self._session = session
        self._asks = asks
        self._stage = _Stage.OPEN
        self._unasked = False
        self._accepted = False
        self._window: QWidget | None = None
        self._dialog: LeaveDialog | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._on_timeout)

    @property
    def dialog(self) -> LeaveDialog | None:
        """The question, while it is being asked."""
        return self._dialog

    def may_close(self, window: QWidget) -> bool:
        """Return whether the window can close now; if not, see to it that it will.

        Called by the window's close event.
        """
        self._window = window
        if not self._session.busy:
            self._timer.stop()
            if not self._must_ask():
                self._stage = _Stage.CLOSED
                return True
            if self._stage is not _Stage.ASKING:
                self._ask(window)
        elif self._stage is _Stage.OPEN:
            if self._would_ask():
                self._ask(window)
            else:
                self._stop()
        elif self._stage is _Stage.ASKING and self._unasked:
            self._stop()
        return False

    def _would_ask(self) -> bool:
        return not self._unasked and self._asks() and self._session.training

    def _must_ask(self) -> bool:
        """Return whether something would be gone for good; a person is asked once."""
        return self._is_lost() and not self._unasked and not self._accepted

    def _is_lost(self) -> bool:
        return self._session.stake in (Stake.STEPS, Stake.BOOKMARKS)

    def close_unasked(self, window: QWidget) -> None:
        """Close the window without a question: a signal, or a test's time is up."""
        self._unasked = True
        window.close()

    def finish(self) -> None:
        """End what is left, however the application came to its end. Idempotent."""
        self._timer.stop()
        self._session.stop()
        self._session.join(LAST_WAIT_SECONDS)

    def _ask(self, window: QWidget) -> None:
        self._stage = _Stage.ASKING
        self._dialog = LeaveDialog(question_before_closing(self._session), window)
        self._dialog.finished.connect(self._on_answered)
        self._dialog.open()

    def _on_answered(self, answer: int) -> None:
        dialog, self._dialog = self._dialog, None
        if dialog is None:
            return
        dialog.deleteLater()
        if self._stage is not _Stage.ASKING:
            return
        if answer != LeaveDialog.DialogCode.Accepted:
            self._stage = _Stage.OPEN
            self.stayed.emit()
            return
        if dialog.remember:
            self.remembered.emit()
        self._accepted = self._is_lost()
        self._stop()

    def _stop(self) -> None:
        self._stage = _Stage.STOPPING
        if self._dialog is not None:
            self._dialog.reject()
        self._session.stop()
        self._timer.start()

    def _on_timeout(self) -> None:
        self._session.poll()
        if not self._session.busy and self._window is not None:
            self._timer.stop()
            self._window.close()
