"""Comparisons and sweeps from Python: those of the command line."""

import json

import pytest

import metalab as ml
from metalab.cli.main import run

SWEEP = """
name = "two"
seeds = 2
[settings]
"outer.num_steps" = 3
"evaluation.num_tasks" = 16
"run.provider" = "autodiff"
[axes]
method = ["maml-sine", "fomaml-sine"]
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "sweep.toml"
    path.write_text(SWEEP, encoding="utf-8")
    return path


def test_a_sweep_and_its_comparison_are_those_of_the_commands(file, tmp_path, capsys):
    folder = tmp_path / "runs"
    runs = ml.sweep(file, folder=folder)
    assert [one.step for one in runs] == [3] * 4
    assert [one.config.run.seed for one in runs] == [0, 0, 1, 1]
    found = ml.compare(runs, num_tasks=30, reference="maml-sine")
    assert repr(found) == found.table()
    assert found.table().startswith("| Method |")
    assert run(["sweep", str(file), "--out", str(folder), "--json"]) == 0
    counts = json.loads(capsys.readouterr().out)["counts"]
    assert counts["found finished"] == 4
    command = ["compare", str(folder), "--num-tasks", "30", "--json"]
    assert run([*command, "--reference", "maml-sine"]) == 0
    told = json.loads(capsys.readouterr().out)
    (difference,) = found.comparison.differences
    assert told["differences"][0]["difference"] == difference.interval.value
    assert len(found.figure().axes) == 1
    (written,) = found.save(tmp_path / "table.tex")
    assert "booktabs" in written.read_text(encoding="utf-8")
