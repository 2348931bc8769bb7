"""The one question before a run in view makes room for another."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from metalab.ui.session.phase import Stake
from metalab.ui.session.session import Session
from metalab.ui.shell.questions import question_before
from metalab.ui.widgets.dialogs import LeaveDialog


class Replacing(QObject):
    """Asks whether a run may end for the sake of another; the `Gate` of a session.

    Nothing blocks: while it asks, the run goes on.

    Attributes:
        remembered: Not to ask again was ticked.
    """

    remembered = Signal()

    def __init__(
        self,
        session: Session,
        window: QWidget,
        *,
        asks: Callable[[], bool],
        parent: QObject,
    ) -> None:
        """Guard the run of a session.

        Args:
            session: What may be in progress.
            window: Where the question is asked.
            asks: Whether a person wants to be asked before a run is stopped and kept.
            parent: Qt's owner.
        """
        super().__init__(parent)
        self._session = session
        self._window = window
        self._asks = asks
        self._then: Callable[[], None] | None = None
        self._dialog: LeaveDialog | None = None

    @property
    def dialog(self) -> LeaveDialog | None:
        """The question, while it is being asked."""
        return self._dialog

    def ask(self, doing: str, then: Callable[[], None]) -> None:
        """Do something once the run in view may end; while a question is open, nothing.

        Args:
            doing: What for, as in "To …, it is stopped".
            then: What to do.
        """
        if self._dialog is not None:
            return
        if self._session.stake is Stake.RUN and not self._asks():
            then()
            return
        self._then = then
        question = question_before(self._session, doing)
        self._dialog = LeaveDialog(question, self._window)
        self._dialog.finished.connect(self._on_answered)
        self._dialog.open()

    def _on_answered(self, answer: int) -> None:
        dialog, self._dialog = self._dialog, None
        then, self._then = self._then, None
        if dialog is None or then is None:
            return
        dialog.deleteLater()
        if answer != LeaveDialog.DialogCode.Accepted:
            return
        if dialog.remember:
            self.remembered.emit()
        then()
