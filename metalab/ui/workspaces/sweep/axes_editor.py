"""The axes of a sweep: a line each, with the setting and its values."""

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from metalab.core.errors import UserError
from metalab.experiment.sweep_file import Axis, axis_of, axis_text
from metalab.ui.plot.painting import tint
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import follow_theme
from metalab.ui.widgets.header import tool_button

_TIP = (
    "Values, 1, 2, 5; or scale, ends and how many: log:0.001:0.1:5, linear:…, "
    "uniform:…, log_uniform:…"
)
_HINT = "Right-click a field of the form, then Sweep this\N{HORIZONTAL ELLIPSIS}"


class AxesEditor(QWidget):
    """Edits axes and seeds.

    Attributes:
        changed: Something is otherwise.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines: dict[str, QLineEdit] = {}
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(3)
        self._grid.setColumnStretch(1, 1)
        self._hint = QLabel(_HINT, self)
        self._hint.setWordWrap(True)
        self.seeds = QSpinBox(self)
        self.seeds.setRange(1, 1_000)
        self.seeds.setAccessibleName("Seeds")
        self.seeds.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.seeds.setToolTip("Training seeds of each combination, from 0")
        self.seeds.valueChanged.connect(self.changed)
        self._seeds_label = QLabel("Seeds", self)
        self._seeds_label.setBuddy(self.seeds)
        row = QHBoxLayout()
        row.addWidget(self._seeds_label)
        row.addWidget(self.seeds)
        row.addWidget(self._hint, 1)
        row.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 4, 6, 4)
        layout.setSpacing(4)
        layout.addLayout(self._grid)
        layout.addLayout(row)
        follow_theme(self._take_theme)

    def _take_theme(self, theme: Theme) -> None:
        tint(self._hint, theme.muted)

    @property
    def texts(self) -> dict[str, str]:
        """Each axis as it is written, by path."""
        return {path: line.text() for path, line in self._lines.items()}

    def line(self, path: str) -> QLineEdit:
        """Return the line of an axis."""
        return self._lines[path]

    def axes(self) -> dict[str, Axis]:
        """Return the axes.

        Raises:
            UserError: Names the first that cannot be read.
        """
        return {path: axis_of(path, text) for path, text in self.texts.items()}

    def set_axes(self, axes: Mapping[str, Axis], seeds: int) -> None:
        """Show other axes."""
        self.set_texts({path: axis_text(axis) for path, axis in axes.items()}, seeds)

    def set_texts(self, texts: Mapping[str, str], seeds: int) -> None:
        """Show other axes, as they are written."""
        for path in list(self._lines):
            self._take_out(path)
        for path, text in texts.items():
            self._put_in(path, text)
        self.seeds.setValue(seeds)
        self.changed.emit()

    def add(self, path: str, text: str) -> None:
        """Add an axis, or take the focus to the one that there is."""
        if path not in self._lines:
            self._put_in(path, text)
            self.changed.emit()
        self._lines[path].setFocus(Qt.FocusReason.OtherFocusReason)
        self._lines[path].selectAll()

    def mark(self, error: UserError | None) -> None:
        """Say which line cannot be read."""
        told = "" if error is None else str(error)
        for path, line in self._lines.items():
            wrong = path in told
            line.setToolTip(f"{_TIP}\n{told}" if wrong else _TIP)
            line.setAccessibleDescription(told if wrong else _TIP)

    def set_locked(self, *, locked: bool) -> None:
        """Let nothing be changed while runs go on."""
        self.setEnabled(not locked)

    def _put_in(self, path: str, text: str) -> None:
        row = self._grid.rowCount()
        label = QLabel(path, self)
        line = QLineEdit(text, self)
        line.setObjectName(f"axis {path}")
        line.setAccessibleName(f"Values of {path}")
        line.setToolTip(_TIP)
        label.setBuddy(line)
        away: QToolButton = tool_button("Remove", f"No longer vary {path}", parent=self)
        away.setObjectName(f"remove {path}")
        for column, widget in enumerate((label, line, away)):
            self._grid.addWidget(widget, row, column)
        self._lines[path] = line
        line.textChanged.connect(self.changed)
        away.clicked.connect(lambda: self._remove(path))
        self._hint.setVisible(len(self._lines) < 2)

    def _remove(self, path: str) -> None:
        self._take_out(path)
        self.changed.emit()

    def _take_out(self, path: str) -> None:
        line = self._lines.pop(path)
        place = self._grid.indexOf(line)
        row = self._grid.getItemPosition(place)[0]  # pyright: ignore[reportIndexIssue] - the stubs say object
        for column in range(3):
            item = self._grid.itemAtPosition(row, column)
            widget = None if item is None else item.widget()
            if widget is not None:
                self._grid.removeWidget(widget)
                widget.hide()
                widget.deleteLater()
        self._hint.setVisible(len(self._lines) < 2)
