"""A card of the first page: picture, title and sentence, all of it one button."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from metalab.ui.learn.cards import Card
from metalab.ui.learn.thumbnail import paint_thumbnail
from metalab.ui.plot.painting import mixed
from metalab.ui.style.theming import current_theme

if TYPE_CHECKING:
    from collections.abc import Sequence

_SIZE = QSize(300, 250)
_LEAST = QSize(230, 180)
_MARGIN = 14
_GAP = 7
_RADIUS = 8.0
_PRESSED = 0.12
_WRAPPED = Qt.TextFlag.TextWordWrap


class CardButton(QAbstractButton):
    """Starts the experiment of its card: by a click, Return, Enter or the space bar.

    Attributes:
        beside: The cards of the page: the titles of all stand at one height.
    """

    def __init__(self, card: Card, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.card = card
        self.beside: Sequence[CardButton] = (self,)
        self._arrays = card.thumbnail()
        self.setText(card.title)
        self.setAccessibleName(card.title)
        self.setAccessibleDescription(card.sentence)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        policy = QSizePolicy.Policy.Expanding
        self.setSizePolicy(policy, policy)
        # Qt then repaints when the mouse comes and goes.
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def sizeHint(self) -> QSize:
        """Return room for a picture of about 16:9 above three lines of text."""
        return _SIZE

    def minimumSizeHint(self) -> QSize:
        """Return the size below which the text would leave no picture."""
        return _LEAST

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take Return and Enter as a click, as the space bar is."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the card."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self.isEnabled():
            painter.setOpacity(0.55)
        frame = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        outline = QPainterPath()
        outline.addRoundedRect(frame, _RADIUS, _RADIUS)
        painter.fillPath(outline, self._background())
        words = max(card.text_height() for card in self.beside)
        picture = frame.adjusted(0, 0, 0, -words)
        painter.save()
        painter.setClipPath(outline)
        theme = current_theme()
        paint_thumbnail(painter, picture, self.card, self._arrays, theme)
        painter.restore()
        self._paint_words(painter, round(picture.bottom()))
        lit = self.hasFocus() or self.underMouse()
        edge = theme.accent if lit else theme.border
        painter.setPen(QPen(QColor(edge), 2.0 if self.hasFocus() else 1.0))
        painter.drawPath(outline)

    def _background(self) -> QColor:
        theme = current_theme()
        if self.isDown():
            return mixed(theme.raised, theme.accent, _PRESSED)
        return QColor(theme.raised)

    def _title_font(self) -> QFont:
        font = QFont(self.font())
        font.setPointSizeF(1.1 * font.pointSizeF())
        font.setBold(True)
        return font

    def text_height(self) -> int:
        """Return the height of title and sentence, with their margins."""
        room = QRect(0, 0, self.width() - 2 * _MARGIN, 1000)
        title = QFontMetrics(self._title_font()).boundingRect(
            room, _WRAPPED, self.card.title
        )
        sentence = self.fontMetrics().boundingRect(room, _WRAPPED, self.card.sentence)
        return title.height() + sentence.height() + _GAP + 2 * _MARGIN

    def _paint_words(self, painter: QPainter, top: int) -> None:
        theme = current_theme()
        painter.setPen(QColor(theme.text))
        painter.setFont(self._title_font())
        room = QRect(
            _MARGIN, top + _MARGIN, self.width() - 2 * _MARGIN, self.height() - top
        )
        title = painter.drawText(room, _WRAPPED, self.card.title)
        used = title[0] if isinstance(title, tuple) else title
        painter.setFont(self.font())
        painter.setPen(QColor(theme.muted))
        below = room.adjusted(0, used.height() + _GAP, 0, 0)
        painter.drawText(below, _WRAPPED, self.card.sentence)
