"""The list of shortcuts: what can be done, with its keys, found by its name or by a key."""

from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from metalab.ui.actions import table, view_keys
from metalab.ui.widgets.plain_text import plain_label

_MARGIN = 14
_WHAT, _KEYS = range(2)
_SIZE_IN_LETTERS, _SIZE_IN_LINES, _LINE = 100, 36, 1.6
_LARGEST = QSize(1000, 640)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    text: str
    keys: str
    tooltip: str = ""


class ShortcutsDialog(QDialog):
    """Every action by menu, then what the views take; a line filters both."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        self._filter = QLineEdit(self)
        self._tree = QTreeWidget(self)
        self._set_up_filter()
        self._set_up_tree()
        for title, lines in _groups():
            self._add_group(title, lines)
        self._lay_out()
        self._filter.textChanged.connect(self.list_matching)
        self._filter.setFocus()

    def _set_up_filter(self) -> None:
        text = "Find by name or key"
        self._filter.setPlaceholderText(text)
        self._filter.setAccessibleName(text)
        self._filter.setClearButtonEnabled(True)

    def _set_up_tree(self) -> None:
        tree = self._tree
        tree.setAccessibleName(self.windowTitle())
        tree.setColumnCount(2)
        tree.setHeaderLabels(["What it does", "Keys"])
        tree.setRootIsDecorated(False)
        tree.setItemsExpandable(False)
        tree.setIndentation(_MARGIN)
        tree.setAllColumnsShowFocus(True)
        tree.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        header = tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(_WHAT, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(_KEYS, QHeaderView.ResizeMode.ResizeToContents)

    def _add_group(self, title: str, lines: list[_Line]) -> None:
        group = QTreeWidgetItem(self._tree, [title])
        group.setFlags(Qt.ItemFlag.ItemIsEnabled)
        group.setFirstColumnSpanned(True)
        heading = QFont(self.font())
        heading.setWeight(QFont.Weight.DemiBold)
        group.setFont(_WHAT, heading)
        height = round(_LINE * self.fontMetrics().height())
        group.setSizeHint(_WHAT, QSize(0, height))
        for line in lines:
            row = QTreeWidgetItem(group, [line.text, line.keys])
            row.setToolTip(_WHAT, line.tooltip)
            row.setSizeHint(_WHAT, QSize(0, height))
        group.setExpanded(True)

    def _lay_out(self) -> None:
        note = QLabel(
            "Space types a space in a text, and presses what Tab has led to.",
            self,
        )
        box = QDialogButtonBox(self)
        # With a text of our own it has no icon of the desktop's, which fits no theme.
        box.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
        box.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        for part in (self._filter, self._tree, note, box):
            column.addWidget(part)
        column.setStretchFactor(self._tree, 1)

    def sizeHint(self) -> QSize:
        """Return room for most of the list, within the smallest window."""
        metrics = self.fontMetrics()
        wanted = QSize(
            _SIZE_IN_LETTERS * metrics.averageCharWidth(),
            _SIZE_IN_LINES * metrics.height(),
        )
        return wanted.boundedTo(_LARGEST)

    @property
    def shown(self) -> list[tuple[str, str]]:
        """What is listed just now, with its keys, in order."""
        return [
            (row.text(_WHAT), row.text(_KEYS))
            for group in self._children(self._tree.invisibleRootItem())
            for row in self._children(group)
            if not row.isHidden()
        ]

    def list_matching(self, text: str) -> None:
        """List what has all words of a text in its name, its group or its keys."""
        words = text.lower().split()
        for group in self._children(self._tree.invisibleRootItem()):
            rows = self._children(group)
            for row in rows:
                there = f"{group.text(_WHAT)} {row.text(_WHAT)} {row.text(_KEYS)}"
                row.setHidden(not all(word in there.lower() for word in words))
            group.setHidden(all(row.isHidden() for row in rows))

    @staticmethod
    def _children(item: QTreeWidgetItem) -> list[QTreeWidgetItem]:
        return [item.child(number) for number in range(item.childCount())]


def _groups() -> list[tuple[str, list[_Line]]]:
    """Return headings, and what stands below them, from the tables."""
    menus = [
        (
            plain_label(title),
            [
                _Line(
                    text=plain_label(spec.text),
                    keys=view_keys.shown_keys(spec.shortcuts),
                    tooltip=spec.tooltip,
                )
                for spec in table.ACTIONS
                if spec.menu == menu
            ],
        )
        for menu, title in table.MENUS.items()
    ]
    views = [
        (
            heading,
            [
                _Line(text=keys.text, keys=view_keys.shown_keys(keys.keys))
                for keys in view_keys.VIEW_KEYS
                if keys.place == place
            ],
        )
        for place, heading in view_keys.PLACES.items()
    ]
    return [*menus, *views]
