"""Fewer points for the same picture: the extremes of blocks.

They follow a series that grows: they read its new rows alone, so that a frame costs the
same after ten rows as after ten million.
"""

import numpy as np
from numpy.typing import NDArray

from metalab.engine.events import Array
from metalab.runs.record.thinning import lowest_rows

Rows = NDArray[np.intp]

_POINTS_IN_COLUMN = 2


def decimate(x: Array, y: Array, num_columns: int) -> tuple[Array, Array]:
    """Return at most two points for each column of pixels, that look like all of them.

    Args:
        x: Ascending, [row].
        y: [row]; NaN and infinite values are gaps, and no extremes.
        num_columns: Width of the plot in pixels, at least 1.

    Returns:
        Points in the order of x, the smallest and the largest finite y among them.
    """
    rows = Extremes(num_columns).rows(y)
    return x[rows], y[rows]


class Extremes:
    """The rows of a growing series that hold the extremes of its blocks.

    A block is a power of two rows long, and the first one begins with the first row: so
    blocks stay where they are while rows are added, and the drawn curve does not shiver.
    """

    def __init__(self, num_columns: int) -> None:
        """Begin with no rows.

        Args:
            num_columns: Most blocks there may be, at least 1.
        """
        assert num_columns >= 1, "a plot has at least one column"
        self._num_columns = num_columns
        self._size = 1
        self._lows = np.empty(0, dtype=np.intp)
        self._highs = np.empty(0, dtype=np.intp)

    def rows(self, y: Array) -> Rows:
        """Return the rows to draw, ascending.

        Args:
            y: The whole series, [row]: what was given before, and what was added.
        """
        if len(y) <= _POINTS_IN_COLUMN * self._num_columns:
            return np.arange(len(y))
        self._widen_blocks(y)
        known = len(self._lows) * self._size
        num_full = (len(y) - known) // self._size
        if num_full:
            lows, highs = _extremes(y, known, num_full, self._size)
            self._lows = np.concatenate([self._lows, lows])
            self._highs = np.concatenate([self._highs, highs])
            known += num_full * self._size
        lows, highs = self._lows, self._highs
        if known < len(y):
            low, high = _extremes(y, known, 1, len(y) - known)
            lows, highs = np.append(lows, low), np.append(highs, high)
        pairs = np.sort(np.stack([lows, highs], axis=1), axis=1).ravel()
        return pairs[np.append(True, pairs[1:] != pairs[:-1])]

    def _widen_blocks(self, y: Array) -> None:
        """Join blocks in pairs until there are no more than columns."""
        while len(y) > self._num_columns * self._size:
            self._size *= 2
            whole = len(self._lows) // 2 * 2
            self._lows = _better(y, self._lows[:whole], np.less)
            self._highs = _better(y, self._highs[:whole], np.greater)


def _better(y: Array, rows: Rows, wins: np.ufunc) -> Rows:
    """Return the better row of each pair; the earlier one unless the later one wins."""
    first, second = rows[0::2], rows[1::2]
    held, challenger = y[first], y[second]
    later = np.isfinite(challenger) & (wins(challenger, held) | ~np.isfinite(held))
    return np.where(later, second, first)


def _extremes(y: Array, start: int, count: int, size: int) -> tuple[Rows, Rows]:
    """Return where each block has its smallest and its largest finite value.

    A block without one gives its first row twice: a gap is drawn there.
    """
    blocks = y[start : start + count * size].reshape(count, size)
    known = np.isfinite(blocks)
    first = start + size * np.arange(count)
    lows = np.where(known, blocks, np.inf).argmin(axis=1)
    highs = np.where(known, blocks, -np.inf).argmax(axis=1)
    return first + lows, first + highs


class SpannedExtremes:
    """The same for a thinned series, whose rows lie closer together in its newest part.

    A block is a power of two outer steps long, however many rows that is.
    """

    def __init__(self, num_columns: int) -> None:
        """Begin with no rows.

        Args:
            num_columns: Most blocks there may be, at least 1.
        """
        self._num_columns = num_columns
        self._forget(1.0)

    def _forget(self, size: float) -> None:
        self._size = size
        self._known = 0
        self._blocks: Rows = np.empty(0, dtype=np.intp)
        self._lows = np.empty(0, dtype=np.intp)
        self._highs = np.empty(0, dtype=np.intp)

    def rows(self, y: Array, steps: Array) -> Rows:
        """Return the rows to draw, ascending.

        Args:
            y: The whole series, [row]: what was given before, and what was added.
            steps: Outer step of each row, ascending, [row].
        """
        if len(y) <= _POINTS_IN_COLUMN * self._num_columns:
            return np.arange(len(y))
        size = self._size
        while (steps[-1] - steps[0]) // size >= self._num_columns:
            size *= 2
        if size != self._size:
            self._forget(size)
        if self._known < len(y):
            self._take_in(y, steps)
        pairs = np.sort(np.stack([self._lows, self._highs], axis=1), axis=1).ravel()
        return pairs[np.append(True, pairs[1:] != pairs[:-1])]

    def _take_in(self, y: Array, steps: Array) -> None:
        """Find the extremes of the new rows, and join them to the last block."""
        new = y[self._known :]
        blocks = np.floor((steps[self._known :] - 1) / self._size).astype(np.intp)
        starts = np.flatnonzero(np.append(True, blocks[1:] != blocks[:-1]))
        known = np.intp(self._known)
        lows = lowest_rows(new, starts) + known
        highs = lowest_rows(-new, starts) + known
        self._known = len(y)
        if len(self._blocks) and self._blocks[-1] == blocks[0]:
            # Half a block was seen before: the better of both halves stands for it.
            lows[0] = _better(y, np.array([self._lows[-1], lows[0]]), np.less)[0]
            highs[0] = _better(y, np.array([self._highs[-1], highs[0]]), np.greater)[0]
            self._blocks, self._lows, self._highs = (
                part[:-1] for part in (self._blocks, self._lows, self._highs)
            )
        self._blocks = np.concatenate([self._blocks, blocks[starts]])
        self._lows = np.concatenate([self._lows, lows])
        self._highs = np.concatenate([self._highs, highs])
