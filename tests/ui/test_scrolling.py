"""A part that scrolls where it does not fit."""

import pytest
from PySide6.QtWidgets import QWidget

from metalab.ui.scrolling import Scrolling


@pytest.fixture
def content() -> QWidget:
    made = QWidget()
    made.setMinimumSize(120, 300)
    return made


@pytest.mark.parametrize(("height", "scrolls"), [(400, False), (200, True)])
def test_it_scrolls_once_there_is_less_room(qtbot, content, height, scrolls):
    area = Scrolling(content)
    qtbot.addWidget(area)
    area.resize(200, height)
    area.show()
    qtbot.waitUntil(lambda: area.verticalScrollBar().isVisible() is scrolls)
    assert content.height() == max(300, height)


def test_it_asks_for_the_width_of_its_content_and_little_height(qtbot, content):
    area = Scrolling(content)
    qtbot.addWidget(area)
    least = area.minimumSizeHint()
    assert least.width() > 120
    assert least.height() < 100
