"""The `?` beside a setting, and the small window that it opens."""

from PySide6.QtCore import QByteArray, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QGuiApplication,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from metalab.ui.learn.terms import Term
from metalab.ui.plot.painting import tint
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import current_theme, follow_theme

_WIDTH = 340
"""Of the text; a longer formula makes the popover wider."""

_MARGIN = 14
_GAP = 4
_RADIUS = 6.0


class FormulaView(QWidget):
    """A drawn formula, sharp at any scale."""

    def __init__(self, term: Term, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._term = term
        self._drawing = QSvgRenderer(self)
        follow_theme(self._take_theme)
        self.setFixedSize(self.sizeHint())
        self.setAccessibleName(f"Formula: {term.formula}")

    def _take_theme(self, theme: Theme) -> None:
        self._drawing.load(QByteArray(self._term.picture(theme)))

    def sizeHint(self) -> QSize:
        """Return the size at which the formula was drawn."""
        return self._drawing.defaultSize()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the formula."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._drawing.render(painter, QRectF(self.rect()))


class TermPopover(QFrame):
    """What a term means: title, formula, one sentence, and where to see it.

    It closes on Escape, on a click elsewhere and once the workspace is asked for; then it
    is deleted.

    Attributes:
        see_requested: Name of the workspace that shows the term.
    """

    see_requested = Signal(str)

    def __init__(self, term: Term, parent: QWidget | None = None) -> None:
        super().__init__(
            parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint
        )
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        # The corners outside the rounded frame.
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self.setAccessibleName(term.term)
        self.setAccessibleDescription(term.sentence)
        self.term = term
        self._title = QLabel(term.term, self)
        self._sentence = QLabel(term.sentence, self)
        self.see_button = QPushButton(f"See it in {workspace_title(term.see)}", self)
        self.see_button.setAccessibleDescription(term.sentence)
        self.see_button.setAutoDefault(True)
        self.see_button.clicked.connect(self._on_see_clicked)
        self._arrange()
        follow_theme(self._take_theme)

    def _take_theme(self, theme: Theme) -> None:
        tint(self._title, theme.text)
        tint(self._sentence, theme.text)

    def _arrange(self) -> None:
        title, sentence = self._title, self._sentence
        title.setTextFormat(Qt.TextFormat.PlainText)
        bold = QFont(title.font())
        bold.setBold(True)
        title.setFont(bold)
        sentence.setTextFormat(Qt.TextFormat.PlainText)
        sentence.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(_MARGIN, _MARGIN - 2, _MARGIN, _MARGIN - 2)
        layout.setSpacing(9)
        layout.addWidget(title)
        width = _WIDTH
        if self.term.formula:
            formula = FormulaView(self.term, self)
            width = max(width, formula.width())
            layout.addWidget(formula)
        layout.addWidget(sentence)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.see_button)
        layout.addLayout(row)
        sentence.setFixedSize(width, sentence.heightForWidth(width))

    def open_at(self, anchor: QWidget) -> None:
        """Show the popover below a widget, or above it where there is no room.

        The focus goes to the button, and back when the popover closes.
        """
        self.adjustSize()
        below = anchor.mapToGlobal(QPoint(0, anchor.height() + _GAP))
        screen = anchor.screen() or QGuiApplication.primaryScreen()
        room = screen.availableGeometry()
        x = max(room.left(), min(below.x(), room.right() - self.width()))
        y = below.y()
        if y + self.height() > room.bottom():
            y = anchor.mapToGlobal(QPoint(0, -_GAP)).y() - self.height()
        self.move(x, max(room.top(), y))
        self.show()
        self.see_button.setFocus(Qt.FocusReason.PopupFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Close on Escape."""
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the rounded background with its border."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = current_theme()
        painter.setPen(QPen(QColor(theme.border), 1.0))
        painter.setBrush(QColor(theme.raised))
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(frame, _RADIUS, _RADIUS)

    def _on_see_clicked(self) -> None:
        self.close()
        self.see_requested.emit(self.term.see)


def workspace_title(name: str) -> str:
    """Return what the tab of a workspace is called."""
    return name.capitalize()


class TermButton(QToolButton):
    """A small `?` that opens the popover of its term.

    It takes no stop of the Tab key, which would double those of a form: the field that it
    stands beside opens it by a key of its own.

    Attributes:
        see_requested: Name of the workspace that shows the term.
    """

    see_requested = Signal(str)

    def __init__(self, term: Term, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.term = term
        self._popover: TermPopover | None = None
        self._painted = True
        self.setAutoRaise(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFixedSize(16, 16)
        self.setAccessibleName(f"What is “{term.term}”?")
        self.setAccessibleDescription(term.sentence)
        self.setToolTip("What is this? (Ctrl+F1)")
        self.clicked.connect(self.open_popover)

    @property
    def popover(self) -> TermPopover | None:
        """The popover while it is open."""
        return self._popover

    def set_painted(self, *, painted: bool) -> None:
        """Paint the sign always, or only under the mouse, over what has its place."""
        self._painted = painted
        self.update()

    def open_popover(self) -> None:
        """Show what the term means."""
        if self._popover is not None:
            return
        popover = TermPopover(self.term, self)
        popover.see_requested.connect(self.see_requested)
        popover.destroyed.connect(self._on_popover_gone)
        self._popover = popover
        popover.open_at(self)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint a question mark, bright under the mouse."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette, role = self.palette(), self.palette().ColorRole
        bright = self.underMouse() or self._popover is not None
        if not (self._painted or bright):
            return
        if not self._painted:
            painter.fillRect(self.rect(), palette.color(role.Window))
        painter.setPen(
            palette.color(role.Highlight if bright else role.PlaceholderText)
        )
        font = QFont(self.font())
        font.setPointSizeF(0.9 * font.pointSizeF())
        font.setBold(bright)
        painter.setFont(font)
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "?")

    def _on_popover_gone(self) -> None:
        self._popover = None
        self.update()
