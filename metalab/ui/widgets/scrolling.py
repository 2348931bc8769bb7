"""A part that scrolls where it does not fit."""

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget


class Scrolling(QScrollArea):
    """Lets a widget scroll up and down once there is less room than its least height."""

    def __init__(
        self,
        content: QWidget,
        parent: QWidget | None = None,
        *,
        least_lines: float = 0.0,
    ) -> None:
        """Wrap a widget.

        Args:
            content: What scrolls.
            parent: Qt's owner.
            least_lines: Least height of the content in lines of text, so that it grows
                with the font; 0 leaves what the content says itself.
        """
        super().__init__(parent)
        self._content = content
        self._least_lines = least_lines
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(content)
        # What lies below shines through, in any theme.
        self.viewport().setAutoFillBackground(False)
        content.setAutoFillBackground(False)
        self._measure()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Tell the layout around it when the content needs another width."""
        if watched is self._content and event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._measure()

    def _measure(self) -> None:
        if self._least_lines > 0:
            lines = self._least_lines * self.fontMetrics().height()
            self._content.setMinimumHeight(round(lines))

    def sizeHint(self) -> QSize:
        """Return what the content would like, within what it may have."""
        content = self._content
        hint = content.sizeHint().expandedTo(content.minimumSize())
        return hint.boundedTo(content.maximumSize())

    def minimumSizeHint(self) -> QSize:
        """Return the least width of the content, with a scroll bar, and little height."""
        bar = self.verticalScrollBar().sizeHint().width()
        content = self._content
        width = max(content.minimumSizeHint().width(), content.minimumWidth())
        return QSize(width + bar, 60)
