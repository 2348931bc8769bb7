"""Run files that no run wrote: each way to spoil one, by name."""

import json
import random
import shutil
import sqlite3
import struct
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from metalab.runs.record import log as run_log
from metalab.runs.record.file_format import LOG_VERSION
from tests.fuzz.odd_values import (
    NUMBERS,
    as_json,
    changed,
    damaged,
    odd_json,
    odd_value,
)

TABLES = ("facts", "arrays", "metrics", "probes", "snapshots", "diagnostics", "flags")
BLOBS = {"arrays": "data", "probes": "data", "snapshots": "phi"}
PAGE = 4096
_MOST_SECONDS = 2.0

Spoil = Callable[[random.Random, Path], None]


_LONGEST_VALUE = 10_000_000
"""Bytes; no run of the campaign holds a longer one of its own."""


def edited(path: Path, *statements: tuple[str, tuple[Any, ...]]) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA synchronous = OFF")
        for sql, values in statements:
            try:
                database.execute(sql, values)
            except (sqlite3.Error, OverflowError, UnicodeEncodeError):
                continue  # the mutant is then another one


def rows_of(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as database:
        # A file that is spoilt a second time may have a view without end by now, of rows
        # of 900 MB: ten of them, and the machine ends the campaign instead of the reader.
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)
        end = time.monotonic() + _MOST_SECONDS
        database.set_progress_handler(lambda: time.monotonic() > end, 10_000)
        return database.execute(sql).fetchall()


def bytes_spoilt(rng: random.Random, path: Path) -> None:
    path.write_bytes(damaged(rng, path.read_bytes()))


