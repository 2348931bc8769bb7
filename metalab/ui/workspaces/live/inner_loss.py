"""Loss against inner step: of the chosen task, and of all held-out tasks on average."""

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication, QImage, QPalette
from PySide6.QtWidgets import QVBoxLayout, QWidget

from metalab.engine.diagnostics import STABILITY, STEP_CURVATURE, UNSTABLE_SHARE
from metalab.engine.events import Array
from metalab.experiment.loss_words import DEFAULT_WORDS, LossWords, with_unit
from metalab.runs.record.history import RunHistory
from metalab.ui.plot.limits import value_limits
from metalab.ui.plot.marks import Dots, Stroke
from metalab.ui.plot.painting import Ink, picture_of, tint
from metalab.ui.plot.plot_widget import Plot
from metalab.ui.plot.ticks import number_text
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import follow_theme
from metalab.ui.widgets.caption import Caption
from metalab.ui.widgets.header import PanelHeader, preparing, tool_button
from metalab.ui.widgets.legend import Entry, Legend, Swatch
from metalab.ui.widgets.readout import Readout
from metalab.ui.workspaces.live.interval_words import task_rows
from metalab.ui.workspaces.live.outer_loss import words_of


@dataclass(frozen=True, slots=True, kw_only=True)
class StabilityWords:
    """A line on stability; empty where nothing was measured.

    Attributes:
        text: The share of tasks, and how far the steps are from the limit.
        tip: What was measured, and when.
        tone: Role of the theme.
    """

    text: str = ""
    tip: str = ""
    tone: str = "muted"


def stability_words(history: RunHistory | None) -> StabilityWords:
    """Return what was last measured of a run's inner steps, in words."""
    if history is None:
        return StabilityWords()
    shares = history.diagnostics.of(UNSTABLE_SHARE)
    largest = history.diagnostics.of(STEP_CURVATURE)
    if not len(shares) or not len(largest):
        return StabilityWords()
    share, most = float(shares.values[-1]), float(largest.values[-1])
    told = "Inner steps stable for all tasks"
    if share > 0:
        told = "Inner steps overshoot for {share} % of tasks".format(
            share=f"{100 * share:.0f}"
        )
    reach = f"lr × curvature up to {number_text(most)}, limit 2"
    helps = [info.help for info in STABILITY if info.name != STEP_CURVATURE]
    at = "Measured at outer step {step}.".format(step=f"{int(shares.steps[-1]):,}")
    warned = history.stability_warning is not None
    return StabilityWords(
        text=f"{told} ({reach})",
        tip="\n".join([*helps, at]),
        tone="warning" if warned else "muted",
    )


_MOST_DOTS = 24
_NONE: Array = np.empty(0)


