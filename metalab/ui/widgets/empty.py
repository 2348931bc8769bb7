"""The workspace without a run: ghosts of the plots, and one button."""

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from metalab.ui.plot.painting import tint
from metalab.ui.style.icons import icon
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import current_theme, follow_theme
from metalab.ui.widgets.ghosts import paint_ghosts
from metalab.ui.widgets.plain_text import plain_tip

_BUTTON = QSize(190, 44)
_PLATE_RADIUS = 10.0
_MOST_LETTERS = 56
"""In a line; longer texts are wrapped."""


class EmptyState(QWidget):
    """What is seen first.

    Attributes:
        run_requested: The preset shall run.
    """

    run_requested = Signal()

    def __init__(
        self, split: tuple[float, float], parent: QWidget | None = None
    ) -> None:
        """Make the page.

        Args:
            split: Share of the width and of the height that the first plot will have.
            parent: Qt's parent.
        """
        super().__init__(parent)
        self._split = split
        self._usual = self._why_not = ""
        self.button = QPushButton("Run preset", self)
        self._title = QLabel(self)
        self._detail = QLabel(self)
        self._arrange()
        self._enlarge()
        self.button.clicked.connect(self.run_requested)
        self.set_preset("", "")
        follow_theme(self._take_theme)

    def _arrange(self) -> None:
        for label in (self._title, self._detail):
            label.setWordWrap(True)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.button.setMinimumSize(_BUTTON)
        self.button.setIconSize(QSize(18, 18))
        self.button.setAutoDefault(True)
        self.button.setToolTip("Train the experiment in the form and watch it")
        centre = Qt.AlignmentFlag.AlignHCenter
        layout = QVBoxLayout(self)
        layout.addStretch(1)
        layout.addWidget(self._title, 0, centre)
        layout.addSpacing(14)
        layout.addWidget(self.button, 0, centre)
        layout.addSpacing(10)
        layout.addWidget(self._detail, 0, centre)
        layout.addStretch(1)

    def _enlarge(self) -> None:
        """Give title and button more than the font of the window."""
        for part, more in ((self._title, 1.35), (self.button, 1.15)):
            font = QFont(self.font())
            font.setPointSizeF(more * font.pointSizeF())
            font.setBold(True)
            part.setFont(font)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the font of the window."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._enlarge()
            self.set_preset(self.title, self._usual)

    @property
    def title(self) -> str:
        """What the button would run."""
        return self._title.text()

    @property
    def detail(self) -> str:
        """More about it, or why it cannot run yet."""
        return self._detail.text()

    def set_preset(self, title: str, detail: str) -> None:
        """Say what the button would run.

        Args:
            title: Name of the experiment.
            detail: One line more; "" for none.
        """
        self._usual = detail
        detail = self._why_not or detail
        for label, text in ((self._title, title), (self._detail, detail)):
            label.setText(text)
            label.setVisible(bool(text))
            if text:
                _fit(label)
        self.button.setAccessibleDescription(title)
        self.update()

    def set_why_not(self, reason: str) -> None:
        """Let the button be pressed, or say why not; "" for no reason against it."""
        self.button.setEnabled(not reason)
        usual = "Train the experiment in the form and watch it"
        self.button.setToolTip(plain_tip(reason or usual))
        if reason != self._why_not:
            self._why_not = reason
            self.set_preset(self.title, self._usual)

    def _take_theme(self, theme: Theme) -> None:
        tint(self.button, theme.accent, QPalette.ColorRole.Button)
        tint(self.button, theme.on_accent, QPalette.ColorRole.ButtonText)
        self.button.setIcon(icon("play", theme.on_accent))
        tint(self._title, theme.text)
        tint(self._detail, theme.muted)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the ghosts, and a quiet place for the button."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = current_theme()
        painter.fillRect(self.rect(), QColor(theme.window))
        paint_ghosts(painter, QRectF(self.rect()), self._split, theme)
        plate = QRectF(self.button.geometry())
        for label in (self._title, self._detail):
            if not label.isHidden():
                plate = plate.united(QRectF(label.geometry()))
        painter.setPen(QColor(theme.border))
        painter.setBrush(QColor(theme.surface))
        around = plate.adjusted(-36, -26, 36, 26)
        painter.drawRoundedRect(around, _PLATE_RADIUS, _PLATE_RADIUS)


def _fit(label: QLabel) -> None:
    """Give a label that wraps its size: a layout that centres it does not ask."""
    metrics = label.fontMetrics()
    longest = _MOST_LETTERS * metrics.averageCharWidth()
    width = min(metrics.horizontalAdvance(label.text()) + 2, longest)
    label.setFixedSize(width, label.heightForWidth(width))
