"""The small plots beside the Adapt canvas: losses, distance, share of each layer."""

from collections.abc import Mapping

import numpy as np
from PySide6.QtWidgets import QVBoxLayout, QWidget

from metalab.analysis.adapt_request import AdaptResult
from metalab.engine.events import Array
from metalab.experiment.loss_words import DEFAULT_WORDS, LossWords, with_unit
from metalab.ui.plot.limits import Limits, value_limits
from metalab.ui.plot.marks import Dots, Stroke
from metalab.ui.plot.painting import Ink
from metalab.ui.plot.plot_widget import Plot
from metalab.ui.widgets.header import PanelHeader
from metalab.ui.widgets.legend import Entry, Legend, Swatch
from metalab.ui.workspaces.adapt.canvas import OVERLAY_ROLES

MOST_LAYERS = 6


class SmallPlot(QWidget):
    """A plot against the inner step, with a title and a key."""

    def __init__(
        self,
        title: str,
        y_label: str,
        parent: QWidget | None = None,
        *,
        x_label: str = "",
    ) -> None:
        super().__init__(parent)
        self.header = PanelHeader(title, self)
        self.header.copy.hide()
        self.legend = Legend(self)
        self.plot = Plot(x_label=x_label, y_label=y_label, whole_x=True, parent=self)
        self.plot.setAccessibleName(title)
        dashed = Stroke(ink=Ink(role="muted"), dashes=(2.0, 3.0))
        self.boundary = self.plot.vertical_line(dashed, z=5)
        self.at = self.plot.vertical_line(Stroke(ink=Ink(role="accent")), z=6)
        self.plot.zoom_changed.connect(self.header.on_zoom_changed)
        self.header.fit_requested.connect(self.plot.fit)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for part in (self.header, self.legend):
            layout.addWidget(part)
        layout.addWidget(self.plot, 1)
        self.legend.hide()

    def explain(self, *entries: Entry) -> None:
        """Say what the marks mean."""
        self.legend.set_entries(*entries)
        self.legend.setVisible(bool(entries))

    def mark(self, step: int, trained: int) -> None:
        """Mark the emphasised inner step, and where training ended."""
        self.boundary.show_at(float(trained))
        self.at.show_at(float(step))


_LEAST_HEIGHT = 126
"""Of a plot with its title, key and axes, below which labels are cut."""


