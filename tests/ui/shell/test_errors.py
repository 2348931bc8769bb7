"""Hooks that bring every error to the Problems panel."""

import gc
import sys
import threading

import pytest
from PySide6.QtCore import QTimer, qInstallMessageHandler, qWarning

from metalab.runs.system.faults import FaultLog
from metalab.ui.shell.errors import watch_errors


@pytest.fixture
def faults(monkeypatch):
    """Watch errors, in front of hooks that say nothing."""
    silent = []
    monkeypatch.setattr(sys, "excepthook", lambda *args: silent.append(args))
    monkeypatch.setattr(sys, "unraisablehook", silent.append)
    monkeypatch.setattr(threading, "excepthook", silent.append)
    faults = FaultLog()
    restore = watch_errors(faults)
    yield faults
    restore()


def messages(faults) -> list[str]:
    return [fault.message for fault in faults.snapshot()]


def test_an_error_in_a_slot(faults, qtbot):
    def fail():
        raise ValueError("in a slot")

    QTimer.singleShot(0, fail)
    qtbot.waitUntil(lambda: messages(faults) == ["ValueError: in a slot"], timeout=5000)
    assert "in fail" in faults.snapshot()[0].details


def test_an_error_in_a_thread(faults):
    def fail():
        raise ValueError("in a thread")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join(10)
    assert messages(faults) == ["ValueError: in a thread"]


def test_an_error_that_cannot_be_raised(faults):
    class Broken:
        def __del__(self):
            raise ValueError("while it is being deleted")

    Broken()
    gc.collect()
    assert messages(faults) == ["ValueError: while it is being deleted"]


def test_a_warning_of_qt_is_shown_and_printed(faults, capsys):
    qWarning("something is odd")
    assert messages(faults) == ["Qt: something is odd"]
    assert capsys.readouterr().err == "something is odd\n"


def test_hooks_are_put_back():
    before = sys.excepthook, sys.unraisablehook, threading.excepthook
    handler = qInstallMessageHandler(None)
    qInstallMessageHandler(handler)
    watch_errors(FaultLog())()
    assert (sys.excepthook, sys.unraisablehook, threading.excepthook) == before
    assert qInstallMessageHandler(handler) is handler
