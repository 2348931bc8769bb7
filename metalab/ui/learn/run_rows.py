"""Runs to come back to, on the Start page."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from metalab.ui.plot.painting import tint
from metalab.ui.style.icons import icon, theme_icon
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import current_theme, follow_theme
from metalab.ui.widgets.painted import ElidedLabel
from metalab.ui.widgets.plain_text import plain_tip
from metalab.ui.widgets.recent_menu import recovered_words, run_name, run_state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metalab.runs.record.recent import RunSummary

MOST_ROWS = 3
_ICON = QSize(16, 16)
_STRIPE = 3
_ROOM = 20
"""Around icon and text of a row, in pixels."""


class RunRows(QWidget):
    """The newest runs, a line each; takes no room without any.

    Attributes:
        run_chosen: File of the run to show.
    """

    run_chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs: Sequence[RunSummary] = ()
        self._title = QLabel("Recent runs", self)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self._title)
        column.addLayout(self._rows)
        self.hide()
        follow_theme(self._take_theme)

    @property
    def buttons(self) -> list[QToolButton]:
        """One for each run, in order."""
        return self.findChildren(
            QToolButton, options=Qt.FindChildOption.FindDirectChildrenOnly
        )

    def set_runs(self, runs: "Sequence[RunSummary]") -> None:
        """List runs, the newest first."""
        if runs is self._runs:
            return
        self._runs = runs
        for old in self.buttons:
            # Gone at once, not only at the next turn of the event loop.
            old.setParent(None)
            old.deleteLater()
        for run in runs[:MOST_ROWS]:
            self._rows.addWidget(self._row(run))
        self.setVisible(bool(runs))

    def _take_theme(self, theme: Theme) -> None:
        tint(self._title, theme.muted)
        for button in self.buttons:
            button.setIcon(theme_icon("open", theme))

    def _row(self, run: "RunSummary") -> "RunRow":
        row = RunRow(run, self)
        row.setIcon(theme_icon("open", current_theme()))
        row.clicked.connect(self._on_clicked)
        return row

    def _on_clicked(self) -> None:
        self.run_chosen.emit(Path(self.sender().objectName()))


class RunRow(QToolButton):
    """One run; of a name that is too long the end is left out, never of the numbers."""

    def __init__(self, run: "RunSummary", parent: QWidget) -> None:
        super().__init__(parent)
        self._name, self._state = run_name(run), f"  \N{EM DASH}  {run_state(run)}"
        self.setAutoRaise(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setIconSize(_ICON)
        self.setAccessibleName(f"{self._name}{self._state}")
        self.setToolTip(plain_tip(run.problem or f"{run.name}\n{run.path}"))
        self.setObjectName(str(run.path))
        self.setEnabled(not run.problem)
        self._fit()

    def _fit(self) -> None:
        metrics = self.fontMetrics()
        taken = metrics.horizontalAdvance(self._state) + _ICON.width() + _ROOM
        name = metrics.elidedText(
            self._name, Qt.TextElideMode.ElideRight, max(self.width() - taken, 0)
        )
        self.setText(f"{name}{self._state}".replace("&", "&&"))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the name into another width."""
        super().resizeEvent(event)
        self._fit()


class RecoveredStrip(QWidget):
    """A run that a crash has left, and what may become of it.

    Attributes:
        chosen: Key of the banner's button of the same name.
    """

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon = QLabel(self)
        # Wrapped, it would have the whole page ask for more height than it needs.
        self._text = ElidedLabel(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(_STRIPE + 10, 8, 8, 8)
        row.addWidget(self._icon)
        row.addWidget(self._text, 1)
        self.buttons: dict[str, QPushButton] = {}
        for key, label in (
            ("recover_resume", "&Resume"),
            ("recover_open", "O&pen it"),
            ("recover_discard", "&Discard"),
        ):
            button = QPushButton(label, self)
            button.setObjectName(key)
            button.clicked.connect(self._on_clicked)
            row.addWidget(button)
            self.buttons[key] = button
        self.hide()
        follow_theme(self._take_theme)

    def set_run(self, run: "RunSummary | None") -> None:
        """Offer a run; None takes no room."""
        self.setVisible(run is not None)
        if run is not None:
            self._text.set_full_text(recovered_words(run))
            self.setAccessibleName(recovered_words(run))
            self.buttons["recover_resume"].setVisible(run.can_go_on)

    def _take_theme(self, theme: Theme) -> None:
        self._icon.setPixmap(icon("info", theme.accent).pixmap(_ICON))
        tint(self._text, theme.text)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw a tinted ground with a stripe at its beginning, as a banner has."""
        del event
        painter = QPainter(self)
        ground = QColor(current_theme().accent)
        painter.fillRect(0, 0, _STRIPE, self.height(), ground)
        ground.setAlphaF(0.12)
        painter.fillRect(self.rect(), ground)
        painter.end()

    def _on_clicked(self) -> None:
        self.chosen.emit(self.sender().objectName())
