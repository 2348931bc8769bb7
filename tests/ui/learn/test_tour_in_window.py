"""The tour in the window it leads through."""

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from metalab.ui.learn.tour import Tour
from metalab.ui.shell.controller import Controller

SIZES = [(1024, 640), (1280, 800), (1920, 1080)]


@pytest.fixture
def tour(lab: Controller, qtbot: QtBot) -> Tour:
    lab.window.show()
    lab.teaching.start_tour()
    (found,) = lab.window.findChildren(Tour)
    qtbot.waitUntil(found.isVisible)
    return found


def place_of(tour: Tour) -> QRect:
    return QRect(tour.mapTo(tour.window(), QPoint(0, 0)), tour.size())


def is_whole(label: QLabel) -> bool:
    needed = label.heightForWidth(label.width())
    return label.height() >= max(needed, label.fontMetrics().height())


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_every_stop_can_be_read_at_every_size(
    lab: Controller, tour: Tour, qtbot: QtBot, size: tuple[int, int]
):
    window = lab.window
    window.resize(*size)
    qtbot.waitUntil(lambda: tour.width() > 0.6 * window.width())
    for stop in range(5):
        tour.stop = stop
        qtbot.waitUntil(tour.outline.isVisible)
        place = place_of(tour)
        assert window.rect().contains(place)
        assert not place.intersects(window.menuBar().geometry())
        assert not place.intersects(window.toolbar.geometry())
        qtbot.waitUntil(lambda: all(map(is_whole, tour.findChildren(QLabel))))
        for button in tour.findChildren(QPushButton):
            assert button.width() >= button.sizeHint().width()
            assert tour.rect().contains(button.geometry())


@pytest.mark.parametrize("place", ["the strip", "the window", "another page"])
def test_escape_leaves_it(lab: Controller, tour: Tour, qtbot: QtBot, place: str):
    window = lab.window
    focused = {
        "the strip": tour.next_button,
        "the window": window,
        "another page": window.workspaces.tabBar(),
    }[place]
    focused.setFocus()
    qtbot.keyClick(focused, Qt.Key.Key_Escape)
    assert tour.isHidden()
    assert tour.outline.isHidden()


def test_its_keys_work_at_once(lab: Controller, tour: Tour, qtbot: QtBot):
    qtbot.waitUntil(tour.next_button.hasFocus)
    qtbot.keyClick(tour.next_button, Qt.Key.Key_Return)
    assert tour.stop == 1
