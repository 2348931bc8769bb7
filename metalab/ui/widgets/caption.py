"""A line of values below a plot."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from metalab.ui.style.theming import current_theme
from metalab.ui.widgets.plain_text import plain_tip

_MARGIN, _GAP, _AIR = 10, 12, 5


class Caption(QWidget):
    """Two muted texts in one line; the left one is cut where there is no room."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._left = self._right = self._short_right = ""
        self._tone = "muted"
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    @property
    def left(self) -> str:
        """The text at the left edge."""
        return self._left

    @property
    def right(self) -> str:
        """The text at the right edge."""
        return self._right

    @property
    def tone(self) -> str:
        """The role of the theme that the texts are painted in."""
        return self._tone

    def set_tone(self, tone: str) -> None:
        """Paint the texts in another role of the theme."""
        if tone != self._tone:
            self._tone = tone
            self.update()

    def set_texts(self, left: str, right: str, short_right: str, tip: str) -> None:
        """Show two texts.

        Args:
            left: At the left edge.
            right: At the right edge.
            short_right: Instead of `right` where there is no room for both.
            tip: All of it, in the tooltip.
        """
        texts = (left, right, short_right)
        if texts != (self._left, self._right, self._short_right):
            self._left, self._right, self._short_right = texts
            self.update()
        self.setToolTip(plain_tip(tip))

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
        painter.setPen(QColor(getattr(current_theme(), self._tone)))
        frame = self.rect().adjusted(_MARGIN, 0, -_MARGIN, -3)
        metrics, align = painter.fontMetrics(), Qt.AlignmentFlag.AlignVCenter
        right = self._right
        wanted = metrics.horizontalAdvance(self._left + right) + _GAP
        if wanted > frame.width():
            right = self._short_right
        painter.drawText(frame, align | Qt.AlignmentFlag.AlignRight, right)
        room = frame.width() - metrics.horizontalAdvance(right) - _GAP
        left = metrics.elidedText(self._left, Qt.TextElideMode.ElideRight, room)
        painter.drawText(frame, align, left)
