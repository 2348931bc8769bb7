"""An outline around a widget, which lets the mouse through."""

from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from metalab.ui.style.theme import DARK, Theme

_AIR = 3
_PEN = 2.5
_RADIUS = 5.0


class Outline(QWidget):
    """Lies over the window of what it surrounds, which owns it from then on."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        """Take the theme's colours."""
        self._theme = theme
        self.update()

    def surround(self, target: QWidget | None) -> None:
        """Lie around a widget; disappear for None and for one that is hidden."""
        if target is None or not target.isVisible():
            self.hide()
            return
        window = target.window()
        if self.parentWidget() is not window:
            self.setParent(window)
        seen = QRect(target.mapTo(window, QPoint(0, 0)), target.size())
        around = seen.adjusted(-_AIR, -_AIR, _AIR, _AIR).intersected(window.rect())
        if self.isVisible() and around == self.geometry():
            return
        self.setGeometry(around)
        self.show()
        self.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the outline."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._theme.accent), _PEN))
        inset = _PEN / 2
        frame = QRectF(self.rect()).adjusted(inset, inset, -inset, -inset)
        painter.drawRoundedRect(frame, _RADIUS, _RADIUS)
