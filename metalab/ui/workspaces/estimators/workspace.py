"""The Estimators workspace: every hypergradient estimator against the exact one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication, QHideEvent, QImage, QPalette, QShowEvent
from PySide6.QtWidgets import (
    QLabel,
    QSplitter,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from metalab.analysis.comparison import (
    MOST_TASKS,
    NUM_BATCHES,
    Compared,
    Comparison,
    ComparisonRequest,
    Measured,
)
from metalab.core.hypergradient.target import Target
from metalab.figures.sights import EstimatorsSight
from metalab.runs.services.comparison import ComparisonService
from metalab.ui.plot.painting import picture_of, tint
from metalab.ui.plot.ticks import number_text
from metalab.ui.session import engine_access as engine
from metalab.ui.session.engine_access import inner_lr
from metalab.ui.session.thread_signal import ThreadSignal
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import follow_theme
from metalab.ui.widgets.header import PanelHeader, preparing
from metalab.ui.widgets.plain_text import plain_tip
from metalab.ui.widgets.scrolling import Scrolling
from metalab.ui.workspaces.base import Workspace
from metalab.ui.workspaces.estimators.curve import ErrorCurve
from metalab.ui.workspaces.estimators.polar import PolarPlot
from metalab.ui.workspaces.estimators.table import EstimatorTable
from metalab.ui.workspaces.estimators.tools import EstimatorTools

if TYPE_CHECKING:
    from metalab.figures.sights import Sight
    from metalab.ui.session.moment import Moment


_MOST_LETTERS = 220
"""Two lines of the smallest window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimatorsText:
    """Texts below the plots.

    Attributes:
        line: As much of it as has room.
        whole: All of it, for the tip and for those who cannot see.
    """

    line: str
    whole: str


def line_of(shown: Comparison | None, *, doing: str, cancelled: bool) -> EstimatorsText:
    """Return what is measured, what is shown, and what is missing.

    Args:
        shown: The newest rows there are.
        doing: What is being measured; "" for nothing.
        cancelled: Whether a person wanted no more.
    """
    texts = [f"Measuring {doing}"] if doing else []
    if shown is not None:
        texts.append(
            "{}, outer step {}, K = {}{}, {} against {}".format(
                engine.name(shown.request.config),
                f"{shown.request.step:,}",
                shown.request.num_inner_steps,
                _rate_words(shown.request),
                _batch_words(shown),
                _against_words(shown),
            )
        )
        if cancelled and not shown.done:
            texts.append("Cancelled before all K were measured")
        indefinite = _not_definite(shown)
        if indefinite:
            texts.append(f"Not positive definite: {indefinite}")
        caveat = shown.request.config.loss_words.caveat
        if caveat:
            texts.append(caveat.removesuffix("."))
        left_out = "; ".join(f"{title}: {why}" for title, why in shown.left_out)
        if left_out:
            texts.append(f"Not applicable: {left_out}")
    whole = ". ".join(texts)
    if len(whole) <= _MOST_LETTERS:
        return EstimatorsText(line=whole, whole=whole)
    cut = whole[: _MOST_LETTERS - 1].rstrip()
    return EstimatorsText(line=f"{cut}\N{HORIZONTAL ELLIPSIS}", whole=whole)


def _batch_words(shown: Comparison) -> str:
    """Return how much the means are over."""
    count = shown.rows[0].num_batches if shown.rows else NUM_BATCHES
    return f"{count} meta-batches of {shown.request.num_tasks} tasks"


def _against_words(shown: Comparison) -> str:
    """Return what estimates are compared with, and how well that is known."""
    if shown.request.against is Target.K_STEP:
        return "the exact hypergradient of K inner steps"
    words = "the hypergradient of the inner solution"
    if shown.solved is None:
        return words
    return "{} ({:,} of {:,} inner problems solved)".format(words, *shown.solved)


def _rate_words(request: ComparisonRequest) -> str:
    """Return the inner lr that was used; "" where there is none."""
    own = inner_lr(request.config)
    used = own if request.inner_lr is None else request.inner_lr
    return "" if used is None else f", inner lr {number_text(used)}"


def _not_definite(shown: Comparison) -> str:
    """Return the estimators that took what is no minimum for one, and how often."""
    return "; ".join(
        f"{row.title} {row.solves.not_positive_definite:,}/{row.solves.num_solves:,}"
        for row in shown.rows
        if row.num_inner_steps == shown.request.num_inner_steps
        and row.solves is not None
        and row.solves.not_positive_definite
    )


DELAY_MS = 300
_LEAST_LINES = 24.0
"""Height below which table and plots scroll."""


