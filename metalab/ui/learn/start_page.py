"""First page: four cards that load and start an experiment."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
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

_COLUMNS = 2
_GAP = 16
_LARGEST = QSize(860, 760)
"""Wider or higher cards would be pictures without more to see."""


class StartPage(QWidget):
    """Four cards, and ways to stored runs and to the tour.

    Attributes:
        card_chosen: Key of the card whose experiment shall start.
        open_requested: A stored run shall be opened.
        tour_requested: The tour shall begin.
        run_chosen: File of the run to show.
        recovery_chosen: Key of what becomes of a run that a crash has left: that of the
            banner's button.
    """

    card_chosen = Signal(str)
    open_requested = Signal()
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
        self.open_button = QPushButton("&Open a run…", self)
        self.tour_button = QPushButton("Take the &tour", self)
        self.recovered = RecoveredStrip(self)
        self.runs = RunRows(self)
        self._arrange()
        self.recovered.chosen.connect(self.recovery_chosen)
        self.runs.run_chosen.connect(self.run_chosen)
        self.open_button.clicked.connect(self.open_requested)
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
        text = "Choose a card: its experiment starts at once."
        self._detail.setText(reason or text)

    def _take_theme(self, theme: Theme) -> None:
        tint(self._title, theme.text)
        tint(self._detail, theme.muted)
        self.open_button.setIcon(theme_icon("open", theme))
        self.tour_button.setIcon(theme_icon("help", theme))

    def _arrange(self) -> None:
        large = QFont(self.font())
        large.setPointSizeF(1.6 * large.pointSizeF())
        large.setBold(True)
        self._title.setFont(large)
        for label in (self._title, self._detail):
            label.setTextFormat(Qt.TextFormat.PlainText)
        grid = QGridLayout()
        grid.setSpacing(_GAP)
        for place, card in enumerate(self._cards.values()):
            grid.addWidget(card, *divmod(place, _COLUMNS))
        buttons = QVBoxLayout()
        buttons.setSpacing(_GAP // 2)
        for button in (self.open_button, self.tour_button):
            button.setAutoDefault(True)
            buttons.addWidget(button)
        buttons.addStretch(1)
        foot = QHBoxLayout()
        foot.setSpacing(2 * _GAP)
        foot.addLayout(buttons)
        foot.addWidget(self.runs, 1)
        foot.addStretch()
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
        column.addLayout(grid, 1)
        column.addSpacing(_GAP // 2)
        column.addLayout(foot)
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
