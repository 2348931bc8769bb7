"""The losses of a growing run, thinned out and smoothed row by row."""

import numpy as np

from metalab.engine.events import Array
from metalab.runs.history import RunHistory
from metalab.ui.decimate import Extremes, Rows, Smoother

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
        self.set_num_columns(num_columns)

    def set_num_columns(self, num_columns: int) -> None:
        """Draw in another width."""
        self._num_columns = num_columns
        self._num_smooth = max(1, num_columns // _PIXELS_A_SMOOTH_POINT)
        self._raw_extremes = Extremes(self._num_columns)
        self._smooth_extremes = Extremes(self._num_smooth)

    def extend(self, raw: Array) -> None:
        """Take in the rows that were added.

        Args:
            raw: The whole series, [row].
        """
        self._smoother.extend(raw[len(self._smoother) :])
        self.raw = raw

    @property
    def smooth(self) -> Array:
        """The moving average, [row]."""
        return self._smoother.values

    def raw_rows(self, window: slice | None) -> Rows:
        """Return the rows of `raw` to draw, in a window or all over."""
        if window is None:
            return self._raw_extremes.rows(self.raw)
        return window.start + Extremes(self._num_columns).rows(self.raw[window])

    def smooth_rows(self, window: slice | None) -> Rows:
        """Return the rows of `smooth` to draw, in a window or all over."""
        if window is None:
            return self._smooth_extremes.rows(self.smooth)
        return window.start + Extremes(self._num_smooth).rows(self.smooth[window])


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
            track.extend(history.metrics[name])
        self._past = history


def _goes_on(past: RunHistory, history: RunHistory) -> bool:
    """Return whether a history is a longer one of the same run.

    A run that diverged goes back some steps, and may be just as long again when it is
    looked at next: then it is told by the values of the last row.
    """
    count = len(past.steps)
    if history.config is not past.config or len(history.steps) < count:
        return False
    last = count - 1
    return count == 0 or all(
        np.array_equal(now[last], before[last], equal_nan=True)
        for now, before in (
            (history.steps, past.steps),
            *((history.metrics[name], past.metrics[name]) for name in past.metrics),
        )
    )
