"""Losses over training: query loss before and after adaptation, held-out evaluation."""

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QVBoxLayout, QWidget

from metalab.engine.events import METRICS, Array
from metalab.runs.history import RunHistory
from metalab.ui.limits import round_end, value_limits
from metalab.ui.marks import Dots, Stroke
from metalab.ui.painting import Ink, picture_of
from metalab.ui.plot import Plot
from metalab.ui.theme import DARK, Theme
from metalab.ui.ticks import number_text
from metalab.ui.views.header import PanelHeader
from metalab.ui.views.legend import Entry, Legend, Swatch
from metalab.ui.views.loss_tools import LossChoices, LossTools
from metalab.ui.views.loss_track import LossTracks
from metalab.ui.views.readout import Readout

_AFTER, _BEFORE = "outer_loss", "outer_loss_before"
_UNIT = next(info.unit for info in METRICS if info.name == _AFTER)
_FAINT = 0.42
_TREND_SHARE, _TREND = 0.8, 0.05


class OuterLossView(QWidget):
    """The outer loss of a run.

    Attributes:
        choices_changed: A person chose another scale, smoothing or axis.
    """

    choices_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._history: RunHistory | None = None
        self._drawn: object = None
        self._tracks = LossTracks((_BEFORE, _AFTER))
        self.header = PanelHeader(self.tr("Outer loss"), self)
        self.tools = LossTools(self.header)
        self.legend = Legend(self)
        self.plot = Plot(y_label=f"Query loss ({_UNIT})", parent=self)
        self._readout = Readout(self.plot)
        self._arrange()
        self._make_marks()
        self.plot.set_log_y(log=self.choices.log_y)
        self._connect()

    def _arrange(self) -> None:
        self.setAutoFillBackground(True)
        self.header.add_tool(self.tools)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 2)
        layout.setSpacing(0)
        for widget in (self.header, self.legend):
            layout.addWidget(widget)
        layout.addWidget(self.plot, 1)
        layout.addWidget(self.tools.axis, 0, Qt.AlignmentFlag.AlignHCenter)
        self.plot.setAccessibleName(self.tr("Outer loss over training"))

    def _make_marks(self) -> None:
        before, after = Ink(role="before"), Ink(role="after")
        evaluation = Ink(role="evaluation")
        self.spread = self.plot.band(Ink(role="evaluation", share=0.13), z=0)
        self.interval = self.plot.band(Ink(role="evaluation", share=0.38), z=1)
        self.raw_before = self.plot.line(
            Stroke(ink=Ink(role="before", share=_FAINT)), z=2
        )
        self.raw_after = self.plot.line(
            Stroke(ink=Ink(role="after", share=_FAINT)), z=3
        )
        self.smooth_before = self.plot.line(Stroke(ink=before, width=1.5), z=4)
        self.smooth_after = self.plot.line(Stroke(ink=after, width=2), z=5)
        self.held_out = self.plot.points(
            Dots(fill=evaluation, ring=Ink(role="surface"), size=7, ring_width=1), z=6
        )
        self.heads = self.plot.points(
            Dots(fill=after, ring=Ink(role="surface"), size=8), z=7
        )
        self.divergence = self.plot.vertical_line(
            Stroke(ink=Ink(role="error"), width=1.5, dashes=(4.0, 3.0)), z=8
        )

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

    def set_choices(self, choices: LossChoices) -> None:
        """Choose everything about the plot."""
        self.tools.show_choices(choices)
        self._take_choices()

    def set_theme(self, theme: Theme) -> None:
        """Take a theme's colours."""
        self._theme = theme
        for part in (self.header, self.tools, self.legend, self.plot, self._readout):
            part.set_theme(theme)

    def picture(self) -> QImage:
        """Return plot and legend as a picture, without the tools."""
        parts = (self.legend, self.plot, self.tools.axis)
        return picture_of(parts, title=self.header.title, theme=self._theme)

    def show_history(self, history: RunHistory | None) -> None:
        """Show a run as it is now; cheap where nothing is new."""
        new_run = _config(history) is not _config(self._history)
        self._history = history
        if new_run:
            self.plot.forget_limits()
        state = self._state()
        if state != self._drawn:
            self._drawn = state
            self._draw()
