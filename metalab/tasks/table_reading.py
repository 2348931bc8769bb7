"""From the bytes of a CSV, TSV or Parquet file to columns, and what was understood.

Encoding, delimiter, decimal sign and header are detected and told. Nothing is mended in
silence: what can be read in two ways, or not at all, is refused with its line.

Source: RFC 4180 for quoting.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np

from metalab.core.errors import UserError

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
MOST_BYTES = 256 * 2**20
MOST_COLUMNS = 1_000
_LONGEST_SHOWN = 30
_NUM_TRIED = 200
"""Lines from which the delimiter is told."""

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", ".", "-", "?"})
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")
_DECIMAL_POINT = re.compile(r"[+-]?\d*\.\d+(?:[eE][+-]?\d+)?")

_FOREIGN = {
    b"PK\x03\x04": "an Excel or zip file; save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an Excel file; save the sheet as CSV",
    b"SQLite format 3\x00": "a database, or a run file",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\x1f\x8b": "compressed; unpack it first",
}
_PARQUET = b"PAR1"


class TableError(UserError):
    """A table that cannot be read or used; the message names the place and the reason."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Column:
    """One column of a table.

    Attributes:
        name: Its heading.
        cells: As written, without spaces around them.
        first_line: Line of the first cell, for messages.
        decimal_comma: Whether its numbers are written with a comma.
    """

    name: str
    cells: Sequence[str]
    first_line: int
    decimal_comma: bool = False

    @cached_property
    def is_numeric(self) -> bool:
        """Whether every cell that is not missing is a number, and one is."""
        found = [cell for cell in self.cells if cell.lower() not in MISSING]
        return bool(found) and _floats(found, comma=self.decimal_comma) is not None

    @cached_property
    def share_of_numbers(self) -> float:
        """Share of the cells that are numbers, missing ones not counted among them."""
        good = sum(
            _floats([cell], comma=self.decimal_comma) is not None
            for cell in self.cells
            if cell.lower() not in MISSING
        )
        return good / max(len(self.cells), 1)

    @cached_property
    def distinct(self) -> tuple[str, ...]:
        """The different cells, in the order in which they come."""
        return tuple(dict.fromkeys(self.cells))

    def line(self, row: int) -> int:
        """Return the line of a cell, counted from 1."""
        return self.first_line + row

    def numbers(self) -> np.ndarray:
        """Return the cells as finite numbers, [row].

        Raises:
            TableError: One is none; the message names its line.
        """
        values = _floats(self.cells, comma=self.decimal_comma)
        if values is not None and np.isfinite(values).all():
            return values
        for row, cell in enumerate(self.cells):
            reason = self._refusal(cell)
            if reason is not None:
                raise TableError(
                    f"line {self.line(row)}, column {self.name!r}: {reason}"
                )
        raise AssertionError("every cell is a finite number")

    def _refusal(self, cell: str) -> str | None:
        if cell.lower() in MISSING:
            return (
                f"{'is empty' if not cell else f'is {cell!r}'}, which is no number; "
                "leave the row out, or write a number"
            )
        value = _floats([cell], comma=self.decimal_comma)
        if value is None:
            sign = "comma" if self.decimal_comma else "point"
            return f"{_shown(cell)} is no number (decimal {sign})"
        if not np.isfinite(value[0]):
            return f"{_shown(cell)} is not finite"
        return None


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """A table as it was read.

    Attributes:
        columns: In the order of the file.
        understood: What was detected, in words: "1,704 rows, comma, UTF-8, header".
    """

    columns: tuple[Column, ...]
    understood: str

    @property
    def num_rows(self) -> int:
        """Number of observations."""
        return len(self.columns[0].cells)

    @property
    def names(self) -> tuple[str, ...]:
        """Headings, in the order of the file."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str, role: str) -> Column:
        """Return a column by its heading.

        Args:
            name: The heading.
            role: What it is wanted for, for the message: "y".

        Raises:
            TableError: There is none.
        """
        for column in self.columns:
            if column.name == name:
                return column
        there = ", ".join(map(repr, self.names[:20]))
        raise TableError(f"{role} is column {name!r}, which is missing; there: {there}")


def read_table(content: bytes) -> Table:
    """Return the table in a file's bytes.

    Raises:
        TableError: It is none; the message names the line where there is one.
    """
    if len(content) > MOST_BYTES:
        raise TableError(f"is too large; allowed: {MOST_BYTES >> 20} MiB")
    if content.startswith(_PARQUET):
        return _from_parquet(content)
    for magic, what in _FOREIGN.items():
        if content.startswith(magic):
            raise TableError(f"is {what}")
    text, encoding = _decoded(content)
    if not text.strip():
        raise TableError("is empty")
    delimiter = _delimiter(text)
    rows, first_line = _rows(text, delimiter)
    header, body = _header(rows)
    lines = first_line + (1 if header else 0)
    names = rows[0] if header else [f"column {n + 1}" for n in range(len(rows[0]))]
    _check_names(names)
    if not body:
        raise TableError("has a header and no rows")
    columns = tuple(
        _column(name.strip(), [cell.strip() for cell in cells], lines, delimiter)
        for name, cells in zip(names, zip(*body, strict=True), strict=True)
    )
    commas = any(c.decimal_comma for c in columns)
    words = [
        f"{len(body):,} row{'' if len(body) == 1 else 's'}",
        f"{len(columns)} column{'' if len(columns) == 1 else 's'}",
        f"separated by {DELIMITERS[delimiter]}s" if len(columns) > 1 else "one column",
        *(["decimal comma"] if commas else []),
        encoding,
        "with a header" if header else "no header",
    ]
    return Table(columns=columns, understood=", ".join(words))


def _decoded(content: bytes) -> tuple[str, str]:
    """Return a text and the name of its encoding."""
    for mark, name in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if content.startswith(mark):
            try:
                return content.decode(name), name.removesuffix("-sig").upper()
            except UnicodeDecodeError as error:
                raise TableError(
                    f"says that it is {name.upper()} and is not, at byte {error.start:,}"
                ) from error
    if b"\x00" in content:
        at = content.index(b"\x00")
        raise TableError(f"is a binary file (byte {at:,} is 0)")
    try:
        return content.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError as error:
        if _looks_binary(content):
            raise TableError(f"is no text (byte {error.start:,})") from error
    try:
        return content.decode("cp1252"), "Windows-1252"
    except UnicodeDecodeError as error:
        raise TableError(
            f"is neither UTF-8 nor Windows-1252, at byte {error.start:,}; save it as "
            "UTF-8"
        ) from error


def _looks_binary(content: bytes) -> bool:
    start = content[:4096]
    control = sum(byte < 32 and byte not in b"\t\n\r\x0c" for byte in start)
    return control > len(start) // 100


def _delimiter(text: str) -> str:
    """Return the separator that cuts the first lines into most cells, all alike."""
    lines = list(islice(io.StringIO(text, newline=""), _NUM_TRIED))
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        try:
            rows = [row for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:
            continue
        (width, count), *_ = Counter(map(len, rows)).most_common(1)
        score = (count / len(rows) if width > 1 else 0.0, width)
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _rows(text: str, delimiter: str) -> tuple[list[list[str]], int]:
    """Return the rows of a text, all of one width, and the line of the first."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    first_line = began = 0
    try:
        for row in reader:
            began = reader.line_num
            if not row or not any(cell.strip() for cell in row):
                continue
            if not rows:
                first_line = began
            elif len(row) != len(rows[0]):
                raise TableError(
                    f"line {began} has {len(row)} "
                    f"cell{'' if len(row) == 1 else 's'}; the first row has "
                    f"{len(rows[0])}"
                )
            rows.append(row)
    except csv.Error as error:
        what = "a quote that does not close" if "end of data" in str(error) else error
        words = " ".join(str(what).split())
        raise TableError(f"the row after line {began}: {words}") from error
    if not rows:
        raise TableError("is empty")
    if len(rows[0]) > MOST_COLUMNS:
        raise TableError(f"has {len(rows[0]):,} columns; allowed: {MOST_COLUMNS:,}")
    return rows, first_line


