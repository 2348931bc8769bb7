"""What the plot of losses over training draws, and what it says at one step."""

from dataclasses import dataclass

import numpy as np

from metalab.engine.events import Array
from metalab.runs.history import EvaluationSeries, RunHistory
from metalab.ui.limits import Limits, round_end, value_limits
from metalab.ui.marks import Curve, Dots, Stroke
from metalab.ui.painting import Ink
from metalab.ui.plot import Plot
from metalab.ui.ticks import number_text
from metalab.ui.views.legend import Entry, Swatch
from metalab.ui.views.loss_tools import LossChoices
from metalab.ui.views.loss_track import LossTrack, LossTracks

AFTER, BEFORE = "outer_loss", "outer_loss_before"

_FAINT = 0.38
_FEW_EVALUATIONS = 40
"""More of them are a line rather than dots."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The values at one outer step.

    Attributes:
        x: Where it is on the axis.
        title: What it is.
        rows: Names and values.
    """

    x: float
    title: str
    rows: list[tuple[str, str]]


class LossDrawing:
    """The marks in the plot, kept and given new data."""

    def __init__(self, plot: Plot) -> None:
        """Put the marks into a plot, without data."""
        self._plot = plot
        self._tracks = LossTracks((BEFORE, AFTER))
        before, after = Ink(role="before"), Ink(role="after")
        halo, evaluation = Ink(role="surface"), Ink(role="evaluation")
        self.spread = plot.band(Ink(role="evaluation", share=0.12), z=0)
        self.interval = plot.band(Ink(role="evaluation", share=0.4), z=1)
        self.raw_before = plot.line(Stroke(ink=Ink(role="before", share=_FAINT)), z=2)
        self.raw_after = plot.line(Stroke(ink=Ink(role="after", share=_FAINT)), z=3)
        self.smooth_before = plot.line(Stroke(ink=before, width=1.5), z=4)
        self.smooth_after = plot.line(Stroke(ink=after, width=2), z=5)
        self.held_out_line = plot.line(Stroke(ink=evaluation, width=1.5), z=6)
        self.held_out = plot.points(
            Dots(fill=evaluation, ring=halo, size=7, ring_width=1), z=7
        )
        self.head_before = plot.points(Dots(fill=before, ring=halo), z=8)
        self.head_after = plot.points(Dots(fill=after, ring=halo, size=8), z=8)
        self.divergence = plot.vertical_line(
            Stroke(ink=Ink(role="error"), width=1.5, dashes=(4.0, 3.0)), z=9
        )

    def clear(self) -> None:
        """Draw nothing."""
        none: Array = np.empty(0)
        for mark in (
            *(self.raw_before, self.raw_after),
            *(self.smooth_before, self.smooth_after),
            *(self.held_out_line, self.held_out, self.head_before, self.head_after),
        ):
            mark.set_data(none, none)
        for band in (self.spread, self.interval):
            band.set_data(none, none, none)
        self.divergence.show_at(None)

    def draw(self, history: RunHistory, choices: LossChoices) -> None:
        """Draw a run as it is now, and say what the axes should show."""
        self._tracks.follow(
            history, weight=choices.smoothing, num_columns=self._plot.num_columns
        )
        x = x_of_rows(history, choices.x)
        window = self._window(x)
        drawn: list[Array] = []
        for name, raw, smooth, head in (
            (BEFORE, self.raw_before, self.smooth_before, self.head_before),
            (AFTER, self.raw_after, self.smooth_after, self.head_after),
        ):
            track = self._tracks[name]
            drawn.append(_draw_raw(raw, x, track, window))
            drawn.append(_draw_smooth(smooth, x, track, window))
            head.set_data(x[-1:], track.smooth[-1:])
        drawn.extend(self._draw_evaluations(history, choices))
        end = self._draw_divergence(history, choices, float(x[-1]) if len(x) else 0.0)
        limits = value_limits(drawn, log=choices.log_y, trimmed=choices.trimmed)
        self._plot.set_limits((0.0, end), limits)

    def _window(self, x: Array) -> slice | None:
        """Return the rows in sight where a person has zoomed in; None for all."""
        if not self._plot.zoomed or len(x) == 0:
            return None
        low, high = np.searchsorted(x, self._plot.x_range)
        return slice(max(int(low) - 1, 0), int(high) + 1)

    def _draw_evaluations(
        self, history: RunHistory, choices: LossChoices
    ) -> list[Array]:
        evaluations, k = history.evaluations, history.num_inner_steps
        x = x_of_evaluations(history, choices.x)
        mean = evaluations.query_mean[:, k]
        if len(evaluations) != len(self.held_out.data[0]) or not np.array_equal(
            x, self.held_out.data[0]
        ):
            self.spread.set_data(
                x, evaluations.query_p10[:, k], evaluations.query_p90[:, k]
            )
            self.interval.set_data(
                x, evaluations.query_low[:, k], evaluations.query_high[:, k]
            )
            self.held_out.set_data(x, mean)
        return [mean]
