"""Numbers by column, as every table of the Python interface is given out."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metalab.api.arrow import stream_of

_MOST_ROWS = 10
"""Rows that a notebook is shown: the first and the last half of them."""


class Columns(Mapping[str, NDArray[np.float64]]):
    """Equally long float64 columns by name, read-only.

    A mapping: `columns["outer_loss"]` is a numpy array, `dict(columns)` goes into
    `pandas.DataFrame`. It has `__arrow_c_stream__`, so that `polars.DataFrame(columns)`,
    `pyarrow.table(columns)` and whatever else speaks Arrow take it as it is, without a
    copy; none of them is needed here. NaN stands where nothing was measured.

    Attributes:
        num_rows: Number of rows.
    """

    def __init__(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Take columns; what is not float64 yet, or not in one piece, is copied.

        Args:
            columns: By name, [row] each.
        """
        self._columns = {name: _read_only(part) for name, part in columns.items()}
        lengths = {len(part) for part in self._columns.values()}
        assert len(lengths) <= 1, "columns of one table are equally long"
        self.num_rows: int = lengths.pop() if lengths else 0

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        """Return a column, [row].

        Raises:
            KeyError: There is none of that name; says which there are.
        """
        if name not in self._columns:
            raise KeyError(f"{name!r}; there are: {', '.join(self._columns)}")
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        """Return the names in order."""
        return iter(self._columns)

    def __len__(self) -> int:
        """Return the number of columns, as of any mapping; see `num_rows`."""
        return len(self._columns)

    def __contains__(self, name: object) -> bool:
        """Return whether there is a column of that name."""
        return name in self._columns

    def __repr__(self) -> str:
        """Return size and names in one line."""
        names = ", ".join(self._columns)
        return f"<{self.num_rows:,} rows of {len(self._columns)} columns: {names}>"

    def _repr_html_(self) -> str:
        return self.html()

    def html(self) -> str:
        """Return the first and the last rows as a table, as a notebook shows it."""
        head = "".join(f"<th>{escape(name)}</th>" for name in self._columns)
        rows = "".join(self._row_html(index) for index in self._shown_rows())
        return (
            f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
            f"<p>{self.num_rows:,} rows</p>"
        )

    def _shown_rows(self) -> list[int | None]:
        half = _MOST_ROWS // 2
        if self.num_rows <= _MOST_ROWS:
            return list(range(self.num_rows))
        return [*range(half), None, *range(self.num_rows - half, self.num_rows)]

    def _row_html(self, index: int | None) -> str:
        cells = (
            "…" if index is None else f"{part[index]:.6g}"
            for part in self._columns.values()
        )
        return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        """Return the table as an Arrow C stream, in one batch.

        Args:
            requested_schema: A wish that need not be heeded: columns are float64.
        """
        del requested_schema
        return stream_of(self._columns)


def _read_only(part: NDArray[Any]) -> NDArray[np.float64]:
    found = np.ascontiguousarray(part, dtype=np.float64).view()
    found.flags.writeable = False
    return found