def page_spoilt(rng: random.Random, path: Path) -> None:
    """Damage the structure of one page: its header and the pointers behind it."""
    data = bytearray(path.read_bytes())
    page = rng.randrange(len(data) // PAGE)
    start = page * PAGE + (100 if page == 0 else 0)
    for _ in range(rng.choice([1, 2, 5])):
        data[start + rng.randrange(60)] = rng.randrange(256)
    path.write_bytes(data)


def pages_swapped(rng: random.Random, path: Path) -> None:
    data = bytearray(path.read_bytes())
    count = len(data) // PAGE
    one, other = rng.randrange(1, count), rng.randrange(1, count)
    data[one * PAGE : (one + 1) * PAGE] = data[other * PAGE : (other + 1) * PAGE]
    path.write_bytes(data)


def header_spoilt(rng: random.Random, path: Path) -> None:
    data = bytearray(path.read_bytes())
    at = rng.choice(
        [16, 18, 19, 20, 21, 22, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60, 64]
    )
    data[at : at + 4] = rng.choice([bytes(4), b"\xff" * 4, rng.randbytes(4)])
    path.write_bytes(data)


def fact_of_another_kind(rng: random.Random, path: Path) -> None:
    keys = [key for (key,) in rows_of(path, "SELECT key FROM facts")]
    value = rng.choice(
        [as_json(rng, odd_value(rng)), odd_json(rng), b"\x80\xff", 7, 0.5]
    )
    edited(
        path, ("UPDATE facts SET value = ? WHERE key = ?", (value, rng.choice(keys)))
    )


def fact_changed_within(rng: random.Random, path: Path) -> None:
    found = dict(rows_of(path, "SELECT key, value FROM facts"))
    key = rng.choice([*found, "config", "config", "edits", "origin"])
    value = as_json(rng, changed(rng, json.loads(found[key])))
    edited(path, ("UPDATE facts SET value = ? WHERE key = ?", (value, key)))


def fact_lost(rng: random.Random, path: Path) -> None:
    keys = [key for (key,) in rows_of(path, "SELECT key FROM facts")]
    edited(path, ("DELETE FROM facts WHERE key = ?", (rng.choice(keys),)))


def facts_added(rng: random.Random, path: Path) -> None:
    count = rng.choice([1, 30, 5000])
    add = "INSERT OR REPLACE INTO facts VALUES (?, ?)"
    edited(path, *((add, (f"more {i}", "1")) for i in range(count)))


def cell_of_another_kind(rng: random.Random, path: Path) -> None:
    """Put a value of another type where a number, a text or a blob belongs."""
    table = rng.choice(TABLES)
    columns = [row[1] for row in rows_of(path, f"PRAGMA table_xinfo({table})")]
    column = rng.choice(columns)
    value = rng.choice([*NUMBERS, None, "text", "12", b"\x00\x01", "", b"", "nan"])
    value = float(value) if isinstance(value, int) and abs(value) >= 2**63 else value
    loosened(path, table)
    which = rng.choice(
        ["", f" WHERE {columns[0]} = (SELECT max({columns[0]}) FROM {table})"]
    )
    edited(path, (f"UPDATE {table} SET {column} = ?{which}", (value,)))


def loosened(path: Path, table: str) -> None:
    """Make a table without its constraints, so that anything can be put into it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA writable_schema = ON")
        database.execute(
            "UPDATE sqlite_master SET sql = replace(sql, 'NOT NULL', '') WHERE name = ?",
            (table,),
        )


def rows_lost(rng: random.Random, path: Path) -> None:
    table = rng.choice(TABLES)
    which = rng.choice(["", " WHERE rowid % 2 = 0", " WHERE step > 20"])
    edited(path, (f"DELETE FROM {table}{which}", ()))


def steps_moved(rng: random.Random, path: Path) -> None:
    table = rng.choice(["metrics", "probes", "snapshots", "diagnostics", "flags"])
    by = rng.choice([1, -1, 1000, -1000, 10**9, 10**12, -(10**15), 2**62])
    edited(path, (f"UPDATE {table} SET step = step + ?", (by,)))


def rows_added(rng: random.Random, path: Path) -> None:
    step = rng.choice([-5, 0, 31, 10**6, 2**62])
    value = rng.choice([0.5, float("inf"), -1e308, None, "text"])
    name = rng.choice(
        ["gradient_cosine", "distance_layer_9", "distance_layer_x", "no", ""]
    )
    edited(
        path,
        ("INSERT OR REPLACE INTO metrics (step, seconds, outer_loss) VALUES (?, ?, ?)",
         (step, value, value)),
        ("INSERT OR REPLACE INTO diagnostics VALUES (?, ?, ?)", (step, name, value)),
        ("INSERT INTO flags VALUES (?, ?, ?)", (step, "diverged", "text")),
    )  # fmt: skip


def a_blob(rng: random.Random, path: Path) -> tuple[str, str, int, bytes]:
    table = rng.choice(list(BLOBS))
    column = BLOBS[table]
    found = rows_of(path, f"SELECT rowid, {column} FROM {table}")
    rowid, data = rng.choice(found)
    return table, column, rowid, data


def put_blob(path: Path, table: str, column: str, rowid: int, data: object) -> None:
    edited(path, (f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (data, rowid)))


def blob_spoilt(rng: random.Random, path: Path) -> None:
    table, column, rowid, data = a_blob(rng, path)
    others = ["text", 5, 0.5, b"", bytes(8), b"\xff" * 8, b"\xff" * 7 + b"\x00{}"]
    value = rng.choice([damaged(rng, data), damaged(rng, data), rng.choice(others)])
    put_blob(path, table, column, rowid, value)


def blob_header_changed(rng: random.Random, path: Path) -> None:
    table, column, rowid, data = a_blob(rng, path)
    size = int.from_bytes(data[:8], "little")
    header = changed(rng, json.loads(data[8 : 8 + size]))
    text = as_json(rng, header).encode("utf-8", "surrogatepass")
    length = rng.choice([len(text), len(text), len(text), 2**63, 2**31])
    put_blob(
        path, table, column, rowid, struct.pack("<Q", length) + text + data[8 + size :]
    )


def arrays_of_other_shapes(rng: random.Random, path: Path) -> None:
    table, column, rowid, data = a_blob(rng, path)
    arrays = dict(safetensors.numpy.load(data))
    name = rng.choice(list(arrays))
    one = arrays[name]
    arrays[name] = rng.choice(
        [
            one[:-1], one[None], one.reshape(-1), np.zeros(0, one.dtype), np.float64(1)[None],
            one.astype(np.float64), one.astype(np.int32), one.astype(np.float16), one > 0,
            np.zeros((300, 1000), one.dtype), one.T.copy(), np.full_like(one, np.nan),
            np.full_like(one, np.inf), one * 1e30, np.full_like(one, 3.0e38), -one,
        ]
    )  # fmt: skip
    if rng.random() < 0.2:
        arrays[rng.choice(["more", "slot0", "slot9", "phi", ""])] = arrays.pop(name)
    put_blob(path, table, column, rowid, safetensors.numpy.save(arrays))


def arrays_of_another_run(rng: random.Random, path: Path) -> None:
    """Swap blobs between tables: a snapshot for a checkpoint, losses for tasks."""
    table, column, rowid, _ = a_blob(rng, path)
    put_blob(path, table, column, rowid, a_blob(rng, path)[3])


ENDLESS = (
    "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT {} FROM c"
)


def view_for_a_table(rng: random.Random, path: Path) -> None:
    table = rng.choice(TABLES)
    columns = [row[1] for row in rows_of(path, f"PRAGMA table_xinfo({table})")]
    value = rng.choice(
        ["n", "zeroblob(900000000)", "'x'", "randomblob(100000)", "NULL"]
    )
    body = ENDLESS.format(", ".join(f"{value} AS {name}" for name in columns))
    if rng.random() < 0.2:
        body = f"SELECT * FROM {rng.choice(TABLES)}"
    edited(path, (f"DROP TABLE {table}", ()), (f"CREATE VIEW {table} AS {body}", ()))


def something_beside_the_tables(rng: random.Random, path: Path) -> None:
    table = rng.choice(TABLES)
    statements = [
        f"CREATE TRIGGER t AFTER INSERT ON {table} BEGIN DELETE FROM metrics; END",
        f"CREATE TRIGGER t BEFORE UPDATE ON {table} BEGIN SELECT raise(ABORT, 'no'); END",
        f"CREATE INDEX i ON {table} (1)",
        f"CREATE INDEX i ON {table} (length(zeroblob(900000000)))",
        "CREATE TABLE more (x)",
        "CREATE TABLE sqlite_more (x)",
        "CREATE VIEW more AS SELECT 1",
        "CREATE VIRTUAL TABLE more USING fts5(x)",
        "CREATE VIRTUAL TABLE more USING rtree(a, b, c)",
        f"ALTER TABLE {table} ADD COLUMN more",
        f"ALTER TABLE {table} ADD COLUMN more AS (zeroblob(900000000)) VIRTUAL",
        f"ALTER TABLE {table} RENAME TO other",
        f"DROP TABLE {table}",
        "ANALYZE",
        "VACUUM",
    ]
    edited(path, (rng.choice(statements), ()))
    if rng.random() < 0.1:
        edited(path, *((f"CREATE TABLE t{i} (x)", ()) for i in range(300)))


def schema_rewritten(rng: random.Random, path: Path) -> None:
    table = rng.choice(TABLES)
    changes: list[tuple[str, Any]] = [
        ("rootpage", rng.choice([0, 1, 2, 3, 4, 5, 99999, -1])),
        (
            "sql",
            rng.choice(["", None, "nonsense", "SELECT 1", f"CREATE TABLE {table} (x)"]),
        ),
        ("sql", f"CREATE VIEW {table} AS SELECT 1"),
        ("sql", f"CREATE VIRTUAL TABLE {table} USING fts5(x)"),
        ("name", rng.choice(["", "sqlite_x", "other", None, "metrics"])),
        ("type", rng.choice(["view", "trigger", "index", "", None])),
        (
            "sql",
            f"CREATE TABLE {table} (" + ", ".join(f"c{i}" for i in range(3000)) + ")",
        ),
    ]
    column, value = rng.choice(changes)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA writable_schema = ON")
        database.execute(
            f"UPDATE sqlite_master SET {column} = ? WHERE name = ?", (value, table)
        )


def marks_changed(rng: random.Random, path: Path) -> None:
    version = rng.choice([0, 1, 3, 99, 2**31 - 1, -1])
    identity = rng.choice([0, 1, 1835819362, -1])
    sql = rng.choice(
        [f"PRAGMA user_version = {version}", f"PRAGMA application_id = {identity}"]
    )
    edited(path, (sql, ()))


def foreign_side_file(rng: random.Random, path: Path) -> None:
    """Put a log, a journal or an index of something else beside the file."""
    suffix = rng.choice(["-wal", "-journal", "-shm"])
    if rng.random() < 0.5:
        edited(path, ("PRAGMA journal_mode = WAL", ()))
    other = path.with_name("other.db")
    shutil.copyfile(path, other)
    with closing(sqlite3.connect(other, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("UPDATE facts SET value = '\"x\"' WHERE key = 'status'")
        log = other.with_name("other.db-wal").read_bytes()
    other.unlink()
    data = rng.choice([log, damaged(rng, log), rng.randbytes(5000), b"", bytes(40_000)])
    path.with_name(path.name + suffix).write_bytes(data)


def log_of_odd_records(rng: random.Random, path: Path) -> None:
    """Make of it the file of a run that goes on, with records that no run writes."""
    facts = dict(rows_of(path, "SELECT key, value FROM facts"))
    edited(path, (f"PRAGMA user_version = {LOG_VERSION}", ()))
    with path.open("ab") as file:
        for number in range(1, rng.choice([2, 3, 5])):
            record = run_log.encoded(odd_additions(rng, path, facts), number)
            ways = [as_it_is, as_it_is, content_changed, damaged]
            file.write(rng.choice(ways)(rng, record))


def as_it_is(_rng: random.Random, record: bytes) -> bytes:
    return record


def odd_additions(
    rng: random.Random, path: Path, facts: dict[str, Any]
) -> run_log.Additions:
    key = rng.choice([*facts, "config", "checkpoint_step", "more"])
    rows = np.zeros((rng.choice([0, 1, 5]), len(run_log.METRIC_COLUMNS)))
    rows[:, 0] = np.arange(len(rows)) + rng.choice(
        [1, 21, 10**9, -7, 0.5, np.nan, 1e300]
    )
    step = rng.choice([20, 21, -1, 2**62, 2**70, 10**9, "x"])
    blob = rng.choice([b"", b"\xff" * 9, a_blob(rng, path)[3], rng.randbytes(100)])
    name = rng.choice(["checkpoint", "held-out tasks", "more", "", "a/b"])
    more = rng.random() < 0.5
    return run_log.Additions(
        rewound_to=rng.choice([None, 0, 10, -3, 2**70]),
        facts={key: as_json(rng, odd_value(rng))} if rng.random() < 0.5 else {},
        arrays={name: blob} if rng.random() < 0.3 else {},
        metrics=rng.choice([rows, rows, rows[:, :-1], np.zeros((2, 11), np.float32)]),
        probes={step: blob} if more else {},
        snapshots={step: blob} if rng.random() < 0.3 else {},
        diagnostics=[(step, rng.choice(["gradient_cosine", "no", ""]), 0.5)],
        flags=[(step, "diverged", "text")],
    )


def content_changed(rng: random.Random, record: bytes) -> bytes:
    """Change what a record holds, and make its checksum fit."""
    mark, _, number, length = run_log._HEAD.unpack_from(record)
    content = record[run_log._HEAD.size :]
    tensors = safetensors.numpy.load(content)
    if rng.random() < 0.5:
        text = changed(rng, json.loads(tensors["text"].tobytes()))
        data = as_json(rng, text).encode("utf-8", "surrogatepass")
        tensors["text"] = np.frombuffer(data, dtype=np.uint8)
        content = safetensors.numpy.save(tensors)
    else:
        content = damaged(rng, content)
    number = rng.choice([number, number, number, 0, 2**63])
    length = rng.choice([len(content), len(content), len(content), 2**63, length])
    head = run_log._HEAD.pack(mark, 0, number, length)
    return (
        run_log._HEAD.pack(mark, run_log._checksum(head, content), number, length)
        + content
    )


RUN_SPOILS: dict[str, Spoil] = {
    spoil.__name__: spoil
    for spoil in (
        bytes_spoilt, page_spoilt, pages_swapped, header_spoilt, fact_of_another_kind,
        fact_changed_within, fact_changed_within, fact_lost, facts_added,
        cell_of_another_kind, rows_lost, steps_moved, rows_added, blob_spoilt,
        blob_header_changed, arrays_of_other_shapes, arrays_of_another_run,
        view_for_a_table, something_beside_the_tables, schema_rewritten, marks_changed,
        foreign_side_file, log_of_odd_records,
    )
}  # fmt: skip
