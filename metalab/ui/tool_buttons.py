"""The buttons of the toolbar: flat, one of them in the accent colour."""

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QAction, QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QLabel,
    QMenu,
    QStyle,
    QStyleOptionToolButton,
    QToolButton,
    QWidget,
)

from metalab.ui.icons import icon
from metalab.ui.theme import DARK, Theme

ICON = 20
_PADDING = 8
_GAP = 6
_HEIGHT = 30
_RADIUS = 5.0
_ARROW_ROOM = 18


class FlatButton(QToolButton):
    """An action with icon and text, and perhaps a menu behind an arrow."""

    def __init__(
        self, action: QAction, *, with_text: bool = True, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._with_text = with_text
        self.setIconSize(QSize(ICON, ICON))
        self.setAutoRaise(True)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setDefaultAction(action)

    def set_theme(self, theme: Theme) -> None:
        """Take the theme's colours."""
        self._theme = theme
        self.update()

    def add_menu(self, menu: QMenu, *, split: bool) -> None:
        """Put a menu behind an arrow, or with `split` unset behind the whole button."""
        mode = QToolButton.ToolButtonPopupMode
        self.setPopupMode(mode.MenuButtonPopup if split else mode.InstantPopup)
        self.setMenu(menu)

    def sizeHint(self) -> QSize:
        """Return the size for icon, text and arrow."""
        width = 2 * _PADDING + ICON
        if self._with_text:
            width += _GAP + self.text_width()
        if self.menu() is not None:
            width += _ARROW_ROOM
        return QSize(width, _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Return the same size: the toolbar folds buttons away as a whole."""
        return self.sizeHint()

    def text_width(self) -> int:
        """Return the room for the text."""
        return self.fontMetrics().horizontalAdvance(self.text())

    def ground(self) -> QColor | None:
        """Return the colour behind icon and text; None for none."""
        if not self.isEnabled():
            return None
        ground = QColor(self._theme.text)
        ground.setAlphaF(0.14 if self.isDown() else 0.08)
        return ground if self.isDown() or self.underMouse() else None

    def ink(self) -> QColor:
        """Return the colour of the text."""
        ink = QColor(self._theme.text)
        if not self.isEnabled():
            ink.setAlphaF(0.38)
        return ink

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt's signature
        """Draw ground, icon, text, arrow, and a ring around what has the focus."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        ground = self.ground()
        painter.setPen(Qt.PenStyle.NoPen)
        if ground is not None:
            painter.setBrush(ground)
            painter.drawRoundedRect(area, _RADIUS, _RADIUS)
        left = _PADDING
        mode = self.icon_mode()
        spot = QRect(left, (self.height() - ICON) // 2, ICON, ICON)
        self.icon().paint(painter, spot, Qt.AlignmentFlag.AlignCenter, mode)
        painter.setPen(self.ink())
        if self._with_text:
            words = self.rect().adjusted(left + ICON + _GAP, 0, 0, 0)
            painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, self.text())
        if self.menu() is not None:
            self._draw_arrow(painter)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(self._theme.accent), 1.5))
            painter.drawRoundedRect(area, _RADIUS, _RADIUS)
        painter.end()

    def icon_mode(self) -> "QIcon.Mode":
        """Return which of the icon's drawings to use."""
        return QIcon.Mode.Normal if self.isEnabled() else QIcon.Mode.Disabled

    def _draw_arrow(self, painter: QPainter) -> None:
        if self.popupMode() == QToolButton.ToolButtonPopupMode.MenuButtonPopup:
            option = QStyleOptionToolButton()
            self.initStyleOption(option)
            spot = self.style().subControlRect(
                QStyle.ComplexControl.CC_ToolButton,
                option,
                QStyle.SubControl.SC_ToolButtonMenu,
                self,
            )
        else:
            spot = self.rect().adjusted(self.width() - _ARROW_ROOM - 4, 0, 0, 0)
        middle = QRectF(spot).center()
        painter.setPen(QPen(self.ink(), 1.4, c=Qt.PenCapStyle.RoundCap))
        for side in (-3.5, 3.5):
            painter.drawLine(middle + QPointF(side, -1.5), middle + QPointF(0, 2))

    def event(self, event: QEvent) -> bool:
        """Draw again when the mouse comes and goes."""
        if event.type() in (QEvent.Type.HoverEnter, QEvent.Type.HoverLeave):
            self.update()
        return super().event(event)
