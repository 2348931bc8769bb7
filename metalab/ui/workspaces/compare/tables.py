"""Tables of the Compare page: results of the methods, and settings that differ."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QBrush, QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from metalab.ui.plot.painting import Ink
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import current_theme, follow_theme

_ROW_AIR = 8


class TextTable(QTableWidget):
    """A table of plain texts that can be read and copied, not edited."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._inks: tuple[Ink, ...] = ()
        self.setAccessibleName(name)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        rows = self.verticalHeader()
        rows.hide()
        rows.setMinimumSectionSize(1)
        rows.setDefaultSectionSize(self.fontMetrics().height() + _ROW_AIR)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        follow_theme(self._take_theme)

    def show_rows(
        self,
        headings: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        inks: Sequence[Ink] = (),
    ) -> None:
        """Show other texts.

        Args:
            headings: Of the columns.
            rows: Cells.
            inks: Colour of each row's first cell; () for that of the text.
        """
        self._inks = tuple(inks)
        self.setColumnCount(len(headings))
        self.setHorizontalHeaderLabels(list(headings))
        self.setRowCount(len(rows))
        for row, cells in enumerate(rows):
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                if column == 0 and self._inks:
                    font = item.font()
                    font.setBold(True)
                    item.setFont(font)
                self.setItem(row, column, item)
        self._take_theme(current_theme())

    def texts(self) -> list[list[str]]:
        """Return the cells, row by row."""
        return [
            [self._text(row, column) for column in range(self.columnCount())]
            for row in range(self.rowCount())
        ]

    def _text(self, row: int, column: int) -> str:
        item = self.item(row, column)
        return "" if item is None else item.text()

    def _take_theme(self, theme: Theme) -> None:
        for row, ink in enumerate(self._inks):
            item = self.item(row, 0)
            if item is not None:
                colour = ink.colour(theme)
                # A dark colour of a line is too dark for text on a dark surface.
                if theme.dark:
                    colour = QColor(colour).lighter(150)
                item.setForeground(QBrush(colour))
