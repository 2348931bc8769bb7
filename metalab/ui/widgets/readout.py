"""The box beside the pointer that says the values there."""

from html import escape

from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QLabel, QWidget

from metalab.ui.plot.painting import tint
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import current_theme, follow_theme

_DISTANCE = 12
_TOP = 10


class Readout(QLabel):
    """A title and rows of name and value, over a plot."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._plot = parent
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setContentsMargins(9, 6, 9, 6)
        self.hide()
        follow_theme(self._take_theme)

    def _take_theme(self, theme: Theme) -> None:
        tint(self, theme.text)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the box, then the text."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = current_theme()
        painter.setPen(QPen(QColor(theme.border)))
        painter.setBrush(QColor(theme.raised))
        painter.drawRoundedRect(
            QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4
        )
        painter.end()
        super().paintEvent(event)

    def show_beside(
        self, place: QPoint, title: str, rows: list[tuple[str, str]]
    ) -> None:
        """Show values beside a place of the parent, on the side with more room.

        Args:
            place: Where the pointer's crosshair meets the upper edge of the plot.
            title: First line.
            rows: Names and values.
        """
        cells = "".join(
            f"<tr><td>{_indented(name)}&nbsp;&nbsp;</td>"
            f"<td align='right'>{escape(value)}</td></tr>"
            for name, value in rows
        )
        self.setText(f"<b>{escape(title)}</b><table cellspacing='0'>{cells}</table>")
        self.adjustSize()
        room = self._plot.width()
        right = place.x() + _DISTANCE
        if right + self.width() > room:
            right = place.x() - _DISTANCE - self.width()
        self.move(max(0, right), place.y() + _TOP)
        self.show()
        self.raise_()


def _indented(text: str) -> str:
    """Return a text for HTML that keeps the spaces it begins with."""
    plain = text.lstrip()
    return "&nbsp;" * (2 * (len(text) - len(plain))) + escape(plain)
