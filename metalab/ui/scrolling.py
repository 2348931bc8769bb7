"""A part that scrolls where it does not fit."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget


class Scrolling(QScrollArea):
    """Lets a widget scroll up and down once there is less room than its least height."""

    def __init__(self, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._content = content
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(content)
        # What lies below shines through, in any theme.
        self.viewport().setAutoFillBackground(False)
        content.setAutoFillBackground(False)

    def sizeHint(self) -> QSize:
        """Return what the content would like."""
        return self._content.sizeHint()

    def minimumSizeHint(self) -> QSize:
        """Return the least width of the content, with a scroll bar, and little height."""
        bar = self.verticalScrollBar().sizeHint().width()
        content = self._content
        width = max(content.minimumSizeHint().width(), content.minimumWidth())
        return QSize(width + bar, 60)
