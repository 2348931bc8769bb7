"""Checks of a run file's database, before anything in it is read.

A database is a program as well as data: a view can run for ever, a trigger acts when a run
goes on, a generated column makes a gigabyte out of a byte. A run file is ordinary tables
with the columns of this or an older version, and nothing else.
"""

import sqlite3
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

LONGEST_SQL = 100_000
"""Bytes of a statement, those that define the tables included."""

MOST_TABLES = 64

OPERATIONS_AT_ONCE = 50_000_000
"""Steps of SQLite's machine between two lots of rows: a second's work. Those of an honest
file take one in fifty of them."""

_OPERATIONS_PER_BYTE = 10
"""Of a check of the whole database: a row of ten bytes takes some forty."""

_ASKED_EVERY = 10_000
_ROWS_AT_ONCE = 50_000
"""Rows of a long run go through Python in parts: all of them would fill the memory."""

_OWN_PREFIX = "sqlite_"
"""Of SQLite's own tables and of the indices that belong to a table's keys."""

Columns = Mapping[str, tuple[str, bool]]
"""Name -> declared type, and whether it is part of the primary key."""


class DamagedError(ValueError):
    """A part of a run file that is not what it should be: names the part."""


def harden(connection: sqlite3.Connection) -> None:
    """Have SQLite trust nothing that a database says of itself."""
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, LONGEST_SQL)
    if sys.version_info >= (3, 12):
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)  # noqa: FBT003
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_ENABLE_TRIGGER, False)  # noqa: FBT003
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_ENABLE_VIEW, False)  # noqa: FBT003


class GuardedReader:
    """Reads a database whose tables have been looked at, a bounded piece at a time.

    Thread: that of the connection.
    """

    def __init__(self, connection: sqlite3.Connection, expected: str) -> None:
        """Look at the tables.

        Args:
            connection: A hardened one, for reading alone.
            expected: SQL that makes the tables, as the file's version has them.

        Raises:
            DamagedError: There is a table too few, or anything that is no ordinary table.
            sqlite3.Error: The database cannot be read.
        """
        self._connection = connection
        self._left = 0
        self._tables = _columns_of(expected)
        connection.set_progress_handler(self._interrupts, _ASKED_EVERY)
        self._check_tables(self._tables)

    def has(self, table: str) -> bool:
        """Return whether files of this version have a table."""
        return table in self._tables

    def renew(self) -> None:
        """Grant a statement of the caller's own what a lot of rows is granted."""
        self._renew()

    def limit_values(self, most_bytes: int) -> None:
        """Have every longer text or blob refused before it is read."""
        self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, most_bytes)

    def parts(self, statement: str, *values: object) -> Iterator[list[tuple[Any, ...]]]:
        """Yield the rows of a statement, some ten thousand at a time.

        Raises:
            sqlite3.Error: The database is damaged, or the statement does not end.
        """
        self._renew()
        found = self._connection.execute(statement, values)
        while part := found.fetchmany(_ROWS_AT_ONCE):
            yield part
            self._renew()

    def rows(self, statement: str, *values: object) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a statement one at a time, for rows that are large.

        Raises:
            sqlite3.Error: The database is damaged, or the statement does not end.
        """
        self._renew()
        for row in self._connection.execute(statement, values):
            yield row
            self._renew()

    def check_whole(self) -> None:
        """Look at every page, before the database is written to.

        Raises:
            DamagedError: Some page is not what the tables need.
            sqlite3.Error: The database cannot be read.
        """
        ((pages,),) = self.rows("PRAGMA page_count")
        ((size,),) = self.rows("PRAGMA page_size")
        # Every row is looked at within one statement.
        self._renew(OPERATIONS_AT_ONCE + _OPERATIONS_PER_BYTE * pages * size)
        ((found,),) = self._connection.execute("PRAGMA quick_check(1)")
        if found != "ok":
            raise DamagedError(" ".join(str(found).split())[:200])

    def _renew(self, operations: int = OPERATIONS_AT_ONCE) -> None:
        self._left = operations // _ASKED_EVERY

    def _interrupts(self) -> int:
        self._left -= 1
        return int(self._left < 0)

    def _check_tables(self, expected: Mapping[str, Columns]) -> None:
        found = list(
            self.rows(
                "SELECT type, name, rootpage, sql FROM sqlite_master LIMIT ?",
                MOST_TABLES,
            )
        )
        if len(found) == MOST_TABLES:
            raise DamagedError(f"it holds {MOST_TABLES} tables or more")
        names: set[str] = set()
        for kind, name, page, sql in found:
            if not isinstance(name, str):
                raise DamagedError("a table without a name")
            if name.lower().startswith(_OWN_PREFIX):
                _check_own(kind, name, sql)
                continue
            # A virtual table has no page of its own.
            if kind != "table" or name not in expected or not page:
                word = "table" if kind == "table" else "part"
                raise DamagedError(f"{name[:40]!r} is no {word} of a run file")
            names.add(name)
        for name, columns in expected.items():
            if name not in names:
                raise DamagedError(f"there is no table {name}")
            self._check_columns(name, columns)

    def _check_columns(self, table: str, expected: Columns) -> None:
        found = {
            row[1]: (str(row[2]).upper(), bool(row[5])) if row[6] == 0 else None
            for row in self.rows(f"PRAGMA table_xinfo({table})")
        }
        if found != expected:
            raise DamagedError(f"table {table} has other columns than a run file's")


def _check_own(kind: object, name: str, sql: object) -> None:
    """Refuse what only calls itself SQLite's own."""
    is_index = kind == "index" and sql is None
    if not is_index and (kind, name) != ("table", "sqlite_stat1"):
        raise DamagedError(f"{name[:40]!r} is no part of a run file")


@cache
def _columns_of(schema: str) -> Mapping[str, Columns]:
    connection = sqlite3.connect(":memory:")
    try:
        connection.executescript(schema)
        names: Sequence[tuple[str]] = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        ).fetchall()
        return {
            name: {
                row[1]: (str(row[2]).upper(), bool(row[5]))
                for row in connection.execute(f"PRAGMA table_xinfo({name})")
            }
            for (name,) in names
        }
    finally:
        connection.close()
