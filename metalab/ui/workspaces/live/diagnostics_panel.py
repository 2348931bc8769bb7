"""One small plot of the Diagnostics view."""

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from metalab.engine.diagnostics import DiagnosticPanel
from metalab.engine.events import Array
from metalab.runs.record.history import DiagnosticSeries
from metalab.ui.plot.decimate import decimate
from metalab.ui.plot.limits import Limits, value_limits
from metalab.ui.plot.marks import Dots, Stroke
from metalab.ui.plot.painting import Ink, tint
from metalab.ui.plot.plot_widget import Plot
from metalab.ui.plot.ticks import number_text
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import follow_theme
from metalab.ui.widgets.legend import Entry, Legend, Swatch
from metalab.ui.widgets.painted import ElidedLabel
from metalab.ui.widgets.readout import Readout

if TYPE_CHECKING:
    from metalab.ui.plot.marks import Curve, PointMarks

_ROLES = ("after", "evaluation", "support", "query", "before")
_MOST_DOTS = 40
_MIN_HEIGHT = 118
_NONE: Array = np.empty(0)


class DiagnosticsPlot(QWidget):
    """Title, legend if there are several lines, and plot of one quantity.

    Attributes:
        pointed: The x under the pointer; None if it left.
    """

    pointed = Signal(object)

    def __init__(
        self, panel: DiagnosticPanel, *, x_label: str, parent: QWidget | None = None
    ) -> None:
        """Make an empty plot.

        Args:
            panel: What it shows.
            x_label: Below the horizontal axis; "" leaves no room for it.
            parent: Qt's parent.
        """
        super().__init__(parent)
        self.panel = panel
        self._labels = panel.short_labels()
        self._series: DiagnosticSeries | None = None
        self._title = ElidedLabel(self)
        self._title.setContentsMargins(12, 4, 4, 0)
        self._title.set_full_text(panel.label)
        self.legend = Legend(self)
        self.plot = Plot(x_label=x_label, whole_x=True, parent=self)
        self.plot.setMinimumHeight(_MIN_HEIGHT)
        self.plot.setAccessibleName(panel.label)
        self._readout = Readout(self.plot)
        self.lines: dict[str, Curve] = {}
        self.dots: dict[str, PointMarks] = {}
        self._make_marks()
        self.playhead = self.plot.vertical_line(
            Stroke(ink=Ink(role="accent"), width=1.5), z=3
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for widget in (self._title, self.legend):
            layout.addWidget(widget)
        layout.addWidget(self.plot, 1)
        self.plot.pointed.connect(self.pointed)
        follow_theme(self._take_theme)

    def _make_marks(self) -> None:
        entries: list[Entry] = []
        for place, info in enumerate(self.panel.lines):
            ink = Ink(role=_ROLES[place % len(_ROLES)])
            dashes = (4.0, 2.0) if place % 2 else ()
            stroke = Stroke(ink=ink, width=1.6, dashes=dashes, smooth=True)
            self.lines[info.name] = self.plot.line(stroke, z=1)
            self.dots[info.name] = self.plot.points(Dots(fill=ink, size=5), z=2)
            swatch = Swatch.DASHED if dashes else Swatch.LINE
            entries.append(Entry(swatch=swatch, ink=ink, text=self._labels[place]))
        self.legend.setVisible(len(entries) > 1)
        self.legend.set_entries(*entries)
        texts = [f"{info.label}: {info.help}" for info in self.panel.lines]
        self.setToolTip("\n".join(texts))

    @property
    def readout(self) -> Readout:
        """The box with the values at the pointer."""
        return self._readout

    def _take_theme(self, theme: Theme) -> None:
        tint(self._title, theme.text)

    def show_series(self, series: DiagnosticSeries) -> None:
        """Show what was measured so far; at least one measurement."""
        self._series = series
        shown: list[Array] = []
        for info in self.panel.lines:
            measured = series.of(info.name)
            x, y = measured.steps, measured.values
            shown.append(y)
            columns = max(1, self.plot.num_columns)
            self.lines[info.name].set_data(*decimate(x, y, columns))
            few = len(measured) <= _MOST_DOTS
            self.dots[info.name].set_data(*((x, y) if few else (_NONE, _NONE)))
        limits: Limits | None = value_limits(shown, log=False, trimmed=False)
        last = float(series.steps[-1])
        self.plot.set_limits((float(series.steps[0]), max(last, 1.0)), limits)
        self.plot.setAccessibleDescription(self._summary(series))

    def show_playhead(self, step: int | None) -> None:
        """Mark the outer step that other panels show; None for the newest."""
        self.playhead.show_at(None if step is None else float(step))

    def _summary(self, series: DiagnosticSeries) -> str:
        last = {info.label: series.of(info.name) for info in self.panel.lines}
        values = ", ".join(
            f"{label} {number_text(float(measured.values[-1]))}"
            for label, measured in last.items()
        )
        step = max(int(measured.steps[-1]) for measured in last.values())
        return f"{values} at outer step {step:,}"

    def _steps(self, series: DiagnosticSeries) -> Array:
        """Return the outer steps at which any of the lines was measured."""
        return np.unique(
            np.concatenate([series.of(info.name).steps for info in self.panel.lines])
        )

    def point_to(self, x: float | None, *, told: bool) -> None:
        """Draw a line at the measurement nearest to x, and say its values.

        Args:
            x: An outer step; None hides line and values.
            told: Whether the values are said.
        """
        series = self._series
        if x is None or series is None:
            self.plot.show_crosshair(None)
            self._readout.hide()
            return
        steps = self._steps(series)
        at = float(steps[np.abs(steps - x).argmin()])
        row = int(np.searchsorted(series.steps, at))
        self.plot.show_crosshair(at)
        if not told:
            self._readout.hide()
            return
        rows = [
            (label, number_text(float(series.values[info.name][row])))
            for label, info in zip(self._labels, self.panel.lines, strict=True)
        ]
        place = self.plot.place_of(at)
        self._readout.show_beside(place, f"Outer step {int(at):,}", rows)
