"""The index of a library: what was read of its run files, so that none is read twice.

It is only a cache. One that is missing, damaged, of another program or another version is
made anew from the files; where none can be kept (a folder that takes no file, a file
system without locks), the library does without. A rollback journal, not a write-ahead
log: that needs memory which processes share, and a shared folder has none.
"""

import contextlib
import json
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from metalab.runs.library.entry import RunEntry
from metalab.runs.record.file_guard import DamagedError, GuardedReader, harden

INDEX_NAME = ".metalab-index.sqlite"
INDEX_VERSION = 1
APPLICATION_ID = int.from_bytes(b"mlix", "big")

_SCHEMA = """
CREATE TABLE entries (
    name TEXT PRIMARY KEY, size INTEGER NOT NULL, written INTEGER NOT NULL,
    content TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE thumbnails (
    name TEXT PRIMARY KEY, size INTEGER NOT NULL, written INTEGER NOT NULL,
    data BLOB NOT NULL
) WITHOUT ROWID;
"""

_BUSY_SECONDS = 2.0
_MOST_CONTENT = 1_000_000
"""Bytes of one row."""

SETTLED_NS = 2_000_000_000
"""Age from which a file's time is trusted: two writes within one tick of a file system's
clock leave the same time and size behind."""

_ENTRY = TypeAdapter(RunEntry)


@dataclass(frozen=True, slots=True)
class Stamp:
    """Tells one content of a file from another.

    Attributes:
        size: Bytes.
        written: When it was last written, ns since 1970.
    """

    size: int
    written: int

    @property
    def settled(self) -> bool:
        """Whether the file was written long enough ago to be told by its time."""
        return time.time_ns() - self.written > SETTLED_NS


