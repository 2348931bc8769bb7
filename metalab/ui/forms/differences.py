"""List of differences between the experiment in the form and another one."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from metalab.experiment.changes import difference_rows
from metalab.ui.widgets.plain_text import plain_tip

if TYPE_CHECKING:
    from metalab.experiment.config import ExperimentConfig

_MARGIN = 14
_SETTING, _OURS, _THEIRS, _UNIT = range(4)
_PATH = Qt.ItemDataRole.UserRole
_SIZE_IN_LETTERS, _SIZE_IN_LINES, _LINE = 140, 36, 1.6
_LARGEST = QSize(900, 560)


class DifferencesDialog(QDialog):
    """A table of the settings that two experiments do not share.

    Attributes:
        setting_chosen: Dotted path of a setting that a person would see in the form.
    """

    setting_chosen = Signal(str)

    def __init__(
        self,
        config: "ExperimentConfig",
        name: str,
        others: "list[tuple[str, ExperimentConfig]]",
        parent: QWidget | None = None,
    ) -> None:
        """Compare an experiment with the first of some others.

        Args:
            config: The experiment in the form.
            name: What it is called.
            others: Name and experiment of each that it can be compared with.
            parent: The widget around it.
        """
        super().__init__(parent)
        self.setWindowTitle("Differences")
        self._config = config
        self._name = name
        self._others = others
        self._choice = QComboBox(self)
        self._tree = QTreeWidget(self)
        self._count = QLabel(self)
        for other, _ in others:
            self._choice.addItem(other)
        self._set_up_tree()
        self._lay_out()
        self._choice.currentIndexChanged.connect(self._compare)
        self._tree.itemActivated.connect(self._on_activated)
        self._compare(0)
        self._choice.setFocus()

    def _set_up_tree(self) -> None:
        tree = self._tree
        tree.setAccessibleName(self.windowTitle())
        tree.setColumnCount(4)
        tree.setRootIsDecorated(False)
        tree.setItemsExpandable(False)
        tree.setIndentation(_MARGIN)
        tree.setAllColumnsShowFocus(True)
        tree.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        tree.setTextElideMode(Qt.TextElideMode.ElideRight)
        header = tree.header()
        header.setStretchLastSection(False)
        for column in (_SETTING, _OURS, _THEIRS):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(_UNIT, QHeaderView.ResizeMode.ResizeToContents)

    def _lay_out(self) -> None:
        label = QLabel("Compare &with", self)
        label.setBuddy(self._choice)
        self._choice.setAccessibleName("Compare with")
        top = QHBoxLayout()
        top.addWidget(label)
        top.addWidget(self._choice)
        top.addStretch(1)
        top.addWidget(self._count)
        box = QDialogButtonBox(self)
        # With a text of our own it has no icon of the desktop's, which fits no theme.
        close = box.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
        # Return belongs to the list.
        close.setAutoDefault(False)
        box.rejected.connect(self.reject)
        note = QLabel("Return, or a double click, shows a setting in the form.")
        column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        column.addLayout(top)
        for part in (self._tree, note, box):
            column.addWidget(part)
        column.setStretchFactor(self._tree, 1)

    def sizeHint(self) -> QSize:
        """Return room for a long list, within the smallest window."""
        metrics = self.fontMetrics()
        wanted = QSize(
            _SIZE_IN_LETTERS * metrics.averageCharWidth(),
            _SIZE_IN_LINES * metrics.height(),
        )
        return wanted.boundedTo(_LARGEST)

    @property
    def choice(self) -> QComboBox:
        """What the experiment is compared with."""
        return self._choice

    @property
    def tree(self) -> QTreeWidget:
        """The settings by group."""
        return self._tree

    @property
    def summary(self) -> str:
        """How many settings differ, in words."""
        return self._count.text()

    @property
    def shown(self) -> list[tuple[str, str, str]]:
        """Setting and both values of each row."""
        root = self._tree.invisibleRootItem()
        groups = [root.child(number) for number in range(root.childCount())]
        rows = [g.child(number) for g in groups for number in range(g.childCount())]
        return [
            (row.text(_SETTING), row.text(_OURS), row.text(_THEIRS)) for row in rows
        ]

    def _compare(self, index: int) -> None:
        other, config = self._others[index]
        rows = difference_rows(self._config, config)
        self._tree.clear()
        self._tree.setHeaderLabels(["Setting", self._name, other, "Unit"])
        for column, text in ((_OURS, self._name), (_THEIRS, other)):
            self._tree.headerItem().setToolTip(column, plain_tip(text))
        heading = QFont(self.font())
        heading.setWeight(QFont.Weight.DemiBold)
        height = round(_LINE * self.fontMetrics().height())
        groups: dict[str, QTreeWidgetItem] = {}
        for row in rows:
            if row.title not in groups:
                group = QTreeWidgetItem(self._tree, [row.title])
                group.setFlags(Qt.ItemFlag.ItemIsEnabled)
                group.setFirstColumnSpanned(True)
                group.setFont(_SETTING, heading)
                group.setSizeHint(_SETTING, QSize(0, height))
                groups[row.title] = group
            item = QTreeWidgetItem(
                groups[row.title], [row.label, row.ours, row.theirs, row.unit]
            )
            item.setData(_SETTING, _PATH, row.key)
            item.setToolTip(_SETTING, plain_tip(row.key))
            item.setToolTip(_OURS, plain_tip(row.ours))
            item.setToolTip(_THEIRS, plain_tip(row.theirs))
            item.setSizeHint(_SETTING, QSize(0, height))
        self._tree.expandAll()
        texts = {0: "No setting differs", 1: "1 setting differs"}
        several = f"{len(rows)} settings differ"
        self._count.setText(texts.get(len(rows), several))

    def _on_activated(self, item: QTreeWidgetItem) -> None:
        path = item.data(_SETTING, _PATH)
        if path:
            self.accept()
            self.setting_chosen.emit(path)
