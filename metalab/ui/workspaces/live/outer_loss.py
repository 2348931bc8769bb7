"""Losses over training: query loss before and after adaptation, held-out evaluation."""

from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QImage, QPalette, QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from metalab.experiment.loss_words import DEFAULT_WORDS, LossWords, with_unit
from metalab.runs.record.history import RunHistory
from metalab.runs.record.status import RunStatus
from metalab.ui.plot.painting import picture_of, tint
from metalab.ui.plot.plot_widget import Plot
from metalab.ui.plot.ticks import number_text
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import follow_theme
from metalab.ui.widgets.header import PanelHeader, preparing
from metalab.ui.widgets.legend import Legend
from metalab.ui.widgets.readout import Readout
from metalab.ui.workspaces.live.loss_drawing import LossDrawing, legend_entries
from metalab.ui.workspaces.live.loss_tools import LossChoices, LossTools


class OuterLossView(QWidget):
    """The outer loss of a run.

    Attributes:
        choices_changed: A person chose another scale, smoothing or axis.
    """

    choices_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._history: RunHistory | None = None
        self._playhead: int | None = None
        self._drawn: object = None
        self._described: object = None
        self.header = PanelHeader("Outer loss", self)
        self.tools = LossTools(self.header)
        self.legend = Legend(self)
        self.plot = Plot(y_label=_axis_label(DEFAULT_WORDS), whole_x=True, parent=self)
        self.drawing = LossDrawing(self.plot)
        self._readout = Readout(self.plot)
        self._arrange()
        self._connect()
        self._take_choices()
        follow_theme(self._take_theme)

    def _arrange(self) -> None:
        self.setAutoFillBackground(True)
        self.plot.setAccessibleName("Outer loss over training")
        self.legend.set_entries(*legend_entries(0))
        self.legend.setToolTip(
            "Query loss of the training tasks, raw and smoothed; and of the held-out "
            "tasks after K inner steps: mean, its 95 % interval over the tasks of "
            "this network (none where the tail is heavy), 10th and 90th percentile"
        )
        self.header.add_tool(self.tools)
        self._roomy = self.header.comfortable_width()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 2)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        layout.addWidget(self.legend)
        layout.addWidget(self.plot, 1)
        layout.addWidget(self.tools.axis, 0, Qt.AlignmentFlag.AlignHCenter)

    def _connect(self) -> None:
        self.tools.choice_changed.connect(self._on_choice_changed)
        self.plot.pointed.connect(self._on_pointed)
        self.plot.range_changed.connect(self._on_range_changed)
        self.plot.zoom_changed.connect(self.header.on_zoom_changed)
        self.header.fit_requested.connect(self.plot.fit)
        self.header.copy_requested.connect(self._on_copy_requested)

    @property
    def choices(self) -> LossChoices:
        """What is chosen about the plot."""
        return self.tools.choices()

    @property
    def _shown_choices(self) -> LossChoices:
        """What is chosen, as far as the losses of the run can be shown so."""
        words = words_of(self._history)
        return self.choices if words.logarithmic else replace(self.choices, log_y=False)

    @property
    def readout(self) -> Readout:
        """The box with the values at the pointer."""
        return self._readout

    def set_choices(self, choices: LossChoices) -> None:
        """Choose everything about the plot."""
        self.tools.show_choices(choices)
        self._take_choices()

    def _take_theme(self, theme: Theme) -> None:
        tint(self, theme.surface, QPalette.ColorRole.Window)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Name the slider where there is room for a word."""
        super().resizeEvent(event)
        self.tools.smoothing.set_named(named=self.width() >= self._roomy)

    def picture(self) -> QImage:
        """Return legend, plot and axis as a picture, without the tools."""
        self.plot.point_at(None)
        parts = (self.legend, self.plot, self.tools.axis)
        return picture_of(parts, title=self.header.title)

    def show_history(
        self, history: RunHistory | None, *, playhead: int | None = None
    ) -> None:
        """Show a run as it is now; cheap where nothing is new.

        Args:
            history: The run.
            playhead: The outer step that other panels show; None for the newest.
        """
        self._playhead = playhead
        other = _config_of(history) is not _config_of(self._history)
        self._history = history
        if other:
            self.plot.set_y_label(_axis_label(words_of(history)))
            self.plot.set_log_y(log=self._shown_choices.log_y)
            self.plot.forget_limits()
            self.plot.fit()
        self._refresh()

    def _refresh(self) -> None:
        state = self._state()
        if state == self._drawn:
            return
        self._drawn = state
        history = self._history
        if history is None:
            self.drawing.clear()
            self.plot.set_message("")
        else:
            self.drawing.draw(history, self._shown_choices, playhead=self._playhead)
            self.plot.set_message(self._message(history))
        self._describe()
        if self.plot.pointed_at is not None:
            self._on_pointed(self.plot.pointed_at)

    def _state(self) -> object:
        """Return what the drawing depends on."""
        history = self._history
        if history is None:
            return None
        return (
            history.configs.identity,
            len(history.steps),
            history.thinned,
            *(column[-1:].tobytes() for column in history.metrics.values()),
            len(history.evaluations),
            history.evaluations.steps[-1:].tobytes(),
            history.status.ended,
            history.status is RunStatus.PAUSED,
            history.diverged,
            self.choices,
            self._playhead,
            self.plot.num_columns,
            self.plot.x_range if self.plot.zoomed else None,
        )

    def _message(self, history: RunHistory) -> str:
        if len(history.steps) or history.status.ended or history.diverged:
            return ""
        return preparing(history)

    def _describe(self) -> None:
        """Say in words what is drawn, whenever there is a new evaluation."""
        history = self._history
        state = history and (
            history.configs.identity,
            len(history.evaluations),
            len(history.steps) > 0,
            history.status,
            history.diverged,
        )
        if state == self._described:
            return
        self._described = state
        k = history.num_inner_steps if history is not None else 0
        self.legend.set_entries(*legend_entries(k))
        self.plot.setAccessibleDescription(self._summary())

    def _summary(self) -> str:
        history = self._history
        if history is None or len(history.steps) == 0:
            return "No losses yet"
        parts: list[str] = []
        trend = self.drawing.trend()
        if trend is not None:
            value, direction = trend
            parts.append(f"outer loss {number_text(value)}, {direction}")
        if history.latest_evaluation is not None:
            at = history.latest_evaluation_step
            since = "" if at == history.step else f" at step {at:,}"
            parts.append(f"held-out {number_text(history.latest_evaluation)}{since}")
        if history.diverged is not None:
            parts.append(history.diverged.message)
        return "; ".join([*parts, f"outer step {history.step:,}"])

    def _take_choices(self) -> None:
        self.plot.set_log_y(log=self._shown_choices.log_y)
        self.plot.forget_limits()
        self._refresh()

    def _on_choice_changed(self) -> None:
        self.plot.fit()
        self._take_choices()
        self.choices_changed.emit()

    def _on_range_changed(self) -> None:
        self._refresh()

    def _on_pointed(self, x: float | None) -> None:
        history = self._history
        reading = None
        if x is not None and history is not None:
            reading = self.drawing.reading(history, self._shown_choices, x)
        if reading is None:
            self.plot.show_crosshair(None)
            self._readout.hide()
            return
        self.plot.show_crosshair(reading.x)
        place = self.plot.place_of(reading.x)
        self._readout.show_beside(place, reading.title, reading.rows)

    def _on_copy_requested(self) -> None:
        QGuiApplication.clipboard().setImage(self.picture())


def words_of(history: RunHistory | None) -> LossWords:
    """Return what the losses of a run are called; those of the default without one."""
    return DEFAULT_WORDS if history is None else history.config_at().loss_words


def _axis_label(words: LossWords) -> str:
    return with_unit("Query loss", words.query_unit)


def _config_of(history: RunHistory | None) -> object:
    return None if history is None else history.configs.identity