class Index:
    """The rows of one library's index.

    Thread: any, one at a time.
    """

    def __init__(self, folder: Path) -> None:
        """Make one; nothing is opened.

        Args:
            folder: The library.
        """
        self.path = folder / INDEX_NAME
        self._folder = folder

    def read(self) -> Mapping[str, tuple[Stamp, RunEntry]]:
        """Return what is known, by name of the file; nothing if the index is of no use."""
        rows: Mapping[str, tuple[Stamp, RunEntry]] = {}
        with contextlib.suppress(sqlite3.Error, DamagedError, OSError):
            rows = self._rows()
        return rows

    def _rows(self) -> Mapping[str, tuple[Stamp, RunEntry]]:
        if not self.path.is_file():
            return {}
        with closing(self._opened(writable=False)) as database:
            guard = GuardedReader(database, _SCHEMA)
            guard.limit_values(_MOST_CONTENT)
            query = "SELECT name, size, written, content FROM entries"
            try:
                return {
                    name: (Stamp(size, written), self._entry(name, content))
                    for part in guard.parts(query)
                    for name, size, written, content in part
                }
            except (ValidationError, ValueError, TypeError) as error:
                raise DamagedError(
                    f"the index holds a row of another kind: {error}"
                ) from error

    def _entry(self, name: str, content: str) -> RunEntry:
        told = json.loads(content)
        told["path"] = str(self._folder / name)
        return _ENTRY.validate_python(told)

    def write(
        self, entries: Iterable[tuple[Stamp, RunEntry]], gone: Sequence[str] = ()
    ) -> bool:
        """Keep what was read, in one go.

        Args:
            entries: Rows to add, or to put in the place of those of the same files.
            gone: Names of files that are no more.

        Returns:
            Whether it could be kept; the library works without.
        """
        rows = [
            (entry.path.name, stamp.size, stamp.written, _content(entry))
            for stamp, entry in entries
        ]
        names = [(name,) for name in gone]

        def change(database: sqlite3.Connection) -> None:
            database.executemany(
                "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)", rows
            )
            for table in ("entries", "thumbnails"):
                database.executemany(f"DELETE FROM {table} WHERE name = ?", names)

        return self._change(change)

    def thumbnail(self, name: str, stamp: Stamp) -> bytes | None:
        """Return the picture that is kept of a file as it is now; None for none."""
        query = (
            "SELECT data FROM thumbnails WHERE name = ? AND size = ? AND written = ?"
        )
        with contextlib.suppress(sqlite3.Error, DamagedError, OSError):
            if not self.path.is_file():
                return None
            with closing(self._opened(writable=False)) as database:
                guard = GuardedReader(database, _SCHEMA)
                guard.limit_values(_MOST_CONTENT)
                for (data,) in guard.rows(query, name, stamp.size, stamp.written):
                    return data if isinstance(data, bytes) else None
        return None

    def keep_thumbnail(self, name: str, stamp: Stamp, data: bytes) -> bool:
        """Keep the picture of a file; return whether it could be kept."""
        row = (name, stamp.size, stamp.written, data)

        def change(database: sqlite3.Connection) -> None:
            database.execute(
                "INSERT OR REPLACE INTO thumbnails VALUES (?, ?, ?, ?)", row
            )

        return self._change(change)

    def _change(self, change: Any) -> bool:
        """Write to the index; make it anew, once, if it is of no use."""
        for attempt in range(2):
            try:
                with closing(self._opened(writable=True)) as database:
                    _make_or_check(database)
                    database.execute("BEGIN IMMEDIATE")
                    change(database)
                    database.execute("COMMIT")
            except (sqlite3.DatabaseError, DamagedError, OSError) as error:
                # Busy, full, read-only: another attempt would be no better, and what
                # stands there is not to be thrown away for it.
                if attempt or not _is_useless(error) or not self._remove():
                    return False
            else:
                return True
        return False

    def _opened(self, *, writable: bool) -> sqlite3.Connection:
        mode = "rwc" if writable else "ro"
        address = f"{self.path.absolute().as_uri()}?mode={mode}"
        database = sqlite3.connect(
            address, uri=True, isolation_level=None, timeout=_BUSY_SECONDS
        )
        try:
            harden(database)
            if writable:
                database.execute("PRAGMA journal_mode = DELETE")
                # What a crash of the machine takes is read from the files again.
                database.execute("PRAGMA synchronous = OFF")
            else:
                _check(database)
        except BaseException:
            database.close()
            raise
        return database

    def _remove(self) -> bool:
        try:
            self.path.unlink(missing_ok=True)
            self.path.with_name(f"{INDEX_NAME}-journal").unlink(missing_ok=True)
        except OSError:
            return False
        return True


def _content(entry: RunEntry) -> str:
    content = _ENTRY.dump_python(entry, mode="json")
    # Where the library lies, who writes a file and what waits is asked anew each time.
    for key in ("path", "in_use", "waiting"):
        del content[key]
    return json.dumps(content, allow_nan=True)


def _check(database: sqlite3.Connection) -> None:
    """Refuse an index of another program or version.

    Raises:
        DamagedError: It is one.
        sqlite3.Error: It is no database.
    """
    (program,) = database.execute("PRAGMA application_id").fetchone()
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if (program, version) != (APPLICATION_ID, INDEX_VERSION):
        raise DamagedError(f"an index of version {version}, not {INDEX_VERSION}")


def _make_or_check(database: sqlite3.Connection) -> None:
    """Make the tables of an empty index; refuse one of another kind."""
    database.execute("BEGIN IMMEDIATE")
    try:
        (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if not tables:
            for statement in _SCHEMA.split(";"):
                database.execute(statement)
            database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            database.execute(f"PRAGMA user_version = {INDEX_VERSION}")
        _check(database)
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")
    GuardedReader(database, _SCHEMA)
    database.set_progress_handler(None, 0)


def _is_useless(error: Exception) -> bool:
    """Return whether an index is damaged or foreign, not merely out of reach."""
    if isinstance(error, DamagedError):
        return True
    # Damage is no operational error, and neither is a file that is no database.
    return isinstance(error, sqlite3.DatabaseError) and not isinstance(
        error, sqlite3.OperationalError
    )
