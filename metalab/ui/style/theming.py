"""The theme that the application has, and who follows it.

What has colours takes them in one of two ways, and nobody is told by anybody else:

- What is painted asks for `current_theme` each time; after a change everything is painted
  again.
- What is made of a theme and kept, such as the palette of a label, an icon, a pen or a
  picture, is made in a method that the constructor hands to `follow_theme`, as the last
  thing it does. It is called at once and after each change.

A part that is made by a constructor follows before the whole does, so a whole finds its
parts in the new theme.
"""

from collections.abc import Callable
from typing import Any
from weakref import WeakMethod

from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory
from shiboken6 import Shiboken

from metalab.ui.style.theme import DARK, Theme, qt_palette

Take = Callable[[Theme], None]


class _Theming:
    """The theme of an application, as its palette is."""

    def __init__(self) -> None:
        self.theme = DARK
        # In the order in which they came.
        self._followers: dict[WeakMethod[Take], None] = {}

    def follow(self, take: Take) -> None:
        self._followers[WeakMethod(take, self._forget)] = None
        take(self.theme)

    def _forget(self, follower: WeakMethod[Take]) -> None:
        self._followers.pop(follower, None)

    def change(self, theme: Theme) -> None:
        self.theme = theme
        for follower in list(self._followers):
            take: Any = follower()
            if take is None:
                continue
            # Python may still hold what Qt has destroyed.
            if Shiboken.isValid(take.__self__):
                take(theme)
            else:
                self._forget(follower)


_THEMING = _Theming()


def current_theme() -> Theme:
    """Return the theme that was taken last; the dark one at first."""
    return _THEMING.theme


def follow_theme(take: Take) -> None:
    """Call a method with the theme, now and after each change.

    Args:
        take: Method of an object, which is held weakly: once it is gone, or Qt has
            destroyed it, it is not called.
    """
    _THEMING.follow(take)


def change_theme(theme: Theme) -> None:
    """Give everything there is, and all that will be made, a theme; the palette stays."""
    _THEMING.change(theme)
    for widget in QApplication.allWidgets():
        widget.update()


def apply_theme(app: QApplication, theme: Theme) -> None:
    """Give the whole application a theme, and its palette, on the Fusion style."""
    # Every widget is polished again by a style, be it the same one.
    if app.style().name() != "fusion":
        app.setStyle(QStyleFactory.create("Fusion"))
    palette = qt_palette(theme)
    app.setPalette(palette)
    # Fusion frames a box in a darker shade of the window, which on a dark one cannot be
    # seen; a filled box can.
    palette.setColor(QPalette.ColorRole.Base, QColor(theme.box))
    app.setPalette(palette, "QCheckBox")  # pyright: ignore[reportArgumentType] - takes a name; the stubs say bytes
    change_theme(theme)
