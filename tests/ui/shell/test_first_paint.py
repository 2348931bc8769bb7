"""The first painting of a window."""

import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from metalab.ui.shell import first_paint
from metalab.ui.shell.first_paint import FirstPaint

pytestmark = pytest.mark.gui


class Child(QLabel):
    """Remembers that it was painted."""

    painted = 0

    def paintEvent(self, event):
        super().paintEvent(event)
        self.painted += 1


@pytest.fixture
def window(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    window.child = Child("child", window)
    QVBoxLayout(window).addWidget(window.child)
    return window


def test_calls_back_once_after_everything_was_painted(window, qtbot):
    seen = []
    watch = FirstPaint(window, lambda: seen.append(window.child.painted), window)
    QCoreApplication.processEvents()
    assert seen == []
    window.show()
    qtbot.waitUntil(lambda: bool(seen), timeout=5_000)
    assert seen == [1]
    window.repaint()
    QCoreApplication.processEvents()
    assert seen == [1]
    watch.cancel()


def test_a_window_that_is_never_painted_is_not_waited_for_for_ever(
    window, qtbot, monkeypatch
):
    monkeypatch.setattr(first_paint, "LONGEST_MS", 10)
    seen = []
    FirstPaint(window, lambda: seen.append(1), window)
    qtbot.waitUntil(lambda: seen == [1], timeout=5_000)


def test_a_cancelled_one_does_not_call_back(window, qtbot):
    seen = []
    watch = FirstPaint(window, lambda: seen.append(1), window)
    window.show()
    watch.cancel()
    watch.cancel()
    qtbot.waitUntil(lambda: window.child.painted > 0, timeout=5_000)
    QCoreApplication.processEvents()
    assert seen == []
