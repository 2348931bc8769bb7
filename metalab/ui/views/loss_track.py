"""The losses of a growing run, thinned out and smoothed row by row."""

import numpy as np

from metalab.engine.events import Array
from metalab.runs.history import RunHistory
from metalab.ui.decimate import Extremes, Rows, Smoother, SpannedExtremes

_PIXELS_A_SMOOTH_POINT = 4
"""Smoothed curves are antialiased: they get fewer points."""

_COLUMN_STEP = 64


class LossTrack:
    """One loss over training: raw and smoothed, and which rows of them to draw."""

    def __init__(self, weight: float, num_columns: int) -> None:
        """Begin with no rows.

        Args:
            weight: Of the past in the moving average.
            num_columns: Width of the plot in pixels.
        """
        self._smoother = Smoother(weight)
        self.raw: Array = np.empty(0)
        self._steps: Array | None = None
        self.set_num_columns(num_columns)

    def set_num_columns(self, num_columns: int) -> None:
        """Draw in another width."""
        self._raw_drawn = _Thinner(num_columns)
        self._smooth_drawn = _Thinner(max(1, num_columns // _PIXELS_A_SMOOTH_POINT))

    def extend(self, history: RunHistory, name: str) -> None:
        """Take in the rows that were added to one of the metrics of a run."""
        raw, known = history.metrics[name], len(self._smoother)
        self._smoother.extend(raw[known:], history.spans(name, known))
        self.raw = raw
        self._steps = history.steps if history.thinned else None

    @property
    def smooth(self) -> Array:
        """The moving average, [row]."""
        return self._smoother.values

    def raw_rows(self, window: slice | None) -> Rows:
        """Return the rows of `raw` to draw, in a window or all over."""
        return self._raw_drawn.rows(self.raw, self._steps, window)

    def smooth_rows(self, window: slice | None) -> Rows:
        """Return the rows of `smooth` to draw, in a window or all over."""
        return self._smooth_drawn.rows(self.smooth, self._steps, window)


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
        self._weight = 0.0
        self._num_columns = 0
        self._past: RunHistory | None = None

    def __getitem__(self, name: str) -> LossTrack:
        """Return one loss."""
        return self._tracks[name]

    def follow(self, history: RunHistory, *, weight: float, num_columns: int) -> None:
        """Take in what is new.

        Args:
            history: The run as it is now, maybe another run than before.
            weight: Of the past in the moving average.
            num_columns: Width of the plot in pixels.
        """
        # In steps: who drags a splitter does not thin a million rows at every pixel.
        num_columns = max(_COLUMN_STEP, num_columns // _COLUMN_STEP * _COLUMN_STEP)
        past = self._past
        if past is None or weight != self._weight or not _goes_on(past, history):
            self._tracks = {
                name: LossTrack(weight, num_columns) for name in self._names
            }
        elif num_columns != self._num_columns:
            for track in self._tracks.values():
                track.set_num_columns(num_columns)
        self._weight, self._num_columns = weight, num_columns
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
