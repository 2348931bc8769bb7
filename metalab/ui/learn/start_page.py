"""First page: cards that load and start an experiment."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFont, QResizeEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from metalab.ui.learn.card_button import CardButton
from metalab.ui.learn.cards import all_cards
from metalab.ui.learn.run_rows import RecoveredStrip, RunRows
from metalab.ui.plot.painting import tint
from metalab.ui.style.icons import theme_icon
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import follow_theme
from metalab.ui.widgets.plain_text import plain_tip
from metalab.ui.widgets.scrolling import Scrolling

_FEWEST_COLUMNS, _MOST_COLUMNS = 2, 3
_GAP = 16
_LARGEST = QSize(1_120, 720)
"""Wider or higher cards would be pictures without more to see."""


class CardGrid(QWidget):
    """Cells of one size in rows: three a row where they are wide enough, else two."""

    def __init__(self, cells: Sequence[QWidget], parent: QWidget | None = None) -> None:
        """Lay out cells.

        Args:
            cells: In order; the first says how wide one must be.
            parent: Qt's parent.
        """
        super().__init__(parent)
        self._cells = cells
        self._columns = 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(_GAP)
        # Of its own accord it would not become narrower than the columns it has.
        self.setMinimumWidth(self._width_of(_FEWEST_COLUMNS))
        self._place(_MOST_COLUMNS)

    @property
    def columns(self) -> int:
        """Cells in a row."""
        return self._columns

    def _width_of(self, columns: int) -> int:
        least = self._cells[0].minimumSizeHint().width()
        return columns * least + (columns - 1) * _GAP

    def _place(self, columns: int) -> None:
        if columns == self._columns:
            return
        self._columns = columns
        for cell in self._cells:
            self._grid.removeWidget(cell)
        for place, cell in enumerate(self._cells):
            self._grid.addWidget(cell, *divmod(place, columns))
        rows = -(-len(self._cells) // columns)
        for line in range(max(len(self._cells), _MOST_COLUMNS)):
            self._grid.setColumnStretch(line, int(line < columns))
            self._grid.setRowStretch(line, int(line < rows))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Take as many columns as there is room for."""
        super().resizeEvent(event)
        wide = self.width() >= self._width_of(_MOST_COLUMNS)
        self._place(_MOST_COLUMNS if wide else _FEWEST_COLUMNS)


class StartPage(QWidget):
    """Cards, and ways to stored runs and to the tour.

    Attributes:
        card_chosen: Key of the card whose experiment shall start.
        open_requested: A stored run shall be opened.
        data_requested: A table of a person's own shall be opened.
        tour_requested: The tour shall begin.
        run_chosen: File of the run to show.
        recovery_chosen: Key of what becomes of a run that a crash has left: that of the
            banner's button.
    """

    card_chosen = Signal(str)
    open_requested = Signal()
    data_requested = Signal()
    tour_requested = Signal()
    run_chosen = Signal(object)
    recovery_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAutoFillBackground(True)
        self.setAccessibleName("First page")
        self._cards: dict[str, CardButton] = {}
        self._title = QLabel("Learning to learn, by hand", self)
        self._detail = QLabel("Choose a card: its experiment starts at once.", self)
        for card in all_cards().values():
            button = CardButton(card, self)
            button.clicked.connect(self._on_card_clicked)
            self._cards[card.key] = button
        for button in self._cards.values():
            button.beside = tuple(self._cards.values())
        self.open_button = QPushButton("&Open a run…", self)
        self.data_button = QPushButton("Open &data…", self)
        self.tour_button = QPushButton("Take the &tour", self)
        self.recovered = RecoveredStrip(self)
        self.runs = RunRows(self)
        self._arrange()
        self.recovered.chosen.connect(self.recovery_chosen)
        self.runs.run_chosen.connect(self.run_chosen)
        self.open_button.clicked.connect(self.open_requested)
        self.data_button.clicked.connect(self.data_requested)
        self.tour_button.clicked.connect(self.tour_requested)
        follow_theme(self._take_theme)

    @property
    def cards(self) -> dict[str, CardButton]:
        """The cards by key, in order."""
        return self._cards

    def set_ready(self, *, ready: bool, reason: str = "") -> None:
        """Let the cards be chosen, or say why not yet.

        Args:
            ready: Whether an experiment can start.
            reason: What is waited for; "" for nothing to say.
        """
        for card in self._cards.values():
            card.setEnabled(ready)
            card.setToolTip(plain_tip(reason))
        self.data_button.setEnabled(ready)
        text = "Choose a card: its experiment starts at once."
        self._detail.setText(reason or text)

    def _take_theme(self, theme: Theme) -> None:
        tint(self._title, theme.text)
        tint(self._detail, theme.muted)
        for button in (self.open_button, self.data_button):
            button.setIcon(theme_icon("open", theme))
        self.tour_button.setIcon(theme_icon("help", theme))

    def _arrange(self) -> None:
        large = QFont(self.font())
        large.setPointSizeF(1.6 * large.pointSizeF())
        large.setBold(True)
        self._title.setFont(large)
        for label in (self._title, self._detail):
            label.setTextFormat(Qt.TextFormat.PlainText)
        # The cell after the last card: what does not start an experiment.
        others = QWidget(self)
        column = QVBoxLayout(others)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(_GAP // 2)
        for button in (self.open_button, self.data_button, self.tour_button):
            button.setAutoDefault(True)
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)
        self.grid = CardGrid([*self._cards.values(), others], self)
        page = QWidget(self)
        page.setMaximumSize(_LARGEST)
        page.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        column = QVBoxLayout(page)
        column.setContentsMargins(_GAP, _GAP, _GAP, _GAP)
        column.setSpacing(_GAP // 2)
        column.addWidget(self.recovered)
        column.addSpacing(_GAP // 2)
        column.addWidget(self._title)
        column.addWidget(self._detail)
        column.addSpacing(_GAP // 2)
        column.addWidget(self.grid, 1)
        column.addWidget(self.runs)
        # Stretch on all sides, so that the page stays in the middle once it is largest.
        middle = QGridLayout(self)
        middle.setContentsMargins(0, 0, 0, 0)
        middle.addWidget(Scrolling(page), 1, 1)
        middle.setColumnStretch(1, 100)
        middle.setRowStretch(1, 100)
        for edge in (0, 2):
            middle.setColumnStretch(edge, 1)
            middle.setRowStretch(edge, 1)

    def _on_card_clicked(self) -> None:
        button = self.sender()
        assert isinstance(button, CardButton), "only cards are connected"
        self.card_chosen.emit(button.card.key)
