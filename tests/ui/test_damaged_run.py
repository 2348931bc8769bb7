"""Run files that are damaged, or strange, opened in the window."""

import sqlite3
from contextlib import closing

import pytest

from metalab.experiment.config import preset_config
from metalab.experiment.fields import with_overrides
from tests.support.stored import run_to
from tests.ui.conftest import until

pytestmark = pytest.mark.gui


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "whole.metalab"
    config = with_overrides(
        preset_config("maml-sine"),
        [
            ("outer.num_steps", 60),
            ("outer.num_tasks", 4),
            ("model.hidden_sizes", [8]),
            ("evaluation.num_tasks", 16),
            ("evaluation.every", 10),
            ("diagnostics.every", 10),
            ("run.provider", "autodiff"),
        ],
    )
    run_to(path, config, stop_at=20)
    return path


def spoilt(whole, path, statement):
    path.write_bytes(whole.read_bytes())
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA writable_schema = ON")
        database.execute("UPDATE sqlite_master SET sql = replace(sql, 'NOT NULL', '')")
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(statement)
    return path


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE metrics SET seconds = NULL WHERE step = 7", "seconds is no duration"),
        ("UPDATE metrics SET outer_loss = 'a text'", "it holds what is no number"),
        ("UPDATE facts SET value = '{}' WHERE key = 'status'", "fact 'status' is {}"),
        ("UPDATE snapshots SET phi = NULL", "snapshot of step 0"),
        ("UPDATE diagnostics SET value = 'text'", "table diagnostics"),
        ("CREATE VIEW more AS SELECT 1", "'more' is no part of a run file"),
    ],
)
@pytest.mark.sampled(3)
def test_a_damaged_file_is_told_in_a_sentence(
    lab, qtbot, whole, tmp_path, statement, words
):
    path = spoilt(whole, tmp_path / "a run.metalab", statement)
    lab.session.open_file(path)
    assert lab.session.join(20)
    until(qtbot, lab, lab.window.banners.isVisible)
    assert f"{path} is damaged: " in lab.window.banners.spec.text
    assert words in lab.window.banners.spec.text
    assert lab.session.history is None
    # A file that somebody else spoilt is no fault of the window.
    assert lab.faults.snapshot() == ()


STRANGE = {
    "without a number": "UPDATE metrics SET outer_loss = NULL, meta_parameter_norm = NULL",
    "infinite": "UPDATE metrics SET outer_loss = 9e999, hypergradient_norm = -9e999",
    "huge": "UPDATE metrics SET outer_loss = 1e200, outer_loss_before = -1e200",
    "negative": "UPDATE metrics SET outer_loss = -outer_loss",
    "without rows": "DELETE FROM metrics",
    "without evaluations": "DELETE FROM probes",
    "without states": "DELETE FROM snapshots",
    "without diagnostics": "UPDATE diagnostics SET value = NULL",
    "infinite diagnostics": "UPDATE diagnostics SET value = 9e999",
    "of no time": "UPDATE metrics SET seconds = 0",
    "with gaps": "DELETE FROM metrics WHERE step % 3 = 0",
}


@pytest.mark.parametrize("statement", STRANGE.values(), ids=STRANGE)
@pytest.mark.sampled(4)
def test_a_strange_run_is_shown_on_every_page(lab, qtbot, whole, tmp_path, statement):
    lab.session.open_file(spoilt(whole, tmp_path / "a run.metalab", statement))
    assert lab.session.join(20)
    until(qtbot, lab, lambda: lab.session.history is not None)
    for key in ("live", "adapt", "landscape", "estimators", "structure"):
        lab.window.workspaces.show_page(key)
        lab.draw()
        lab.window.workspaces.current.grab()
    lab.playhead.go_to(10)
    lab.draw()
    lab.window.grab()
    assert lab.faults.snapshot() == ()
