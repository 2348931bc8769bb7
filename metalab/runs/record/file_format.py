"""The run file: one SQLite database that is the whole run.

Tables, version 3:

* `facts` (key, value): config, environment, status and the like, as JSON.
* `arrays` (name, data): held-out tasks and the newest checkpoint, as safetensors; since
  0.8 "table NAME@HASH", the file that the tasks are rows of, compressed by zlib.
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

While a run goes on, its file is such a database as it was when the run began or went on,
and a log of all that came since (`runs.record.log`): each record holds rows and the
checkpoint they belong to, so after a crash, and in a copy made at any moment, the file is
the run as it was a moment before. When the run ends, a database with all of it takes the
file's place. Tensors are never pickled.
"""

import sqlite3
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import safetensors.numpy
from pydantic import BaseModel, Field, StrictInt, TypeAdapter, ValidationError
from safetensors import SafetensorError

from metalab.core.errors import UserError
from metalab.core.paths import obstacle_to_read
from metalab.engine.events import METRICS, Array
from metalab.experiment.plain_data import PlainDataError, from_json

APPLICATION_ID = int.from_bytes(b"mlab", "big")
SCHEMA_VERSION = 3
LOG_VERSION = 4
"""The version of a file with a log behind its database, whose tables are those of version
3. Earlier metalabs refuse it: they would not see the log."""

TABLE = "table "
"""Of the name of a table that a run carries; what experiments call it follows."""

_MAGIC = b"SQLite format 3\x00"
_HEADER_SIZE = 100
_APPLICATION_ID_AT = 68
_MOST_HEADER_BYTES = 100_000
"""Of what safetensors says of the arrays; a state has three."""

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


class RunBusyError(RunFileError):
    """A run file that another process is writing, or has written to just now."""


def make_tables(connection: sqlite3.Connection) -> None:
    """Make the tables of a run in an empty database.

    Raises:
        sqlite3.Error: They cannot be made.
    """
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    columns = ", ".join(f"{info.name} REAL" for info in METRICS)
    connection.executescript(_SCHEMA.format(columns=columns) + _DIAGNOSTICS)


def check_version(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a database of a newer metalab.

    Raises:
        RunFileError: It is from a newer one, or damaged.
    """
    try:
        found = _version(connection)
    except sqlite3.Error as error:
        raise RunFileError(f"{path} cannot be opened: {error}") from error
    if not 1 <= found <= SCHEMA_VERSION:
        raise RunFileError(
            f"{path} has format version {found}; this metalab reads 1 to {LOG_VERSION}"
        )


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


def schema_of(connection: sqlite3.Connection) -> str:
    """Return SQL that makes the tables of a file of the same version."""
    found = _version(connection)
    lacking = {
        name
        for version, names in _METRICS_SINCE.items()
        if version > found
        for name in names
    }
    names = [info.name for info in METRICS if info.name not in lacking]
    tables = _SCHEMA.format(columns=", ".join(f"{name} REAL" for name in names))
    return tables if found < 2 else tables + _DIAGNOSTICS


def check_header(path: Path) -> None:
    """Refuse what is not a run file, from its first bytes; nothing is opened.

    Raises:
        RunFileError: No such file, unreadable, or not a run file.
    """
    obstacle = obstacle_to_read(path)
    if obstacle is not None:
        raise RunFileError(f"{path} cannot be read: {obstacle}")
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


def packed(arrays: Mapping[str, Array]) -> bytes:
    """Return named arrays as safetensors."""
    return safetensors.numpy.save(
        {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    )


class _ArrayEntry(BaseModel):
    """What the header of safetensors says of one array."""

    dtype: Literal["F32", "F64"]
    shape: Annotated[tuple[StrictInt, ...], Field(max_length=4)]
    data_offsets: tuple[StrictInt, StrictInt]


_ARRAY_ENTRIES = TypeAdapter(dict[str, _ArrayEntry])


def unpacked(data: object) -> dict[str, Array]:
    """Return the arrays of `packed`, read-only.

    Raises:
        RunFileError: The data are damaged, or other arrays than of real numbers.
    """
    if not isinstance(data, bytes):
        raise RunFileError(f"damaged arrays in the run file: {type(data).__name__}")
    size = int.from_bytes(data[:8], "little")
    try:
        if size > min(len(data), _MOST_HEADER_BYTES):
            raise RunFileError("damaged arrays in the run file: header too long")
        _ARRAY_ENTRIES.validate_python(from_json(data[8 : 8 + size]))
        arrays = safetensors.numpy.load(data)
    except PlainDataError as error:
        raise RunFileError(f"damaged arrays in the run file: header {error}") from error
    except ValidationError as error:
        entry = error.errors()[0]
        place = ".".join(str(part)[:40] for part in entry["loc"])
        raise RunFileError(
            f"damaged arrays in the run file: header, {place}: {entry['msg']}"
        ) from error
    except SafetensorError as error:
        raise RunFileError(f"damaged arrays in the run file: {error}") from error
    for array in arrays.values():
        array.flags.writeable = False
    return arrays
