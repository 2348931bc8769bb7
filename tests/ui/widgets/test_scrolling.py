"""A part that scrolls where it does not fit."""

import pytest
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from metalab.ui.widgets.scrolling import Scrolling


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


def test_the_least_height_grows_with_the_font(qtbot):
    content = QWidget()
    area = Scrolling(content, least_lines=10.0)
    qtbot.addWidget(area)
    before = content.minimumHeight()
    assert before == 10 * area.fontMetrics().height()
    font = area.font()
    font.setPointSizeF(1.5 * font.pointSizeF())
    area.setFont(font)
    assert content.minimumHeight() == 10 * area.fontMetrics().height() > 1.3 * before


def test_it_wants_no_more_than_its_content_may_have(qtbot):
    content = QWidget()
    QHBoxLayout(content).addWidget(QLabel("wide " * 100))
    area = Scrolling(content)
    qtbot.addWidget(area)
    assert area.sizeHint().width() > 500
    content.setFixedWidth(90)
    assert area.sizeHint().width() == 90
