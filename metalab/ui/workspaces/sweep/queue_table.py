"""The queue of a sweep as a table: values, progress, loss, state of each run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from metalab.experiment.sweep_file import SweepPoint
from metalab.runs.batch.background import FoundRun
from metalab.runs.batch.batch import Ending
from metalab.runs.batch.run_queue import Place, QueuedRun
from metalab.ui.style.theming import current_theme
from metalab.ui.workspaces.sweep.outcomes import axis_label, value_label

Index = QModelIndex | QPersistentModelIndex
_LAST = ("seed", "outer step", "held-out loss", "state")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One run of the table.

    Attributes:
        point: Its values and experiment.
        run: How it stands in the queue; None before the sweep was started.
        loss: Its held-out loss; None while unknown.
        found: What its run file told before the sweep was started; None without one.
    """

    point: SweepPoint
    run: QueuedRun | None
    loss: float | None
    found: FoundRun | None = None

    @property
    def state(self) -> str:
        """In a word or two."""
        if self.run is None:
            return "planned" if self.found is None else self.found.state
        if self.run.outcome is None:
            return self.run.place.value
        told = self.run.outcome.ending.value
        return f"{told}: {self.run.outcome.message}" if self.failed else told

    @property
    def failed(self) -> bool:
        """Whether it ended badly."""
        if self.run is None:
            return self.found is not None and self.found.failed
        outcome = self.run.outcome
        return outcome is not None and outcome.ending in (
            Ending.FAILED,
            Ending.DIVERGED,
        )

    @property
    def step(self) -> int:
        """Outer steps made, those of an earlier sitting included."""
        before = 0 if self.found is None else self.found.step
        return before if self.run is None else max(before, self.run.step)

    @property
    def runs(self) -> bool:
        """Whether it goes on."""
        return self.run is not None and self.run.place is Place.RUNNING


class QueueModel(QAbstractTableModel):
    """Rows of runs, replaced as a whole; only what changed is told to views."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[Row, ...] = ()
        self._axes: tuple[str, ...] = ()

    @property
    def rows(self) -> tuple[Row, ...]:
        """What is shown."""
        return self._rows

    def set_rows(self, axes: Sequence[str], rows: Sequence[Row]) -> None:
        """Show runs."""
        before, self_axes = self._rows, tuple(axes)
        if self_axes != self._axes or len(rows) != len(before):
            self.beginResetModel()
            self._axes, self._rows = self_axes, tuple(rows)
            self.endResetModel()
            return
        self._rows = tuple(rows)
        last = self.columnCount() - 1
        for number, (old, new) in enumerate(zip(before, rows, strict=True)):
            if old != new:
                self.dataChanged.emit(self.index(number, 0), self.index(number, last))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own
        """Return the number of runs."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own
        """Return the number of columns: the axes, and what every run has."""
        return 0 if parent.isValid() else len(self._axes) + len(_LAST)

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        """Return the names of columns, and the numbers of runs."""
        if orientation is Qt.Orientation.Vertical:
            return str(section + 1) if role == Qt.ItemDataRole.DisplayRole else None
        titles = (*map(axis_label, self._axes), *_LAST)
        tips = (*self._axes, *_LAST)
        if role == Qt.ItemDataRole.DisplayRole:
            return titles[section]
        return tips[section] if role == Qt.ItemDataRole.ToolTipRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return text, colour and alignment of a cell."""
        row = self._rows[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return self._text(row, index.column())
        if role == Qt.ItemDataRole.ForegroundRole:
            theme = current_theme()
            if row.failed:
                return QColor(theme.error)
            return QColor(theme.accent if row.runs else theme.text)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            is_last = index.column() == self.columnCount() - 1
            side = (
                Qt.AlignmentFlag.AlignLeft if is_last else Qt.AlignmentFlag.AlignRight
            )
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def _text(self, row: Row, column: int) -> str:
        if column < len(self._axes):
            return value_label(row.point.values[self._axes[column]])
        config = row.point.config
        name = _LAST[column - len(self._axes)]
        if name == "seed":
            return str(config.run.seed)
        if name == "outer step":
            return f"{row.step:,} of {config.outer.num_steps:,}"
        if name == "held-out loss":
            return "" if row.loss is None else f"{row.loss:.4g}"
        return row.state


class QueueTable(QTableView):
    """The table.

    Attributes:
        runs_selected: Numbers of the runs that a person has selected.
    """

    runs_selected = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = QueueModel(self)
        self.setModel(self.rows)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setAlternatingRowColors(False)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setAccessibleName("Runs of the sweep")
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        header = self.horizontalHeader()
        header.setStretchLastSection(True)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        # Of the rows that are seen: a sweep may have ten thousand.
        header.setResizeContentsPrecision(0)
        self._selecting = False
        self.selectionModel().selectionChanged.connect(self._on_selection_changed)

    @property
    def selected(self) -> tuple[int, ...]:
        """Numbers of the selected runs, in order."""
        rows = self.selectionModel().selectedRows()
        return tuple(sorted(index.row() for index in rows))

    def select(self, runs: frozenset[int]) -> None:
        """Select runs; it is not told."""
        if runs == frozenset(self.selected):
            return
        chosen = QItemSelection()
        for run in sorted(runs):
            left = self.rows.index(run, 0)
            chosen.select(left, self.rows.index(run, self.rows.columnCount() - 1))
        self._selecting = True
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect
        self.selectionModel().select(chosen, flags)
        self._selecting = False
        if runs:
            self.scrollTo(self.rows.index(min(runs), 0))

    def _on_selection_changed(self) -> None:
        if not self._selecting:
            self.runs_selected.emit(frozenset(self.selected))
