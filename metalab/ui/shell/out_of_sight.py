"""Notification that a run has ended while its window was not in front."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QWidget

from metalab.runs.record.status import RunStatus
from metalab.ui.shell.status_text import duration
from metalab.ui.style.icons import app_icon

if TYPE_CHECKING:
    from metalab.runs.record.history import RunHistory
    from metalab.ui.session.session import Session

LEAST_SECONDS = 30.0
"""Of a run whose end is worth a word: nobody turns away from a shorter one."""

_SHOWN_MS = 10_000
_TITLES = {
    RunStatus.FINISHED: "Run finished",
    RunStatus.STOPPED: "Run stopped",
    RunStatus.DIVERGED: "Run diverged",
    RunStatus.FAILED: "Run failed",
}


class EndNotice(QObject):
    """Has the desktop tell that a long run has ended, or waits after a divergence.

    The window asks for attention as its desktop does that, and where there is a tray a
    message comes up.
    """

    def __init__(
        self,
        session: "Session",
        window: QWidget,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Watch a session.

        Args:
            session: What runs.
            window: What is looked at, or not; also Qt's owner.
            now: Seconds.
        """
        super().__init__(window)
        self._session = session
        self._window = window
        self._now = now
        self._tray: QSystemTrayIcon | None = None
        self._running: RunHistory | None = None
        self._since = 0.0
        session.state_changed.connect(self._look)

    def _look(self) -> None:
        history = self._session.history
        before = self._running
        goes_on = (
            history is not None and self._session.training and history.diverged is None
        )
        if goes_on and (before is None or not before.is_same_run(history)):
            self._since = self._now()
        self._running = history if goes_on else None
        if before is None or goes_on or history is None:
            return
        took = self._now() - self._since
        if before.is_same_run(history) and took >= LEAST_SECONDS:
            self._tell(history, took)

    def _tell(self, history: "RunHistory", took: float) -> None:
        if self._window.isActiveWindow():
            return
        QApplication.alert(self._window)
        status = RunStatus.DIVERGED if history.diverged else history.status
        title = _TITLES.get(status, "Run ended")
        text = (
            f"{history.name}: {history.step:,} of {history.num_steps:,} outer steps, "
            f"after {duration(took)}"
        )
        self.show_message(title, text)

    def show_message(self, title: str, text: str) -> None:
        """Have the desktop show a message, if it has a place for one."""
        if not QSystemTrayIcon.isSystemTrayAvailable():
            return
        if not QSystemTrayIcon.supportsMessages():
            return
        if self._tray is None:
            self._tray = QSystemTrayIcon(app_icon(), self)
            self._tray.messageClicked.connect(self._on_clicked)
        # Only what is shown can send a message; it goes when the window is looked at.
        self._tray.show()
        self._tray.showMessage(title, text, app_icon(), _SHOWN_MS)

    def put_away(self) -> None:
        """Take the icon away: the window is looked at again, or closes."""
        if self._tray is not None:
            self._tray.hide()

    def _on_clicked(self) -> None:
        self._window.showNormal() if self._window.isMinimized() else self._window.show()
        self._window.raise_()
        self._window.activateWindow()
        self.put_away()
