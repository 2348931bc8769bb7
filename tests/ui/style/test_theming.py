"""Who follows the theme is told at once and after each change, as long as it is there."""

import gc
import weakref

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget

from metalab.ui.style import theming
from metalab.ui.style.theme import DARK, LIGHT, Theme
from metalab.ui.style.theming import (
    apply_theme,
    change_theme,
    current_theme,
    follow_theme,
)


class Follower:
    """Writes down what it is told."""

    def __init__(self, told: list[object], name: str = "") -> None:
        super().__init__()
        self._told = told
        self._name = name
        follow_theme(self._take_theme)

    def _take_theme(self, theme: Theme) -> None:
        self._told.append((self._name, theme.name) if self._name else theme)


class Owned(Follower, QObject):
    """A follower that Qt may destroy."""


class Painted(QWidget):
    """Keeps nothing of the theme, and is told nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.painted_in: list[Theme] = []

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        self.painted_in.append(current_theme())


def followed() -> list[object]:
    """Return who follows; None for who is gone and has not been forgotten."""
    takes = [follower() for follower in theming._THEMING._followers]
    return [None if take is None else take.__self__ for take in takes]


def test_a_follower_is_told_at_once_and_once_a_change():
    told = []
    kept = Follower(told)
    assert told == [DARK]
    change_theme(LIGHT)
    assert told == [DARK, LIGHT]
    change_theme(LIGHT.scaled(2.0))
    assert told == [DARK, LIGHT, LIGHT.scaled(2.0)]
    assert current_theme() == LIGHT.scaled(2.0)
    del kept


def test_who_comes_after_a_change_has_the_new_theme():
    change_theme(LIGHT)
    told = []
    kept = Follower(told)
    assert told == [LIGHT]
    del kept


def test_who_follows_twice_is_told_once():
    told = []
    kept = Follower(told)
    follow_theme(kept._take_theme)
    told.clear()
    change_theme(LIGHT)
    assert told == [LIGHT]


def test_parts_are_told_before_the_whole():
    told = []

    class Whole(Follower):
        def __init__(self) -> None:
            self.parts = [Follower(told, "first"), Follower(told, "second")]
            super().__init__(told, "whole")

    kept = Whole()
    told.clear()
    change_theme(LIGHT)
    assert told == [("first", "light"), ("second", "light"), ("whole", "light")]
    del kept


def test_what_is_made_by_a_change_is_told_once():
    told = []

    class Maker:
        def __init__(self) -> None:
            self.made: list[Follower] = []
            follow_theme(self._take_theme)

        def _take_theme(self, theme: Theme) -> None:
            self.made.append(Follower(told))

    kept = Maker()
    change_theme(LIGHT)
    assert told == [DARK, LIGHT, LIGHT]
    assert len(kept.made) == 2


def test_following_keeps_nobody_alive():
    told = []
    follower = Follower(told)
    assert follower in followed()
    seen = weakref.ref(follower)
    del follower
    assert seen() is None
    assert None not in followed()
    told.clear()
    change_theme(LIGHT)
    assert told == []


@pytest.mark.parametrize("owned", [False, True], ids=["deleted", "with its owner"])
def test_what_qt_has_destroyed_is_not_told(owned, qapp):
    told = []
    # Python still holds it.
    follower = Owned(told)
    owner = QObject()
    if owned:
        follower.setParent(owner)
    (owner if owned else follower).deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    told.clear()
    change_theme(LIGHT)
    assert told == []
    assert follower not in followed()


def test_a_widget_that_its_parent_alone_holds_is_told(qtbot):
    told = []

    class Part(Follower, QWidget):
        pass

    parent = QWidget()
    qtbot.addWidget(parent)
    Part(told).setParent(parent)
    gc.collect()
    told.clear()
    change_theme(LIGHT)
    assert told == [LIGHT]


@pytest.mark.parametrize("theme", [LIGHT, DARK.scaled(1.5)], ids=["light", "scaled"])
def test_what_is_painted_is_painted_again(qtbot, theme):
    widget = Painted()
    qtbot.addWidget(widget)
    widget.show()
    qtbot.waitUntil(lambda: widget.painted_in == [DARK])
    change_theme(theme)
    qtbot.waitUntil(lambda: widget.painted_in == [DARK, theme])


def test_the_palette_comes_with_it(qapp: QApplication):
    told = []

    class Asking(Follower):
        def _take_theme(self, theme: Theme) -> None:
            told.append(qapp.palette().window().color().name())

    kept = Asking(told)
    told.clear()
    for theme in (LIGHT, DARK):
        apply_theme(qapp, theme)
        assert current_theme() == theme
    assert told == [LIGHT.window, DARK.window]
    del kept
