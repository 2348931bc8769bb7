"""The title bar of a dock: its name, and a cross that hides it."""

from PySide6.QtCore import QSize
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QLabel, QToolButton, QWidget

from metalab.ui.style.icons import icon
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import follow_theme


class DockTitle(QWidget):
    """Aligned with what the dock holds, unlike Qt's own. The dock can be dragged by it."""

    def __init__(self, dock: QDockWidget) -> None:
        super().__init__(dock)
        name = QLabel(dock.windowTitle(), self)
        font = name.font()
        font.setWeight(QFont.Weight.DemiBold)
        name.setFont(font)
        self._close = QToolButton(self)
        self._close.setAutoRaise(True)
        self._close.setIconSize(QSize(16, 16))
        text = f"Hide {dock.windowTitle()}"
        self._close.setToolTip(text)
        self._close.setAccessibleName(text)
        self._close.clicked.connect(dock.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 5, 6, 3)
        row.addWidget(name, 1)
        row.addWidget(self._close)
        follow_theme(self._take_theme)

    def _take_theme(self, theme: Theme) -> None:
        self._close.setIcon(icon("close", theme.muted))
