"""The run file: one SQLite database that is the whole run.

Tables, version 3:

* `facts` (key, value): config, environment, status and the like, as JSON.
* `arrays` (name, data): held-out tasks and the newest checkpoint, as safetensors.
* `metrics` (step, seconds, one column for each metric): every outer step; what an older
  version did not count, or an estimator does not have, is NULL.
* `probes` (step, data): losses on every held-out task, as safetensors.
* `snapshots` (step, phi): training states, as safetensors: meta-parameters and, since
  0.4, the state of the outer optimiser.
* `diagnostics` (step, name, value): diagnostics at some steps; NULL for NaN.
* `flags` (step, kind, message): what happened at some step, such as a divergence.

Version 1 has no `diagnostics` and counts no evaluations; version 2 says nothing about
linear solves. Such files are read as they are, and brought to version 3 when their run
goes on.

Rows and the checkpoint they belong to are written in one transaction, so after a crash
the file is the run as it was a moment before. Tensors are never pickled.
"""

import sqlite3
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from metalab.core.errors import UserError
from metalab.engine.events import METRICS, Array

APPLICATION_ID = int.from_bytes(b"mlab", "big")
SCHEMA_VERSION = 3

_MAGIC = b"SQLite format 3\x00"
_HEADER_SIZE = 100
_APPLICATION_ID_AT = 68

_METRICS_SINCE = {
    2: ("gradient_evaluations", "hessian_vector_products"),
    3: ("not_positive_definite_solves", "unconverged_solves", "solve_residual"),
}
"""Metrics that files before a version do not have."""

_DIAGNOSTICS = """
CREATE TABLE diagnostics (
    step INTEGER NOT NULL, name TEXT NOT NULL, value REAL, PRIMARY KEY (step, name)
) WITHOUT ROWID;
"""

_SCHEMA = """
CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE arrays (name TEXT PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE metrics (step INTEGER PRIMARY KEY, seconds REAL NOT NULL, {columns});
CREATE TABLE probes (step INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE snapshots (step INTEGER PRIMARY KEY, phi BLOB NOT NULL);
CREATE TABLE flags (step INTEGER NOT NULL, kind TEXT NOT NULL, message TEXT NOT NULL);
"""

_MIGRATIONS = {
    version: "".join(f"ALTER TABLE metrics ADD COLUMN {name} REAL;\n" for name in names)
    for version, names in _METRICS_SINCE.items()
}
_MIGRATIONS[2] += _DIAGNOSTICS
"""What brings a file to a version from the one before."""


class RunFileError(UserError):
    """A run file that cannot be used; the message names the file and the reason."""


def create_database(path: Path) -> sqlite3.Connection:
    """Create an empty run file.

    Raises:
        RunFileError: The file exists already, or its folder cannot be written to.
    """
    if path.exists():
        raise RunFileError(f"{path} exists already; choose another name")
    if not path.parent.is_dir():
        raise RunFileError(f"{path}: there is no folder {path.parent}")
    try:
        connection = _connect(path, "rwc")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        columns = ", ".join(f"{info.name} REAL" for info in METRICS)
        connection.executescript(_SCHEMA.format(columns=columns) + _DIAGNOSTICS)
        _tune(connection)
    except sqlite3.Error as error:
        raise RunFileError(f"{path} cannot be created: {error}") from error
    return connection


def open_database(path: Path, *, write: bool = False) -> sqlite3.Connection:
    """Open a run file.

    Args:
        path: The file.
        write: Whether the run goes on; otherwise nothing in the file can change.

    Raises:
        RunFileError: No such file, no run file, damaged, or from a newer metalab.
    """
    check_header(path)
    try:
        connection = _connect(path, "rw" if write else "ro")
        found = _version(connection)
    except sqlite3.Error as error:
        raise RunFileError(f"{path} cannot be opened: {error}") from error
    if not 1 <= found <= SCHEMA_VERSION:
        connection.close()
        raise RunFileError(
            f"{path} has format version {found}; this metalab reads 1 to {SCHEMA_VERSION}"
        )
    if write:
        _tune(connection)
    return connection


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a file that is open for writing to the newest version, whole or not at all.

    Raises:
        RunFileError: The file cannot be written, or is damaged.
    """
    try:
        found = _version(connection)
        if found == SCHEMA_VERSION:
            return
        steps = "".join(_MIGRATIONS[v] for v in range(found + 1, SCHEMA_VERSION + 1))
        connection.executescript(
            f"BEGIN IMMEDIATE; {steps} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
        )
    except sqlite3.Error as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise RunFileError(
            f"the run file cannot be brought up to date: {error}"
        ) from error


def _version(connection: sqlite3.Connection) -> int:
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    return found


def metric_columns(connection: sqlite3.Connection) -> list[str]:
    """Return what to select for each of `METRICS`: NULL where the file is too old."""
    found = _version(connection)
    lacking = {
        name
        for version, names in _METRICS_SINCE.items()
        if found < version
        for name in names
    }
    return ["NULL" if info.name in lacking else info.name for info in METRICS]


def has_diagnostics(connection: sqlite3.Connection) -> bool:
    """Return whether the file is new enough to hold diagnostics."""
    return _version(connection) >= 2


def check_header(path: Path) -> None:
    """Refuse what is not a run file, from its first bytes; nothing is opened.

    Raises:
        RunFileError: No such file, unreadable, or not a run file.
    """
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_SIZE)
    except OSError as error:
        raise RunFileError(f"{path} cannot be read: {error.strerror}") from error
    found = (
        struct.unpack_from(">I", header, _APPLICATION_ID_AT)[0]
        if len(header) == _HEADER_SIZE and header.startswith(_MAGIC)
        else None
    )
    if found != APPLICATION_ID:
        raise RunFileError(f"{path} is not a metalab run file")


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        timeout=10.0,
        # The file is opened where the run is prepared and written by the run's thread;
        # never by two at once.
        check_same_thread=False,
    )


def _tune(connection: sqlite3.Connection) -> None:
    # Readers never block the writer; a crash of the process loses nothing committed.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


def packed(arrays: Mapping[str, Array]) -> bytes:
    """Return named arrays as safetensors."""
    return safetensors.numpy.save(
        {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    )


def unpacked(data: bytes) -> dict[str, Array]:
    """Return the arrays of `packed`, read-only.

    Raises:
        RunFileError: The data are damaged.
    """
    try:
        arrays = safetensors.numpy.load(data)
    except SafetensorError as error:
        raise RunFileError(f"damaged arrays in the run file: {error}") from error
    for array in arrays.values():
        array.flags.writeable = False
    return arrays