class EstimatorsWorkspace(Workspace):
    """Table, angles, and error against K, at the meta-parameters of the playhead."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._moment: Moment | None = None
        self._asked: tuple[object, ...] | None = None
        self._shown: Comparison | None = None
        self._cancelled = False
        self.measuring = False
        self._answered = ThreadSignal(self, self._take)
        self._service = self._answered.add_service(ComparisonService)
        self.header = PanelHeader("Hypergradient estimators", self)
        self.tools = EstimatorTools(self)
        self.header.add_tool(self.tools.against_label)
        self.header.add_tool(self.tools.against)
        self.table = EstimatorTable(self)
        self.polar = PolarPlot(self)
        self.curve = ErrorCurve(self)
        self.state = QLabel(self)
        self._message = QLabel(self)
        self.debounce = QTimer(self)
        self.debounce.setSingleShot(True)
        self.debounce.setInterval(DELAY_MS)
        self._arrange()
        self._connect()
        self._show_state()
        follow_theme(self._take_theme)

    def _arrange(self) -> None:
        self.setAutoFillBackground(True)
        for label in (self.state, self._message):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.state.setContentsMargins(10, 2, 10, 4)
        self._message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        lower = QSplitter(Qt.Orientation.Horizontal, self)
        lower.addWidget(self.polar)
        lower.addWidget(self.curve)
        lower.setSizes([480, 480])
        split = QSplitter(Qt.Orientation.Vertical, self)
        split.addWidget(self.table)
        split.addWidget(lower)
        split.setSizes([330, 270])
        split.setChildrenCollapsible(False)
        body = QWidget(self)
        self._pages = QStackedLayout(body)
        self._pages.addWidget(self._message)
        self._pages.addWidget(Scrolling(split, body, least_lines=_LEAST_LINES))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 2)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        layout.addWidget(self.tools)
        layout.addWidget(body, 1)
        layout.addWidget(self.state)

    def _connect(self) -> None:
        self.tools.changed.connect(self._changed)
        self.tools.stop.clicked.connect(self._on_cancel)
        self.debounce.timeout.connect(self._ask)
        self.header.copy_requested.connect(self._on_copy)

    @property
    def comparison(self) -> Comparison | None:
        """What is shown."""
        return self._shown

    def show_moment(self, moment: "Moment | None") -> None:
        """Compare at the meta-parameters of a moment; a run that goes on is sampled."""
        before, self._moment = self._moment, moment
        if moment is not None and not moment.is_of_run_of(before):
            # Before anything else: a run that begins has no meta-parameters yet.
            self._shown, self._cancelled = None, False
            self.tools.show_run(moment.config)
            # An answer that is on its way would be about the other run.
            self.cancel()
        if moment is None or moment.phi is None:
            self.cancel()
            self._shown = None
            self._show_state()
            return
        self.tools.show_config(moment.config)
        if not moment.following and (before is None or before.step != moment.step):
            self._cancelled = False
        # A live run has another moment at every frame: one comparison after another.
        if not (moment.following and self.measuring):
            self._order()

    def _order(self) -> None:
        """Compare soon, unless that is what is shown, or a person wants none."""
        if (
            self.isVisible()
            and not self._cancelled
            and not self.debounce.isActive()
            and self._key() != self._asked
        ):
            self.debounce.start()

    def _key(self) -> tuple[object, ...] | None:
        moment = self._moment
        if moment is None or moment.phi is None:
            return None
        return (id(moment.config), moment.step, self.tools.choices)

    def _ask(self) -> None:
        moment = self._moment
        if moment is None or moment.phi is None or not self.isVisible():
            return
        config = moment.config
        choices = self.tools.choices
        self._asked = self._key()
        # What is on its way was asked before.
        self._service.cancel()
        self._service.request(
            ComparisonRequest(
                config=config,
                phi=moment.phi,
                step=moment.step,
                num_inner_steps=choices.num_steps,
                inner_lr=choices.inner_lr,
                damping=choices.damping,
                num_tasks=min(config.outer.num_tasks, MOST_TASKS),
                seed=choices.seed,
                against=choices.against,
            )
        )
        self.measuring = True
        self._dim()
        self._show_state()

    def _on_cancel(self) -> None:
        """Stop measuring until another choice is made."""
        self._cancelled = True
        self.cancel()

    def cancel(self) -> None:
        """Stop measuring; what is known stays."""
        self.debounce.stop()
        self.measuring = False
        self._service.cancel()
        self._show_state()

    def _take(self) -> None:
        """Show what is known by now, or why nothing can be."""
        if not self.measuring:
            return
        try:
            answer = self._service.take()
        except Exception as error:  # noqa: BLE001 - shown in the workspace
            self.measuring = False
            self._shown = None
            self._show_state(str(error))
            return
        progress = self._service.progress()
        if answer is not None:
            self.measuring = False
        found = answer or (None if progress is None else progress.known)
        if found is not None and found is not self._shown and self._tells_more(found):
            self._shown = found
            self._draw()
        if answer is not None:
            # The run may have gone on, or ended, while this was measured.
            self._order()
        doing = progress.doing if progress is not None and self.measuring else ""
        self._show_state(doing=doing)

    def _tells_more(self, found: Comparison) -> bool:
        """Return whether anything of it has been measured, or else nothing is shown.

        Until then, what was measured at another moment or K stays, dimmed.
        """
        return bool(found.rows) or self._shown is None or not self._shown.rows

    def _rows(self) -> tuple[Measured, ...]:
        shown = self._shown
        if shown is None:
            return ()
        chosen = shown.request.num_inner_steps
        return tuple(row for row in shown.rows if row.num_inner_steps == chosen)

    def _planned(self) -> tuple[Compared, ...]:
        return () if self._shown is None else self._shown.planned

    def _draw(self) -> None:
        rows = self._rows()
        self.table.show_rows(self._planned(), rows, dimmed=False)
        self.polar.show_rows(rows, dimmed=False)
        if self._shown is not None:
            chosen = self._shown.request.num_inner_steps
            self.curve.show_rows(self._shown.rows, chosen)
            self.tools.set_damped(damped=self._shown.takes_damping)

    def _dim(self) -> None:
        """Draw what is shown as what it is: of an earlier request."""
        rows = self._rows()
        self.table.show_rows(self._planned(), rows, dimmed=True)
        self.polar.show_rows(rows, dimmed=True)

    def _show_state(self, error: str = "", doing: str = "") -> None:
        """Say what is there, what is missing, and what is being done."""
        moment, shown = self._moment, self._shown
        busy = self.measuring or self.debounce.isActive()
        self.tools.stop.setVisible(busy)
        if moment is None:
            message = "No run yet: run the preset, then compare the estimators"
        elif moment.phi is None:
            message = preparing(moment.history)
        elif error:
            message = f"These meta-parameters cannot be compared: {error}"
        else:
            waiting = "Measuring…" if busy else "Nothing measured yet"
            message = "" if shown is not None else waiting
        self._message.setText(message)
        self._pages.setCurrentIndex(0 if message else 1)
        texts = line_of(shown, doing=doing, cancelled=self._cancelled)
        self.state.setText(texts.line)
        self.state.setToolTip(plain_tip(texts.whole))
        self.setAccessibleDescription(message or texts.whole)

    def _changed(self) -> None:
        self._cancelled = False
        self._dim()
        # Once nothing has moved for a while.
        self.debounce.start()
        self._show_state()

    def showEvent(self, event: QShowEvent) -> None:
        """Compare what has changed while the page was hidden."""
        super().showEvent(event)
        self._order()

    def hideEvent(self, event: QHideEvent) -> None:
        """Measure nothing for a page that nobody sees."""
        super().hideEvent(event)
        self.cancel()
        self._asked, self._cancelled = None, False

    def _take_theme(self, theme: Theme) -> None:
        tint(self, theme.surface, QPalette.ColorRole.Window)
        for label in (self.state, self._message):
            tint(label, theme.muted)
        tint(self.tools.against_label, theme.muted)

    @property
    def figure(self) -> str:
        """Name of the figure of this page."""
        return "estimators"

    def sights(self) -> "Mapping[str, Sight]":
        """Return what has been measured."""
        moment, shown = self._moment, self._shown
        if moment is None or shown is None:
            return {}
        return {self.figure: EstimatorsSight(history=moment.shown, comparison=shown)}

    def picture(self) -> QImage:
        """Return table and plots as a picture."""
        parts = (self.table, self.polar, self.curve.plot)
        return picture_of(parts, title=self.header.title)

    def save_state(self) -> dict[str, Any]:
        """Return the meta-batch that was chosen, and what estimates are compared with."""
        return {
            "seed": self.tools.choices.seed,
            "against": self.tools.wanted_against.value,
        }

    def restore_state(self, state: Mapping[str, Any]) -> None:
        """Take the meta-batch, and what estimates are compared with."""
        seed = state.get("seed")
        if type(seed) is int and 0 <= seed < 10**6:
            self.tools.set_seed(seed)
        against = state.get("against")
        if against in [known.value for known in Target]:
            self.tools.set_against(Target(against))

    def shut_down(self) -> None:
        """Have thread and timer end; returns at once."""
        self.debounce.stop()
        self._answered.close()

    def join(self) -> None:
        """Wait for the thread, after `shut_down`."""
        self._answered.join()

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setImage(self.picture())
