"""The buttons and the chip of the toolbar."""

from collections.abc import Sequence
from enum import Enum, auto
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QAction, QColor, QIcon, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QSizePolicy,
    QStyle,
    QStyleOptionToolButton,
    QToolButton,
    QWidget,
)

from metalab.ui.style.icons import icon
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import current_theme, follow_theme

if TYPE_CHECKING:
    from metalab.catalog.recipes import Recipe

ICON = 20
_PADDING = 8
_GAP = 6
_HEIGHT = 30
_RADIUS = 5.0
_ARROW_ROOM = 18
_FADED = 0.38
"""Opacity of what is off."""


class Look(Enum):
    """How a button of the toolbar is drawn."""

    TEXT = auto()
    ICON_ONLY = auto()
    ACCENT = auto()
    """With text, on the accent colour: the one thing to do next."""


class ToolbarButton(QToolButton):
    """An action on the toolbar, perhaps with a menu behind an arrow."""

    def __init__(
        self,
        action: QAction,
        look: Look = Look.TEXT,
        *,
        texts: Sequence[str] = (),
        parent: QWidget | None = None,
    ) -> None:
        """Make a button.

        Args:
            action: What it does; gives text, icon, tooltip and whether it is on. For
                `ACCENT` its data is the name of the icon.
            look: How to draw it.
            texts: What the text may become: the button is as wide as the longest.
            parent: Qt's owner.
        """
        super().__init__(parent)
        self._action = action
        self._look = look
        self._texts = texts
        self._accent_icons: dict[str, QIcon] = {}
        self.setIconSize(QSize(ICON, ICON))
        self.setAutoRaise(True)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setDefaultAction(action)
        follow_theme(self._take_theme)

    def _take_theme(self, _: Theme) -> None:
        self._accent_icons = {}

    def sizeHint(self) -> QSize:
        """Return the size for icon, longest text and arrow."""
        width = 2 * _PADDING + ICON
        if self._look is not Look.ICON_ONLY:
            metrics = self.fontMetrics()
            texts = [self.text(), *self._texts]
            width += _GAP + max(map(metrics.horizontalAdvance, texts))
        if self._has_arrow():
            width += _ARROW_ROOM
        return QSize(width, _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Return the same size: the toolbar folds buttons away as a whole."""
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt's signature
        """Draw ground, icon, text, arrow, and a ring around what has the focus."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(0.75, 0.75, -0.75, -0.75)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._ground())
        painter.drawRoundedRect(area, _RADIUS, _RADIUS)
        theme = current_theme()
        if self.isEnabled() and (self.isDown() or self.underMouse()):
            veil = QColor(theme.text)
            veil.setAlphaF(0.16 if self.isDown() else 0.09)
            painter.setBrush(veil)
            painter.drawRoundedRect(area, _RADIUS, _RADIUS)
        self._draw_icon(painter)
        painter.setPen(self._ink())
        if self._look is not Look.ICON_ONLY:
            words = self.rect().adjusted(_PADDING + ICON + _GAP, 0, 0, 0)
            painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, self.text())
        if self._has_arrow():
            self._draw_arrow(painter)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(theme.accent), 1.5))
            painter.drawRoundedRect(area, _RADIUS, _RADIUS)
        painter.end()

    def _ground(self) -> QColor:
        if self._look is not Look.ACCENT:
            return QColor(Qt.GlobalColor.transparent)
        theme = current_theme()
        return QColor(theme.accent if self.isEnabled() else theme.raised)

    def _ink(self) -> QColor:
        on_accent = self._look is Look.ACCENT and self.isEnabled()
        theme = current_theme()
        ink = QColor(theme.on_accent if on_accent else theme.text)
        if not self.isEnabled():
            ink.setAlphaF(_FADED)
        return ink

    def _draw_icon(self, painter: QPainter) -> None:
        enabled = self.isEnabled()
        shown = self.icon()
        if self._look is Look.ACCENT and enabled:
            name = self._action.data()
            if name not in self._accent_icons:
                self._accent_icons[name] = icon(name, current_theme().on_accent)
            shown = self._accent_icons[name]
        shown.paint(
            painter,
            QRect(_PADDING, (self.height() - ICON) // 2, ICON, ICON),
            Qt.AlignmentFlag.AlignCenter,
            QIcon.Mode.Normal if enabled else QIcon.Mode.Disabled,
        )

    def _has_arrow(self) -> bool:
        return self.popupMode() != QToolButton.ToolButtonPopupMode.DelayedPopup

    def _draw_arrow(self, painter: QPainter) -> None:
        option = QStyleOptionToolButton()
        self.initStyleOption(option)
        spot = self.style().subControlRect(
            QStyle.ComplexControl.CC_ToolButton,
            option,
            QStyle.SubControl.SC_ToolButtonMenu,
            self,
        )
        if self.popupMode() == QToolButton.ToolButtonPopupMode.InstantPopup:
            spot = self.rect().adjusted(self.width() - _ARROW_ROOM - 2, 0, 0, 0)
        middle = QRectF(spot).center()
        pen = QPen(self._ink(), 1.4)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        for side in (-3.5, 3.5):
            painter.drawLine(middle + QPointF(side, -1.5), middle + QPointF(0, 2))

    def event(self, event: QEvent) -> bool:
        """Draw again when the mouse comes and goes."""
        if event.type() in (QEvent.Type.HoverEnter, QEvent.Type.HoverLeave):
            self.update()
        return super().event(event)


class Chip(QWidget):
    """Names the algorithm that the form describes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = ""
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    @property
    def text(self) -> str:
        """The name."""
        return self._text

    def show_recipe(self, recipe: "Recipe | None") -> None:
        """Show a recipe; None stands for a combination without a name."""
        if recipe is None:
            self._text = "Custom"
            self.setToolTip("The parts in the form make no published method")
        else:
            self._text = recipe.title
            self.setToolTip(f"{recipe.summary}\n{recipe.source}")
        self.setAccessibleName(f"Algorithm: {self._text}")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size for the name; none without one."""
        width = self.fontMetrics().horizontalAdvance(self._text) + 22
        return QSize(width if self._text else 0, self.fontMetrics().height() + 8)

    def minimumSizeHint(self) -> QSize:
        """Return the same size."""
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt's signature
        """Draw the name on a rounded ground."""
        if not self._text:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        theme = current_theme()
        painter.setPen(QColor(theme.border))
        painter.setBrush(QColor(theme.raised))
        painter.drawRoundedRect(area, area.height() / 2, area.height() / 2)
        painter.setPen(QColor(theme.text))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._text)
        painter.end()
