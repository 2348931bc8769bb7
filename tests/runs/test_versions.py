"""Run files of older versions: read as they are, brought up to date when they go on."""

import json
import sqlite3
from contextlib import closing

import numpy as np
import pytest

from metalab.engine.events import METRICS, Diverged
from metalab.runs.record.file_format import RunFileError, migrate
from metalab.runs.record.reader import open_run
from metalab.runs.record.status import RunStatus
from tests.support.experiments import small
from tests.support.stored import resume, run_to

VERSION_1 = """
PRAGMA application_id = 1835819362;
PRAGMA user_version = 1;
CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE arrays (name TEXT PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE metrics (step INTEGER PRIMARY KEY, seconds REAL NOT NULL,
    outer_loss REAL, outer_loss_before REAL, support_loss_before REAL,
    support_loss_after REAL, hypergradient_norm REAL, adaptation_distance REAL,
    meta_parameter_norm REAL);
CREATE TABLE probes (step INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE snapshots (step INTEGER PRIMARY KEY, phi BLOB NOT NULL);
CREATE TABLE flags (step INTEGER NOT NULL, kind TEXT NOT NULL, message TEXT NOT NULL);
"""
OLD_METRICS = [info.name for info in METRICS[:7]]
NEW_METRICS = ["gradient_evaluations", "hessian_vector_products"]
SOLVES = ["not_positive_definite_solves", "unconverged_solves", "solve_residual"]
VERSION_2 = """
ALTER TABLE metrics DROP COLUMN not_positive_definite_solves;
ALTER TABLE metrics DROP COLUMN unconverged_solves;
ALTER TABLE metrics DROP COLUMN solve_residual;
PRAGMA user_version = 2;
"""


@pytest.fixture
def straight(config, tmp_path):
    """A run of today, never stopped."""
    path = tmp_path / "straight.metalab"
    run_to(path, config)
    return path


@pytest.fixture
def old(config, tmp_path):
    """The same run, stopped after 25 outer steps, as version 1 wrote it."""
    today, path = tmp_path / "today.metalab", tmp_path / "old.metalab"
    run_to(today, config, stop_at=25)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.executescript(VERSION_1)
        database.execute("ATTACH ? AS today", (str(today),))
        for table in ("facts", "arrays", "probes", "snapshots", "flags"):
            database.execute(f"INSERT INTO {table} SELECT * FROM today.{table}")
        columns = ", ".join(["step", "seconds", *OLD_METRICS])
        database.execute(f"INSERT INTO metrics SELECT {columns} FROM today.metrics")
        settings = config.to_mapping()
        del settings["diagnostics"]
        database.execute(
            "UPDATE facts SET value = ? WHERE key = 'config'", (json.dumps(settings),)
        )
    return path


def version_of(path):
    with closing(sqlite3.connect(path)) as database:
        return database.execute("PRAGMA user_version").fetchone()[0]


def test_an_old_file_is_read_and_stays_as_it_is(config, old, straight):
    before = old.read_bytes()
    history, today = open_run(old).history, open_run(straight).history
    assert old.read_bytes() == before
    assert history.config_at() == config
    assert history.step == len(history.steps) == 25
    for name in OLD_METRICS:
        np.testing.assert_array_equal(history.metrics[name], today.metrics[name][:25])
    for name in NEW_METRICS:
        assert np.isnan(history.metrics[name]).all()
    assert len(history.diagnostics) == 0


def test_an_old_run_goes_on_bit_for_bit(old, straight):
    live = resume(old).snapshot()
    assert version_of(old) == 3
    resumed, today = open_run(old).history, open_run(straight).history
    assert resumed.step == 60
    for name in OLD_METRICS:
        np.testing.assert_array_equal(resumed.metrics[name], today.metrics[name])
    for name in NEW_METRICS:
        for history in (resumed, live):
            assert np.isnan(history.metrics[name][:25]).all()
            np.testing.assert_array_equal(
                history.metrics[name][25:], today.metrics[name][25:]
            )
    np.testing.assert_array_equal(resumed.evaluations.rows(), today.evaluations.rows())


