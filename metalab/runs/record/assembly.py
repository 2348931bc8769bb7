"""The database of a run file as it is to be read: with its log, and never in place.

Three kinds of file hold a run:

* one plain database: a run that was closed. Nothing changes it, so it is read as it is;
* a database with a log behind it (`LOG_VERSION`): a run that goes on, one that was
  killed, or a copy of either. Database and log are put together in a private database;
* a database of metalab 0.5 or earlier that was killed: the newest of it lies in a
  journal beside it, which SQLite would have to work into the file. A private copy of
  both is read.

So reading writes nothing to the file or beside it, and needs no right to.
"""

import os
import shutil
import sqlite3
import struct
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from metalab.runs.record.file_format import (
    LOG_VERSION,
    SCHEMA_VERSION,
    RunFileError,
    check_header,
    check_version,
    schema_of,
)
from metalab.runs.record.file_guard import DamagedError, GuardedReader, harden
from metalab.runs.record.log import METRIC_COLUMNS, Additions, LogError, records

_HEADER_SIZE = 100
_JOURNALS = ("-wal", "-journal")
_TRIES = 5
_STEP_TABLES = ("metrics", "probes", "snapshots", "diagnostics")
_INSERT_METRICS = "INSERT OR REPLACE INTO metrics ({}) VALUES ({})".format(
    ", ".join(METRIC_COLUMNS), ", ".join("?" * len(METRIC_COLUMNS))
)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the parts of a run file lie.

    Attributes:
        version: Format version.
        log_start: Where the log begins: behind the pages of the database, in bytes.
    """

    version: int
    log_start: int

    @classmethod
    def of(cls, file: BinaryIO) -> "Layout":
        """Read the layout from the header of the database.

        Raises:
            OSError: The file cannot be read.

        Source: "Database File Format", section 1.3, sqlite.org/fileformat2.html.
        """
        file.seek(0)
        header = file.read(_HEADER_SIZE).ljust(_HEADER_SIZE, b"\x00")
        (page_size,) = struct.unpack_from(">H", header, 16)
        (num_pages,) = struct.unpack_from(">I", header, 28)
        (version,) = struct.unpack_from(">I", header, 60)
        # A page of 65,536 bytes does not fit into two of them.
        return cls(version, num_pages * (65_536 if page_size == 1 else page_size))


def open_database(path: Path) -> sqlite3.Connection:
    """Open a run file for reading; nothing is written to it or beside it.

    Raises:
        RunFileError: No such file, no run file, damaged, or from a newer metalab.
    """
    check_header(path)
    try:
        connection = _readable(path)
    except (sqlite3.Error, LogError, OSError) as error:
        raise RunFileError(f"{path} cannot be opened: {error}") from error
    except DamagedError as error:
        raise RunFileError(f"{path} is damaged: {error}") from error
    try:
        check_version(connection, path)
    except RunFileError:
        connection.close()
        raise
    return connection


def _readable(path: Path) -> sqlite3.Connection:
    with path.open("rb") as file:
        layout = Layout.of(file)
    if layout.version != LOG_VERSION and not _has_journal(path):
        return read_in_place(path)
    database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    try:
        fill(database, path)
        harden(database)
    except BaseException:
        database.close()
        raise
    return database


def fill(database: sqlite3.Connection, path: Path) -> None:
    """Put the database of a run file, with its log, into an empty database.

    Raises:
        sqlite3.Error: No database, damaged, or no room.
        LogError: The log is damaged.
        DamagedError: The database has other tables than a run file's.
        OSError: The file cannot be read.
    """
    for _ in range(_TRIES):
        with path.open("rb") as file, _source(path, file) as source:
            # A run that is closed or goes on just now puts another file in this one's
            # place: its database must not be taken together with the log of this one.
            if os.path.samestat(path.stat(), os.fstat(file.fileno())):
                source.backup(database)
                _apply_log(database, file)
                return
    raise OSError(f"{path.name} is replaced again and again")


def read_in_place(path: Path) -> sqlite3.Connection:
    """Open a database that nothing changes for reading: no lock, no file beside it.

    Raises:
        sqlite3.Error: It cannot be opened.
    """
    return _connected(f"{path.absolute().as_uri()}?mode=ro&immutable=1")


def _connected(address: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        address, uri=True, isolation_level=None, check_same_thread=False
    )
    try:
        harden(connection)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


@contextmanager
def _source(path: Path, file: BinaryIO) -> Generator[sqlite3.Connection]:
    """Yield the database of a file without its log."""
    if Layout.of(file).version == LOG_VERSION or not _has_journal(path):
        with closing(read_in_place(path)) as source:
            # Opens the file, which SQLite puts off until it needs something of it.
            source.execute("PRAGMA schema_version")
            yield source
        return
    with TemporaryDirectory(prefix="metalab-") as folder:
        private = Path(folder) / "run"
        for suffix in ("", *_JOURNALS):
            beside = path.with_name(path.name + suffix)
            if beside.is_file():
                shutil.copyfile(beside, private.with_name(private.name + suffix))
        with closing(_connected(f"{private.as_uri()}?mode=rw")) as source:
            yield source


def _has_journal(path: Path) -> bool:
    """Return whether SQLite would first have to work a journal into the file."""
    beside = (path.with_name(path.name + suffix) for suffix in _JOURNALS)
    # Not Path.is_file: a name too long for a journal is an error to that.
    return any(os.path.isfile(file) and file.stat().st_size > 0 for file in beside)  # noqa: PTH113


def _apply_log(database: sqlite3.Connection, file: BinaryIO) -> None:
    layout = Layout.of(file)
    if layout.version != LOG_VERSION:
        return
    end = file.seek(0, os.SEEK_END)
    harden(database)
    # Before anything is written: what looks like a table may do anything then.
    guard = GuardedReader(database, schema_of(database))
    database.execute("BEGIN")
    try:
        facts: dict[str, str] = {}
        arrays: dict[str, bytes] = {}
        for additions in records(file, layout.log_start, end):
            facts |= additions.facts
            arrays |= additions.arrays
            guard.renew()
            _apply_rows(database, additions)
        guard.renew()
        write_newest(database, facts, arrays)
        database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    except BaseException as error:
        database.execute("ROLLBACK")
        if isinstance(error, UnicodeError):
            raise LogError(f"a record of the log is damaged: {error}") from error
        raise
    database.execute("COMMIT")
    database.set_progress_handler(None, 0)


def write_newest(
    database: sqlite3.Connection,
    facts: Mapping[str, str],
    arrays: Mapping[str, bytes],
) -> None:
    """Write what replaces earlier values.

    Raises:
        sqlite3.Error: It cannot be written.
    """
    database.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", facts.items())
    database.executemany("INSERT OR REPLACE INTO arrays VALUES (?, ?)", arrays.items())


def _apply_rows(database: sqlite3.Connection, additions: Additions) -> None:
    if additions.rewound_to is not None:
        for table in _STEP_TABLES:
            database.execute(
                f"DELETE FROM {table} WHERE step > ?", (additions.rewound_to,)
            )
    database.executemany(_INSERT_METRICS, additions.metrics.tolist())
    database.executemany(
        "INSERT OR REPLACE INTO probes VALUES (?, ?)", additions.probes.items()
    )
    database.executemany(
        "INSERT OR REPLACE INTO snapshots VALUES (?, ?)", additions.snapshots.items()
    )
    database.executemany(
        "INSERT OR REPLACE INTO diagnostics VALUES (?, ?, ?)", additions.diagnostics
    )
    database.executemany("INSERT INTO flags VALUES (?, ?, ?)", additions.flags)
