"""Choices of the Compare page, and what it says."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from metalab.studies.comparison_curves import COMPARED_AXES, SPREADS, CurveChoices
from metalab.ui.plot.painting import tint
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import follow_theme
from metalab.ui.widgets.scrolling import Scrolling

if TYPE_CHECKING:
    from metalab.studies.comparison import Comparison

_SPREAD_TEXTS = {"band": "95 % over seeds", "seeds": "Each seed"}


class CompareTools(QWidget):
    """The row above the plots.

    Attributes:
        chosen: Curves are to be drawn otherwise.
        reference_chosen: Title of the method that the others are compared with.
        pair_chosen: Two other methods are to be compared task by task.
        stop_clicked: No more is to be measured.
        add_clicked: More run files are wanted.
        clear_clicked: No run is wanted any more.
        report_clicked: The comparison shall be written as a report.
    """

    chosen = Signal()
    reference_chosen = Signal(str)
    pair_chosen = Signal()
    stop_clicked = Signal()
    add_clicked = Signal()
    clear_clicked = Signal()
    report_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.axis = QComboBox(self)
        self.axis.addItems([axis.capitalize() for axis in COMPARED_AXES])
        self.axis.setAccessibleName("Horizontal axis")
        self.spread = QComboBox(self)
        self.spread.addItems([_SPREAD_TEXTS[spread] for spread in SPREADS])
        self.spread.setAccessibleName("How seeds are shown")
        self.log = QCheckBox("&Log", self)
        self.log.setChecked(True)
        self.log.setToolTip("Logarithmic loss")
        self.reference = QComboBox(self)
        self.reference.setAccessibleName("Method that the others are compared with")
        self.reference.setToolTip("The method that the others are compared with")
        self.reference.setMinimumContentsLength(14)
        self.reference.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.add = QPushButton("Choose run files…", self)
        self.report = QPushButton("Report…", self)
        self.report.setToolTip("Write the comparison as one page or PDF")
        self.report.setEnabled(False)
        self.clear = QPushButton("Clear", self)
        self.clear.setToolTip("Take every run out of the comparison")
        self.stop = QPushButton("Stop", self)
        self.state = QLabel(self)
        self.state.setTextFormat(Qt.TextFormat.PlainText)
        self.one, self.other = QComboBox(self), QComboBox(self)
        self.one.setAccessibleName("Method on the vertical axis")
        self.other.setAccessibleName("Method on the horizontal axis")
        self._arrange()
        self._connect()
        follow_theme(self._take_theme)

    def _arrange(self) -> None:
        choices = QHBoxLayout()
        choices.setSpacing(8)
        against = QLabel("Against", self)
        parts = (self.axis, self.spread, self.log, against, self.reference)
        for part in parts:
            choices.addWidget(part)
        choices.addStretch(1)
        for part in (self.report, self.add, self.clear):
            choices.addWidget(part)
        told = QHBoxLayout()
        told.addWidget(self.state, 1)
        told.addWidget(self.stop)
        self.state.setWordWrap(True)
        self.stop.hide()
        self.state.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 4, 10, 4)
        layout.addLayout(choices)
        layout.addLayout(told)

    def _connect(self) -> None:
        self.axis.activated.connect(self._on_activated)
        self.spread.activated.connect(self._on_activated)
        self.log.clicked.connect(self._on_activated)
        self.reference.textActivated.connect(self.reference_chosen)
        self.one.activated.connect(self._on_pair)
        self.other.activated.connect(self._on_pair)
        self.stop.clicked.connect(self.stop_clicked)
        self.add.clicked.connect(self.add_clicked)
        self.clear.clicked.connect(self.clear_clicked)
        self.report.clicked.connect(self.report_clicked)

    @property
    def pair_widgets(self) -> tuple[QComboBox, QComboBox]:
        """The choice of two methods, which stands above their plot."""
        return self.one, self.other

    @property
    def choices(self) -> CurveChoices:
        """How curves are drawn."""
        return CurveChoices(
            x=COMPARED_AXES[self.axis.currentIndex()],
            spread=SPREADS[self.spread.currentIndex()],
            log_y=self.log.isChecked(),
        )

    @property
    def pair(self) -> tuple[str, str] | None:
        """Titles of two methods; None where there are no two."""
        one, other = self.one.currentText(), self.other.currentText()
        return (one, other) if one and other else None

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take choices; what is missing or not understood stays as it is."""
        if state.get("x") in COMPARED_AXES:
            self.axis.setCurrentIndex(COMPARED_AXES.index(state["x"]))
        if state.get("spread") in SPREADS:
            self.spread.setCurrentIndex(SPREADS.index(state["spread"]))
        if isinstance(state.get("log"), bool):
            self.log.setChecked(state["log"])

    def show_comparison(self, found: "Comparison") -> None:
        """Offer the methods of a comparison."""
        self.stop.hide()
        self.state.hide()
        measured = [group.title for group in found.groups if group.measured]
        before = self.pair
        self.reference.clear()
        self.reference.addItems([group.title for group in found.groups])
        for box in (self.one, self.other):
            box.clear()
            box.addItems(measured)
        if len(measured) > 1:
            self.one.setCurrentIndex(1)
        if before is not None and set(before) <= set(measured):
            self.one.setCurrentText(before[0])
            self.other.setCurrentText(before[1])

    def show_doing(self, text: str) -> None:
        """Say what is being measured, which can be stopped."""
        self.state.setText(text)
        self.state.show()
        self.stop.show()

    def show_problem(self, text: str) -> None:
        """Say what went wrong."""
        self.state.setText(text)
        self.state.show()
        self.stop.hide()

    def _on_activated(self) -> None:
        self.chosen.emit()

    def _on_pair(self) -> None:
        self.pair_chosen.emit()

    def _take_theme(self, theme: Theme) -> None:
        tint(self.state, theme.muted)


class WordsView(QWidget):
    """What a comparison shows in words, and what its numbers are."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.found, self.note = QLabel(), QLabel()
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(4, 2, 4, 2)
        self.found.setAccessibleName("Differences in words")
        self.note.setAccessibleName("What the numbers are")
        for label in (self.found, self.note):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            column.addWidget(label)
        column.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(Scrolling(inner, self))
        follow_theme(self._take_theme)

    def say(self, sentences: Sequence[str], note: str) -> None:
        """Say other sentences, and what the numbers are below them."""
        self.found.setText("\n".join(sentences))
        self.note.setText(note)

    def _take_theme(self, theme: Theme) -> None:
        tint(self.found, theme.text)
        tint(self.note, theme.muted)
