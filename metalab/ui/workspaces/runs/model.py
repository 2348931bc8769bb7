"""The model of the table of runs: filtered, sorted, grouped rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt, Signal

from metalab.engine.events import Array
from metalab.runs.library.entry import RunEntry, differing_fields
from metalab.runs.library.filter import RunFilter
from metalab.runs.library.order import grouped, sorted_entries
from metalab.ui.widgets.plain_text import plain_tip
from metalab.ui.workspaces.runs.columns import (
    LOSS,
    MOST_FIELDS,
    NAME,
    PICTURE,
    Column,
    Row,
    columns_of,
)

ROW_ROLE = Qt.ItemDataRole.UserRole
"""Role of the `Row` that a cell is of."""

PICTURE_ROLE = Qt.ItemDataRole.UserRole + 1
"""Role of the arrays of a thumbnail."""

Index = QModelIndex

_NO_PARENT = QModelIndex()


@dataclass(frozen=True, slots=True, kw_only=True)
class TableView:
    """Which runs are seen, and in which order.

    Attributes:
        keeps: The filter.
        sort: Field that they are sorted by.
        descending: Whether the largest is first.
        grouped: Whether replicates are one row.
        open_groups: Keys of groups whose runs are seen.
    """

    keeps: RunFilter = RunFilter()  # noqa: RUF009 - frozen
    sort: str = "created"
    descending: bool = True
    grouped: bool = False
    open_groups: frozenset[str] = frozenset()


class RunTableModel(QAbstractTableModel):
    """Rows of runs.

    Attributes:
        renamed: A person has given a run another name: its file and the name.
        ticked: Runs were ticked or not: their files, and whether they are.
    """

    renamed = Signal(object, str)
    ticked = Signal(object, bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._entries: Sequence[RunEntry] = ()
        self._view = TableView()
        self._fields: tuple[str, ...] = ()
        self._columns = columns_of(())
        self._rows: list[Row] = []
        self._basket: frozenset[Path] = frozenset()
        self._pictures: dict[Path, Mapping[str, Array] | None] = {}
        self._open_path: Path | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns, in their order."""
        return self._columns

    @property
    def rows(self) -> Sequence[Row]:
        """The rows, in their order."""
        return self._rows

    @property
    def view(self) -> TableView:
        """Which runs are seen."""
        return self._view

    @property
    def num_shown(self) -> int:
        """Runs that the filter lets pass."""
        return sum(len(row.entries) for row in self._rows if not row.within)

    def show_entries(self, entries: Sequence[RunEntry]) -> None:
        """Show the runs of a library as they are now."""
        if list(entries) != list(self._entries):
            self._entries = entries
            self._arrange()

    def show_view(self, view: TableView) -> None:
        """Show other runs, or the same ones in another order.

        Raises:
            UserError: There is nothing to sort by of that name.
        """
        if view != self._view:
            self._view = view
            self._arrange()

    def toggle_group(self, key: str) -> None:
        """Show or hide the runs of a group."""
        self.show_view(
            replace(self._view, open_groups=self._view.open_groups ^ frozenset({key}))
        )

    def _arrange(self) -> None:
        """Make the rows anew; cells alone change where the rows are the same ones."""
        keeps, view = self._view.keeps, self._view
        shown = [entry for entry in self._entries if keeps(entry)]
        fields = differing_fields(shown)[:MOST_FIELDS]
        ordered = sorted_entries(shown, view.sort, descending=view.descending)
        rows = self._grouped(ordered) if view.grouped else [Row(e) for e in ordered]
        same = [r.key for r in rows] == [r.key for r in self._rows]
        if same and fields == self._fields:
            self._rows = rows
            self._tell_all()
            return
        self.beginResetModel()
        self._rows, self._fields = rows, fields
        self._columns = columns_of(fields)
        self.endResetModel()

    def _grouped(self, ordered: Sequence[RunEntry]) -> list[Row]:
        rows: list[Row] = []
        for group in grouped(ordered):
            if len(group.entries) == 1:
                rows.append(Row(group.entries[0]))
                continue
            rows.append(Row(group.entries[0], group))
            if group.key in self._view.open_groups:
                rows += [Row(entry, within=True) for entry in group.entries]
        return rows

    def _tell_all(self) -> None:
        if self._rows:
            last = self.index(len(self._rows) - 1, len(self._columns) - 1)
            self.dataChanged.emit(self.index(0, 0), last)

    def set_basket(self, paths: Sequence[Path]) -> None:
        """Tick the runs that are put aside to compare."""
        self._basket = frozenset(paths)
        self._tell_all()

    def set_open(self, path: Path | None) -> None:
        """Point out the run that the window shows."""
        if path != self._open_path:
            self._open_path = path
            self._tell_all()

    def has_picture(self, path: Path) -> bool:
        """Return whether it is known how a run adapts, or that nothing is to be shown."""
        return path in self._pictures

    def set_picture(self, path: Path, arrays: Mapping[str, Array] | None) -> None:
        """Take in a thumbnail."""
        self._pictures[path] = arrays
        column = self.column_of(PICTURE)
        for number, row in enumerate(self._rows):
            if row.entry.path == path:
                cell = self.index(number, column)
                self.dataChanged.emit(cell, cell, [PICTURE_ROLE])

    def forget_pictures(self) -> None:
        """Have every thumbnail made or looked up again: this is another library."""
        self._pictures.clear()

    def column_of(self, key: str) -> int:
        """Return the number of a column."""
        return next(i for i, column in enumerate(self._columns) if column.key == key)

    # Qt's own

    def rowCount(self, parent: Index = _NO_PARENT) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return the number of rows."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _NO_PARENT) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return the number of columns."""
        return 0 if parent.isValid() else len(self._columns)

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        """Return headings and what they mean."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if not 0 <= section < len(self._columns):
            return None
        column = self._columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return column.tip
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return what a cell shows."""
        if not index.isValid():
            return None
        row, column = self._rows[index.row()], self._columns[index.column()]
        read = _READERS.get(role)
        if read is not None:
            return read(self, row, column)
        return None

    def basket_state(self, row: Row, column: Column) -> Qt.CheckState | None:
        """Return the tick of a row."""
        if column.key != NAME:
            return None
        inside = sum(entry.path in self._basket for entry in row.entries)
        if not inside:
            return Qt.CheckState.Unchecked
        whole = inside == len(row.entries)
        return Qt.CheckState.Checked if whole else Qt.CheckState.PartiallyChecked

    def picture(self, row: Row, column: Column) -> Mapping[str, Array] | None:
        """Return the arrays of a row's thumbnail."""
        return self._pictures.get(row.entry.path) if column.key == PICTURE else None

    def is_open(self, row: Row) -> bool:
        """Return whether the window shows the run of a row."""
        return any(entry.path == self._open_path for entry in row.entries)

    def flags(self, index: Index) -> Qt.ItemFlag:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return what can be done with a cell."""
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        flags = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled
        if self._columns[index.column()].key != NAME:
            return flags
        row = self._rows[index.row()]
        flags |= Qt.ItemFlag.ItemIsUserCheckable
        if row.group is None and not row.entry.problem:
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def setData(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole
    ) -> bool:
        """Take a name or a tick; both are told, and shown once they are so."""
        if not index.isValid():
            return False
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.CheckStateRole:
            paths = tuple(entry.path for entry in row.entries)
            on = Qt.CheckState(value) == Qt.CheckState.Checked
            self.ticked.emit(paths, on)
            return True
        if role == Qt.ItemDataRole.EditRole and str(value) != row.entry.name:
            self.renamed.emit(row.entry.path, str(value))
            return True
        return False


def _alignment(column: Column) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column.number else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


def _display(_model: RunTableModel, row: Row, column: Column) -> str:
    return column.text(row)


def _edit(_model: RunTableModel, row: Row, column: Column) -> str | None:
    return row.entry.name if column.key == NAME else None


def _tip(_model: RunTableModel, row: Row, column: Column) -> str:
    entry = row.entry
    if column.key == NAME:
        return plain_tip(_name_tip(row))
    if column.key == LOSS and not entry.held_out:
        return "Loss of training: there are no two evaluations"
    score = {"best": entry.best, "loss": entry.last}.get(column.key)
    if score is not None and row.group is None:
        return f"At outer step {score.step:,}"
    if column.key == "note":
        return plain_tip(entry.problem or entry.labels.note)
    return plain_tip(column.text(row))


def _name_tip(row: Row) -> str:
    if row.group is not None:
        return "\n".join(entry.path.name for entry in row.entries)
    waits = "\nA change waits until the run has ended." if row.entry.waiting else ""
    return f"{row.entry.path.name}{waits}"


def _align(_model: RunTableModel, _row: Row, column: Column) -> Qt.AlignmentFlag:
    return _alignment(column)


def _row(_model: RunTableModel, row: Row, _column: Column) -> Row:
    return row


def _accessible(_model: RunTableModel, row: Row, column: Column) -> str:
    if column.key == LOSS:
        losses = row.entry.losses
        return f"from {losses[0]:.3g} to {losses[-1]:.3g}" if losses else "no losses"
    return column.text(row)


_READERS: Mapping[int, Callable[[RunTableModel, Row, Column], Any]] = {
    Qt.ItemDataRole.DisplayRole: _display,
    Qt.ItemDataRole.EditRole: _edit,
    Qt.ItemDataRole.ToolTipRole: _tip,
    Qt.ItemDataRole.TextAlignmentRole: _align,
    Qt.ItemDataRole.CheckStateRole: RunTableModel.basket_state,
    Qt.ItemDataRole.AccessibleTextRole: _accessible,
    ROW_ROLE: _row,
    PICTURE_ROLE: RunTableModel.picture,
}
