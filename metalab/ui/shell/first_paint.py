"""Signal of the first paint of a window."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QWidget

LONGEST_MS = 1000
"""A window that is not painted by then, such as one that starts minimised, is not
waited for any longer."""


class FirstPaint(QObject):
    """Calls back once, when a window has been painted or will not be soon.

    Showing a window only asks for it: on most systems it is painted some turns of the
    event loop later.
    """

    def __init__(
        self, window: QWidget, then: Callable[[], None], parent: QObject | None = None
    ) -> None:
        """Begin to watch.

        Args:
            window: What is going to be shown.
            then: Called from the event loop.
            parent: Qt's owner.
        """
        super().__init__(parent)
        self._window = window
        self._then = then
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._on_timeout)
        self._timer.start(LONGEST_MS)
        window.installEventFilter(self)

    def cancel(self) -> None:
        """Do not call back any more. May be called twice."""
        self._timer.stop()
        self._window.removeEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Call back after this turn of the event loop if the window is being painted."""
        if event.type() == QEvent.Type.Paint:
            # What is in the window is painted after the window itself.
            self._window.removeEventFilter(self)
            self._timer.start(0)
        return super().eventFilter(watched, event)

    def _on_timeout(self) -> None:
        self.cancel()
        self._then()
