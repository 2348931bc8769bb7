"""The run beside simpler methods: trained and measured in the background."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage, QPalette
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from metalab.analysis.rivals import BaselineComparison, BaselinesRequest
from metalab.runs.services.baselines import BaselinesProgress, BaselinesService
from metalab.ui.plot.painting import picture_of, tint
from metalab.ui.session import engine_access as engine
from metalab.ui.session.thread_signal import ThreadSignal
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import follow_theme
from metalab.ui.widgets.header import PanelHeader
from metalab.ui.widgets.plain_text import plain_tip
from metalab.ui.widgets.scrolling import Scrolling
from metalab.ui.workspaces.live.rival_row import RivalRow

if TYPE_CHECKING:
    from metalab.ui.session.moment import Moment

_WIDTH = 272
"""Room that a window of 1,280 pixels leaves beside form and page."""

_BAR_HEIGHT = 6
_BAR_STEPS = 1_000

WHAT = (
    "Is the run better than something simpler?\n\n"
    "A pooled curve, least squares on the support set, a mixed model and a Gaussian "
    "process are trained on the run's training tasks, and all are measured on the same "
    "{tasks} and support sets.\n\n"
    "It takes a minute or two. The run, and the window, go on meanwhile."
)
NO_RUN = "Start a run first: its meta-parameters are compared."
_FOOT = (
    "In brackets: 95 % intervals over tasks. Difference: loss minus the run's, task by "
    "task; right of the mark the run is better."
)


class BaselinesView(QWidget):
    """A button, what is being done, and a row for each method that was measured.

    Attributes:
        start: Compares the run, at the moment that is shown.
        cancel: Ends the comparison; rows that are known stay.
        rows: The methods that are shown.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._moment: Moment | None = None
        self._shown: BaselineComparison | None = None
        self._asked: Moment | None = None
        self._progress: BaselinesProgress | None = None
        self._failure = self._unit = ""
        self._cancelled = False
        self.rows: list[RivalRow] = []
        self._answered = ThreadSignal(self, self._take)
        self._service = self._answered.add_service(BaselinesService)
        self.header = PanelHeader("", self)
        self.start = QPushButton("Compare with baselines", self)
        self.start.setToolTip(
            "Train simpler methods on the run's training tasks, and measure all on one set"
        )
        self.cancel = QPushButton("Cancel", self)
        self.cancel.setToolTip("Stop the comparison; rows that are there stay")
        self.bar = QProgressBar(self)
        self._message = QLabel(self)
        self.state = QLabel(self)
        self._column = QWidget()
        self._scroll = Scrolling(self._column, self)
        self._arrange()
        self.start.clicked.connect(self._on_start)
        self.cancel.clicked.connect(self._on_cancel)
        self.header.copy_requested.connect(self._on_copy_requested)
        self._show()
        follow_theme(self._take_theme)

    def _arrange(self) -> None:
        self.setAutoFillBackground(True)
        self.setMinimumWidth(_WIDTH)
        for label in (self._message, self.state):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self._message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._message.setContentsMargins(24, 0, 24, 0)
        self.state.setContentsMargins(10, 4, 10, 4)
        self.bar.setRange(0, _BAR_STEPS)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(_BAR_HEIGHT)
        self.bar.setAccessibleName("Progress of the comparison")
        self.header.copy.setToolTip("Copy the figures as a picture")
        for button in (self.start, self.cancel):
            button.setAutoDefault(True)
        self._lines = QVBoxLayout(self._column)
        self._lines.setContentsMargins(0, 0, 0, 0)
        self._lines.setSpacing(0)
        self._lines.addStretch(1)
        buttons = QHBoxLayout()
        buttons.setContentsMargins(10, 6, 10, 8)
        buttons.addStretch(1)
        buttons.addWidget(self.start)
        buttons.addWidget(self.cancel)
        buttons.addStretch(1)
        progress = QHBoxLayout()
        progress.setContentsMargins(10, 4, 10, 0)
        progress.addWidget(self.bar)
        # Without rows there is room above and below, and the button is at its text.
        self._above, self._below = QWidget(self), QWidget(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 2)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        layout.addWidget(self._above, 1)
        layout.addWidget(self._message)
        layout.addWidget(self._scroll, 1)
        layout.addLayout(progress)
        layout.addWidget(self.state)
        layout.addLayout(buttons)
        layout.addWidget(self._below, 1)

    @property
    def comparison(self) -> BaselineComparison | None:
        """What is shown."""
        return self._shown

    @property
    def comparing(self) -> bool:
        """Whether an answer is still to come."""
        return self._asked is not None

    @property
    def message(self) -> str:
        """What stands in the place of rows."""
        return self._message.text()

    def show_moment(self, moment: "Moment | None") -> None:
        """Take in a moment of a run; what is known of another run goes away."""
        before, self._moment = self._moment, moment
        same = moment is not None and moment.is_of_run_of(before)
        if same and _key(moment) == _key(before):
            return
        if not same and before is not None:
            # An answer that is on its way would be about the other run.
            self._forget()
        self._show()

    def take_focus(self) -> None:
        """Give the keys to the button that there is."""
        buttons = (self.start, self.cancel, self.header.copy)
        first = next((one for one in buttons if one.isVisibleTo(self)), None)
        if first is not None:
            first.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def shut_down(self) -> None:
        """Have the thread end; returns at once."""
        self._answered.close()

    def join(self) -> None:
        """Wait for the thread, after `shut_down`."""
        self._answered.join()

    def picture(self) -> QImage:
        """Return the rows as a picture, without the tools."""
        return picture_of(self.rows or [self._message], title=self.header.title)

    def _forget(self) -> None:
        self._service.cancel()
        self._asked = self._shown = self._progress = None
        self._failure, self._cancelled = "", False
        self._make_rows()

    def _on_start(self) -> None:
        moment = self._moment
        if moment is None or moment.phi is None:
            return
        self._forget()
        self._asked, self._unit = moment, _unit(moment)
        self._service.request(
            BaselinesRequest(config=moment.config, phi=moment.phi, step=moment.step)
        )
        self._show()
        self.cancel.setFocus()

    def _on_cancel(self) -> None:
        self._service.cancel()
        self._asked, self._cancelled = None, True
        self._show()
        self.start.setFocus()

    def _on_copy_requested(self) -> None:
        QGuiApplication.clipboard().setImage(self.picture())

    def _take(self) -> None:
        """Show what is known by now, or why nothing can be."""
        if self._asked is None:
            return
        self._progress = self._service.progress()
        try:
            answer = self._service.take()
        except Exception as error:  # noqa: BLE001 - shown in the view
            self._failure, self._asked, answer = str(error), None, None
        if answer is not None:
            self._asked = None
            self._shown = answer
        elif self._progress is not None:
            self._shown = self._progress.known
        self._make_rows()
        self._show()

    def _make_rows(self) -> None:
        """Add rows that are new, and take away what is of another comparison."""
        wanted = () if self._shown is None else self._shown.rows
        if [row.row for row in self.rows] != list(wanted[: len(self.rows)]):
            for row in self.rows:
                self._lines.removeWidget(row)
                row.hide()
                row.deleteLater()
            self.rows = []
        for row in wanted[len(self.rows) :]:
            made = RivalRow(row, unit=self._unit, parent=self._column)
            self._lines.insertWidget(len(self.rows), made)
            self.rows.append(made)
        strips = [row.strip for row in self.rows if row.strip is not None]
        reach = max((strip.reach for strip in strips), default=0.0)
        for strip in strips:
            strip.set_reach(reach)

    def _show(self) -> None:
        """Show what there is: rows or what they would be, and what can be done."""
        moment, shown = self._moment, self._shown
        why_not = NO_RUN if moment is None or moment.phi is None else ""
        for part in (self.bar, self.cancel):
            part.setVisible(self.comparing)
        for part in (self._message, self._above, self._below):
            part.setVisible(not self.rows)
        for part in (self._scroll, self.header):
            part.setVisible(bool(self.rows))
        self._message.setText(WHAT.format(tasks=_tasks_words(moment)))
        self.header.set_title("" if shown is None else _title(shown))
        self.start.setVisible(not self.comparing and not self._is_current)
        self.start.setText("Compare again" if self.rows else "Compare with baselines")
        self.start.setEnabled(not why_not)
        self.start.setToolTip(plain_tip(why_not))
        share = 0.0 if self._progress is None else self._progress.share
        self.bar.setValue(round(_BAR_STEPS * share))
        words = self._words(why_not)
        self.state.setText(words)
        self.state.setVisible(bool(words))
        centred = Qt.AlignmentFlag.AlignCenter if not self.rows else Qt.AlignmentFlag(0)
        self.state.setAlignment(centred)

    @property
    def _is_current(self) -> bool:
        """Whether a comparison of the moment that is shown is complete."""
        moment, shown = self._moment, self._shown
        if moment is None or shown is None or not shown.done:
            return False
        return moment.step == shown.request.step

    def _words(self, why_not: str) -> str:
        if self.comparing:
            if self._progress is None:
                return "Preparing…"
            doing = self._progress.doing
            return f"{doing.title}: {doing.words}"
        if self._failure:
            return f"It cannot be compared: {self._failure}"
        if self._cancelled:
            return "Cancelled before all were measured."
        return _FOOT if self.rows else why_not

    def _take_theme(self, theme: Theme) -> None:
        for part in (self, self._scroll, self._column):
            tint(part, theme.surface, QPalette.ColorRole.Window)
        tint(self._message, theme.muted)
        tint(self.state, theme.muted)


def _key(moment: "Moment | None") -> tuple[object, ...]:
    """Return what the view depends on."""
    if moment is None:
        return (None,)
    return moment.step, moment.phi is None


def _title(shown: BaselineComparison) -> str:
    request = shown.request
    # The name, which is above the form too, is what may be cut off.
    return f"Outer step {request.step:,}, {engine.name(request.config)}"


def _tasks_words(moment: "Moment | None") -> str:
    known = None if moment is None else moment.history.held_out_tasks
    named = known is not None and bool(known.names)
    return "held-out tasks" if named else "fresh tasks"


def _unit(moment: "Moment") -> str:
    """Return the name of the target, whose unit errors have; "" for none."""
    known = moment.history.held_out_tasks
    return "" if known is None else known.target_name
