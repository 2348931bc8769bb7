"""Diagnostics of a run: small plots one below the other, with one horizontal axis."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage, QPalette, QShowEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from metalab.engine.diagnostics import diagnostic_panels
from metalab.engine.events import Curves
from metalab.figures.drawing import number_of
from metalab.runs.record.history import RunHistory
from metalab.ui.plot.painting import picture_of, tint
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import follow_theme
from metalab.ui.widgets.header import PanelHeader, preparing
from metalab.ui.widgets.scrolling import Scrolling
from metalab.ui.workspaces.live.diagnostics_panel import DiagnosticsPlot
from metalab.ui.workspaces.live.outer_loss import words_of

_WIDTH = 300


class DiagnosticsView(QWidget):
    """What is measured now and then: cosines, curvature, distances."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._history: RunHistory | None = None
        self._playhead: int | None = None
        self._drawn: object = None
        self._stale = False
        self.panels: list[DiagnosticsPlot] = []
        self.header = PanelHeader("", self)
        self._message = QLabel(self)
        self._rates_of: tuple[Curves | None, int | None] | None = None
        self.rates = QLabel(self)
        self._column = QWidget()
        self._scroll = Scrolling(self._column, self)
        self._arrange()
        self.header.copy_requested.connect(self._on_copy_requested)
        self.header.fit_requested.connect(self._on_fit_requested)
        self._refresh()
        follow_theme(self._take_theme)

    def _arrange(self) -> None:
        self.setAutoFillBackground(True)
        self.setMinimumWidth(_WIDTH)
        self._message.setWordWrap(True)
        self._message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._message.setContentsMargins(24, 0, 24, 0)
        self._message.setTextFormat(Qt.TextFormat.PlainText)
        self._rows = QVBoxLayout(self._column)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 2)
        layout.setSpacing(0)
        self.rates.setWordWrap(True)
        self.rates.setContentsMargins(10, 0, 10, 4)
        self.rates.setTextFormat(Qt.TextFormat.PlainText)
        self.rates.setAccessibleName("Learned rates")
        self.rates.hide()
        layout.addWidget(self.header)
        layout.addWidget(self.rates)
        layout.addWidget(self._message, 1)
        layout.addWidget(self._scroll, 1)

    @property
    def message(self) -> str:
        """Why there is no plot; "" where there is one."""
        return self._message.text()

    def _take_theme(self, theme: Theme) -> None:
        for part in (self, self._scroll, self._column):
            tint(part, theme.surface, QPalette.ColorRole.Window)
        tint(self._message, theme.muted)
        tint(self.rates, theme.text)

    def picture(self) -> QImage:
        """Return all plots as a picture, without the tools."""
        for panel in self.panels:
            panel.plot.point_at(None)
        parts = self.panels or [self._message]
        title = "Diagnostics"
        return picture_of(parts, title=title)

    def show_history(
        self, history: RunHistory | None, *, playhead: int | None = None
    ) -> None:
        """Show a run as it is now; cheap where nothing is new or nobody looks.

        Args:
            history: The run.
            playhead: The outer step that other panels show; None for the newest.
        """
        self._history, self._playhead = history, playhead
        self._stale = True
        if self.isVisible():
            self._refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what came while the view was hidden."""
        super().showEvent(event)
        if self._stale:
            self._refresh()

    def _refresh(self) -> None:
        self._stale = False
        self._tell_rates()
        state = self._state()
        if state != self._drawn:
            self._drawn = state
            self._draw()

    def _tell_rates(self) -> None:
        """Say how many learned rates are negative, where the run learns any."""
        history, playhead = self._history, self._playhead
        curves = None if history is None else history.curves
        of = (curves, playhead)
        if self._rates_of is not None and _same(self._rates_of, of):
            return
        self._rates_of = of
        text = ""
        if history is not None and curves is not None:
            text = _rates_text(history, playhead, curves)
        self.rates.setText(text)
        self.rates.setVisible(bool(text))

    def _state(self) -> object:
        """Return what the drawing depends on; `_history` keeps alive what ids are of."""
        history = self._history
        if history is None:
            return "no run"
        series = history.diagnostics
        return (
            *(history.configs.identity, history.status.ended),
            *(len(series), series.steps[-1:].tobytes(), self._playhead),
        )

    def _draw(self) -> None:
        history = self._history
        reason = self._why_empty()
        self._message.setText(reason)
        self._message.setVisible(bool(reason))
        self._scroll.setVisible(not reason)
        self.header.copy.setEnabled(not reason)
        self.header.set_title(self._title())
        if history is None or reason:
            self._make_panels(())
            return
        self._make_panels(tuple(history.diagnostics.known))
        for panel in self.panels:
            panel.show_series(history.diagnostics)
            panel.show_playhead(self._playhead)

    def _why_empty(self) -> str:
        history = self._history
        if history is None:
            return "Diagnostics of a run will be drawn here.\n\n" + _how_on()
        if len(history.diagnostics):
            return ""
        if history.config_at().diagnostics.every == 0:
            return "Diagnostics are off in this run.\n\n" + _how_on()
        if history.status.ended:
            return "This run ended before anything was measured."
        return preparing(history)

    def _title(self) -> str:
        every = (
            0 if self._history is None else self._history.config_at().diagnostics.every
        )
        if every == 0 and self._history is not None and len(self._history.diagnostics):
            return "Measured at evaluations"
        if every == 0:
            return "Off"
        if every == 1:
            return "Measured every outer step"
        return "Measured every {every} outer steps".format(every=f"{every:,}")

    def _make_panels(self, names: tuple[str, ...]) -> None:
        """Make the plots of some diagnostics, unless they are there already."""
        wanted = diagnostic_panels(names, words_of(self._history))
        if wanted == tuple(panel.panel for panel in self.panels):
            return
        for panel in self.panels:
            self._rows.removeWidget(panel)
            panel.hide()
            panel.deleteLater()
        self.panels = []
        for panel in wanted:
            # One horizontal axis for all: its name stands below the last plot.
            label = "Outer step" if panel is wanted[-1] else ""
            plot = DiagnosticsPlot(panel, x_label=label, parent=self._column)
            plot.pointed.connect(self._on_pointed)
            plot.plot.zoom_changed.connect(self._on_zoom_changed)
            self._rows.addWidget(plot, 1)
            self.panels.append(plot)
        self._on_zoom_changed()

    def _on_pointed(self, x: float | None) -> None:
        sender = self.sender()
        for panel in self.panels:
            panel.point_to(x, told=panel is sender)

    def _on_zoom_changed(self) -> None:
        self.header.on_zoom_changed(any(panel.plot.zoomed for panel in self.panels))

    def _on_fit_requested(self) -> None:
        for panel in self.panels:
            panel.plot.fit()

    def _on_copy_requested(self) -> None:
        QGuiApplication.clipboard().setImage(self.picture())


def _same(
    one: tuple[Curves | None, int | None], other: tuple[Curves | None, int | None]
) -> bool:
    """Return whether two moments are one: curves by identity, they hold arrays."""
    return one[0] is other[0] and one[1] == other[1]


def _rates_text(history: RunHistory, playhead: int | None, curves: Curves) -> str:
    """Return what to say of learned rates; "" where a run learns none.

    Args:
        history: The run.
        playhead: The outer step that other panels show; None for that of the curves.
        curves: The newest, with the meta-parameters that they are from.
    """
    # Imported here: there is a run, so torch is there.
    from metalab.analysis.learned_rates import (  # noqa: PLC0415
        LearnedRatesError,
        learned_rates,
    )
    from metalab.figures.kinds.learned_rates import words_of  # noqa: PLC0415

    step, phi = curves.step, curves.phi
    if playhead is not None:
        state = history.trail.nearest(playhead)
        if state is None:
            return ""
        step, phi = state.step, state.phi
    config = history.config_at(step)
    if not config.inner.component.learned:
        return ""
    try:
        words = words_of(learned_rates(config, phi))
    except LearnedRatesError:  # something else is learned about the steps
        return ""
    return f"After {number_of(step, 'outer step')}: {words}."


def _how_on() -> str:
    """Return how diagnostics are switched on."""
    return (
        "To switch them on, set “Diagnose every” under Diagnostics in the form to a number "
        "of outer steps, such as 50, and start a new run."
    )
