"""The Problems panel: errors from any thread, without getting in the way."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QStackedLayout,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from metalab.runs.system.faults import Fault, FaultLog
from metalab.ui.widgets.plain_text import plain_tip

_TIME, _MESSAGE, _COUNT = range(3)
_COPIED_MS = 1500
_ROW_HEIGHT = 22


class ProblemsPanel(QWidget):
    """Lists the faults of a log, the newest first; each unfolds to its details.

    Attributes:
        count_changed: There are now so many different problems in the list.
    """

    count_changed = Signal(int)

    def __init__(self, faults: FaultLog, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._faults = faults
        self._version = -1
        self._shown: Sequence[Fault] = ()
        self._tree = QTreeWidget(self)
        self._empty = QLabel("No problems.", self)
        self._copy = QPushButton("Copy", self)
        self._clear = QPushButton("Clear", self)
        self._set_up_tree()
        self._lay_out()
        self._copy.clicked.connect(self.copy)
        self._clear.clicked.connect(self._on_cleared)
        self.poll()

    def _set_up_tree(self) -> None:
        tree = self._tree
        tree.setAccessibleName("Problems")
        tree.setHeaderLabels(["Time", "Problem", "Times"])
        tree.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        tree.setUniformRowHeights(False)
        tree.setAllColumnsShowFocus(True)
        tree.setTextElideMode(Qt.TextElideMode.ElideRight)
        header = tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(_MESSAGE, QHeaderView.ResizeMode.Stretch)

    def _lay_out(self) -> None:
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setEnabled(False)
        self._copy.setToolTip("Copy the selected problem, or all, with details")
        self._clear.setToolTip("Forget the problems in this list")
        buttons = QVBoxLayout()
        buttons.addWidget(self._copy)
        buttons.addWidget(self._clear)
        buttons.addStretch(1)
        self._pages = QStackedLayout()
        self._pages.addWidget(self._empty)
        self._pages.addWidget(self._tree)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 8, 8)
        row.addLayout(self._pages, 1)
        row.addLayout(buttons)

    @property
    def count(self) -> int:
        """Number of different problems in the list."""
        return len(self._shown)

    def poll(self) -> bool:
        """Take in what is new; return whether anything was."""
        version = self._faults.version
        if version == self._version:
            return False
        self._version = version
        self._show(self._faults.snapshot())
        self.count_changed.emit(self.count)
        return True

    def reveal_newest(self) -> None:
        """Unfold the newest problem."""
        if self._shown:
            newest = _item(self._tree, 0)
            self._tree.setCurrentItem(newest)
            newest.setExpanded(True)

    def copy(self) -> None:
        """Put the selected problem, or all, on the clipboard."""
        chosen = self._selected() or list(self._shown)
        QGuiApplication.clipboard().setText("\n\n".join(map(as_text, chosen)))
        self._copy.setText("Copied")
        QTimer.singleShot(_COPIED_MS, self._copy, self._on_copy_rested)

    def _selected(self) -> list[Fault]:
        tops = [item.parent() or item for item in self._tree.selectedItems()]
        return [self._shown[self._tree.indexOfTopLevelItem(top)] for top in tops]

    def _on_copy_rested(self) -> None:
        self._copy.setText("Copy")

    def _on_cleared(self) -> None:
        self._faults.clear()
        self.poll()

    def _show(self, faults: Sequence[Fault]) -> None:
        tree = self._tree
        unfolded = {
            _key(fault)
            for row, fault in enumerate(self._shown)
            if _item(tree, row).isExpanded()
        }
        chosen = {_key(fault) for fault in self._selected()}
        self._shown = tuple(reversed(faults))
        tree.clear()
        for row, fault in enumerate(self._shown):
            tree.addTopLevelItem(_tree_item(fault))
            _item(tree, row).setExpanded(_key(fault) in unfolded)
            if _key(fault) in chosen:
                tree.setCurrentItem(_item(tree, row))
        self._pages.setCurrentWidget(tree if self._shown else self._empty)
        for button in (self._copy, self._clear):
            button.setEnabled(bool(self._shown))


def as_text(fault: Fault) -> str:
    """Return a problem as a person would paste it into a report."""
    head = f"{fault.when.isoformat(timespec='seconds')}  {fault.message}"
    if fault.count > 1:
        head += f"  ({fault.count} times)"
    return f"{head}\n{fault.details}".rstrip()


def _key(fault: Fault) -> tuple[str, str]:
    return fault.message, fault.details


def _item(tree: QTreeWidget, row: int) -> QTreeWidgetItem:
    item = tree.topLevelItem(row)
    assert item is not None, f"no row {row}"
    return item


def _tree_item(fault: Fault) -> QTreeWidgetItem:
    times = f"{fault.count}×" if fault.count > 1 else ""
    item = QTreeWidgetItem([f"{fault.when:%H:%M:%S}", fault.message, times])
    item.setToolTip(_MESSAGE, plain_tip(fault.message))
    item.setSizeHint(_COUNT, QSize(0, _ROW_HEIGHT))
    if fault.details:
        child = QTreeWidgetItem(["", fault.details.rstrip()])
        mono = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        child.setFont(_MESSAGE, mono)
        item.addChild(child)
    return item
