"""Paint that waits for what belongs to it."""

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QWidget

from metalab.ui.plot.held_paint import HELD_MS, HeldPaint


class Paints(QObject):
    """Counts the paint events of a widget."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.Paint
        return False


@pytest.fixture
def widget(qtbot):
    made = QWidget()
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    return made


@pytest.fixture
def paints(widget, qtbot):
    made = Paints()
    widget.installEventFilter(made)
    widget.update()
    qtbot.waitUntil(lambda: made.count == 1)
    return made


def test_a_point_and_its_curves_are_one_paint(widget, paints, qtbot):
    held = HeldPaint(widget, widget)
    held.begin()
    widget.update()
    qtbot.wait(HELD_MS // 3)
    assert held.held
    assert held.due
    assert paints.count == 1
    widget.update()
    held.end()
    assert held.due
    # The next move does not put off what is about to come.
    assert not held.begin()
    qtbot.waitUntil(lambda: paints.count == 2)
    assert not held.due
    with qtbot.assertNotEmitted(held.expired, wait=2 * HELD_MS):
        held.end()
    assert paints.count == 2


def test_a_point_does_not_wait_for_longer_than_a_frame(widget, paints, qtbot):
    held = HeldPaint(widget, widget)
    with qtbot.waitSignal(held.expired):
        assert held.begin()
        # Another move does not prolong it.
        assert held.begin()
    assert not held.held
    qtbot.waitUntil(lambda: paints.count == 2)
