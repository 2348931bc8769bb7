"""Tables that only ever grow, so that views of them are slices and cost no copy."""

import numpy as np

from metalab.engine.events import Array, DiagnosticsTaken, frozen
from metalab.runs.history import DiagnosticSeries

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
    """The diagnostics of a run; which there are is known from the first ones."""

    def __init__(self) -> None:
        self._names: tuple[str, ...] = ()
        self._table = GrowingTable(1)

    def adopt(self, past: DiagnosticSeries) -> None:
        """Begin with what a run that goes on has already; the table is empty before."""
        self._name(tuple(past.values))
        columns = [past.steps, *past.values.values()]
        self._table.append(np.stack(columns, axis=1))

    def keep(self, event: DiagnosticsTaken) -> None:
        """Add a measurement; it replaces those of its step and of later ones."""
        if not len(self._table):
            self._name(tuple(event.values))
        # A run that goes on repeats the measurement of the step it stands at.
        steps = self._table.view()[:, 0]
        self._table.truncate(int(np.searchsorted(steps, event.step)))
        row = [event.step, *(event.values[name] for name in self._names)]
        self._table.append(np.array([row], dtype=float))

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
