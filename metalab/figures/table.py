"""The data of a figure: one tidy table, as it goes to a CSV file."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from metalab.engine.events import Array

Values = Array | NDArray[np.str_]

_EXACT = 2**53
"""Whole numbers up to here are floats exactly."""


@dataclass(frozen=True, slots=True)
class Column:
    """One variable.

    Attributes:
        name: In the project's vocabulary.
        values: Numbers, NaN where there is none, or words. [row]
        unit: "1" if dimensionless.
    """

    name: str
    values: Values
    unit: str = "1"

    @property
    def header(self) -> str:
        """The name, with the unit in brackets."""
        return self.name if self.unit == "1" else f"{self.name} [{self.unit}]"

    def cells(self) -> list[str]:
        """Return the values as text that reads back to exactly the same numbers."""
        return [_cell(value) for value in self.values.tolist()]


def _cell(value: str | float) -> str:
    if isinstance(value, str):
        return value
    if math.isnan(value):
        return ""
    # A count is not written as 100.0.
    whole = math.isfinite(value) and value == int(value) and abs(value) < _EXACT
    return str(int(value)) if whole else repr(value)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of equal meaning.

    Attributes:
        columns: Variables, all of the same length.
    """

    columns: tuple[Column, ...]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.columns[0].values)

    def column(self, name: str) -> Column:
        """Return a column by its name, without unit."""
        return next(column for column in self.columns if column.name == name)

    def numbers(self, name: str) -> Array:
        """Return the values of a numeric column, [row]."""
        return cast("Array", self.column(name).values)

    def select(
        self, names: Sequence[str], where: Mapping[str, float | str]
    ) -> list[Array]:
        """Return some numeric columns, in the rows that have a value in all of them.

        Args:
            names: Columns to return.
            where: Values that other columns must have in a row.
        """
        kept = np.ones(len(self), dtype=bool)
        for name, value in where.items():
            kept &= self.column(name).values == value
        chosen = [self.numbers(name)[kept] for name in names]
        complete = ~np.any([np.isnan(values) for values in chosen], axis=0)
        return [values[complete] for values in chosen]

    def to_csv(self, *, units: bool = True) -> str:
        """Return the table as RFC 4180 text; an empty cell has no value.

        Args:
            units: Whether headers have the units behind the names.
        """
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow([c.header if units else c.name for c in self.columns])
        writer.writerows(zip(*(c.cells() for c in self.columns), strict=True))
        return text.getvalue()
