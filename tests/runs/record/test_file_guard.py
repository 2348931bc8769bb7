"""A database is read only if it is the tables of a run, and nothing that acts."""

import sqlite3
from contextlib import closing

import pytest

from metalab.runs.record import file_guard
from metalab.runs.record.file_guard import DamagedError, GuardedReader, harden

SCHEMA = """
CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE metrics (step INTEGER PRIMARY KEY, seconds REAL NOT NULL);
"""
ENDLESS = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c)"


@pytest.fixture
def opened(tmp_path):
    """Open what some statements make after the tables of a run."""
    connections = []

    def one(*statements):
        path = tmp_path / "a.db"
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.executescript(SCHEMA)
            for statement in statements:
                database.execute(statement)
        connection = sqlite3.connect(path, isolation_level=None)
        connections.append(connection)
        harden(connection)
        return GuardedReader(connection, SCHEMA)

    yield one
    for connection in connections:
        connection.close()


def test_the_tables_of_a_run_are_read(opened):
    database = opened(
        "INSERT INTO metrics VALUES (1, 0.5), (2, 0.6)",
        "INSERT INTO facts VALUES ('a', '1')",
        # Its own statistics, which somebody's tool may have made.
        "ANALYZE",
    )
    assert list(database.rows("SELECT * FROM metrics")) == [(1, 0.5), (2, 0.6)]
    assert list(database.parts("SELECT step FROM metrics")) == [[(1,), (2,)]]
    assert database.has("facts")
    assert not database.has("diagnostics")
    database.check_whole()


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (["DROP TABLE metrics"], "no table metrics"),
        (
            ["DROP TABLE metrics", f"CREATE VIEW metrics AS {ENDLESS} SELECT n FROM c"],
            "'metrics' is no part",
        ),
        (
            ["CREATE TRIGGER t AFTER INSERT ON facts BEGIN DELETE FROM metrics; END"],
            "'t' is no part",
        ),
        (["CREATE INDEX i ON metrics (seconds)"], "'i' is no part"),
        (["CREATE TABLE more (x)"], "'more' is no table"),
        (["CREATE VIRTUAL TABLE more USING rtree(a, b, c)"], "'more.*' is no table"),
        (["ALTER TABLE metrics ADD COLUMN more REAL"], "metrics has other columns"),
        (
            ["ALTER TABLE metrics ADD COLUMN more AS (zeroblob(900000000)) VIRTUAL"],
            "metrics has other columns",
        ),
        (["ALTER TABLE metrics RENAME COLUMN seconds TO hours"], "other columns"),
        (["DROP TABLE facts", "CREATE TABLE facts (key BLOB, value TEXT)"], "columns"),
        ([f"CREATE TABLE t{i} (x)" for i in range(70)], "64 tables or more"),
    ],
)
def test_anything_else_is_named_and_not_read(opened, statements, words):
    with pytest.raises(DamagedError, match=words):
        opened(*statements)


def test_a_statement_without_end_is_ended(opened, monkeypatch):
    database = opened()
    monkeypatch.setattr(file_guard, "OPERATIONS_AT_ONCE", 100_000)
    with pytest.raises(sqlite3.OperationalError, match="interrupted"):
        list(database.rows(f"{ENDLESS} SELECT max(n) FROM c"))
    # Rows that come one after the other are no statement without end.
    seen = 0
    for _ in database.parts(f"{ENDLESS} SELECT n FROM c LIMIT 200000"):
        seen += 1
    assert seen == 4


def test_a_value_is_not_read_beyond_its_bound(opened):
    database = opened("INSERT INTO facts VALUES ('a', printf('%.100000c', 'x'))")
    database.limit_values(50_000)
    with pytest.raises(sqlite3.DataError, match="too big"):
        list(database.rows("SELECT value FROM facts"))
    database.limit_values(200_000)
    assert len(list(database.rows("SELECT value FROM facts"))) == 1


def test_a_page_that_is_damaged_is_found_before_anything_is_written(tmp_path):
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.executescript(SCHEMA)
        rows = ((step, 0.5) for step in range(10_000))
        database.execute("BEGIN")
        database.executemany("INSERT INTO metrics VALUES (?, ?)", rows)
        database.execute("COMMIT")
    data = bytearray(path.read_bytes())
    page = 20 * 4096
    data[page : page + 4096] = data[page + 4096 : page + 8192]
    path.write_bytes(data)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        harden(connection)
        with pytest.raises(DamagedError):
            GuardedReader(connection, SCHEMA).check_whole()


def test_what_a_database_says_of_itself_is_not_trusted():
    with closing(sqlite3.connect(":memory:")) as connection:
        harden(connection)
        assert connection.execute("PRAGMA trusted_schema").fetchone() == (0,)
        assert connection.execute("PRAGMA cell_size_check").fetchone() == (1,)
