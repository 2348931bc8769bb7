"""Who gets the space bar."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QWidget,
)
from shiboken6 import isValid

_CHOOSERS = (QAbstractButton, QAbstractItemView, QComboBox)


class SpaceGuard(QObject):
    """Leaves the space bar to lists, boxes and buttons that were reached with Tab.

    Whoever goes there by keys means to press them by keys. One that has the focus for any
    other reason, because it was clicked, or because Qt had to give the focus to something,
    is not what a person thinks of: there, as on plots, the space bar runs and pauses.
    Fields of text keep it of their own accord.
    """

    def __init__(self, app: QApplication, parent: QObject) -> None:
        super().__init__(parent)
        self._reached: QWidget | None = None
        app.focusChanged.connect(self._on_focus_changed)

    def reach(self, widget: QWidget) -> None:
        """Take in that Tab has led to a widget, which has the focus now."""
        if isinstance(widget, _CHOOSERS):
            self._reached = widget
            widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Claim the space bar for the widget, so that no shortcut takes it."""
        if (
            watched is self._reached
            and event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
        ):
            plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
            if plain and event.key() == Qt.Key.Key_Space:
                event.accept()
                return True
        return False

    def _on_focus_changed(self, _old: QWidget | None, new: QWidget | None) -> None:
        # None: another window is active. Back in this one, the widget is as before.
        if self._reached is None or new is None or new is self._reached:
            return
        # It may have been deleted while another window was active.
        if isValid(self._reached):
            self._reached.removeEventFilter(self)
        self._reached = None
