"""Passing words over a corner of the window: what was done, and the way to take it back.

What needs a decision is a banner; a toast goes by itself, and nothing is lost with it.
"""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer
from PySide6.QtGui import QColor, QEnterEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from metalab.ui.plot.painting import tint
from metalab.ui.style.icons import icon
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import current_theme, follow_theme

SECONDS = 8.0
MOST = 3
_EDGE = 12
_GAP = 8
_RADIUS = 6.0
_LEAST_WIDTH, _MOST_WIDTH = 220, 460


class Toast(QWidget):
    """One of them: words, perhaps a button, and a way to close it."""

    def __init__(
        self,
        text: str,
        choice: str,
        chosen: Callable[[], object],
        *,
        parent: QWidget,
    ) -> None:
        """Make a toast; its area shows it.

        Args:
            text: What was done.
            choice: On the button; "" for none.
            chosen: What the button does.
            parent: The area.
        """
        super().__init__(parent)
        self._chosen = chosen
        self.text = QLabel(text, self)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setWordWrap(True)
        self.button = QPushButton(choice, self)
        self.button.setVisible(bool(choice))
        self.close_button = QToolButton(self)
        self.close_button.setAutoRaise(True)
        self.close_button.setToolTip("Dismiss")
        self.close_button.setAccessibleName("Dismiss")
        self.setAccessibleName(text)
        row = QHBoxLayout(self)
        row.setContentsMargins(_EDGE, _GAP, _GAP, _GAP)
        row.setSpacing(_GAP)
        row.addWidget(self.text, 1)
        row.addWidget(self.button)
        row.addWidget(self.close_button)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(round(1000 * SECONDS))
        self._timer.timeout.connect(self.leave)
        self.button.clicked.connect(self._on_clicked)
        self.close_button.clicked.connect(self.leave)
        follow_theme(self._take_theme)

    def begin(self) -> None:
        """Let it be seen for a while."""
        self.show()
        self._timer.start()

    def leave(self) -> None:
        """Be gone."""
        self._timer.stop()
        self.hide()
        area = self.parent()
        self.setParent(None)
        self.deleteLater()
        if isinstance(area, ToastArea):
            area.arrange()

    def _take_theme(self, theme: Theme) -> None:
        tint(self.text, theme.text)
        self.close_button.setIcon(icon("close", theme.text))

    def enterEvent(self, event: QEnterEvent) -> None:
        """Stay while the pointer is over it."""
        super().enterEvent(event)
        self._timer.stop()

    def leaveEvent(self, event: QEvent) -> None:
        """Go a while after the pointer has left it."""
        super().leaveEvent(event)
        self._timer.start()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw a plate."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = current_theme()
        painter.setPen(QColor(theme.border))
        painter.setBrush(QColor(theme.raised))
        area = self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(area, _RADIUS, _RADIUS)
        painter.end()

    def _on_clicked(self) -> None:
        self.leave()
        self._chosen()


class ToastArea(QWidget):
    """A corner at the right of a widget, as large as the toasts that are in it.

    The lower one; the upper one where the plots below are all that there is to see.
    """

    def __init__(self, over: QWidget) -> None:
        """Make an empty area.

        Args:
            over: Where they are seen; also Qt's parent.
        """
        super().__init__(over)
        self._over = over
        self._at_top = False
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(_GAP)
        over.installEventFilter(self)
        self.hide()

    @property
    def toasts(self) -> list[Toast]:
        """Those that are seen, the oldest first."""
        found = self.findChildren(
            Toast, options=Qt.FindChildOption.FindDirectChildrenOnly
        )
        return list(found)

    def say(
        self,
        text: str,
        choice: str = "",
        chosen: Callable[[], object] = lambda: None,
    ) -> None:
        """Say something for a while; of many, the newest are seen.

        Args:
            text: What was done.
            choice: On a button; "" for none.
            chosen: What the button does.
        """
        self.take_back(text)
        for old in self.toasts[: -MOST + 1]:
            old.leave()
        toast = Toast(text, choice, chosen, parent=self)
        self._column.addWidget(toast)
        toast.begin()
        self.arrange()

    def take_back(self, text: str) -> None:
        """Have what was said gone, if it is still to be seen."""
        for toast in self.toasts:
            if toast.text.text() == text:
                toast.leave()

    def clear(self) -> None:
        """Have none any more."""
        for toast in self.toasts:
            toast.leave()

    def set_at_top(self, at_top: bool) -> None:  # noqa: FBT001 - a slot
        """Take the upper corner, over tabs and titles, or the lower one, over plots."""
        self._at_top = at_top
        self.arrange()

    def arrange(self) -> None:
        """Take the corner, within what there is room for."""
        self.setVisible(bool(self.toasts))
        if not self.toasts:
            return
        room = self._over.rect().adjusted(_EDGE, _EDGE, -_EDGE, -_EDGE)
        width = max(min(_MOST_WIDTH, room.width()), _LEAST_WIDTH)
        self.setFixedWidth(width)
        height = max(
            self._column.heightForWidth(width), self._column.sizeHint().height()
        )
        self.resize(width, height)
        top = self._over.rect().top() if self._at_top else room.bottom() - height + 1
        self.move(QPoint(room.right() - width + 1, top))
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in the corner."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.FontChange):
            self.arrange()
        return super().eventFilter(watched, event)
