"""Ctrl+C, a polite kill and a terminal that is closed: runs save and end normally."""

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

_HANGUP: signal.Signals | None = getattr(signal, "SIGHUP", None)
"""Sent when the terminal goes away; there is none on Windows."""


def ending_signals() -> tuple[signal.Signals, ...]:
    """Return the signals that ask this process to save and end.

    Somebody who starts it with `nohup` has asked that a closed terminal does not.
    """
    asked = (signal.SIGINT, signal.SIGTERM)
    if _HANGUP is None or signal.getsignal(_HANGUP) is signal.SIG_IGN:
        return asked
    return (*asked, _HANGUP)


def leave_signals_to_parent() -> None:
    """Ignore what reaches every process of a terminal: the parent stops its children."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if _HANGUP is not None:
        signal.signal(_HANGUP, signal.SIG_IGN)


@contextmanager
def stop_on_signals(stop: Callable[[], None]) -> Generator[None, None, None]:
    """Let the signals that ask to end call `stop` for a while.

    Thread: any one. Only in the main thread can this be arranged; elsewhere signals do
    what they did.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def obey(_number: int, _frame: FrameType | None) -> None:
        stop()

    before = {number: signal.signal(number, obey) for number in ending_signals()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
