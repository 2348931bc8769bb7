"""The table of runs: what is clicked, pressed and seen of it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from metalab.runs.library.entry import RunEntry
from metalab.ui.workspaces.runs.columns import PICTURE, Row
from metalab.ui.workspaces.runs.delegate import ROW_HEIGHT, RunDelegate
from metalab.ui.workspaces.runs.model import RunTableModel

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_NUMBERS_FALL = ("created", "step", "speed", "duration")
"""Columns whose first click puts the largest on top."""


class RunTable(QTableView):
    """Rows of runs, of which a person chooses some.

    Attributes:
        opened: A run shall be opened: its row.
        chosen_changed: Other rows are chosen.
        trash_requested: The chosen runs shall go to the trash.
        menu_requested: A menu is wanted at a point of the screen.
        scrolled: Other rows are seen.
    """

    opened = Signal(object)
    chosen_changed = Signal()
    trash_requested = Signal()
    menu_requested = Signal(QPoint)
    scrolled = Signal()

    def __init__(self, model: RunTableModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._kept: tuple[set[str], str] = (set(), "")
        self._titles: tuple[str, ...] = ()
        self.setModel(model)
        self.setItemDelegate(RunDelegate(self))
        self.setAccessibleName("Runs")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        trigger = QAbstractItemView.EditTrigger
        self.setEditTriggers(trigger.EditKeyPressed)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setTabKeyNavigation(False)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(max(ROW_HEIGHT, self.fontMetrics().height() + 10))
        header = self.horizontalHeader()
        header.setSectionsClickable(True)
        header.setSortIndicatorShown(True)
        header.setHighlightSections(False)
        header.setMinimumSectionSize(24)
        header.setDefaultAlignment(
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        )
        header.sectionClicked.connect(self._on_section_clicked)
        self.doubleClicked.connect(self._on_double_clicked)
        self.customContextMenuRequested.connect(self._on_menu_requested)
        self.verticalScrollBar().valueChanged.connect(self.scrolled)
        model.modelAboutToBeReset.connect(self._keep)
        model.modelReset.connect(self._restore)
        self.selectionModel().selectionChanged.connect(self._on_selection_changed)
        self._arrange_columns()

    # What is chosen

    @property
    def chosen_rows(self) -> list[Row]:
        """The rows that are chosen, from above."""
        found = sorted(i.row() for i in self.selectionModel().selectedRows())
        return [self._model.rows[number] for number in found]

    @property
    def chosen(self) -> list[RunEntry]:
        """The runs of these rows, each once."""
        entries = {e.path: e for row in self.chosen_rows for e in row.entries}
        return list(entries.values())

    @property
    def seen_paths(self) -> Sequence[Path]:
        """Runs whose thumbnails are in view, from above."""
        column = self._model.column_of(PICTURE)
        left = self.columnViewportPosition(column)
        if not -self.columnWidth(column) < left < self.viewport().width():
            return ()
        first = max(self.rowAt(0), 0)
        last = self.rowAt(self.viewport().height() - 1)
        rows = self._model.rows[
            first : (last if last >= 0 else len(self._model.rows)) + 1
        ]
        return [row.entry.path for row in rows if not row.entry.problem]

    def choose(self, paths: Sequence[Path]) -> None:
        """Choose the rows of some runs, and show the first of them."""
        wanted = {str(path) for path in paths}
        self._choose({row.key for row in self._model.rows if row.key in wanted})

    def _choose(self, keys: set[str], current: str = "") -> None:
        selection = self.selectionModel()
        flag = QItemSelectionModel.SelectionFlag
        for number, row in enumerate(self._model.rows):
            index = self._model.index(number, 0)
            if row.key in keys:
                selection.select(index, flag.Select | flag.Rows)
            if row.key == current:
                selection.setCurrentIndex(index, flag.NoUpdate)

    def _keep(self) -> None:
        """Remember by their runs which rows are chosen: they may get other numbers."""
        current = self.currentIndex().row()
        rows = self._model.rows
        key = rows[current].key if 0 <= current < len(rows) else ""
        self._kept = {row.key for row in self.chosen_rows}, key

    def _restore(self) -> None:
        self._arrange_columns()
        self._choose(*self._kept)
        self.chosen_changed.emit()
        self.scrolled.emit()

    def _arrange_columns(self) -> None:
        """Give new columns their widths; a person's own stay while columns do."""
        columns = self._model.columns
        titles = tuple(column.key for column in columns)
        if titles != self._titles:
            self._titles = titles
            letter = self.fontMetrics().averageCharWidth()
            for number, column in enumerate(columns):
                self.setColumnWidth(number, (column.width + 2) * letter)
        self.show_order()

    def show_order(self) -> None:
        """Point out the column that runs are sorted by."""
        view, header = self._model.view, self.horizontalHeader()
        order = Qt.SortOrder
        for number, column in enumerate(self._model.columns):
            if column.sort == view.sort:
                falling = view.descending
                header.setSortIndicator(
                    number, order.DescendingOrder if falling else order.AscendingOrder
                )
                return
        header.setSortIndicator(-1, order.AscendingOrder)

    # What is clicked and pressed

    def _on_section_clicked(self, number: int) -> None:
        column, view = self._model.columns[number], self._model.view
        if column.sort:
            same = column.sort == view.sort
            falls = not view.descending if same else column.sort in _NUMBERS_FALL
            self._model.show_view(replace(view, sort=column.sort, descending=falls))
        self.show_order()

    def _on_double_clicked(self, index: QModelIndex) -> None:
        self._open(self._model.rows[index.row()])

    def _open(self, row: Row) -> None:
        if row.group is None:
            self.opened.emit(row)
        else:
            self._model.toggle_group(row.group.key)

    def _on_menu_requested(self, place: QPoint) -> None:
        if self.chosen_rows:
            self.menu_requested.emit(self.viewport().mapToGlobal(place))

    def _on_selection_changed(self) -> None:
        self.chosen_changed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open with Enter, move to the trash with Delete, tick with Space."""
        index = self.currentIndex()
        editing = self.state() == QAbstractItemView.State.EditingState
        if editing or not index.isValid():
            super().keyPressEvent(event)
        elif event.key() in _ENTER:
            self._open(self._model.rows[index.row()])
        elif event.key() == Qt.Key.Key_Delete:
            self.trash_requested.emit()
        elif event.key() == Qt.Key.Key_F2:
            self.edit_name()
        else:
            super().keyPressEvent(event)

    def edit_name(self) -> None:
        """Put the cursor into the name of the run."""
        index = self.currentIndex()
        if index.isValid():
            name = self._model.index(index.row(), 0)
            self.setCurrentIndex(name)
            self.edit(name)
