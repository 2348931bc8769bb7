"""The table of hypergradient estimators."""

from math import isfinite, nan

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QIcon,
    QPainter,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from metalab.analysis.comparison import Compared, Measured
from metalab.analysis.solves import Solves
from metalab.core.hypergradient.target import Target
from metalab.figures.estimator_looks import look_of
from metalab.ui.plot.painting import draw_mark
from metalab.ui.plot.ticks import mean_text, number_text
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import current_theme, follow_theme

NOT_YET = "–"
"""In place of a number that is still to be measured."""

_NUM_VALUES = 9
_SWATCH = 12
_MEBIBYTE = 2**20
_ROW_AIR = 7


class _Cell(QTableWidgetItem):
    """A cell of a row that stays with those that aim at the same derivative."""

    group: tuple[bool, bool] = (False, False)
    """Of another problem, aims at the solution: what can be compared stays together."""

    def __lt__(self, other: QTableWidgetItem) -> bool:
        """Return whether this row is above another: groups first, in either direction."""
        if not isinstance(other, _Cell) or self.group == other.group:
            return self.is_below(other)
        header = self.tableWidget().horizontalHeader()
        ascending = header.sortIndicatorOrder() is Qt.SortOrder.AscendingOrder
        return (self.group < other.group) is ascending

    def is_below(self, other: QTableWidgetItem) -> bool:
        """Return whether this text is before another one of the same group."""
        return self.text().casefold() < other.text().casefold()


class _Number(_Cell):
    """A number that is sorted as one, whatever it is written like."""

    def __init__(self, value: float, text: str) -> None:
        super().__init__(text)
        self.value = value
        self.setTextAlignment(
            Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        )

    def is_below(self, other: QTableWidgetItem) -> bool:
        """Return whether this number is below another; NaN is last."""
        if not isinstance(other, _Number):
            return super().is_below(other)
        if not isfinite(self.value):
            return False
        return not isfinite(other.value) or self.value < other.value


class EstimatorTable(QTableWidget):
    """One row an estimator, at the chosen K."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._planned: tuple[Compared, ...] = ()
        self._rows: tuple[Measured, ...] = ()
        self._dimmed = False
        heads = (
            ("Estimator", "How the hypergradient is estimated"),
            ("Aims at", "The derivative that it approximates"),
            (
                "Cosine",
                (
                    "Of the angle to the exact hypergradient: mean over meta-batches ± "
                    "its standard error"
                ),
            ),
            (
                "Norm ratio",
                "Its norm over that of the exact one, ± standard error",
            ),
            (
                "Rel. error",
                "Norm of the difference, relative, ± standard error",
            ),
            ("Variance", "Between meta-batches, relative"),
            ("Time, ms", "Of inner path and estimate"),
            ("Memory, MiB", "Most at once"),
            ("Gradients", "That were asked for, a meta-batch each"),
            ("Products", "Hessian-vector and mixed products"),
            (
                "Solved",
                (
                    "Linear systems with a relative residual within the tolerance; “!” "
                    "where some are not positive definite"
                ),
            ),
        )
        self.setColumnCount(len(heads))
        for column, (text, tip) in enumerate(heads):
            item = QTableWidgetItem(text)
            item.setToolTip(tip)
            self.setHorizontalHeaderItem(column, item)
        self.setAccessibleName("Hypergradient estimators")
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
        self.setSortingEnabled(True)
        # In one order while they are measured; a third click on a head returns to it.
        header.setSortIndicatorClearable(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        follow_theme(self._take_theme)

    def _aim(self, target: Target) -> str:
        """Return the words for what an estimator aims at."""
        return "K steps" if target is Target.K_STEP else "Solution"

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the names what the numbers leave, and never less than they need."""
        super().resizeEvent(event)
        self._share_width()

    def _share_width(self) -> None:
        header = self.horizontalHeader()
        others = sum(header.sectionSize(c) for c in range(1, self.columnCount()))
        room = self.viewport().width() - others
        mode = QHeaderView.ResizeMode
        names = self.sizeHintForColumn(0)
        header.setSectionResizeMode(0, mode.Stretch if room > names else mode.Fixed)
        if room <= names:
            header.resizeSection(0, names)

    def _take_theme(self, _: Theme) -> None:
        self.show_rows(self._planned, self._rows, dimmed=self._dimmed)

    def show_rows(
        self,
        planned: tuple[Compared, ...],
        rows: tuple[Measured, ...],
        *,
        dimmed: bool,
    ) -> None:
        """Show estimators, also those that are still to be measured.

        Args:
            planned: One row each, in this order until a person sorts them.
            rows: What has been measured, at one K.
            dimmed: Whether newer numbers are on their way.
        """
        self._planned, self._rows, self._dimmed = planned, rows, dimmed
        known = {row.key: row for row in rows}
        self.setSortingEnabled(False)
        self.setRowCount(len(planned))
        theme = current_theme()
        for index, compared in enumerate(planned):
            row = known.get(compared.key)
            faint = dimmed or row is None
            ink = QBrush(QColor(theme.muted if faint else theme.text))
            cells = [*self._names(compared), *_values(row)]
            for column, cell in enumerate(cells):
                cell.group = (
                    compared.problem != "own",
                    compared.target is Target.SOLUTION,
                )
                cell.setForeground(ink)
                if row is None and column > 1:
                    cell.setToolTip("Not measured yet")
                self.setItem(index, column, cell)
        self.setSortingEnabled(True)
        self._share_width()

    def _names(self, compared: Compared) -> tuple[_Cell, _Cell]:
        """Return the cells that need no measurement."""
        title = compared.title
        if compared.problem != "own":
            title = f"{title} · proximal"
        first = _Cell(title)
        first.setIcon(_swatch(compared.name))
        first.setToolTip(title)
        if compared.exact:
            font = first.font()
            font.setBold(True)
            first.setFont(font)
        return first, _Cell(self._aim(compared.target))


def _values(row: Measured | None) -> list[_Cell]:
    """Return the cells with numbers; a dash each where nothing is measured yet."""
    if row is None:
        return [_Number(nan, NOT_YET) for _ in range(_NUM_VALUES)]
    return [
        _measured(row.cosine, row.cosine_error),
        _measured(row.norm_ratio, row.norm_ratio_error),
        _measured(row.relative_error, row.relative_error_error),
        *_numbers(row.variance, 1e3 * row.seconds, row.peak_bytes / _MEBIBYTE),
        *(_Number(n, f"{n:,}") for n in (row.gradients, row.products)),
        _solved(row.solves),
    ]


def _measured(mean: float, error: float) -> _Number:
    """Return the cell of a mean and its standard error."""
    return _Number(mean, mean_text(mean, error))


def _solved(solves: Solves | None) -> _Number:
    """Return the cell about an estimator's linear systems."""
    if solves is None:
        return _Number(nan, "")
    share = 1 - solves.unconverged / solves.num_solves
    mark = "! " if solves.not_positive_definite else ""
    cell = _Number(share, f"{mark}{100 * share:.0f} %")
    cell.setToolTip(solves.words)
    cell.setData(Qt.ItemDataRole.AccessibleTextRole, solves.words)
    return cell


def _numbers(*values: float) -> list[_Number]:
    return [_Number(value, number_text(value)) for value in values]


def _swatch(name: str) -> QIcon:
    look = look_of(name)
    pixmap = QPixmap(_SWATCH, _SWATCH)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(look.colour))
    middle = _SWATCH / 2
    draw_mark(painter, look.mark, QPointF(middle, middle), middle - 1.5)
    painter.end()
    return QIcon(pixmap)
