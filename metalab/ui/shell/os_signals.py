"""The signals that ask the process to end, delivered to Qt's event loop."""

import signal
import socket
from collections.abc import Callable
from types import FrameType

from PySide6.QtCore import QObject, QSocketNotifier

from metalab.runs.system.signals import ending_signals

SIGNALS = ending_signals()


class SignalWatch(QObject):
    """Calls back in the event loop when the process is asked to end.

    Python runs a signal's handler only between two of its own instructions, and the event
    loop may not come to one for long. The interpreter writes each signal's number into a
    socket, which wakes the loop.

    The second signal does what it would without us.
    """

    def __init__(
        self, on_signal: Callable[[], None], parent: QObject | None = None
    ) -> None:
        """Begin to watch; call it in the main thread."""
        super().__init__(parent)
        self._on_signal = on_signal
        self._reader, self._writer = socket.socketpair()
        for end in (self._reader, self._writer):
            end.settimeout(0)
        self._previous = {number: signal.signal(number, _noted) for number in SIGNALS}
        self._previous_fd = signal.set_wakeup_fd(
            self._writer.fileno(), warn_on_full_buffer=False
        )
        self._notifier = QSocketNotifier(
            self._reader.fileno(), QSocketNotifier.Type.Read, self
        )
        self._notifier.activated.connect(self._on_activated)

    def close(self) -> None:
        """Give the signals back."""
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._previous_fd)
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._reader.close()
        self._writer.close()

    def _on_activated(self) -> None:
        received = self._reader.recv(64)
        if any(number in received for number in SIGNALS):
            for number in SIGNALS:
                signal.signal(number, self._previous[number])
            self._on_signal()


def _noted(number: int, frame: FrameType | None) -> None:
    """Do nothing: the number has been written to the socket."""
