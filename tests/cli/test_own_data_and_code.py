"""What stopped newcomers with data and code of their own."""

import csv
import json
import subprocess
import sys

import numpy as np
import pytest

from metalab.cli.main import run
from metalab.figures.base import FigureChoices
from metalab.figures.registry import figure_named
from metalab.figures.sizes import size_named
from metalab.runs.record.reader import open_run


@pytest.fixture
def run_apart():
    """Return what runs a command in a process of its own: plug-ins are loaded once."""

    def apart(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "metalab", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return apart


FEW = ["--set", "outer.num_steps=2", "--set", "tasks.num_shots=3"]
AUTODIFF = ["--set", "run.provider=autodiff"]


@pytest.fixture(scope="module")
def patients(tmp_path_factory):
    """Write 20 patients with 6 to 9 points each: 4 of them are held out."""
    path = tmp_path_factory.mktemp("data") / "patients.csv"
    rng = np.random.default_rng(0)
    rows = ["patient_id,hours,conc"]
    for patient in range(20):
        times = np.sort(rng.uniform(0, 24, rng.integers(6, 10)))
        rows += [f"P{patient:02},{t:.2f},{10 * np.exp(-t / 8):.3f}" for t in times]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def trained(patients):
    path = patients.parent / "run.metalab"
    command = ["train", "--data", str(patients), "--preset", "maml", *FEW, *AUTODIFF]
    assert run([*command, "--out", str(path)]) == 0
    return path


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_curves_of_fewer_held_out_tasks_than_sixteen(trained, tmp_path, capsys):
    to = tmp_path / "curves.csv"
    assert run(["curves", str(trained), "--to", str(to)]) == 0
    rows = rows_of(to)
    assert sorted({row["task"] for row in rows}) == ["1", "2", "3", "4"]
    assert all(row["name"].startswith("P") for row in rows)
    for command in (
        ["curves", str(trained), "--task", "5", "--to", str(tmp_path / "a.csv")],
        [
            "export",
            str(trained),
            "adaptation",
            "--task",
            "5",
            "--to",
            str(tmp_path / "a.png"),
        ],
    ):
        capsys.readouterr()
        assert run(command) == 2
        assert "task is 5; allowed: 1 to 4" in capsys.readouterr().err


def test_a_run_on_a_table_is_called_as_its_file_and_method(trained):
    assert open_run(trained).history.name == "patients, maml"


def test_points_are_read_by_the_names_of_the_tables_columns(trained, tmp_path, capsys):
    texts = {
        "straight": "hours,conc\n1,7.5\n4,5.0\n",
        "swapped": "conc,hours\n7.5,1\n5.0,4\n",
        "whole": "patient_id,hours,conc\nP99,1,7.5\nP99,4,5.0\n",
        "plain": "1,7.5\n4,5.0\n",
    }
    written = {}
    for name, text in texts.items():
        points, to = tmp_path / f"{name}.csv", tmp_path / f"{name}-out.csv"
        points.write_text(text, encoding="utf-8")
        command = ["adapt", str(trained), "--points", str(points), "--to", str(to)]
        assert run(command) == 0, capsys.readouterr().err
        written[name] = to.read_text(encoding="utf-8")
    assert len(set(written.values())) == 1
    half = tmp_path / "half.csv"
    half.write_text("hours,level\n1,7.5\n", encoding="utf-8")
    capsys.readouterr()
    assert run(["adapt", str(trained), "--points", str(half)]) == 2
    assert "y is column 'conc', which is missing" in capsys.readouterr().err


ESTIMATOR = """
from dataclasses import dataclass
from typing import ClassVar
from metalab.core.hypergradient import base
from metalab.core.oracle import Evaluations

@dataclass(frozen=True, slots=True, kw_only=True)
class Broken(base.HypergradientEstimator):
    name: ClassVar[str] = "broken-here"
    title: ClassVar[str] = "Broken"
    def cost(self, size):
        return Evaluations(gradients=1)
    def estimate(self, oracle, inner, path, request):
        return undefined_name
"""


def test_a_fault_of_a_plug_in_is_one_sentence_and_leaves_no_file(tmp_path, run_apart):
    file, out = tmp_path / "broken.py", tmp_path / "run.metalab"
    file.write_text(ESTIMATOR, encoding="utf-8")
    done = run_apart(
        *["train", "--plugin", str(file), "--preset", "maml-sine", "--out", str(out)],
        *["--set", "hypergradient.kind=broken-here", "--set", "outer.num_steps=3"],
    )
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if "NameError" in line]
    assert "broken.py, line 14: NameError: name 'undefined_name'" in line
    assert "Traceback" not in done.stderr
    assert not out.exists()


def test_a_plug_in_is_a_python_file(patients, run_apart):
    done = run_apart("presets", "--plugin", str(patients))
    assert done.returncode == 2
    assert "ends in '.csv'; allowed: .py" in done.stderr


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (",1.234\n", ",<0.01\n", "line 2, column 'conc': '<0.01' is no number"),
        ("", "", "column 'patient_id' names one task, 'P00'"),
    ],
)
def test_a_guess_that_fails_says_why(old, new, words, tmp_path, capsys):
    rows = [
        "patient_id,hours,conc\n",
        "P00,0.5,1.234\n",
        "P00,1.5,2.0\n",
        "P00,2.5,3.0\n",
    ]
    if old:
        rows += ["P01,0.5,1.0\n", "P01,1.5,2.0\n", "P01,2.5,3.5\n"]
    path = tmp_path / "p.csv"
    path.write_text("".join(rows).replace(old or "\0", new), encoding="utf-8")
    assert run(["train", "--data", str(path), "--preset", "maml"]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert "p.csv" in told


def test_a_recipes_name_is_taken_by_presets_too(capsys):
    assert run(["presets", "maml"]) == 0
    assert "maml-sine" in capsys.readouterr().out


def test_no_band_is_drawn_where_there_is_no_interval(trained):
    """Evaluations with an interval on both sides of one without are two pieces."""
    history = open_run(trained).history
    low = history.evaluations.query_low
    low.flags.writeable = True
    low[:, history.num_inner_steps] = 0.1
    low[1, history.num_inner_steps] = np.nan
    drawing = figure_named("losses").draw(
        history, FigureChoices(), size_named("single")
    )
    bands = [call for call in drawing.calls if call.method == "ax.fill_between"]
    assert [dict(call.where) for call in bands] == [
        {"interval_piece": 1},
        {"interval_piece": 2},
    ]
    assert sum("label" in call.options for call in bands) == 1


@pytest.mark.slow
def test_eval_and_compare_baselines_tell_one_number_of_a_table(trained, capsys):
    """Both average each task's losses over 20 support sets."""
    capsys.readouterr()
    steps = ["--num-inner-steps", "5", "--json"]
    assert run(["eval", str(trained), *steps, "--num-queries", "100"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["num_draws"] == 20
    config = open_run(trained).history.config_at(0)
    queries = ["--num-queries", str(config.evaluation.num_queries)]
    assert run(["eval", str(trained), *steps, *queries]) == 0
    same = json.loads(capsys.readouterr().out)["summary"][5]
    assert run(["compare-baselines", str(trained), *steps]) == 0
    rivals = json.loads(capsys.readouterr().out)["methods"]
    assert rivals[0]["loss"] == pytest.approx(same["mean"])
    assert rivals[0]["rmse"] == pytest.approx(same["rmse"])
    assert run(["eval", str(trained), *steps, "--num-draws", "1"]) == 0
    alone = json.loads(capsys.readouterr().out)["summary"][5]
    assert alone["mean"] != pytest.approx(same["mean"])