class InnerLossView(QWidget):
    """Support and query loss after each inner step.

    Attributes:
        log_chosen: Whether a person wants the loss axis logarithmic.
    """

    log_chosen = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._history: RunHistory | None = None
        self._drawn: object = None
        self._task = 0
        self._step: int | None = None
        self._moved = False
        self.header = PanelHeader("", self)
        self.log = tool_button(
            "Log",
            "Logarithmic loss axes: one switch for the outer loss and the inner steps",
            parent=self.header,
            checkable=True,
        )
        self.legend = Legend(self)
        self.plot = Plot(
            x_label="Inner step",
            y_label=_axis_label(DEFAULT_WORDS),
            whole_x=True,
            parent=self,
        )
        self.stability = Caption(self)
        self._least_height = self.plot.minimumHeight()
        self._readout = Readout(self.plot)
        self._make_marks()
        self._arrange()
        self._connect()
        self.set_log(log=True)
        follow_theme(self._take_theme)

    def _make_marks(self) -> None:
        plot, halo = self.plot, Ink(role="surface")
        mean, query, support = (
            Ink(role=role) for role in ("evaluation", "query", "support")
        )
        self.interval = plot.band(Ink(role="evaluation", share=0.22), z=0)
        self.mean = plot.line(Stroke(ink=mean, width=1.5, smooth=True), z=1)
        self.support = plot.line(Stroke(ink=support, width=1.6, smooth=True), z=2)
        self.query = plot.line(Stroke(ink=query, width=2, smooth=True), z=3)
        self.support_dots = plot.points(
            Dots(fill=halo, ring=support, size=6, ring_width=1.5), z=4
        )
        self.query_dots = plot.points(
            Dots(fill=query, ring=halo, size=7, ring_width=1), z=5
        )
        self.boundary = plot.vertical_line(
            Stroke(ink=Ink(role="muted"), dashes=(4.0, 3.0)), z=-1
        )
        self.emphasis = plot.vertical_line(
            Stroke(ink=Ink(role="ramp_end", share=0.4), width=5), z=-2
        )

    def _arrange(self) -> None:
        self.setAutoFillBackground(True)
        self.header.add_tool(self.log)
        self.legend.set_entries(
            Entry(swatch=Swatch.THICK, ink=Ink(role="query"), text="Query"),
            Entry(swatch=Swatch.RING, ink=Ink(role="support"), text="Support"),
            Entry(
                swatch=Swatch.LINE,
                ink=Ink(role="evaluation"),
                text="Query, mean of all tasks ± 95 %",
            ),
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 2)
        layout.setSpacing(0)
        for widget in (self.header, self.legend):
            layout.addWidget(widget)
        layout.addWidget(self.plot, 1)
        layout.addWidget(self.stability)
        self.stability.hide()
        self.plot.setAccessibleName("Held-out loss against inner step")
        self._say_task()

    def _connect(self) -> None:
        self.log.clicked.connect(self._on_log_clicked)
        self.plot.pointed.connect(self._on_pointed)
        self.plot.zoom_changed.connect(self.header.on_zoom_changed)
        self.header.fit_requested.connect(self.plot.fit)
        self.header.copy_requested.connect(self._on_copy_requested)

    @property
    def task(self) -> int:
        """The task that is shown, counted from 0."""
        return self._task

    @property
    def readout(self) -> Readout:
        """The box with the values at the pointer."""
        return self._readout

    def set_task(self, task: int) -> None:
        """Show another task."""
        if task != self._task:
            self._task = task
            self._say_task()
            self.plot.forget_limits()
            self._refresh()

    def set_inner_step(self, step: int) -> None:
        """Emphasise an inner step."""
        self._step = step
        self._refresh()

    def set_log(self, *, log: bool) -> None:
        """Make the loss axis logarithmic or straight."""
        self.log.setChecked(log)
        self._take_scale()
        self._refresh()

    def _take_scale(self) -> None:
        """Make the loss axis as it is chosen, as far as the run's losses allow."""
        words = words_of(self._history)
        self.plot.set_y_label(_axis_label(words))
        self.plot.set_log_y(log=self.log.isChecked() and words.logarithmic)

    def _take_theme(self, theme: Theme) -> None:
        tint(self, theme.surface, QPalette.ColorRole.Window)

    def picture(self) -> QImage:
        """Return plot and legend as a picture, without the tools."""
        self.plot.point_at(None)
        return picture_of((self.legend, self.plot), title=self.header.title)

    def show_history(self, history: RunHistory | None, *, moved: bool = False) -> None:
        """Show a run as it is now; cheap where nothing is new.

        Args:
            history: The run.
            moved: Whether a person has moved support points of the task.
        """
        if moved != self._moved:
            self._moved = moved
            self._say_task()
        before, self._history = self._history, history
        if before is None or history is None or not history.is_same_run(before):
            self._take_scale()
            self.plot.forget_limits()
            self.plot.fit()
        self._refresh()

    def _refresh(self) -> None:
        state = self._state()
        if state != self._drawn:
            self._drawn = state
            self._draw()
            self.plot.setAccessibleDescription(self._summary())
            if self.plot.pointed_at is not None:
                self._on_pointed(self.plot.pointed_at)

    def _state(self) -> object:
        """Return what the drawing depends on.

        What was drawn last lives at least until the next history is here, so an id
        cannot come back for something else.
        """
        history = self._history
        if history is None:
            return None
        return (
            *(history.configs.identity, id(history.curves), history.status.ended),
            *(len(history.evaluations), history.evaluations.steps[-1:].tobytes()),
            *(self._task, self._step, self.plot.log_y),
            history.diagnostics.steps[-1:].tobytes(),
        )

    def _draw(self) -> None:
        history = self._history
        mean, low, high = _last_means(history)
        steps = np.arange(len(mean), dtype=float)
        self.interval.set_data(steps, low, high)
        self.mean.set_data(steps, mean)
        support, query = self._task_losses()
        steps = np.arange(len(query), dtype=float)
        for line, dots, losses in (
            (self.support, self.support_dots, support),
            (self.query, self.query_dots, query),
        ):
            line.set_data(steps, losses)
            few = len(steps) <= _MOST_DOTS
            dots.set_data(*((steps, losses) if few else (_NONE, _NONE)))
        last = max(len(mean), len(query)) - 1
        self._draw_lines(history, last)
        limits = value_limits(
            (mean, support, query), log=self.plot.log_y, trimmed=False
        )
        self.plot.set_limits((0.0, max(last, 1.0)), limits)
        waiting = history is not None and last < 0 and not history.status.ended
        self.plot.set_message(preparing(history) if waiting else "")
        self._say_stability(history)

    def _say_stability(self, history: RunHistory | None) -> None:
        words = stability_words(history)
        self.stability.set_texts(words.text, "", "", words.tip)
        self.stability.set_tone(words.tone)
        self.stability.setAccessibleName(words.text)
        self.stability.setVisible(bool(words.text))
        # The line takes its room from the plot, not from the panels above.
        taken = self.stability.sizeHint().height() if words.text else 0
        self.plot.setMinimumHeight(self._least_height - taken)

    def _draw_lines(self, history: RunHistory | None, last: int) -> None:
        if history is None or last < 0:
            self.boundary.show_at(None)
            self.emphasis.show_at(None)
            return
        k = history.num_inner_steps
        self.boundary.show_at(float(k), f"K = {k} in training")
        step = self._step
        shown = step is not None and step <= last
        self.emphasis.show_at(float(step) if shown and step is not None else None)

    def _task_losses(self) -> tuple[Array, Array]:
        """Return support and query loss of the task, [inner step]; maybe empty."""
        curves = None if self._history is None else self._history.curves
        if curves is None or self._task >= len(curves.query_loss):
            return _NONE, _NONE
        return curves.support_loss[self._task], curves.query_loss[self._task]

    def _say_task(self) -> None:
        whose = "your points" if self._moved else self._task_words()
        self.header.set_title(f"Loss against inner step, {whose}")

    def _task_words(self) -> str:
        tasks = None if self._history is None else self._history.held_out_tasks
        if tasks is None:
            return f"task {self._task + 1}"
        return tasks.called(self._task)

    def _summary(self) -> str:
        _, query = self._task_losses()
        mean, _, _ = _last_means(self._history)
        parts: list[str] = []
        for name, losses in ((self._task_words(), query), ("mean", mean)):
            if len(losses):
                start, end = (number_text(float(losses[i])) for i in (0, -1))
                parts.append(
                    f"query loss, {name}: {start} at inner step 0, {end} at "
                    f"{len(losses) - 1}"
                )
        return "; ".join(parts) or "No losses yet"

    def _on_log_clicked(self, log: bool) -> None:  # noqa: FBT001 - a slot
        self.set_log(log=log)
        self.log_chosen.emit(log)

    def _on_pointed(self, x: float | None) -> None:
        support, query = self._task_losses()
        mean, _, _ = _last_means(self._history)
        last = max(len(mean), len(query)) - 1
        if x is None or last < 0:
            self.plot.show_crosshair(None)
            self._readout.hide()
            return
        step = min(max(round(x), 0), last)
        rows: list[tuple[str, str]] = []
        if len(query):
            rows.append(("Query", number_text(float(query[step]))))
            rows.append(("Support", number_text(float(support[step]))))
        if self._history is not None and len(mean):
            evaluations = self._history.evaluations
            at = int(evaluations.steps[-1])
            rows.append((f"Query mean, step {at:,}", number_text(float(mean[step]))))
            rows.extend(task_rows(evaluations, -1, step))
        self.plot.show_crosshair(float(step))
        place = self.plot.place_of(step)
        self._readout.show_beside(place, f"Inner step {step}", rows)

    def _on_copy_requested(self) -> None:
        QGuiApplication.clipboard().setImage(self.picture())


def _axis_label(words: LossWords) -> str:
    return with_unit("Loss", words.both_units)


def _last_means(history: RunHistory | None) -> tuple[Array, Array, Array]:
    """Return the last held-out mean and its 95 % interval, [inner step]; maybe empty."""
    if history is None or len(history.evaluations) == 0:
        return _NONE, _NONE, _NONE
    evaluations = history.evaluations
    return (
        evaluations.query_mean[-1],
        evaluations.query_low[-1],
        evaluations.query_high[-1],
    )
