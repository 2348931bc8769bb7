"""Plot items and readout of losses over training."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from metalab.engine.events import Array
from metalab.figures.drawing import number_of
from metalab.runs.record.history import RunHistory
from metalab.ui.plot.limits import value_limits
from metalab.ui.plot.marks import Dots, Stroke
from metalab.ui.plot.painting import Ink
from metalab.ui.plot.plot_widget import Plot
from metalab.ui.plot.ticks import number_text
from metalab.ui.widgets.legend import Entry, Swatch
from metalab.ui.workspaces.live.interval_words import task_rows
from metalab.ui.workspaces.live.loss_axis import LossAxis, loss_axis, sparse
from metalab.ui.workspaces.live.loss_tools import LossChoices
from metalab.ui.workspaces.live.loss_track import LossTracks

if TYPE_CHECKING:
    from metalab.figures.smooth import Average

AFTER, BEFORE = "outer_loss", "outer_loss_before"

_FAINT = 0.38
_MOST_DOTS = 24
"""Of more evaluations, some have a dot, and all are on the line."""

_TREND_FROM, _TREND = 0.8, 0.05


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
        self._share = 0.0
        self._averages: dict[str, Average] = {}
        self._evaluated: object = None
        before, after = Ink(role="before"), Ink(role="after")
        halo, evaluation = Ink(role="surface"), Ink(role="evaluation")
        self.spread = plot.band(Ink(role="evaluation", share=0.1), z=0)
        self.interval = plot.band(Ink(role="evaluation", share=0.28), z=4)
        edge = Stroke(ink=Ink(role="evaluation", share=0.5))
        self.edges = (plot.line(edge, z=4), plot.line(edge, z=4))
        self.raw_before = plot.line(Stroke(ink=Ink(role="before", share=_FAINT)), z=2)
        self.raw_after = plot.line(Stroke(ink=Ink(role="after", share=_FAINT)), z=3)
        self.smooth_before = plot.line(Stroke(ink=before, width=1.5, smooth=True), z=4)
        self.smooth_after = plot.line(Stroke(ink=after, width=2, smooth=True), z=6)
        self.held_out_line = plot.line(Stroke(ink=evaluation), z=5)
        self.held_out = plot.points(
            Dots(fill=evaluation, ring=halo, size=7, ring_width=1), z=7
        )
        self.head_before = plot.points(Dots(fill=before, ring=halo), z=8)
        self.head_after = plot.points(Dots(fill=after, ring=halo, size=8), z=8)
        self.divergence = plot.vertical_line(
            Stroke(ink=Ink(role="error"), width=1.5, dashes=(4.0, 3.0)), z=9
        )

        self.playhead = plot.vertical_line(
            Stroke(ink=Ink(role="accent"), width=1.5), z=9
        )

    def clear(self) -> None:
        """Draw nothing."""
        none: Array = np.empty(0)
        self._evaluated = None
        for mark in (
            *(self.raw_before, self.raw_after, *self.edges),
            *(self.smooth_before, self.smooth_after),
            *(self.held_out_line, self.held_out, self.head_before, self.head_after),
        ):
            mark.set_data(none, none)
        for band in (self.spread, self.interval):
            band.set_data(none, none, none)
        self.divergence.show_at(None)
        self.playhead.show_at(None)

    def draw(
        self, history: RunHistory, choices: LossChoices, *, playhead: int | None = None
    ) -> None:
        """Draw a run as it is now, and say what the axes should show.

        Args:
            history: The run.
            choices: Scale, smoothing and axis.
            playhead: The outer step that other panels show; None for the newest.
        """
        axis = loss_axis(history, choices.x)
        self._tracks.follow(
            history, log=choices.log_y, num_columns=self._plot.num_columns
        )
        self._share = choices.smoothing
        drawn = [*self._draw_tracks(axis), self._draw_evaluations(history, axis)]
        diverged = history.diverged
        if diverged is None:
            self.divergence.show_at(None)
        else:
            self.divergence.show_at(
                axis.of_step(diverged.step), f"diverged at step {diverged.step:,}"
            )
        if playhead is None:
            self.playhead.show_at(None)
        else:
            self.playhead.show_at(axis.of_step(playhead), f"shown: {playhead:,}")
        last = (*history.steps[-1:], *history.evaluations.steps[-1:])
        end = max((axis.of_step(float(step)) for step in last), default=0.0)
        if self.divergence.x is not None:
            end = max(end, self.divergence.x)
        self._plot.set_limits(
            axis.limits(end, ended=history.status.ended),
            value_limits(drawn, log=choices.log_y, trimmed=choices.trimmed),
        )

    def _draw_tracks(self, axis: LossAxis) -> list[Array]:
        """Draw the losses of training; return the raw values that are drawn.

        The averages lie between them.
        """
        window = axis.window(self._plot.x_range) if self._plot.zoomed else None
        drawn: list[Array] = []
        for name, raw, smooth, head in (
            (BEFORE, self.raw_before, self.smooth_before, self.head_before),
            (AFTER, self.raw_after, self.smooth_after, self.head_after),
        ):
            track = self._tracks[name]
            rows = track.raw_rows(window)
            raw.set_data(axis.of_rows(rows), track.raw[rows])
            drawn.append(track.raw[rows])
            average = track.average(self._share, window)
            points = track.points_of(average)
            smooth.set_data(axis.of_rows(average.rows[points]), average.values[points])
            self._averages[name] = average
            head.set_data(
                axis.of_rows(slice(-1, None)), track.whole(self._share).values[-1:]
            )
        return drawn

    def _draw_evaluations(self, history: RunHistory, axis: LossAxis) -> Array:
        """Draw the held-out losses; return the means that are drawn."""
        evaluations, k = history.evaluations, history.num_inner_steps
        count = len(evaluations)
        last = (*evaluations.steps[-1:], *evaluations.query_mean[-1:, k])
        state = (history.configs.identity, count, *last, axis.timed, axis.scale)
        if state == self._evaluated:
            return self.held_out_line.data[1]
        self._evaluated = state
        rows = sparse(count, self._plot.num_columns // 2)
        x = np.array([axis.of_step(float(step)) for step in evaluations.steps[rows]])
        mean = evaluations.query_mean[rows, k]
        self.held_out_line.set_data(x, mean)
        dots = sparse(len(rows), _MOST_DOTS)
        self.held_out.set_data(x[dots], mean[dots])
        for band, low, high in (
            (self.spread, evaluations.query_p10, evaluations.query_p90),
            (self.interval, evaluations.query_low, evaluations.query_high),
        ):
            band.set_data(x, low[rows, k], high[rows, k])
        _, low, high = self.spread.data
        for edge, values in zip(self.edges, (low, high), strict=True):
            edge.set_data(x, values)
        return mean

    def reading(
        self, history: RunHistory, choices: LossChoices, at: float
    ) -> Reading | None:
        """Return the values nearest to an x; None where there are no rows."""
        if len(history.steps) == 0:
            return None
        axis = loss_axis(history, choices.x)
        row = axis.nearest(at)
        step = float(history.steps[row])
        rows: list[tuple[str, str]] = []
        for name, title in (
            (AFTER, after_text(history.num_inner_steps)),
            (BEFORE, "Before adaptation"),
        ):
            track = self._tracks[name]
            average = self._averages[name].at(np.array([step]))
            rows.append((title, number_text(float(average[0]))))
            if choices.smoothing > 0:
                rows.append(("  raw", number_text(float(track.raw[row]))))
        rows.extend(_held_out_rows(history, step))
        rows.append(("Training time", f"{history.seconds[row]:,.1f} s"))
        return Reading(
            x=float(axis.of_rows(slice(row, row + 1))[0]),
            title=f"Outer step {step:,.0f}",
            rows=rows,
        )

    def trend(self) -> tuple[float, str] | None:
        """Return the smoothed loss after adaptation, and where it is going."""
        smooth = self._tracks[AFTER].whole(self._share).values
        if len(smooth) == 0 or not math.isfinite(smooth[-1]):
            return None
        now, earlier = float(smooth[-1]), smooth[int(_TREND_FROM * (len(smooth) - 1))]
        if now < (1 - _TREND) * earlier:
            return now, "falling"
        return now, "rising" if now > (1 + _TREND) * earlier else "steady"


def legend_entries(num_inner_steps: int) -> tuple[Entry, ...]:
    """Return what the marks mean.

    Args:
        num_inner_steps: K of training; 0 before there is a run.
    """
    after = f"After K = {num_inner_steps}" if num_inner_steps else "After adaptation"
    evaluation = Ink(role="evaluation")
    return (
        Entry(swatch=Swatch.LINE, ink=Ink(role="before"), text="Before adaptation"),
        Entry(swatch=Swatch.THICK, ink=Ink(role="after"), text=after),
        Entry(swatch=Swatch.DOT, ink=evaluation, text="Held-out mean ± 95 %"),
        Entry(
            swatch=Swatch.BAND,
            ink=Ink(role="evaluation", share=0.25),
            text="10–90 %",
        ),
    )


def after_text(num_inner_steps: int) -> str:
    """Return what the loss after adaptation is called."""
    return f"After {number_of(num_inner_steps, 'inner step')}"


def _held_out_rows(history: RunHistory, step: float) -> list[tuple[str, str]]:
    """Return the last evaluation at or before an outer step, in words."""
    evaluations, k = history.evaluations, history.num_inner_steps
    row = int(np.searchsorted(evaluations.steps, step, side="right")) - 1
    if row < 0:
        return []
    title = f"Held-out at {evaluations.steps[row]:,.0f}"
    return [
        (title, number_text(float(evaluations.query_mean[row, k]))),
        *task_rows(evaluations, row, k),
    ]