def test_what_a_step_costs_is_counted(straight):
    metrics = open_run(straight).history.metrics
    # One inner step, its product, and the gradient of the outer loss.
    assert set(metrics["gradient_evaluations"]) == {2.0}
    assert set(metrics["hessian_vector_products"]) == {1.0}


def test_a_migration_that_fails_leaves_the_file_as_it_was(old):
    with closing(sqlite3.connect(old)) as database:
        database.execute("CREATE TABLE diagnostics (something TEXT)")
    with closing(sqlite3.connect(old, isolation_level=None)) as database:
        with pytest.raises(RunFileError, match="cannot be brought up to date"):
            migrate(database)
        columns = [row[1] for row in database.execute("PRAGMA table_info(metrics)")]
    assert columns == ["step", "seconds", *OLD_METRICS]
    assert version_of(old) == 1
    before = old.read_bytes()
    with pytest.raises(RunFileError):
        resume(old)
    assert old.read_bytes() == before


def test_a_file_of_today_is_left_alone(straight):
    with closing(sqlite3.connect(straight, isolation_level=None)) as database:
        migrate(database)
    assert version_of(straight) == 3


def test_a_divergence_that_only_a_flag_tells_of_is_read(old):
    """Before 0.6 a run that diverged was "stopped", with a sentence in a flag."""
    event = Diverged(step=27, last_good_step=25, quantity="outer_loss", value=3.21e7)
    flag = "INSERT INTO flags VALUES (?, 'diverged', ?)"
    with closing(sqlite3.connect(old)) as database, database:
        database.execute("DELETE FROM facts WHERE key = 'diverged'")
        database.execute(flag, (event.step, event.message))
    history = open_run(old).history
    assert history.status is RunStatus.DIVERGED
    assert history.diverged == event


def test_a_divergence_that_a_run_went_beyond_is_past(old):
    event = Diverged(step=20, last_good_step=19, quantity="outer_loss", value=1e9)
    flag = "INSERT INTO flags VALUES (?, 'diverged', ?)"
    with closing(sqlite3.connect(old)) as database, database:
        database.execute("DELETE FROM facts WHERE key = 'diverged'")
        database.execute(flag, (event.step, event.message))
    history = open_run(old).history
    assert history.status is RunStatus.STOPPED
    assert history.diverged is None


@pytest.fixture
def implicit():
    indefinite = {"meta__strength": 0.01, "inner__inner_lr": 0.05}
    return small("imaml-sine", outer__num_tasks=3, outer__num_steps=30, **indefinite)


@pytest.fixture
def second(implicit, tmp_path):
    """A run of implicit differentiation, stopped after 12 steps, of version 2."""
    path = tmp_path / "second.metalab"
    run_to(path, implicit, stop_at=12)
    with closing(sqlite3.connect(path)) as database:
        database.executescript(VERSION_2)
    return path


def test_a_file_of_version_2_is_read_and_stays_as_it_is(second):
    before = second.read_bytes()
    history = open_run(second).history
    assert second.read_bytes() == before
    assert len(history.steps) == 12
    assert np.isfinite(history.metrics["hessian_vector_products"]).all()
    for name in SOLVES:
        assert np.isnan(history.metrics[name]).all()
    assert history.solves_worry is None


def test_a_run_of_version_2_goes_on_bit_for_bit(implicit, second, tmp_path):
    path = tmp_path / "today.metalab"
    run_to(path, implicit)
    resume(second)
    assert version_of(second) == 3
    resumed, today = open_run(second).history, open_run(path).history
    for name in (*OLD_METRICS, *NEW_METRICS):
        np.testing.assert_array_equal(resumed.metrics[name], today.metrics[name])
    for name in SOLVES:
        assert np.isnan(resumed.metrics[name][:12]).all()
        assert np.isfinite(today.metrics[name]).all()
        np.testing.assert_array_equal(
            resumed.metrics[name][12:], today.metrics[name][12:]
        )
    assert today.solves_worry.step <= 12
    assert resumed.solves_worry.step > 12
