"""Small painted parts of the form: the reset arrow, the folding header, elided text.

They are painted rather than taken from a font or an icon file, so they are sharp at any
scale and follow the palette.
"""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPalette,
    QPen,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QLabel,
    QSizePolicy,
    QToolButton,
    QWidget,
)

GUTTER = 22
"""Room at the left edge for chevrons and dots, in device-independent pixels."""

_DOT_RADIUS = 3.0


def tint(
    widget: QWidget,
    colour: str,
    role: QPalette.ColorRole = QPalette.ColorRole.WindowText,
) -> None:
    """Give one role of a widget's palette a colour."""
    palette = widget.palette()
    palette.setColor(role, QColor(colour))
    widget.setPalette(palette)


def paint_dot(painter: QPainter, centre: QPointF, colour: str) -> None:
    """Paint the mark of a field that differs, or that is wrong."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    painter.drawEllipse(centre, _DOT_RADIUS, _DOT_RADIUS)


def paint_ring(painter: QPainter, around: QRectF, colour: QColor) -> None:
    """Paint an outline just outside a widget, or just inside a painted control."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(colour, 1.5))
    painter.drawRoundedRect(around, 3, 3)


class ResetButton(QToolButton):
    """An arrow that turns back."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAutoRaise(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setFixedSize(20, 20)
        policy = self.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.setSizePolicy(policy)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the button, then an open circle with an arrow head."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        bright = self.underMouse() or self.hasFocus()
        role = palette.ColorRole
        colour = palette.color(role.WindowText if bright else role.PlaceholderText)
        painter.setPen(QPen(colour, 1.4))
        centre, radius = QRectF(self.rect()).center(), 4.5
        circle = QRectF(
            centre.x() - radius, centre.y() - radius, 2 * radius, 2 * radius
        )
        painter.drawArc(circle, -130 * 16, 280 * 16)
        tip = QPointF(circle.left() + 0.6, centre.y() - 2.6)
        head = [QPointF(-1.8, -3.2), QPointF(-0.6, 2.4), QPointF(4.2, -0.4)]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawPolygon(QPolygonF([tip + offset for offset in head]))
        if self.hasFocus():
            inside = QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5)
            paint_ring(painter, inside, palette.color(role.Highlight))


class FoldHeader(QAbstractButton):
    """A line that folds what is below it. Checked means open."""

    def __init__(
        self, title: str, *, prominent: bool, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._prominent = prominent
        self._dot: str | None = None
        self.setText(title)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_dot(self, colour: str | None) -> None:
        """Show or hide a dot: something inside differs or is wrong."""
        self._dot = colour
        self.update()

    def sizeHint(self) -> QSize:
        """Return room for the title and some air."""
        metrics = self.fontMetrics()
        width = GUTTER + metrics.horizontalAdvance(self.text()) + GUTTER
        return QSize(width, metrics.height() + (14 if self._prominent else 8))

    def minimumSizeHint(self) -> QSize:
        """Return the height of the line; titles are elided."""
        return QSize(2 * GUTTER, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint chevron, title, dot, and the focus."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette, role = self.palette(), QPalette.ColorRole
        loud = self._prominent or self.underMouse()
        ink = palette.color(role.WindowText if loud else role.PlaceholderText)
        if self._prominent:
            painter.fillRect(0, 0, self.width(), 1, palette.color(role.Mid))
        middle = self.height() / 2 + 0.5
        left = 0.0 if self._prominent else float(GUTTER)
        self._paint_chevron(painter, QPointF(left + 11, middle))
        left += GUTTER if self._prominent else 20
        font = QFont(self.font())
        font.setBold(self._prominent)
        painter.setFont(font)
        painter.setPen(ink)
        room = int(self.width() - left - 16)
        text = painter.fontMetrics().elidedText(
            self.text(), Qt.TextElideMode.ElideRight, room
        )
        frame = QRectF(left, 0, room, self.height() + 1)
        painter.drawText(frame, Qt.AlignmentFlag.AlignVCenter, text)
        if self._dot is not None:
            end = left + painter.fontMetrics().horizontalAdvance(text)
            paint_dot(painter, QPointF(end + 9, middle), self._dot)
        if self.hasFocus():
            inside = QRectF(self.rect()).adjusted(2.5, 2.5, -2.5, -2.5)
            paint_ring(painter, inside, palette.color(role.Highlight))

    def _paint_chevron(self, painter: QPainter, centre: QPointF) -> None:
        role = QPalette.ColorRole
        ink = role.WindowText if self.underMouse() else role.PlaceholderText
        pen = QPen(self.palette().color(ink), 1.5)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.save()
        painter.translate(centre)
        if self.isChecked():
            painter.rotate(90)
        path = QPainterPath(QPointF(-1.75, -3.5))
        path.lineTo(1.75, 0)
        path.lineTo(-1.75, 3.5)
        painter.drawPath(path)
        painter.restore()


class ElidedButton(QAbstractButton):
    """A line of text that can be clicked, cut at the end where there is no room."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colour = ""
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def set_colour(self, colour: str) -> None:
        """Write in a colour of the theme."""
        self._colour = colour
        self.update()

    def set_full_text(self, text: str) -> None:
        """Show a text."""
        self.setText(text)
        self.setAccessibleName(text)
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Return room for the whole text."""
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance(self.text()) + 4, metrics.height() + 4)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the text, underlined where a click would count, and the focus."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = QFont(self.font())
        font.setUnderline(self.underMouse() or self.hasFocus())
        painter.setFont(font)
        painter.setPen(QColor(self._colour))
        inside = QRectF(self.rect()).adjusted(2, 0, -2, 0)
        text = painter.fontMetrics().elidedText(
            self.text(), Qt.TextElideMode.ElideRight, int(inside.width())
        )
        painter.drawText(inside, Qt.AlignmentFlag.AlignVCenter, text)
        if self.hasFocus():
            ring = QRectF(self.rect()).adjusted(0.75, 0.75, -0.75, -0.75)
            highlight = self.palette().color(QPalette.ColorRole.Highlight)
            paint_ring(painter, ring, highlight)


class ElidedLabel(QLabel):
    """One line of text, cut at the end where there is no room; then its own tooltip."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._full = ""

    def set_full_text(self, text: str) -> None:
        """Show a text."""
        self._full = text
        self.setAccessibleName(text)
        self._elide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Cut the text to the new width."""
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        text = self.fontMetrics().elidedText(
            self._full, Qt.TextElideMode.ElideRight, self.width()
        )
        self.setText(text)
        self.setToolTip(self._full if text != self._full else "")
