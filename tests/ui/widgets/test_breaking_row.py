"""A row of controls that becomes two where they would be cut off."""

import pytest
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from metalab.ui.widgets.breaking_row import BreakingRow
from tests.support.clipping import cut_off


@pytest.fixture
def shown(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    left, right = (
        [QPushButton(f"{side} {number}") for number in range(3)]
        for side in ("Some words", "Other words")
    )
    row = BreakingRow(left, right)
    QVBoxLayout(window).addWidget(row)
    window.resize(1200, 100)
    window.show()
    return window, row, left, right


def test_it_breaks_where_there_is_too_little_room_and_joins_again(shown, qtbot):
    window, row, left, right = shown
    for width, broken in ((1200, False), (400, True), (1200, False), (400, True)):
        window.resize(width, 100)
        qtbot.waitUntil(lambda broken=broken: row.broken is broken)
        qtbot.waitUntil(lambda b=broken: (right[0].y() > left[0].y()) is b)
        assert cut_off(window) == []


def test_what_goes_away_makes_room(shown, qtbot):
    window, row, _, right = shown
    window.resize(row.minimumSizeHint().width() + 140, 100)
    qtbot.waitUntil(lambda: row.broken)
    for part in right[1:]:
        part.hide()
    qtbot.waitUntil(lambda: not row.broken)
    right[1].show()
    right[2].show()
    qtbot.waitUntil(lambda: row.broken)
