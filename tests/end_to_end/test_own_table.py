"""A person's table from file to run, and the run on another machine."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from metalab.analysis import baselines
from metalab.cli.main import run
from metalab.core.paths import replace_file
from metalab.runs.record.reader import open_run
from metalab.tasks import table_rows, table_store

PATIENTS = 30
SHORT = [
    *("--preset", "maml-sine", "--set", "tasks.num_shots=3"),
    *("--set", "outer.num_steps=4", "--set", "outer.num_tasks=3"),
    *("--set", "evaluation.num_inner_steps=2", "--set", "model.hidden_sizes=5"),
]


@pytest.fixture
def patients(tmp_path):
    """Return a file of patients with 4 to 10 points, semicolons and decimal commas."""
    rng = np.random.default_rng(2)
    lines = ["patient;hour;conc"]
    for patient in range(PATIENTS):
        for hour in np.sort(rng.uniform(0, 12, 4 + patient % 7)):
            value = 5 * np.exp(-0.3 * hour) + 0.1 * rng.normal()
            lines.append(f"P{patient};{hour:.2f};{value:.3f}".replace(".", ","))
    path = tmp_path / "patients.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def elsewhere(monkeypatch, tmp_path):
    """Return a function that forgets every table, as another machine has none."""

    def forget():
        monkeypatch.setattr(table_store, "_contents", {})
        monkeypatch.setattr(table_store, "_folders", {})
        table_rows.rows_of.cache_clear()
        folder = tmp_path / "elsewhere"
        folder.mkdir()
        monkeypatch.chdir(folder)
        return folder

    return forget


def trained(patients, path, *more):
    code = run(["train", "--data", str(patients), *SHORT, *more, "--out", str(path)])
    assert code == 0
    return path


def test_a_table_is_trained_on_and_what_was_understood_is_told(
    patients, tmp_path, capsys
):
    stored = open_run(trained(patients, tmp_path / "run.metalab"))
    told = capsys.readouterr().err
    assert "patients.csv: " in told
    assert "separated by semicolons, decimal comma" in told
    assert "task: patient, x: hour, y: conc" in told
    assert "30 tasks: 24 training, 6 held-out" in told
    tasks = stored.history.held_out_tasks
    assert all(name.startswith("P") for name in tasks.names)
    assert tasks.true_curves is None
    # In the table's own unit, whatever the network was given.
    assert 4 < np.nanmax(tasks.support.y) < 7
    assert np.isnan(tasks.query.y).any()
    x, y = tasks.query.plotted(0)
    assert len(x) == len(y)
    assert np.isfinite([x, y]).all()


def test_a_run_goes_on_where_the_table_has_never_been(patients, tmp_path, elsewhere):
    whole = open_run(trained(patients, tmp_path / "whole.metalab")).history
    part = trained(patients, tmp_path / "part.metalab", "--stop-at", "2")
    patients.unlink()
    folder = elsewhere()
    moved = folder / "moved.metalab"
    shutil.copy(part, moved)
    part.unlink()
    assert run(["resume", str(moved)]) == 0
    found = open_run(moved).history
    assert np.array_equal(found.metrics["outer_loss"], whole.metrics["outer_loss"])


def test_a_run_of_data_that_must_not_travel_asks_for_its_table(
    patients, tmp_path, elsewhere, capsys
):
    path = trained(
        patients,
        tmp_path / "run.metalab",
        *("--set", "tasks.family.run_file_carries=hash"),
    )
    content = patients.read_bytes()
    assert b"P7;" not in path.read_bytes()
    patients.unlink()
    folder = elsewhere()
    moved = folder / "moved.metalab"
    shutil.copy(path, moved)
    path.unlink()
    capsys.readouterr()
    assert run(["eval", str(moved)]) == 2
    assert "the table 'patients.csv'" in capsys.readouterr().err
    replace_file(folder / "patients.csv", content)
    assert run(["eval", str(moved), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["num_tasks"] == 6


def test_a_run_is_compared_with_its_rivals(patients, tmp_path, capsys, monkeypatch):
    path = trained(patients, tmp_path / "run.metalab")
    all_of = baselines.baselines

    def short(config, degree):
        return [replace(one, steps=1) for one in all_of(config, degree)]

    monkeypatch.setattr(baselines, "baselines", short)
    capsys.readouterr()
    assert run(["compare-baselines", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["num_tasks"] for row in found["methods"]] == [6] * 5
    assert found["methods"][0]["difference"] == 0
    assert run(["compare-baselines", str(path)]) == 0
    told = capsys.readouterr().out
    assert "on the same 6 tasks" in told
    assert "Mixed model" in told


def test_an_experiment_file_names_the_table_beside_it(
    patients, tmp_path, elsewhere, capsys
):
    file = tmp_path / "experiment.toml"
    file.write_text(
        '[tasks.family]\nkind = "table"\ndata = "patients.csv"\ny = "conc"\n'
        "[tasks]\nnum_shots = 3\n[outer]\nnum_steps = 2\n",
        encoding="utf-8",
    )
    elsewhere()
    assert run(["train", str(file), "--out", "run.metalab"]) == 0
    assert "x: hour, y: conc" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--data", "gone.csv"], "gone.csv cannot be read: No such file"),
        (["--data", "."], "cannot be read: it is a folder, not a file"),
        (["--x", "hour"], "--x is 'hour', and no --data names its table"),
        (["--y", "weight"], "y is column 'weight', which is missing; there: 'patient'"),
    ],
)
def test_what_is_wrong_with_a_table_is_one_line_and_nothing_is_written(
    patients, tmp_path, monkeypatch, capsys, arguments, words
):
    monkeypatch.chdir(tmp_path)
    data = [] if arguments[0] in ("--data", "--x") else ["--data", str(patients)]
    assert run(["train", *data, *arguments, "--out", "run.metalab"]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert len(told.strip().splitlines()) == 1, told
    assert not (tmp_path / "run.metalab").exists()
