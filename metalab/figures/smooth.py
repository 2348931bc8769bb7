"""The moving average of loss curves, the same on paper and on screen.

It spans a share of what is shown, not a number of steps: so a run of a hundred steps and
one of ten million look equally smooth. On a logarithmic axis it is the geometric mean,
which is where the eye sees the middle of the raw values. It is centred and divided by the
weights that there are: everywhere it lies between the smallest and the largest raw value
of its span.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metalab.engine.events import Array
from metalab.runs.record.history import Spans

MOST_BLOCKS = 512
"""A long series is averaged over blocks of steps, narrower than any average."""

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Average:
    """A moving average of a series.

    Attributes:
        rows: Rows of the series where it is known, ascending: one for each block of
            steps, its middle; the first and the last row among them.
        steps: Outer steps of these rows.
        values: The average there; NaN where its span has no value.
        log: Whether it is straight between them on a logarithmic axis.
    """

    rows: Rows
    steps: Array
    values: Array
    log: bool

    def at(self, steps: Array) -> Array:
        """Return the average at some outer steps: NaN before and after all values."""
        known = np.isfinite(self.values)
        if not known.any():
            return np.full(np.shape(steps), np.nan)
        values = self.values[known]
        found = np.interp(
            steps, self.steps[known], np.log(values) if self.log else values
        )
        first, last = np.flatnonzero(known)[[0, -1]]
        before = (steps < self.steps[first]) & (first > 0)
        after = (steps > self.steps[last]) & (last < len(known) - 1)
        return np.where(before | after, np.nan, np.exp(found) if self.log else found)


def smoothed(
    values: Array,
    steps: Array,
    share: float,
    *,
    log: bool,
    spans: Spans | None = None,
) -> Array:
    """Return the moving average of a whole series, [row].

    Args:
        values: [row]; what is not finite is a gap, and on a logarithmic axis what is not
            positive.
        steps: Outer step of each row, ascending, [row].
        share: Of the steps, that one average spans; 0 returns the values.
        log: Whether the axis is logarithmic.
        spans: What the rows of a thinned series stand for.
    """
    if share == 0 or len(values) == 0:
        return np.asarray(values, dtype=float)
    blocks = BlockSums(log=log)
    blocks.extend(values, steps, spans)
    return blocks.average(share).at(steps)


class BlockSums:
    """Sums of a growing series over blocks of outer steps, from which averages come.

    A block is a power of two of steps long; blocks join in pairs while the series grows.
    New rows alone are read, so that a frame costs the same in a run of any length.
    """

    def __init__(self, *, log: bool) -> None:
        """Begin with no rows.

        Args:
            log: Whether to sum logarithms, for geometric means.
        """
        self._log = log
        self._size = 1
        self._first = 0
        self._totals = np.empty(0)
        self._counts = np.empty(0)
        self._starts: Rows = np.empty(0, dtype=np.intp)
        self._num_rows = 0
        self._ends = (0.0, 0.0)
        self._middles: tuple[Rows, Array] = (self._starts, self._totals)

    def __len__(self) -> int:
        """Return the number of rows taken in."""
        return self._num_rows

    def extend(self, values: Array, steps: Array, spans: Spans | None = None) -> None:
        """Take in all rows of the series, of which the first are known already.

        Args:
            values: The whole series, [row].
            steps: Outer step of each row, [row].
            spans: What the new rows of a thinned series stand for, [new row].
        """
        known = self._num_rows
        if len(values) == known:
            return
        first, last = float(steps[0]), float(steps[-1])
        if not known:
            self._first = (int(first) - 1) // self._size
        self._ends = (first, last)
        self._widen(int(last))
        totals, counts = _summed(values[known:], spans, log=self._log)
        self._add(steps[known:], totals, counts)
        self._num_rows = len(values)
        self._middles = self._found_middles(steps)

    def _widen(self, last: int) -> None:
        """Join blocks in pairs until there is room for a last step."""
        while (last - 1) // self._size - self._first >= MOST_BLOCKS:
            odd = self._first % 2
            self._totals = _in_pairs(self._totals, odd)
            self._counts = _in_pairs(self._counts, odd)
            # The first of each pair of blocks is where the pair begins.
            alone = self._starts[:odd]
            self._starts = np.concatenate([alone, self._starts[odd::2]])
            self._first //= 2
            self._size *= 2

    def _add(self, steps: Array, totals: Array, counts: Array) -> None:
        places = ((steps - 1) // self._size).astype(np.intp) - self._first
        num_old, num = len(self._starts), int(places[-1]) + 1
        for name, added in (("_totals", totals), ("_counts", counts)):
            sums = np.bincount(places, weights=added, minlength=num)
            sums[:num_old] += getattr(self, name)
            setattr(self, name, sums)
        fresh = np.searchsorted(places, np.arange(num_old, num))
        self._starts = np.append(self._starts, self._num_rows + fresh)

    def _found_middles(self, steps: Array) -> tuple[Rows, Array]:
        """Return the middle row of each block, and its step; the ends of the series."""
        ends = np.append(self._starts[1:], self._num_rows)
        rows = np.maximum((self._starts + ends - 1) // 2, 0)
        rows[0], rows[-1] = 0, self._num_rows - 1
        return rows, steps[rows]

    def average(self, share: float, *, shown: float = 0.0) -> Average:
        """Return the moving average, weights falling evenly to both sides.

        Args:
            share: Of what is shown, that one average spans, above 0.
            shown: Outer steps that are shown; 0 for all of the series.
        """
        first, last = self._ends
        extent = shown or last - first + 1
        weights = _weights(share * extent / 2 / self._size)
        total, mass = (
            _windowed(sums, weights) for sums in (self._totals, self._counts)
        )
        values = np.divide(total, mass, out=np.full(len(total), np.nan), where=mass > 0)
        rows, steps = self._middles
        # Blocks without a row have nowhere to be drawn.
        there = np.append(True, rows[1:] > rows[:-1])
        return Average(
            rows=rows[there],
            steps=steps[there],
            values=(np.exp(values) if self._log else values)[there],
            log=self._log,
        )


def _weights(half: float) -> Array:
    """Return a triangle of weights that reach `half` blocks to either side."""
    reach = int(half)
    return 1 - np.abs(np.arange(-reach, reach + 1)) / (half + 1)


def _windowed(sums: Array, weights: Array) -> Array:
    """Return weighted sums around each block, nothing beyond the ends."""
    reach = len(weights) // 2
    return np.convolve(sums, weights)[reach : reach + len(sums)]


def _summed(values: Array, spans: Spans | None, *, log: bool) -> tuple[Array, Array]:
    """Return what each row adds to the sum and to the count of its block."""
    if spans is not None:
        return spans.totals, spans.counts
    known = np.isfinite(values)
    if log:
        known &= values > 0
        return np.log(values, out=np.zeros(len(values)), where=known), known.astype(
            float
        )
    return np.where(known, values, 0.0), known.astype(float)


def _in_pairs(sums: Array, odd: int) -> Array:
    """Return sums of neighbours; the first stands alone where it is odd."""
    padded = np.concatenate([np.zeros(odd), sums, np.zeros((odd + len(sums)) % 2)])
    return padded.reshape(-1, 2).sum(axis=1)
