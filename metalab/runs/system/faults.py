"""Errors from any thread, collected until somebody shows them."""

import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

MAX_FAULTS = 200
"""Most different faults that are kept; the oldest go first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that went wrong, once or more often in the same way.

    Attributes:
        message: One line.
        details: Usually a traceback; "" if the message says all.
        when: The last time, local time zone.
        count: How often.
    """

    message: str
    details: str
    when: datetime
    count: int = 1


def one_line(error: BaseException) -> str:
    """Return the kind of an error and the first line of what it says."""
    lines = str(error).strip().splitlines()
    kind = type(error).__name__
    return f"{kind}: {lines[0]}" if lines else kind


class FaultLog:
    """Where errors of every thread arrive. Equal ones are counted, not repeated.

    Thread: any.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: dict[tuple[str, str], Fault] = {}
        self._version = 0

    @property
    def version(self) -> int:
        """A number that grows whenever anything changes."""
        with self._lock:
            return self._version

    def add(self, message: str, details: str = "") -> None:
        """Take in one occurrence."""
        now = datetime.now(UTC).astimezone()
        key = (message, details)
        with self._lock:
            # Taken out and put back: the newest is the last.
            known = self._faults.pop(key, None)
            self._faults[key] = (
                Fault(message=message, details=details, when=now)
                if known is None
                else replace(known, when=now, count=known.count + 1)
            )
            if len(self._faults) > MAX_FAULTS:
                del self._faults[next(iter(self._faults))]
            self._version += 1

    def add_error(self, error: BaseException) -> None:
        """Take in an exception with its traceback."""
        self.add(one_line(error), "".join(traceback.format_exception(error)))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._faults.clear()
            self._version += 1

    def snapshot(self) -> tuple[Fault, ...]:
        """Return the faults, the newest last."""
        with self._lock:
            return tuple(self._faults.values())


def watch_threads(log: FaultLog) -> Callable[[], None]:
    """Send what escapes from any thread to the log, and still to stderr.

    Returns:
        What takes the watch off again.
    """
    before = threading.excepthook

    def on_error(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and args.exc_type is not SystemExit:
            log.add_error(args.exc_value)
        before(args)

    threading.excepthook = on_error

    def restore() -> None:
        threading.excepthook = before

    return restore