def _header(rows: list[list[str]]) -> tuple[bool, list[list[str]]]:
    """Return whether the first row names the columns, and the rows that do not."""
    numbers = [_is_number(cell.strip()) for cell in rows[0]]
    header = not any(numbers)
    return header, rows[1:] if header else rows


def _check_names(names: Sequence[str]) -> None:
    counts = Counter(name.strip() for name in names)
    name, count = counts.most_common(1)[0]
    if count > 1:
        what = f"named {name!r}" if name else "without a name"
        raise TableError(f"the header has {count} columns {what}")


def _column(name: str, cells: list[str], line: int, delimiter: str) -> Column:
    """Return a column, with the decimal sign of its numbers.

    Raises:
        TableError: Its numbers are written in both ways.
    """
    with_comma = _first(cells, _DECIMAL_COMMA)
    if with_comma is None:
        return Column(name=name, cells=cells, first_line=line)
    with_point = _first(cells, _DECIMAL_POINT)
    texts = sum(_floats([cell], comma=True) is None for cell in cells[:_NUM_TRIED])
    if with_point is not None and texts < len(cells[:_NUM_TRIED]) / 2:
        raise TableError(
            f"column {name!r} has a decimal comma in line {line + with_comma} "
            f"({_shown(cells[with_comma])}) and a point in line {line + with_point} "
            f"({_shown(cells[with_point])})"
        )
    del delimiter
    return Column(name=name, cells=cells, first_line=line, decimal_comma=True)


def _first(cells: Sequence[str], pattern: re.Pattern[str]) -> int | None:
    return next((i for i, cell in enumerate(cells) if pattern.fullmatch(cell)), None)


def _floats(cells: Sequence[str], *, comma: bool) -> np.ndarray | None:
    """Return texts as numbers, or None where one is none."""
    if comma:
        cells = [cell.replace(",", ".", 1) for cell in cells]
    try:
        values = np.array([float(cell) for cell in cells])
    except ValueError:
        return None
    # Python reads 1_000 as a thousand; no table means that.
    return None if any("_" in cell for cell in cells) else values


def _is_number(cell: str) -> bool:
    return any(_floats([cell], comma=comma) is not None for comma in (False, True))


def _shown(cell: str) -> str:
    short = cell if len(cell) <= _LONGEST_SHOWN else f"{cell[:_LONGEST_SHOWN]}…"
    return repr(short)


def _from_parquet(content: bytes) -> Table:
    """Return the table of a Parquet file, which needs pyarrow."""
    try:
        from pyarrow import parquet  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise TableError(
            "is a Parquet file, which needs pyarrow: pip install 'metalab[parquet]'"
        ) from error
    try:
        found = parquet.read_table(io.BytesIO(content))
    except (OSError, ValueError) as error:
        raise TableError(f"is a damaged Parquet file: {error}") from error
    if found.num_rows == 0 or found.num_columns == 0:
        raise TableError("is empty")
    _check_names(found.column_names)
    columns = tuple(
        Column(
            name=name,
            cells=["" if cell is None else str(cell) for cell in values.to_pylist()],
            first_line=1,
        )
        for name, values in zip(found.column_names, found.columns, strict=True)
    )
    words = f"{found.num_rows:,} rows, {len(columns)} columns, Parquet"
    return Table(columns=columns, understood=words)
