"""`metalab estimators`, in process: what it prints, writes and refuses."""

import csv
import json

import pytest

from metalab.cli.main import run

SETTINGS = (
    "outer.num_steps=10",
    "outer.num_tasks=3",
    "model.hidden_sizes=[5]",
    "evaluation.num_tasks=16",
)
FEW = ["--num-inner-steps", "3,1", "--num-batches", "2"]
CHOSEN = [*FEW, "--estimators", "unrolled,first-order,t1-t2"]


@pytest.fixture(scope="module")
def run_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "run.metalab"
    options = [part for setting in SETTINGS for part in ("--set", setting)]
    assert run(["train", *options, "--out", str(path), "--json"]) == 0
    return path


def test_json_holds_everything(run_file, capsys):
    assert run(["estimators", str(run_file), *CHOSEN, "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.out.count("\n") == 1
    result = json.loads(captured.out)
    assert result["step"] == 10
    assert result["num_inner_steps"] == [1, 3]
    assert (result["num_tasks"], result["num_batches"]) == (3, 2)
    assert result["precision"] == "float32"
    own, proximal = result["blocks"]
    assert own["reference_precision"] == "float64"
    assert (own["reference"], proximal["reference"]) == ("K-step", "solution")
    assert proximal["meta"]["strength"] == 2.0
    assert proximal["solved"]["num_tasks"] == 6
    keys = [(row["num_inner_steps"], row["estimator"]) for row in own["rows"]]
    assert keys == [(k, name) for k in (1, 3) for name in ("unrolled", "first-order")]
    row = own["rows"][0]
    assert row["cosine"] == pytest.approx(1, abs=1e-6)
    assert row["relative_error"] < 1e-5
    other = own["rows"][1]
    for name in ("cosine", "relative_error", "norm_ratio"):
        error = other[f"{name}_deviation"] / 2**0.5
        assert other[f"{name}_standard_error"] == pytest.approx(error)
        assert error > 0
    assert row["against"]["k_step"]["cosine"] == row["cosine"]
    assert (row["gradients"], row["products"]) == (2, 1)
    assert (row["target"], row["exactness"]) == ("K-step", "exact")
    assert row["peak_bytes"] > 0
    assert row["seconds"] > 0
    assert set(proximal["rows"][0]["against"]) == {"k_step", "solution"}


def test_the_table_is_for_people_and_files_are_written(run_file, tmp_path, capsys):
    png, table = tmp_path / "figure.png", tmp_path / "table.csv"
    arguments = ["estimators", str(run_file), *CHOSEN, "--out", str(png)]
    assert run([*arguments, "--csv", str(table), "--step", "0"]) == 0
    text = capsys.readouterr().out
    for words in ("outer step 0", "The proximal problem", "first-order", "t1-t2", "±"):
        assert words in text
    assert "…" not in text, "nothing is cut off"
    rows = [line for line in text.splitlines() if "first-order" in line]
    assert max(map(len, rows)) <= 120
    assert png.read_bytes().startswith(b"\x89PNG")
    with table.open() as file:
        found = list(csv.DictReader(file))
    assert len(found) == 2 * (2 + 2)
    assert float(found[0]["cosine_mean_k_step"]) == pytest.approx(1, abs=1e-6)
    assert found[0]["cosine_mean_solution"] == ""
    assert float(found[1]["cosine_standard_error_k_step"]) > 0
    assert {row["num_batches"] for row in found} == {"2"}


SOLVING = [*FEW, "--estimators", "implicit-cg,implicit-neumann,t1-t2"]


def test_linear_systems_are_told_of_in_json_table_and_csv(run_file, tmp_path, capsys):
    table = tmp_path / "table.csv"
    arguments = ["estimators", str(run_file), *SOLVING, "--strength", "0.001"]
    assert run([*arguments, "--json", "--csv", str(table)]) == 0
    (block,) = json.loads(capsys.readouterr().out)["blocks"]
    rows = {
        row["estimator"]: row for row in block["rows"] if row["num_inner_steps"] == 1
    }
    solves = rows["implicit-cg"]["solves"]
    assert solves["num_solves"] == 6
    assert solves["not_positive_definite"] > 0
    assert solves["smallest_ritz_value"] < 0
    assert solves["unconverged"] == 6
    assert solves["largest_residual"] > 1e-6
    assert rows["implicit-neumann"]["solves"]["smallest_ritz_value"] is None
    assert rows["t1-t2"]["solves"] is None
    assert rows["unrolled"]["solves"] is None
    with table.open() as file:
        found = [row for row in csv.DictReader(file) if row["num_inner_steps"] == "1"]
    by_name = {row["estimator"]: row for row in found}
    count = by_name["implicit-cg"]["not_positive_definite"]
    assert int(count) == solves["not_positive_definite"]
    assert by_name["t1-t2"]["not_positive_definite"] == ""
    assert run(arguments) == 0
    text = capsys.readouterr().out
    assert "convergent*" in text
    assert "biased*" not in text
    assert f"{solves['not_positive_definite']} of 6 not positive definite" in text
    assert "smallest Ritz value -" in text
    assert "…" not in text


@pytest.mark.parametrize("suffix", [".svg", ".pdf"])
def test_the_figure_is_written_as_vectors_too(tmp_path, run_file, suffix):
    path = tmp_path / f"figure{suffix}"
    arguments = ["--estimators", "unrolled", *FEW, "--out", str(path)]
    assert run(["estimators", str(run_file), *arguments]) == 0
    assert path.stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--estimators", "magic"], ["magic", "allowed", "unrolled"]),
        (["--step", "11"], ["no outer step 11", "0 to 10"]),
        (["--num-inner-steps", "1,two"], ["--num-inner-steps", "1,two"]),
        (["--num-inner-steps", "0"], ["--num-inner-steps", "1 to"]),
        (["--num-inner-steps", ""], ["--num-inner-steps"]),
        (["--set", "model.hidden_sizes=[6]"], ["meta-parameters"]),
        (["--set", "bogus=1"], ["bogus"]),
        (["--strength", "-1"], ["meta.strength", "-1"]),
        (["--out", "figure.jpeg"], ["jpeg", ".pdf"]),
        (["--csv", "no/where/table.csv"], ["no/where"]),
    ],
)
def test_refusals_are_one_line_and_write_nothing(
    run_file, tmp_path, monkeypatch, capsys, arguments, words
):
    monkeypatch.chdir(tmp_path)
    assert run(["estimators", str(run_file), *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    for word in words:
        assert word in captured.err
    assert list(tmp_path.iterdir()) == []


def test_a_missing_and_a_foreign_file(tmp_path, capsys):
    (tmp_path / "foreign.metalab").write_text("no run")
    for name in ("missing.metalab", "foreign.metalab"):
        assert run(["estimators", str(tmp_path / name)]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize(("option", "name"), [("--out", "a.png"), ("--csv", "a.csv")])
def test_what_is_there_stays_without_force(run_file, tmp_path, capsys, option, name):
    there = tmp_path / name
    there.write_text("mine")
    assert run(["estimators", str(run_file), *FEW, option, str(there)]) == 2
    assert "exists already; choose another name, or --force" in capsys.readouterr().err
    assert there.read_text() == "mine"
