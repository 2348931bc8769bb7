"""Event filter for keys that are commands, such as Space, unless a text has focus."""

import time
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QWidget,
)

PAUSE_SECONDS = 1.0
"""A key that comes later than this after a letter is not of the same word."""

_LISTS = (QAbstractItemView, QComboBox)
_CHOOSERS = (QAbstractButton, *_LISTS)
_COMMANDS = {" ", ".", ",", ";", "p", "P"}
"""Signs that are keys of actions (`action_table`) by themselves."""


class KeyGuard(QObject):
    """Keeps single keys from being commands where a person types or chooses.

    The space bar is left to lists, boxes and buttons that were reached with Tab: whoever
    goes there by keys means to press them by keys. One that has the focus for any other
    reason, because it was clicked, or because Qt had to give the focus to something, is
    not what a person thinks of: there, as on plots, the space bar runs and pauses.

    In a list or a closed box, letters look for an entry. Elsewhere, a letter that nothing
    takes is the beginning of a word that was meant for a field: the rest of the word, its
    spaces and points, is then no command either. And a point alone makes steps of a run
    that there is; to begin one takes Space, a button or a key with Ctrl. Fields of text keep
    their keys of their own accord.

    Attributes:
        held: A key did nothing, for it looked like a part of a word.
    """

    held = Signal()

    def __init__(
        self,
        app: QApplication,
        *,
        steps: Callable[[], bool],
        now: Callable[[], float] = time.monotonic,
        parent: QObject,
    ) -> None:
        """Guard the windows of an application.

        Args:
            app: The application.
            steps: Whether there is a run that a step would be made of.
            now: Seconds.
            parent: Qt's owner.
        """
        super().__init__(parent)
        self._steps = steps
        self._now = now
        self._typed_at = -PAUSE_SECONDS
        self._reached: QWidget | None = None
        app.focusChanged.connect(self._on_focus_changed)

    def reach(self, widget: QWidget) -> None:
        """Take in that Tab has led to a widget, which has the focus now."""
        self._reached = widget if isinstance(widget, _CHOOSERS) else None

    def take_letter(self, event: QKeyEvent) -> None:
        """Take in a key that nothing had a use for. Called by the window."""
        if _sign(event).isprintable() and _sign(event):
            self._typed_at = self._now()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Claim what is typed, before it is taken for a shortcut, and swallow it."""
        if not isinstance(event, QKeyEvent):
            return False
        kind = event.type()
        pressed = kind == QEvent.Type.KeyPress
        if pressed and isinstance(watched, _LISTS) and _sign(event).isalnum():
            self.take_letter(event)
        claims = self._is_text(watched, event) or self._presses(watched, event)
        if kind == QEvent.Type.ShortcutOverride and claims:
            event.accept()
            return True
        swallows = pressed and not isinstance(watched, _LISTS)
        if swallows and self._is_text(watched, event):
            self.take_letter(event)
            self.held.emit()
            return True
        return False

    def _is_text(self, watched: QObject, event: QKeyEvent) -> bool:
        sign = _sign(event)
        if sign not in _COMMANDS:
            return False
        # Whether a list has the space bar, Tab decides.
        if isinstance(watched, _LISTS) and sign != " ":
            return True
        typing = self._now() - self._typed_at < PAUSE_SECONDS
        return typing or (sign == "." and not self._steps())

    def _presses(self, watched: QObject, event: QKeyEvent) -> bool:
        return watched is self._reached and _sign(event) == " "

    def _on_focus_changed(self, _old: QWidget | None, new: QWidget | None) -> None:
        # None: another window is active. Back in this one, all is as before.
        if new is None:
            return
        if new is not self._reached:
            self._reached = None
        # Whatever takes text keeps its keys of its own accord.
        takes_text = new.testAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled)
        if isinstance(new, _LISTS) or not takes_text:
            # For good: keys come to what has the focus alone.
            new.installEventFilter(self)


def _sign(event: QKeyEvent) -> str:
    """Return the sign that a key types; "" for none, and with Ctrl, Alt or Meta."""
    plain = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier
    if event.modifiers() & ~plain:
        return ""
    return event.text()
