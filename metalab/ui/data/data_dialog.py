"""A person's table: what is understood of it, and one button that starts."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from metalab.runs.services.table_inspection import TableInspectionService
from metalab.tasks.table import SUPPORTS
from metalab.tasks.table_view import TableChoice, TableRequest, TableView
from metalab.ui.data.small_multiples import SmallMultiples
from metalab.ui.session.thread_signal import ThreadSignal
from metalab.ui.style.theming import follow_theme
from metalab.ui.widgets.painted import tint

if TYPE_CHECKING:
    from metalab.ui.style.theme import Theme

_MARGIN = 14
_LARGEST = QSize(980, 600)
_MOST_SHOTS = 999
_SUPPORT_WORDS = {"random": "any rows", "first": "the first rows"}


class DataDialog(QDialog):
    """Columns as drop-downs, the first rows, twelve tasks, and what is wrong in words.

    Attributes:
        chosen: What a person wants: a `TableChoice`.
    """

    chosen = Signal(object)

    def __init__(
        self,
        path: Path,
        methods: tuple[tuple[str, str], ...],
        parent: QWidget | None = None,
    ) -> None:
        """Read a file.

        Args:
            path: The file.
            methods: Title and preset of each method for tables.
            parent: The widget around it.
        """
        super().__init__(parent)
        self.setWindowTitle("Open data")
        self._view: TableView | None = None
        self._asked = TableRequest(path=path)
        self._task, self._x, self._y = (QComboBox(self) for _ in range(3))
        self._support, self._method = QComboBox(self), QComboBox(self)
        self._shots = QSpinBox(self)
        self._rows = QTableWidget(self)
        self._tasks = SmallMultiples(self)
        self._lines, self._problem = QLabel(self), QLabel(self)
        self._start = QPushButton("&Start", self)
        self._into_form = QPushButton("Put into the &form", self)
        for title, preset in methods:
            self._method.addItem(title, preset)
        for word in SUPPORTS:
            self._support.addItem(_SUPPORT_WORDS[word], word)
        self._shots.setRange(1, _MOST_SHOTS)
        self._shots.setValue(self._asked.num_shots)
        self._set_up_texts()
        self._set_up_rows()
        self._lay_out()
        self._connect()
        self._answered = ThreadSignal(self, self._take)
        self._service = self._answered.add_service(TableInspectionService)
        self._lines.setText(f"Reading {path.name}…")
        self._ask(self._asked)
        follow_theme(self._take_theme)

    def _set_up_texts(self) -> None:
        for label in (self._lines, self._problem):
            # Names of files and cells come from a person's table: no markup.
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            label.setSizePolicy(
                QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum
            )
        names = {
            self._task: "Task",
            self._x: "Input",
            self._y: "Target",
            self._support: "Support",
            self._shots: "Shots",
            self._method: "Method",
        }
        for widget, name in names.items():
            widget.setAccessibleName(name)
        for box in (self._task, self._x, self._y, self._method):
            adjust = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            box.setSizeAdjustPolicy(adjust)
            box.setMinimumContentsLength(14)

    def _set_up_rows(self) -> None:
        rows = self._rows
        rows.setAccessibleName("First rows")
        rows.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        rows.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        rows.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        rows.verticalHeader().hide()
        mode = QHeaderView.ResizeMode.ResizeToContents
        rows.horizontalHeader().setSectionResizeMode(mode)

    def _lay_out(self) -> None:
        form = QFormLayout()
        for label, widget in (
            ("&Task is named by", self._task),
            ("&Input", self._x),
            ("Tar&get", self._y),
            ("S&hots", self._shots),
            ("Adapt &to", self._support),
            ("&Method", self._method),
        ):
            form.addRow(label, widget)
        left = QVBoxLayout()
        left.addLayout(form)
        left.addWidget(self._lines)
        left.addWidget(self._problem)
        left.addStretch(1)
        right = QVBoxLayout()
        right.addWidget(self._rows, 2)
        right.addWidget(self._tasks, 3)
        columns = QHBoxLayout()
        columns.setSpacing(_MARGIN)
        columns.addLayout(left, 2)
        columns.addLayout(right, 3)
        box = QDialogButtonBox(self)
        box.addButton(self._start, QDialogButtonBox.ButtonRole.AcceptRole)
        box.addButton(self._into_form, QDialogButtonBox.ButtonRole.ActionRole)
        # With a text of our own it has no icon of the desktop's, which fits no theme.
        box.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole)
        box.rejected.connect(self.reject)
        self._start.setDefault(True)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        whole.addLayout(columns, 1)
        whole.addWidget(box)
        for button in (self._start, self._into_form):
            button.setEnabled(False)

    def _connect(self) -> None:
        for box in (self._task, self._x, self._y, self._support):
            box.activated.connect(self._on_changed)
        self._shots.valueChanged.connect(self._on_changed)
        self._start.clicked.connect(self._on_start)
        self._into_form.clicked.connect(self._on_into_form)

    def sizeHint(self) -> QSize:
        """Return room for both sides, within the smallest window."""
        return super().sizeHint().expandedTo(QSize(900, 540)).boundedTo(_LARGEST)

    @property
    def view(self) -> TableView | None:
        """How the table is understood; None while it is being read."""
        return self._view

    def _ask(self, asked: TableRequest) -> None:
        self._asked = asked
        self._service.request(asked)

    def _on_changed(self) -> None:
        if self._view is None or not self._view.data:
            return
        self._ask(
            replace(
                self._asked,
                path=None,
                data=self._view.data,
                task=self._task.currentText(),
                x=self._x.currentText(),
                y=self._y.currentText(),
                support=self._support.currentData(),
                num_shots=self._shots.value(),
            )
        )

    def _take(self) -> None:
        view = self._service.take()
        if view is None:
            return
        first = self._view is None
        self._view = view
        if first:
            self._show_rows(view)
        self._show_roles(view)
        self._lines.setText("\n".join(view.lines))
        self._problem.setText(view.problem)
        self._problem.setVisible(bool(view.problem))
        self._tasks.set_tasks(view.tasks)
        for button in (self._start, self._into_form):
            button.setEnabled(not view.problem)
        if first:
            (self._start if not view.problem else self._task).setFocus()

    def _show_roles(self, view: TableView) -> None:
        roles = dict(view.roles)
        for box, role in ((self._task, "task"), (self._x, "x"), (self._y, "y")):
            names = view.columns if role == "task" else (view.numeric or view.columns)
            wanted = roles.get(role, "")
            if [box.itemText(i) for i in range(box.count())] != list(names):
                box.clear()
                box.addItems(list(names))
            box.setCurrentIndex(box.findText(wanted))
            box.setEnabled(bool(names))

    def _show_rows(self, view: TableView) -> None:
        self._rows.setColumnCount(len(view.columns))
        self._rows.setHorizontalHeaderLabels(list(view.columns))
        self._rows.setRowCount(len(view.first_rows))
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for row, cells in enumerate(view.first_rows):
            for column, (name, cell) in enumerate(
                zip(view.columns, cells, strict=True)
            ):
                item = QTableWidgetItem(cell)
                if name in view.numeric:
                    item.setTextAlignment(right)
                self._rows.setItem(row, column, item)

    def _on_start(self) -> None:
        self._choose(starts=True)

    def _on_into_form(self) -> None:
        self._choose(starts=False)

    def _choose(self, *, starts: bool) -> None:
        view = self._view
        assert view is not None, "the buttons are off while the table is read"
        self.chosen.emit(
            TableChoice(
                preset=self._method.currentData(),
                options=view.options(),
                num_shots=self._shots.value(),
                starts=starts,
            )
        )
        self.accept()

    def _take_theme(self, theme: "Theme") -> None:
        tint(self._lines, theme.muted)
        tint(self._problem, theme.error)
