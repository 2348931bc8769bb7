"""Sending every error that nobody caught to the Problems panel, and to stderr."""

import sys
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

from metalab.runs.system.faults import FaultLog, watch_threads

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_SEVERE = (
    QtMsgType.QtWarningMsg,
    QtMsgType.QtCriticalMsg,
    QtMsgType.QtFatalMsg,
)


def watch_errors(faults: FaultLog) -> Callable[[], None]:
    """Install the hooks of Python and Qt.

    Errors of slots, overrides and timers arrive at `sys.excepthook`; the event loop
    survives them.

    Returns:
        What puts the hooks back as they were.

    Thread: the window's; errors then arrive from any.
    """
    excepthook, unraisablehook = sys.excepthook, sys.unraisablehook

    def on_error(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        faults.add_error(error)
        excepthook(kind, error, trace)

    def on_unraisable(args: "UnraisableHookArgs") -> None:
        if args.exc_value is not None:
            faults.add_error(args.exc_value)
        unraisablehook(args)

    def on_qt_message(
        kind: QtMsgType, context: QMessageLogContext, message: str
    ) -> None:
        if kind in _SEVERE:
            faults.add(f"Qt: {message}", _place(context))
            print(message, file=sys.stderr)  # noqa: T201 - as Qt itself would

    sys.excepthook, sys.unraisablehook = on_error, on_unraisable
    unwatch_threads = watch_threads(faults)
    before = qInstallMessageHandler(on_qt_message)

    def restore() -> None:
        sys.excepthook, sys.unraisablehook = excepthook, unraisablehook
        unwatch_threads()
        qInstallMessageHandler(before)

    return restore


def _place(context: QMessageLogContext) -> str:
    parts = {
        "category": context.category,
        "file": context.file,
        "function": context.function,
    }
    return "\n".join(f"{name}: {part}" for name, part in parts.items() if part)
