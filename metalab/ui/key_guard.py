"""Who gets the space bar."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QToolBar,
    QWidget,
)

_CHOOSERS = (QAbstractButton, QAbstractItemView, QComboBox)


class SpaceGuard(QObject):
    """Leaves the space bar to lists, boxes and buttons that have the focus.

    Elsewhere, on plots and on the toolbar, it runs and pauses. Fields of text keep it of
    their own accord.
    """

    def __init__(self, app: QApplication, parent: QObject) -> None:
        super().__init__(parent)
        app.focusChanged.connect(self._on_focus_changed)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: ARG002 - Qt
        """Claim the space bar for the widget, so that no shortcut takes it."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(
            event, QKeyEvent
        ):
            plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
            if plain and event.key() == Qt.Key.Key_Space:
                event.accept()
                return True
        return False

    def _on_focus_changed(self, _old: QWidget | None, new: QWidget | None) -> None:
        if isinstance(new, _CHOOSERS) and not isinstance(new.parent(), QToolBar):
            new.installEventFilter(self)
