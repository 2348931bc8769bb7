"""The line above a plot: what it shows, and its tools."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from metalab.runs.record.status import RunStatus
from metalab.ui.plot.painting import tint
from metalab.ui.style.icons import theme_icon
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import follow_theme
from metalab.ui.widgets.painted import ElidedLabel

if TYPE_CHECKING:
    from metalab.runs.record.history import RunHistory

PREPARING = "Preparing the first outer step…"
"""What a view says as long as a run has nothing to show."""

WAITING = "Paused before the first outer step: Space goes on"
"""Words of a view for a run that waits for a person."""

SAID_MS = 1500
"""Milliseconds for which a button says what it has done."""

_ICON = QSize(16, 16)


def tool_button(
    text: str, tip: str, *, parent: QWidget, checkable: bool = False
) -> QToolButton:
    """Return a flat button that the keyboard reaches.

    Args:
        text: On the button, and its accessible name.
        tip: One sentence.
        parent: Qt's parent.
        checkable: Whether it stays pressed.
    """
    button = QToolButton(parent)
    button.setText(text)
    button.setToolTip(tip)
    button.setAccessibleName(text)
    button.setAccessibleDescription(tip)
    button.setCheckable(checkable)
    button.setAutoRaise(True)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


class PanelHeader(QWidget):
    """A title on the left, tools on the right.

    Attributes:
        fit_requested: The axes shall follow the data again.
        copy_requested: A picture of the plot shall go to the clipboard.
    """

    fit_requested = Signal()
    copy_requested = Signal()

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._full_title = title
        self._title = ElidedLabel(self)
        font = QFont(self._title.font())
        font.setBold(True)
        self._title.setFont(font)
        self._title.setMinimumWidth(40)
        self._title.set_full_text(title)
        self.fit = tool_button(
            "Fit",
            "Show everything again (0, or double click in the plot)",
            parent=self,
        )
        self.fit.hide()
        self.copy = tool_button("Copy", "Copy the plot as a picture", parent=self)
        self.copy.setIconSize(_ICON)
        self._said = QTimer(self)
        self._said.setSingleShot(True)
        self._said.setInterval(SAID_MS)
        self._said.timeout.connect(self._on_said)
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(10, 3, 4, 3)
        self._layout.setSpacing(4)
        self._layout.addWidget(self._title, 1)
        self._layout.addWidget(self.fit)
        self._layout.addWidget(self.copy)
        self.fit.clicked.connect(self.fit_requested)
        self.copy.clicked.connect(self._on_copy_clicked)
        follow_theme(self._take_theme)

    @property
    def title(self) -> str:
        """What the panel shows."""
        return self._full_title

    def set_title(self, title: str) -> None:
        """Say what the panel shows."""
        self._full_title = title
        self._title.set_full_text(title)

    def comfortable_width(self) -> int:
        """Return the width at which nothing is cut, the button to fit included."""
        title = self._title.fontMetrics().horizontalAdvance(self._full_title)
        more = title - self._title.minimumWidth() + self.fit.sizeHint().width()
        return self.sizeHint().width() + more

    def add_tool(self, widget: QWidget) -> None:
        """Add a widget before the buttons to fit and to copy."""
        self._layout.insertWidget(self._layout.count() - 2, widget)

    def on_zoom_changed(self, zoomed: bool) -> None:  # noqa: FBT001 - a slot
        """Offer to fit where a person has moved the axes."""
        self.fit.setVisible(zoomed)

    def _on_copy_clicked(self) -> None:
        """Have the plot copied, and say that it is."""
        self.copy_requested.emit()
        self.copy.setText("Copied")
        self.copy.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._said.start()

    def _on_said(self) -> None:
        self.copy.setText("Copy")
        self.copy.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)

    def _take_theme(self, theme: Theme) -> None:
        tint(self._title, theme.text)
        self.copy.setIcon(theme_icon("copy", theme))


def preparing(history: "RunHistory | None") -> str:
    """Return what a view says of a run that has nothing to show yet."""
    waits = history is not None and history.status is RunStatus.PAUSED
    return WAITING if waits else PREPARING


def is_preparing(history: "RunHistory | None") -> bool:
    """Return whether a run has yet to say how its tasks adapt."""
    return history is not None and history.curves is None and not history.status.ended
