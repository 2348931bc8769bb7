"""The tour of the window."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QPlainTextEdit, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from metalab.ui.learn.tour import Tour, TourStop, tour_stops
from metalab.ui.style.theme import LIGHT
from metalab.ui.style.theming import change_theme

KEYS = ("run", "experiment", "adapt", "timeline", "workspaces")


class Window(QWidget):
    """Two targets, a third that is never there, and the tour below them."""

    def __init__(self) -> None:
        super().__init__()
        self.first = QPushButton("first")
        self.second: QWidget | None = QPlainTextEdit()
        stops = [
            TourStop(title="One", text="Text one.", find=lambda: self.first),
            TourStop(title="Two", text="Text two.", find=lambda: self.second),
            TourStop(title="Three", text="Text three.", find=lambda: None),
        ]
        self.tour = Tour(stops)
        change_theme(LIGHT)
        column = QVBoxLayout(self)
        for part in (self.first, self.second, self.tour):
            column.addWidget(part)


@pytest.fixture
def window(shown: Callable[[QWidget], None]) -> Window:
    made = Window()
    made.resize(700, 400)
    shown(made)
    return made


def surrounds(window: Window, target: QWidget) -> bool:
    """Return whether the outline lies closely around a widget."""
    outline = window.tour.outline
    seen = QRect(target.mapTo(window, QPoint(0, 0)), target.size())
    around = outline.geometry()
    close = abs(around.width() - seen.width()) < 10
    return outline.isVisible() and around.contains(seen) and close


def test_it_leads_from_stop_to_stop_and_back(qtbot: QtBot, window: Window):
    tour = window.tour
    assert tour.isHidden()
    tour.begin()
    assert tour.isVisible()
    assert (tour.place, tour.stop) == ("1 of 3", 0)
    assert not tour.back_button.isEnabled()
    assert surrounds(window, window.first)
    with qtbot.waitSignal(tour.stop_changed) as changed:
        qtbot.mouseClick(tour.next_button, Qt.MouseButton.LeftButton)
    assert changed.args == [1]
    assert tour.accessibleDescription() == "Two. Text two."
    assert window.second is not None
    assert surrounds(window, window.second)
    qtbot.mouseClick(tour.back_button, Qt.MouseButton.LeftButton)
    assert surrounds(window, window.first)


def test_a_stop_without_a_widget_has_no_outline(window: Window):
    window.tour.begin()
    window.tour.stop = 2
    assert window.tour.outline.isHidden()
    assert window.tour.next_button.text() == "&Done"


@pytest.mark.parametrize("way", ["button", "escape"])
def test_it_goes_on_where_it_was_left(qtbot: QtBot, window: Window, way: str):
    tour = window.tour
    tour.begin()
    tour.stop = 1
    with qtbot.waitSignal(tour.closed):
        if way == "button":
            qtbot.mouseClick(tour.close_button, Qt.MouseButton.LeftButton)
        else:
            qtbot.keyClick(tour.next_button, Qt.Key.Key_Escape)
    assert tour.isHidden()
    assert tour.outline.isHidden()
    tour.begin()
    assert tour.stop == 1


def test_a_finished_tour_begins_anew(qtbot: QtBot, window: Window):
    tour = window.tour
    tour.stop = 2
    tour.begin()
    with qtbot.waitSignal(tour.closed):
        qtbot.mouseClick(tour.next_button, Qt.MouseButton.LeftButton)
    assert tour.isHidden()
    assert tour.stop == 0


def test_the_outline_follows_what_moves_hides_or_goes(qtbot: QtBot, window: Window):
    tour = window.tour
    tour.begin()
    tour.stop = 1
    second = window.second
    assert second is not None
    window.resize(900, 600)
    qtbot.waitUntil(lambda: surrounds(window, second))
    second.hide()
    qtbot.waitUntil(tour.outline.isHidden)
    second.show()
    qtbot.waitUntil(lambda: surrounds(window, second))
    window.second = None
    second.deleteLater()
    qtbot.waitUntil(tour.outline.isHidden)


def test_the_outline_lets_the_mouse_through(qtbot: QtBot, window: Window):
    window.tour.begin()
    middle = window.first.mapTo(window, window.first.rect().center())
    with qtbot.waitSignal(window.first.clicked):
        target = window.childAt(middle)
        assert target is window.first
        qtbot.mouseClick(target, Qt.MouseButton.LeftButton)


def test_a_window_that_goes_takes_the_outline_along(qtbot: QtBot):
    window = Window()
    window.show()
    window.tour.begin()
    assert surrounds(window, window.first)
    with qtbot.waitSignal(window.destroyed):
        window.deleteLater()


def test_an_index_beyond_the_ends_is_the_end(window: Window):
    window.tour.stop = 99
    assert window.tour.stop == 2
    window.tour.stop = -1
    assert window.tour.stop == 0


def test_the_windows_tour_has_five_stops():
    stops = tour_stops({key: lambda: None for key in KEYS})
    assert len(stops) == 5
    assert all(stop.title and stop.text.endswith(".") for stop in stops)
    with pytest.raises(KeyError, match="timeline"):
        tour_stops({key: lambda: None for key in KEYS if key != "timeline"})
