"""A run file that is damaged, or made to do harm: one sentence that names the part."""

import json
import sqlite3
from contextlib import closing

import numpy as np
import pytest
import safetensors.numpy

from metalab.experiment.config import preset_config
from metalab.experiment.fields import with_overrides
from metalab.runs.record.file_format import RunFileError, packed, unpacked
from metalab.runs.record.reader import (
    check_whole,
    open_run,
    stored_state_before,
    whole_rows,
)
from metalab.runs.running.resume import prepare_resume
from tests.support.stored import run_to


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run file of every kind of row."""
    path = tmp_path_factory.mktemp("whole") / "whole.metalab"
    config = with_overrides(
        preset_config("maml-sine"),
        [
            ("outer.num_steps", 60),
            ("outer.num_tasks", 4),
            ("model.hidden_sizes", [8]),
            ("evaluation.num_tasks", 16),
            ("evaluation.num_queries", 10),
            ("evaluation.num_inner_steps", 3),
            ("evaluation.every", 10),
            ("diagnostics.every", 10),
            ("run.provider", "autodiff"),
        ],
    )
    run_to(path, config, stop_at=20)
    return path


@pytest.fixture
def spoilt(whole, tmp_path):
    """Return a copy of the file after some statements."""
    path = tmp_path / "a run.metalab"

    def make(*statements):
        path.write_bytes(whole.read_bytes())
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            # So that what no run writes can be put in: a NULL, a text for a number.
            database.execute("PRAGMA writable_schema = ON")
            database.execute(
                "UPDATE sqlite_master SET sql = replace(sql, 'NOT NULL', '')"
            )
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            for sql, *values in statements:
                database.execute(sql, values)
        return path

    return make


def fact(key, value):
    text = value if isinstance(value, str | bytes | None) else json.dumps(value)
    return "INSERT OR REPLACE INTO facts VALUES (?, ?)", key, text


def setting(whole, path, value):
    """Return the fact of the same experiment with another setting, unchecked."""
    with closing(sqlite3.connect(whole)) as database:
        (text,) = database.execute(
            "SELECT value FROM facts WHERE key = 'config'"
        ).fetchone()
    content = json.loads(text)
    *way, last = path.split(".")
    place = content
    for part in way:
        place = place[part]
    place[last] = value
    return fact("config", content)


def test_the_file_is_whole_before_it_is_spoilt(spoilt):
    path = spoilt()
    run = open_run(path)
    assert run.history.step == run.checkpoint.step == 20
    check_whole(path)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("status", "no such status", "fact 'status' is not JSON"),
        ("status", '"asleep"', "fact 'status' is 'asleep'"),
        ("status", "[" * 50_000, "fact 'status' is JSON that holds more than 20"),
        ("checkpoint_step", '"many"', "fact 'checkpoint_step' is 'many'"),
        ("checkpoint_step", "20.5", "fact 'checkpoint_step' is 20.5"),
        ("checkpoint_step", "-1", "fact 'checkpoint_step' is -1"),
        ("checkpoint_step", "1e300", "fact 'checkpoint_step'"),
        ("checkpoint_step", "9" * 5000, "more than 64 bits"),
        ("checkpoint_step", "61", "is 61, and 60 were planned"),
        ("slots_from", "21", "lies before 21"),
        ("config", "[1, 2]", r"fact 'config' is \[1, 2\]"),
        ("config", "{}", "array checkpoint: phi has the shape"),
        ("edits", '{"a": 1}', "fact 'edits'"),
        ("edits", '[{"step": 1}]', "fact 'edits.0.path' is missing"),
        (
            "edits",
            '[{"step": 1, "path": "run.seed", "value": 3}]',
            "another kind: run.seed cannot change",
        ),
        (
            "edits",
            '[{"step": 1, "path": "inner.inner_lr", "value": -1},'
            ' {"step": 2, "path": "inner.inner_lr", "value": 0.01}]',
            "another kind: inner.inner_lr is -1",
        ),
        ("origin", '"a parent"', "fact 'origin'"),
        ("environment", '{"python": 3}', "fact 'environment.python'"),
        ("parameter_names", '["amplitude"]', "'parameter_names' has 1 names"),
        ("parameter_names", "7", "fact 'parameter_names' is 7"),
        ("device", '"\\ud800"', "fact 'device' holds half a character"),
        ("device", '"a\\u001b[2J"', "fact 'device' is"),
        ("provider", '"witchcraft"', "fact 'provider' is 'witchcraft'"),
        ("status", None, "facts holds what is no text"),
        ("status", b"\x00", "facts holds what is no text"),
    ],
)
def test_a_fact_that_no_run_writes(spoilt, key, value, words):
    path = spoilt(fact(key, value))
    with pytest.raises(RunFileError, match=words) as refusal:
        open_run(path)
    assert str(refusal.value).startswith(f"{path} ")
    assert len(str(refusal.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("model.hidden_sizes", [9], r"checkpoint: phi has the shape \(25,\)"),
        ("model.hidden_sizes", [4096] * 60, "another kind: .* GiB"),
        ("model.hidden_sizes", [10**9], "another kind: model.hidden_sizes"),
        ("outer.num_tasks", 10**12, "another kind: outer.num_tasks"),
        ("outer.optimizer", {"kind": "sgd", "outer_lr": 0.1}, "checkpoint: it holds"),
        ("evaluation.num_tasks", 17, "held-out tasks: .* has the shape"),
        ("evaluation.num_queries", 11, "held-out tasks: query_x has the shape"),
        ("evaluation.num_shots", 3, "held-out tasks: support_x has the shape"),
        ("evaluation.num_inner_steps", 4, r"evaluation of step 0: .* \(16, 4\)"),
        ("inner.num_inner_steps", 9, r"evaluation of step 0: .* \(16, 4\)"),
    ],
)
def test_a_setting_that_does_not_fit_the_arrays(spoilt, whole, path, value, words):
    with pytest.raises(RunFileError, match=words):
        open_run(spoilt(setting(whole, path, value)))


def arrays_of(whole, table, column, where):
    with closing(sqlite3.connect(whole)) as database:
        (data,) = database.execute(
            f"SELECT {column} FROM {table} WHERE {where}"
        ).fetchone()
    return dict(safetensors.numpy.load(data))


@pytest.mark.parametrize(
    ("table", "column", "where", "part"),
    [
        ("arrays", "data", "name = 'checkpoint'", "array checkpoint"),
        ("arrays", "data", "name = 'held-out tasks'", "held-out tasks"),
        ("probes", "data", "step = 10", "evaluation of step 10"),
        ("snapshots", "phi", "step = 10", "snapshot of step 10"),
    ],
)
def test_a_blob_that_no_run_writes(spoilt, whole, table, column, where, part):
    change = f"UPDATE {table} SET {column} = ? WHERE {where}"
    arrays = arrays_of(whole, table, column, where)
    name = next(iter(arrays))
    good = arrays[name]
    others = [
        None,
        "a text",
        7,
        b"",
        b"\xff" * 20,
        bytes(8),
        packed({}),
        packed(arrays | {name: good[..., :-1]}),
        packed(arrays | {name: good[None]}),
        packed(arrays | {name: np.float32(1).reshape(())}),
        packed(arrays | {name: good.astype(np.int32)}),
        packed(arrays | {"more": good}),
        packed({"other": good}),
    ]
    for value in others:
        with pytest.raises(RunFileError, match=part):
            open_run(spoilt((change, value)))
    # Larger than any array of the experiment: it is not even read.
    with pytest.raises(RunFileError, match=f"{part}|too big"):
        open_run(spoilt((change, packed({name: np.zeros(10**6)}))))


def test_meta_parameters_are_finite_numbers(spoilt, whole):
    arrays = arrays_of(whole, "arrays", "data", "name = 'checkpoint'")
    arrays["phi"] = np.full_like(arrays["phi"], np.nan)
    change = "UPDATE arrays SET data = ? WHERE name = 'checkpoint'"
    with pytest.raises(RunFileError, match="checkpoint: phi holds"):
        open_run(spoilt((change, packed(arrays))))


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE metrics SET seconds = NULL", "seconds is no duration"),
        ("UPDATE metrics SET seconds = -1", "seconds is no duration"),
        ("UPDATE metrics SET seconds = 9e999", "seconds is no duration"),
        ("UPDATE metrics SET outer_loss = 'a text'", "metrics, after step 0: it holds"),
        ("UPDATE metrics SET outer_loss = x'00'", "metrics, after step 0: it holds"),
        ("UPDATE metrics SET outer_loss = 1e308", "a metric is larger than 1e.200"),
        ("UPDATE metrics SET not_positive_definite_solves = 1", "is no count"),
        (
            "UPDATE metrics SET not_positive_definite_solves = -1, unconverged_solves = 0",
            "is no count",
        ),
        (
            "UPDATE metrics SET not_positive_definite_solves = 0, unconverged_solves = 0.5",
            "is no count",
        ),
        ("UPDATE metrics SET step = step - 100", "its steps are out of order"),
        ("UPDATE metrics SET step = step + 1000000000", "its steps are out of order"),
        ("UPDATE probes SET step = -step - 1", "table probes, after step -1"),
        ("UPDATE snapshots SET step = -step - 1", "table snapshots, after step -1"),
        (
            "UPDATE diagnostics SET name = 'no such' "
            "WHERE name = 'gradient_cosine' AND step = 10",
            "table diagnostics",
        ),
        (
            "UPDATE diagnostics SET name = 'distance_layer_x' "
            "WHERE name = 'gradient_cosine' AND step = 10",
            "table diagnostics",
        ),
        ("UPDATE diagnostics SET value = 'a text'", "table diagnostics"),
        (
            "UPDATE diagnostics SET step = 'a text' "
            "WHERE name = 'gradient_cosine' AND step = 10",
            "table diagnostics",
        ),
        ("DELETE FROM arrays WHERE name = 'checkpoint'", "step or arrays are missing"),
        ("DELETE FROM facts WHERE key = 'checkpoint_step'", "arrays are missing"),
        ("DELETE FROM arrays WHERE name = 'held-out tasks'", "no held-out tasks"),
        ("DELETE FROM facts WHERE key = 'config'", "fact 'config' is missing"),
        ("DELETE FROM facts", "fact 'config' is missing"),
        ("INSERT INTO arrays VALUES ('more', x'')", "arrays holds what no run writes"),
        ("DROP TABLE probes", "there is no table probes"),
        ("CREATE TABLE more (x)", "'more' is no table of a run file"),
        (
            "CREATE TRIGGER t AFTER INSERT ON facts BEGIN DELETE FROM metrics; END",
            "'t' is no part",
        ),
    ],
)
def test_rows_and_tables_that_no_run_writes(spoilt, statement, words):
    with pytest.raises(RunFileError, match=words):
        open_run(spoilt((statement,)))


@pytest.mark.parametrize(
    "table", ["facts", "arrays", "metrics", "probes", "snapshots", "diagnostics"]
)
def test_a_view_without_end_ends_at_once(spoilt, table):
    endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c)"
    path = spoilt(
        (f"DROP TABLE {table}",),
        (f"CREATE VIEW {table} AS {endless} SELECT n AS step, 'x' AS value FROM c",),
    )
    with pytest.raises(RunFileError, match=f"'{table}' is no part of a run file"):
        open_run(path)


def test_every_reader_stands_behind_the_same_boundary(spoilt, whole):
    open_run(whole)
    path = spoilt(("UPDATE snapshots SET phi = x'00'",))
    for read in (
        open_run,
        prepare_resume,
        lambda at: stored_state_before(at, 7),
    ):
        with pytest.raises(RunFileError, match="snapshot of step"):
            read(path)
    thinned = open_run(spoilt()).history
    path = spoilt(("UPDATE metrics SET outer_loss = 'a text'",))
    object.__setattr__(thinned, "thinned", 1)
    with pytest.raises(RunFileError, match="table metrics"):
        whole_rows(thinned)


def test_reading_writes_nothing_and_leaves_nothing(spoilt):
    path = spoilt(("UPDATE metrics SET seconds = -1",))
    before = path.read_bytes()
    with pytest.raises(RunFileError):
        open_run(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_numbers_that_cannot_be_are_still_shown(spoilt):
    path = spoilt(
        ("UPDATE metrics SET outer_loss = NULL, outer_loss_before = 9e999",),
        ("UPDATE diagnostics SET value = NULL",),
    )
    history = open_run(path).history
    assert np.isnan(history.metrics["outer_loss"]).all()
    assert np.isinf(history.metrics["outer_loss_before"]).all()
    assert history.diagnostics.known == []


@pytest.mark.parametrize(
    "header",
    [
        {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 8]}},
        {"a": {"dtype": "F32", "shape": [2**62, 2**62], "data_offsets": [0, 4]}},
        {"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}},
        {"a": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}},
        {"a": {"dtype": "F32", "shape": [1.5], "data_offsets": [0, 4]}},
        {"a": {"dtype": "F32", "shape": [1] * 9, "data_offsets": [0, 4]}},
        {"a": 5},
        [],
        {"__metadata__": {"format": "pt"}},
    ],
)
def test_headers_of_arrays_are_looked_at_first(header):
    text = json.dumps(header).encode()
    data = len(text).to_bytes(8, "little") + text + bytes(4)
    with pytest.raises(RunFileError, match="damaged arrays"):
        unpacked(data)
