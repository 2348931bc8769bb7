"""Tables that only ever grow, so that views of them are slices and cost no copy."""

from collections.abc import Mapping

import numpy as np

from metalab.engine.diagnostics import diagnostic_order
from metalab.engine.events import Array, frozen
from metalab.runs.record.history import DiagnosticSeries

_FIRST_CAPACITY = 1024


class GrowingTable:
    """Rows of equal width in one array that doubles when full."""

    def __init__(self, width: int) -> None:
        self._data = np.empty((_FIRST_CAPACITY, width))
        self._count = 0

    def __len__(self) -> int:
        """Return the number of rows."""
        return self._count

    def truncate(self, count: int) -> None:
        """Forget the rows from `count` on.

        The rows that follow go to a copy: views handed out before must not change.
        """
        if count < self._count:
            self._data = self._data.copy()
            self._count = count

    def append(self, rows: Array) -> None:
        """Add rows, [row, width]."""
        needed = self._count + len(rows)
        if needed > len(self._data):
            grown = np.empty((max(needed, 2 * len(self._data)), self._data.shape[1]))
            grown[: self._count] = self._data[: self._count]
            self._data = grown
        self._data[self._count : needed] = rows
        self._count = needed

    def view(self) -> Array:
        """Return a read-only view of the rows there are now."""
        return frozen(self._data[: self._count].view())


class DiagnosticTable:
    """The diagnostics of a run: a column for each that was ever measured.

    Not all are measured at the same steps; NaN stands where one was not.
    """

    def __init__(self) -> None:
        self._names: tuple[str, ...] = ()
        self._table = GrowingTable(1)

    def adopt(self, past: DiagnosticSeries) -> None:
        """Begin with what a run that goes on has already; the table is empty before."""
        self._name(tuple(past.values))
        columns = [past.steps, *past.values.values()]
        self._table.append(np.stack(columns, axis=1))

    def keep(self, step: int, values: Mapping[str, float]) -> None:
        """Add what was measured at a step; it replaces that of later steps.

        What is known of the same step stays, but for what is measured again: a run that
        goes on repeats the measurements of the step it stands at.
        """
        if not values:
            return
        if not set(values) <= set(self._names):
            self._widen(values)
        steps = self._table.view()[:, 0]
        place = int(np.searchsorted(steps, step))
        row = np.full(1 + len(self._names), np.nan)
        if place < len(steps) and steps[place] == step:
            row = self._table.view()[place].copy()
        row[0] = step
        for name, value in values.items():
            row[1 + self._names.index(name)] = value
        self._table.truncate(place)
        self._table.append(row[None])

    def _widen(self, values: Mapping[str, float]) -> None:
        """Make room for more columns."""
        before, rows = self._names, self._table.view()
        self._name(tuple(diagnostic_order(dict.fromkeys([*before, *values]))))
        wide = np.full((len(rows), 1 + len(self._names)), np.nan)
        places = [0, *(1 + self._names.index(name) for name in before)]
        wide[:, places] = rows
        self._table.append(wide)

    def _name(self, names: tuple[str, ...]) -> None:
        self._names, self._table = names, GrowingTable(1 + len(names))

    def truncate_after(self, step: int) -> None:
        """Forget what was measured after `step`."""
        steps = self._table.view()[:, 0]
        self._table.truncate(int(np.searchsorted(steps, step, side="right")))

    def series(self) -> DiagnosticSeries:
        """Return a read-only view of what there is now."""
        rows = self._table.view()
        columns = {name: rows[:, 1 + i] for i, name in enumerate(self._names)}
        return DiagnosticSeries(steps=rows[:, 0], values=columns)
