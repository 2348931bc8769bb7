"""The losses of a growing run, thinned out and smoothed row by row."""

from bisect import bisect_left, bisect_right
from dataclasses import replace
from functools import partial

import numpy as np

from metalab.engine.events import Array
from metalab.figures.smooth import Average, BlockSums
from metalab.runs.record.history import RunHistory, Spans
from metalab.ui.plot.decimate import Extremes, Rows, SpannedExtremes
from metalab.ui.workspaces.live.loss_axis import sparse

_PIXELS_A_SMOOTH_POINT = 2
"""Smoothed curves are antialiased: they get fewer points."""

_COLUMN_STEP = 64


class LossTrack:
    """One loss over training: raw and smoothed, and which rows of them to draw."""

    def __init__(self, num_columns: int, *, log: bool) -> None:
        """Begin with no rows.

        Args:
            num_columns: Width of the plot in pixels.
            log: Whether the loss axis is logarithmic.
        """
        self._log = log
        self._blocks = BlockSums(log=log)
        self._seen, self._first_seen = BlockSums(log=log), 0
        self._wholes: dict[float, Average] = {}
        self.raw: Array = np.empty(0)
        self._steps: Array = np.empty(0)
        self._thinned = False
        self.set_num_columns(num_columns)

    def set_num_columns(self, num_columns: int) -> None:
        """Draw in another width."""
        self._num_smooth = max(1, num_columns // _PIXELS_A_SMOOTH_POINT)
        self._raw_drawn = _Thinner(num_columns)

    def extend(self, history: RunHistory, name: str) -> None:
        """Take in the rows that were added to one of the metrics of a run."""
        raw, known = history.metrics[name], len(self._blocks)
        if len(raw) > known:
            spans = history.spans(name, known, log=self._log)
            self._blocks.extend(raw, history.steps, spans)
            self._wholes.clear()
        self.raw, self._steps = raw, history.steps
        self._thinned = history.thinned > 0
        self._spans = partial(history.spans, name, log=self._log)

    def whole(self, share: float) -> Average:
        """Return the moving average of all rows.

        Args:
            share: Of what is shown, that one average spans; 0 gives the raw values.
        """
        if share not in self._wholes:
            self._wholes[share] = (
                self._blocks.average(share)
                if share > 0 and len(self.raw)
                else self._raw_average(slice(0, len(self.raw)))
            )
        return self._wholes[share]

    def average(self, share: float, window: slice | None) -> Average:
        """Return the moving average of what is shown: of a window or of all rows.

        Args:
            share: Of what is shown, that one average spans; 0 gives the raw values.
            window: The rows in sight; None for all.
        """
        if window is None or not len(self.raw[window]):
            return self.whole(share)
        if share == 0:
            return self._raw_average(window)
        start, stop, _ = window.indices(len(self.raw))
        shown = float(self._steps[stop - 1] - self._steps[start] + 1)
        half = share * shown / 2
        # What is out of sight counts where it is near enough.
        first = bisect_left(self._steps, self._steps[start] - half)
        end = bisect_right(self._steps, self._steps[stop - 1] + half)
        average = self._blocks_of(first, end).average(share, shown=shown)
        return replace(average, rows=first + average.rows)

    def _blocks_of(self, first: int, end: int) -> BlockSums:
        """Return the sums of some rows, which stay the same while a run goes on."""
        if first != self._first_seen or len(self._seen) > end - first:
            self._seen, self._first_seen = BlockSums(log=self._log), first
        start = first + len(self._seen)
        spans = self._spans(start) if start < end else None
        if spans is not None:
            spans = Spans(*(column[: end - start] for column in spans))
        self._seen.extend(self.raw[first:end], self._steps[first:end], spans)
        return self._seen

    def _raw_average(self, window: slice) -> Average:
        steps = self._steps if self._thinned else None
        rows = self._raw_drawn.rows(self.raw, steps, window)
        return Average(
            rows=rows, steps=self._steps[rows], values=self.raw[rows], log=self._log
        )

    def raw_rows(self, window: slice | None) -> Rows:
        """Return the rows of `raw` to draw, in a window or all over."""
        steps = self._steps if self._thinned else None
        return self._raw_drawn.rows(self.raw, steps, window)

    def points_of(self, average: Average) -> Rows:
        """Return which points of an average to draw: they are antialiased, so few."""
        return sparse(len(average.rows), self._num_smooth)


class _Thinner:
    """Which rows of a growing series to draw: followed as a whole, or in a window."""

    def __init__(self, num_columns: int) -> None:
        self._num_columns = num_columns
        self._extremes = Extremes(num_columns)
        self._spanned = SpannedExtremes(num_columns)

    def rows(self, y: Array, steps: Array | None, window: slice | None) -> Rows:
        """Return rows of `y`.

        Args:
            y: The whole series, [row].
            steps: Outer step of each row where the history is thinned, else None.
            window: The rows in sight; None for all.
        """
        if window is None:
            if steps is None:
                return self._extremes.rows(y)
            return self._spanned.rows(y, steps)
        seen = y[window]
        if steps is None:
            return window.start + Extremes(self._num_columns).rows(seen)
        spanned = SpannedExtremes(self._num_columns)
        return window.start + spanned.rows(seen, steps[window])


class LossTracks:
    """Some losses of whatever run is shown: goes on where the run goes on."""

    def __init__(self, names: tuple[str, ...]) -> None:
        """Begin without a run.

        Args:
            names: Columns of `RunHistory.metrics`.
        """
        self._names = names
        self._tracks: dict[str, LossTrack] = {}
        self._log = True
        self._num_columns = 0
        self._past: RunHistory | None = None

    def __getitem__(self, name: str) -> LossTrack:
        """Return one loss."""
        return self._tracks[name]

    def follow(self, history: RunHistory, *, log: bool, num_columns: int) -> None:
        """Take in what is new.

        Args:
            history: The run as it is now, maybe another run than before.
            log: Whether the loss axis is logarithmic.
            num_columns: Width of the plot in pixels.
        """
        # In steps: who drags a splitter does not thin a million rows at every pixel.
        num_columns = max(_COLUMN_STEP, num_columns // _COLUMN_STEP * _COLUMN_STEP)
        past = self._past
        if past is None or log != self._log or not _goes_on(past, history):
            self._tracks = {
                name: LossTrack(num_columns, log=log) for name in self._names
            }
        elif num_columns != self._num_columns:
            for track in self._tracks.values():
                track.set_num_columns(num_columns)
        self._log, self._num_columns = log, num_columns
        for name, track in self._tracks.items():
            track.extend(history, name)
        self._past = history


def _goes_on(past: RunHistory, history: RunHistory) -> bool:
    """Return whether a history is a longer one of the same run.

    A run that diverged goes back some steps, and may be just as long again when it is
    looked at next: then it is told by the values of the last row.
    """
    count = len(past.steps)
    if not history.is_same_run(past) or len(history.steps) < count:
        return False
    if history.thinned != past.thinned:
        return False
    last = count - 1
    return count == 0 or all(
        np.array_equal(now[last], before[last], equal_nan=True)
        for now, before in (
            (history.steps, past.steps),
            *((history.metrics[name], past.metrics[name]) for name in past.metrics),
        )
    )