class AdaptPanels(QWidget):
    """Loss, distance and share of the movement against the inner step."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.loss = SmallPlot("Loss", _loss_label(DEFAULT_WORDS), self)
        self.distance = SmallPlot("Distance from the start", "Distance", self)
        self.share = SmallPlot(
            "Share of the movement",
            "Share",
            self,
            # All three have one axis: the lowest one says which.
            x_label="Inner step",
        )
        self.loss.plot.set_log_y(log=True)
        plot = self.loss.plot
        self._support = plot.line(
            Stroke(ink=Ink(role="support"), width=1.6, smooth=True), z=3
        )
        self._query = plot.line(
            Stroke(ink=Ink(role="query"), width=2.2, smooth=True), z=4
        )
        self._others = {
            role: plot.line(Stroke(ink=Ink(role=role), width=1.4, smooth=True), z=2)
            for role in OVERLAY_ROLES
        }
        self._moved = self.distance.plot.line(
            Stroke(ink=Ink(role="accent"), width=2, smooth=True), z=3
        )
        self._moved_others = {
            role: self.distance.plot.line(
                Stroke(ink=Ink(role=role), width=1.4, smooth=True), z=2
            )
            for role in OVERLAY_ROLES
        }
        self._layers = [
            self.share.plot.band(_layer_ink(i), z=1) for i in range(MOST_LAYERS)
        ]
        self._dot = plot.points(Dots(fill=Ink(role="query"), size=7), z=7)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for part, stretch in ((self.loss, 5), (self.distance, 4), (self.share, 4)):
            named = self.fontMetrics().height() if part is self.share else 0
            part.setMinimumHeight(_LEAST_HEIGHT + named)
            layout.addWidget(part, stretch)

    def clear(self) -> None:
        """Draw nothing."""
        none: Array = np.empty(0)
        lines = [self._support, self._query, self._moved]
        lines += [*self._others.values(), *self._moved_others.values()]
        for line in lines:
            line.set_data(none, none)
        for band in self._layers:
            band.set_data(none, none, none)
        self._dot.set_data(none, none)

    def show_explored(
        self,
        base: AdaptResult,
        others: Mapping[str, AdaptResult],
        *,
        step: int,
        trained: int,
    ) -> None:
        """Draw how starts adapt.

        Args:
            base: The run's own.
            others: Other starts by role of colour.
            step: The emphasised inner step.
            trained: K.
        """
        words = base.start.config.loss_words
        self.loss.plot.set_y_label(_loss_label(words))
        self.loss.plot.set_log_y(log=words.logarithmic)
        steps = np.arange(len(base.support_loss), dtype=float)
        query = (
            base.query_loss
            if base.query_loss is not None
            else np.full(len(steps), np.nan)
        )
        self._support.set_data(steps, base.support_loss)
        self._query.set_data(steps, query)
        self._moved.set_data(steps, base.distance)
        chosen = min(step, len(steps) - 1)
        self._dot.set_data(steps[chosen : chosen + 1], query[chosen : chosen + 1])
        none: Array = np.empty(0)
        drawn, far = [base.support_loss, query], [base.distance]
        for role, line in self._others.items():
            found = others.get(role)
            if found is None or found.query_loss is None:
                line.set_data(none, none)
                self._moved_others[role].set_data(none, none)
                continue
            line.set_data(steps, found.query_loss)
            self._moved_others[role].set_data(steps, found.distance)
            drawn.append(found.query_loss)
            far.append(found.distance)
        self._draw_shares(steps, base)
        ends = (0.0, max(float(steps[-1]), 1.0))
        self.loss.plot.set_limits(ends, self._loss_limits(drawn))
        self.distance.plot.set_limits(ends, value_limits(far, log=False, trimmed=False))
        self.share.plot.set_limits(ends, (0.0, 1.0))
        for part in (self.loss, self.distance, self.share):
            part.mark(chosen, trained)
        self._explain(base, trained)

    def _loss_limits(self, drawn: list[Array]) -> Limits | None:
        return value_limits(drawn, log=self.loss.plot.log_y, trimmed=False)

    def _explain(self, base: AdaptResult, trained: int) -> None:
        """Say what the lines of the losses are, of those that are there."""
        ink = Ink(role="support")
        entries = [Entry(swatch=Swatch.LINE, ink=ink, text="Support")]
        if base.query_loss is not None:
            ink = Ink(role="query")
            text = base.asked.task.measured_on.capitalize()
            entries.append(Entry(swatch=Swatch.THICK, ink=ink, text=text))
        ink = Ink(role="muted")
        text = f"K = {trained} in training"
        entries.append(Entry(swatch=Swatch.DASHED, ink=ink, text=text))
        self.loss.explain(*entries)

    def _draw_shares(self, steps: Array, base: AdaptResult) -> None:
        """Draw each layer's share of the squared distance, on top of each other."""
        distance = base.layer_distance[:, :MOST_LAYERS].astype(float)
        # Of a path that explodes, what is beyond numbers has no shares.
        known = np.isfinite(distance).all(axis=1, keepdims=True)
        squares = np.where(known, distance, 0.0) ** 2
        total = squares.sum(axis=1, keepdims=True)
        shares = np.divide(squares, total, out=np.zeros_like(squares), where=total > 0)
        # Nothing has moved at step 0: it is drawn as step 1, which is where it goes.
        if len(shares) > 1:
            shares[0] = shares[1]
        tops = np.cumsum(shares, axis=1)
        none: Array = np.empty(0)
        entries: list[Entry] = []
        for index, band in enumerate(self._layers):
            if index >= shares.shape[1]:
                band.set_data(none, none, none)
                continue
            band.set_data(steps, tops[:, index] - shares[:, index], tops[:, index])
            text = f"Layer {base.layers[index]}"
            entries.append(Entry(swatch=Swatch.BAND, ink=_layer_ink(index), text=text))
        self.share.explain(*entries)


def _loss_label(words: LossWords) -> str:
    return with_unit("Loss", words.both_units)


def _layer_ink(index: int) -> Ink:
    """Return a shade for a layer: later ones are stronger."""
    return Ink(role="ramp_end", under="ramp_start", share=min(0.1 + 0.4 * index, 1.0))
