"""A line of values below a plot."""

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from metalab.ui.theme import DARK, Theme

_MARGIN, _GAP, _AIR = 12, 12, 5


class Caption(QWidget):
    """Two muted texts in one line; the left one is cut where there is no room."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._left = self._right = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    @property
    def left(self) -> str:
        """The text at the left edge."""
        return self._left

    @property
    def right(self) -> str:
        """The text at the right edge."""
        return self._right

    def set_theme(self, theme: Theme) -> None:
        """Take the theme's colours."""
        self._theme = theme
        self.update()

    def set_texts(self, left: str, right: str, tip: str) -> None:
        """Show two texts, and more in the tooltip."""
        if (left, right, tip) != (self._left, self._right, self.toolTip()):
            self._left, self._right = left, right
            self.setToolTip(tip)
            self.update()

    def sizeHint(self) -> QSize:
        """Return the height of the line."""
        return QSize(100, self.fontMetrics().height() + _AIR)

    def minimumSizeHint(self) -> QSize:
        """Return the height of the line."""
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint both texts."""
        del event
        painter = QPainter(self)
        painter.setPen(QColor(self._theme.muted))
        frame = self.rect().adjusted(_MARGIN, 0, -_MARGIN, -3)
        metrics = painter.fontMetrics()
        align = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(frame, align | Qt.AlignmentFlag.AlignRight, self._right)
        room = frame.width() - metrics.horizontalAdvance(self._right) - _GAP
        left = metrics.elidedText(self._left, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRect(frame.topLeft(), frame.size()), align, left)
