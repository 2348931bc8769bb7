"""The box beside the pointer that says the values there."""

from html import escape

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFrame, QLabel, QWidget

from metalab.ui.painting import tint
from metalab.ui.theme import Theme

_DISTANCE = 12
_TOP = 10


class Readout(QLabel):
    """A title and rows of name and value, over a plot."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFrameShape(QFrame.Shape.Box)
        self.setAutoFillBackground(True)
        self.setMargin(5)
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        """Take the theme's colours."""
        tint(self, theme.raised, QPalette.ColorRole.Window)
        tint(self, theme.text)

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
            f"<tr><td>{escape(name)}&nbsp;&nbsp;</td>"
            f"<td align='right'>{escape(value)}</td></tr>"
            for name, value in rows
        )
        self.setText(f"<b>{escape(title)}</b><table cellspacing='0'>{cells}</table>")
        self.adjustSize()
        parent = self.parentWidget()
        right = place.x() + _DISTANCE
        if right + self.width() > parent.width():
            right = place.x() - _DISTANCE - self.width()
        self.move(max(0, right), place.y() + _TOP)
        self.show()
        self.raise_()
