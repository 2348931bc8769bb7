"""Tools of the Runs page: filter, groups, folder, and what is done with chosen runs."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from metalab.runs.library.labels import COLOURS
from metalab.runs.system.home import runs_folder
from metalab.ui.plot.painting import tint
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import current_theme, follow_theme
from metalab.ui.widgets.header import tool_button
from metalab.ui.widgets.painted import ElidedLabel
from metalab.ui.workspaces.runs.delegate import colour_named

_EXAMPLE = "Filter: method:maml  k>5  tag:thesis  loss<0.4  -state:diverged"
_FILTER_TIP = (
    "Words of the name, or key:value. Keys: name, state, method, preset, tag, note, seed, "
    "step, loss, best, speed, duration, created, k, inner_lr, outer_lr, shots, tasks, "
    "archived, or a setting such as inner.inner_lr. Numbers take < <= > >= = !=; '-' "
    "before a word turns it round"
)
_SWATCH = 12

WORK = (
    ("open", "Open", "Show the run in the window (Enter or double-click)"),
    ("compare", "Compare", "Put the chosen runs aside to compare, or take them out"),
    ("tags", "Tags…", "Change the tags of the chosen runs"),
    ("note", "Note…", "Write a note on the chosen runs"),
    (
        "archive",
        "Archive",
        "Leave the chosen runs out of the list; archived:yes finds them",
    ),
    ("trash", "Trash", "Move the chosen run files to the trash (Delete)"),
)
"""What is done with chosen runs: key, text on the button, tip."""


class RunTools(QWidget):
    """The lines above the table.

    Attributes:
        filter_changed: The text of the filter is another one.
        grouped_changed: Replicates shall be one row, or not.
        folder_wanted: Another folder shall be asked for.
        folder_chosen: A folder shall be the library: its `Path`.
        requested: Something shall be done with the chosen runs: a key of `WORK`.
    """

    filter_changed = Signal(str)
    grouped_changed = Signal(bool)
    folder_wanted = Signal()
    folder_chosen = Signal(object)
    requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.filter = QLineEdit(self)
        self.filter.setPlaceholderText(_EXAMPLE)
        self.filter.setAccessibleName("Filter of runs")
        self.filter.setToolTip(_FILTER_TIP)
        self.filter.setClearButtonEnabled(True)
        self.error = QLabel(self)
        self.error.setTextFormat(Qt.TextFormat.PlainText)
        self.error.setWordWrap(True)
        self.error.hide()
        self.group = tool_button(
            "Group seeds",
            "Show runs that differ by their seeds alone as one row",
            parent=self,
            checkable=True,
        )
        self.folder = tool_button(
            "Folder", "The folder whose runs are listed", parent=self
        )
        self.folder.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.folder_menu = QMenu(self.folder)
        self.folder.setMenu(self.folder_menu)
        self.status = ElidedLabel(self)
        self.buttons: dict[str, QToolButton] = {}
        for key, text, tip in WORK:
            button = tool_button(text, tip, parent=self)
            button.clicked.connect(self._requester(key))
            self.buttons[key] = button
        self._place()
        self.filter.textChanged.connect(self.filter_changed)
        self.group.toggled.connect(self.grouped_changed)
        follow_theme(self._take_theme)

    def _place(self) -> None:
        first, second = QHBoxLayout(), QHBoxLayout()
        first.setSpacing(6)
        second.setSpacing(2)
        first.addWidget(self.filter, 1)
        first.addWidget(self.group)
        first.addWidget(self.folder)
        for button in self.buttons.values():
            second.addWidget(button)
        second.addSpacing(12)
        second.addWidget(self.status, 1)
        self.status.setAlignment(
            Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 6, 4, 2)
        column.setSpacing(4)
        column.addLayout(first)
        column.addWidget(self.error)
        column.addLayout(second)

    def _requester(self, key: str) -> "_Requester":
        return _Requester(self, key)

    def _take_theme(self, theme: Theme) -> None:
        tint(self.error, theme.error, QPalette.ColorRole.WindowText)
        tint(self.status, theme.muted, QPalette.ColorRole.WindowText)

    def show_error(self, text: str) -> None:
        """Say what is wrong with the filter; "" for nothing."""
        self.error.setText(text)
        self.error.setVisible(bool(text))

    def show_folder(self, folder: Path, recent: Sequence[Path]) -> None:
        """Name the library, and offer others.

        Args:
            folder: The library.
            recent: Folders that were one before.
        """
        home = runs_folder()
        self.folder.setText("My runs" if folder == home else folder.name or str(folder))
        self.folder.setToolTip(f"The folder whose runs are listed: {folder}")
        self.folder.setAccessibleName(f"Folder {folder}")
        self.folder_menu.clear()
        for path in dict.fromkeys((home, *recent)):
            text = "My runs" if path == home else str(path).replace("&", "&&")
            action = self.folder_menu.addAction(text)
            action.setCheckable(True)
            action.setChecked(path == folder)
            action.setData(str(path))
            action.triggered.connect(self._on_folder_triggered)
        self.folder_menu.addSeparator()
        other = self.folder_menu.addAction("Another folder…")
        other.triggered.connect(self.folder_wanted)

    def _on_folder_triggered(self) -> None:
        action = self.sender()
        assert isinstance(action, QAction), "a line of the menu"
        self.folder_chosen.emit(Path(action.data()))

    def show_chosen(self, *, count: int, compared: bool, archived: bool) -> None:
        """Let the buttons fit what is chosen.

        Args:
            count: Runs that are chosen.
            compared: Whether all of them are put aside to compare.
            archived: Whether all of them are archived.
        """
        for key, button in self.buttons.items():
            button.setEnabled(count == 1 if key == "open" else count > 0)
        self.buttons["compare"].setText("Don't compare" if compared else "Compare")
        self.buttons["archive"].setText("Unarchive" if archived else "Archive")


class _Requester:
    """Emits one key of the tools."""

    def __init__(self, tools: RunTools, key: str) -> None:
        self._tools, self._key = tools, key

    def __call__(self) -> None:
        """Ask for what the button says."""
        self._tools.requested.emit(self._key)


def colour_icon(name: str) -> QIcon:
    """Return the disc of a colour that a run can have."""
    pixmap = QPixmap(_SWATCH, _SWATCH)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour_named(name, current_theme()))
    painter.drawEllipse(1, 1, _SWATCH - 2, _SWATCH - 2)
    painter.end()
    return QIcon(pixmap)


def colour_choices() -> tuple[str, ...]:
    """Return the colours that a person may give a run."""
    return COLOURS[1:]
