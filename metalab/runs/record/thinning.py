"""A history of any length in bounded memory: the extremes of blocks of outer steps.

Up to `MOST_ROWS` outer steps every row is kept. Then the older part is cut into blocks,
a power of two of steps long, of which only the rows with the smallest and the largest
value of each drawn loss stay: real rows at real steps, so that whoever draws or reads
them needs to know nothing of it. Beside each row stands what the losses add up to since the
row before, so that moving averages still see every step. The newest rows are always whole.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from metalab.analysis.solves import (
    NOT_CONVERGED,
    NOT_DEFINITE,
    RESIDUAL,
    Solves,
    StepSolves,
    first_worry,
)
from metalab.engine.events import METRICS, Array
from metalab.runs.record.history import Sums
from metalab.runs.record.tables import GrowingTable

if TYPE_CHECKING:
    from metalab.runs.record.history import RunHistory

MOST_ROWS = 2**18
RECENT_ROWS = 2**16
"""Newest rows that are never thinned."""

MOST_BLOCKS = 2**15

SUMMED = ("outer_loss", "outer_loss_before")
"""Losses whose extremes and sums are kept: those that are drawn over training."""

_NAMES = tuple(info.name for info in METRICS)
_WIDTH = 2 + len(_NAMES)
_SUMMED_COLUMNS = [2 + _NAMES.index(name) for name in SUMMED]
_SUMS_OF_A_LOSS = len(Sums._fields)
_SOLVES = [2 + _NAMES.index(name) for name in (NOT_DEFINITE, NOT_CONVERGED, RESIDUAL)]

Rows = NDArray[np.intp]


class RowTable:
    """Steps, training times, metrics, and sums of the losses that are drawn.

    Attributes:
        thinned: How often older rows were thinned: where it differs, they differ.
    """

    def __init__(self, num_tasks: int) -> None:
        """Begin without rows.

        Args:
            num_tasks: Tasks of an outer step.
        """
        self._num_tasks = num_tasks
        self._table = GrowingTable(_WIDTH + _SUMS_OF_A_LOSS * len(SUMMED))
        self.thinned = 0
        self._worry: StepSolves | None = None

    def __len__(self) -> int:
        """Return the number of rows that are kept."""
        return len(self._table)

    def append(self, rows: Array) -> None:
        """Add the rows that follow.

        Args:
            rows: Outer step, training time and metrics, [row, 2 + metric].
        """
        # In parts: what is read from a file may be a hundred times as long.
        for start in range(0, len(rows), RECENT_ROWS):
            part = rows[start : start + RECENT_ROWS]
            self._look_at_solves(part)
            self._table.append(np.concatenate([part, _sums(part)], axis=1))
            if len(self._table) > MOST_ROWS:
                self._table = _thinned(self._table.view())
                self.thinned += 1

    def adopt(self, past: "RunHistory") -> None:
        """Begin with the rows of a run that goes on; the table is empty before."""
        columns = [past.steps, past.seconds, *(past.metrics[name] for name in _NAMES)]
        rows = np.stack(columns, axis=1)
        if not past.thinned:
            self.append(rows)
            return
        self._worry = past.solves_worry
        sums = [column for name in SUMMED for column in past.sums[name]]
        self._table.append(np.concatenate([rows, np.stack(sums, axis=1)], axis=1))
        self.thinned = past.thinned

    def _look_at_solves(self, rows: Array) -> None:
        first = None if self._worry is not None else first_worry(rows, _SOLVES)
        if first is not None:
            not_definite, not_converged, residual = rows[first, _SOLVES]
            solves = Solves(
                num_solves=self._num_tasks,
                not_positive_definite=int(not_definite),
                unconverged=int(not_converged),
                largest_residual=float(residual),
            )
            self._worry = StepSolves(step=int(rows[first, 0]), solves=solves)

    @property
    def solves_worry(self) -> StepSolves | None:
        """The first step whose linear systems need a word, its row kept or not, or None."""
        return self._worry

    def truncate_after(self, step: float) -> None:
        """Forget what came after an outer step."""
        if self._worry is not None and self._worry.step > step:
            self._worry = None
        steps = self._table.view()[:, 0]
        self._table.truncate(int(np.searchsorted(steps, step, side="right")))

    def rows(self) -> Array:
        """Return steps, times and metrics, [row, 2 + metric]; read-only, no copy."""
        return self._table.view()[:, :_WIDTH]

    def metrics(self) -> Mapping[str, Array]:
        """Return each metric, [row]."""
        rows = self._table.view()
        return {name: rows[:, 2 + i] for i, name in enumerate(_NAMES)}

    def sums(self) -> Mapping[str, Sums]:
        """Return what each loss that is drawn adds up to since the row before.

        Every step counts, those too whose rows are not kept.
        """
        rows = self._table.view()
        return {
            name: Sums(*rows[:, start : start + _SUMS_OF_A_LOSS].T)
            for name, start in zip(
                SUMMED, range(_WIDTH, rows.shape[1], _SUMS_OF_A_LOSS), strict=True
            )
        }


def _sums(rows: Array) -> Array:
    """Return the sums of rows that each stand for one outer step, [row, sum]."""
    columns: list[Array] = []
    for column in _SUMMED_COLUMNS:
        values = rows[:, column]
        known = np.isfinite(values)
        positive = known & (values > 0)
        logs = np.log(values, out=np.zeros(len(values)), where=positive)
        columns += [
            np.where(known, values, 0.0),
            known.astype(float),
            logs,
            positive.astype(float),
        ]
    return np.stack(columns, axis=1)


def _thinned(rows: Array) -> GrowingTable:
    """Return a table with the extremes of all but the newest rows, and those whole.

    Args:
        rows: As in `RowTable`, more than `RECENT_ROWS`.
    """
    cut = len(rows) - RECENT_ROWS
    old, steps = rows[:cut], rows[:cut, 0].astype(np.int64)
    size = 1
    while (steps[-1] - 1) // size - (steps[0] - 1) // size >= MOST_BLOCKS:
        size *= 2
    blocks = (steps - 1) // size
    starts = np.flatnonzero(np.append(True, blocks[1:] != blocks[:-1]))
    # The first row anchors the axis; the last one of the old part, the sums.
    kept = [np.array([0, cut - 1])]
    kept += [
        lowest_rows(sign * old[:, column], starts)
        for column in _SUMMED_COLUMNS
        for sign in (1.0, -1.0)
    ]
    chosen = np.unique(np.concatenate(kept))
    thin = old[chosen]
    # From the row behind one that stays to the next one that does.
    thin[:, _WIDTH:] = np.add.reduceat(
        old[:, _WIDTH:], np.append(0, chosen[:-1] + 1), axis=0
    )
    table = GrowingTable(rows.shape[1])
    table.append(thin)
    table.append(rows[cut:])
    return table


def lowest_rows(values: Array, starts: Rows) -> Rows:
    """Return the first row with the lowest finite value of each block, [block].

    Args:
        values: [row]; of a block without a finite one, the first row is returned.
        starts: First row of each block, ascending from 0, [block].
    """
    known = np.where(np.isfinite(values), values, np.inf)
    lows = np.minimum.reduceat(known, starts)
    lengths = np.diff(np.append(starts, len(values)))
    hits = np.flatnonzero(known == np.repeat(lows, lengths))
    block = np.searchsorted(starts, hits, side="right")
    return hits[np.append(True, block[1:] != block[:-1])]
