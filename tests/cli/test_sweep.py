"""`metalab sweep` and `metalab compare` as a person uses them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from metalab.cli.main import run
from metalab.experiment.sweep_file import read_sweep
from metalab.runs.record.reader import open_run

SWEEP = """
name = "two methods"
seeds = 2
[settings]
"outer.num_steps" = {steps}
"evaluation.num_tasks" = 16
"run.provider" = "autodiff"
[axes]
method = ["maml-sine", "fomaml-sine"]
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "sweep.toml"
    path.write_text(SWEEP.format(steps=4), encoding="utf-8")
    return path


def facts_of(capsys):
    return json.loads(capsys.readouterr().out)


def test_a_sweep_is_run_found_finished_and_compared(file, tmp_path, capsys):
    folder = tmp_path / "runs"
    assert run(["sweep", str(file), "--plan", "--out", str(folder)]) == 0
    assert "4 runs, 16 outer steps in all" in capsys.readouterr().out.replace("\n", " ")
    assert not folder.exists()
    command = ["sweep", str(file), "--out", str(folder), "--jobs", "1", "--json"]
    assert run(command) == 0
    assert facts_of(capsys)["counts"]["finished"] == 4
    before = {path: path.read_bytes() for path in folder.glob("*.metalab")}
    assert run(command) == 0
    assert facts_of(capsys)["counts"]["found finished"] == 4
    assert before == {path: path.read_bytes() for path in folder.glob("*.metalab")}
    table = tmp_path / "table.md"
    compare = ["compare", str(folder), "--num-tasks", "20", "--to", str(table)]
    assert run(compare) == 0
    assert table.read_text().startswith("| Method |")
    capsys.readouterr()
    assert run(compare) == 2
    assert "--force" in capsys.readouterr().err
    assert run([*compare[:-2], "--json"]) == 0
    found = facts_of(capsys)
    assert [one["method"] for one in found["methods"]] == ["fomaml-sine", "maml-sine"]
    assert found["differences"][0]["paired_seeds"] is True


def test_processes_give_the_bits_of_one(file, tmp_path, capsys):
    for jobs in ("1", "2"):
        out = tmp_path / f"with{jobs}"
        assert run(["sweep", str(file), "--out", str(out), "--jobs", jobs]) == 0
    capsys.readouterr()
    names = sorted(path.name for path in (tmp_path / "with1").glob("*.metalab"))
    assert len(names) == 4
    for name in names:
        one, two = (
            open_run(tmp_path / f"with{jobs}" / name).newest_state() for jobs in (1, 2)
        )
        assert one.phi.tobytes() == two.phi.tobytes()


def test_a_sweep_that_was_killed_goes_on_to_the_same_bits(tmp_path, capsys):
    file = tmp_path / "sweep.toml"
    file.write_text(SWEEP.format(steps=300), encoding="utf-8")
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert run(["sweep", str(file), "--out", str(whole), "--jobs", "1"]) == 0
    command = [sys.executable, "-m", "metalab", "sweep", str(file), "--out", str(cut)]
    for _ in range(3):
        process = subprocess.Popen(
            [*command, "--jobs", "2"],
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while not list(cut.glob("*.metalab")) and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.5)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert run(["sweep", str(file), "--out", str(cut), "--jobs", "1"]) == 0
    capsys.readouterr()
    for path in sorted(whole.glob("*.metalab")):
        one, two = open_run(path), open_run(cut / path.name)
        assert one.newest_state().phi.tobytes() == two.newest_state().phi.tobytes()
        assert one.history.metrics["outer_loss"].tolist() == (
            two.history.metrics["outer_loss"].tolist()
        )


def new(path, *options):
    return run(["sweep", "new", str(path), *options])


def test_a_sweep_file_is_written_and_says_what_it_would_take(tmp_path, capsys):
    file = tmp_path / "rates.toml"
    options = ["--base", "maml-sine", "--axis", "inner.inner_lr=log:0.001:0.1:3"]
    options += ["--axis", "outer.num_tasks=2,4", "--set", "outer.num_steps=10"]
    options += ["--set", "run.provider=autodiff", "--seeds", "2"]
    assert new(file, *options) == 0
    assert "12 runs" in capsys.readouterr().out
    assert read_sweep(file).axis_values() == {
        "inner.inner_lr": [0.001, 0.01, 0.1],
        "outer.num_tasks": [2, 4],
    }
    assert new(file, *options) == 2
    assert "exists already" in capsys.readouterr().err
    assert (
        run(["sweep", str(file), "--plan", "--json", "--out", str(tmp_path / "r")]) == 0
    )
    facts = facts_of(capsys)
    assert facts["num_runs"] == len(facts["runs"]) == 12
    assert facts["seconds_on_one_process"] > 0
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--axis", "inner.inner_lr=log:1"], "allowed: log:0.001:0.1:5"),
        (["--axis", "inner.inner_lr"], "allowed: PATH=log"),
        (["--axis", "inner.inner_l=1,2"], "inner.inner_l"),
        (["--axis", "inner.inner_lr=0.1,0.1", "--seeds", "x"], "--seeds is 'x'"),
        (["--axis", "inner.inner_lr=log:0.1:1", "--search", "tpe"], "tpe:50"),
        (["--axis", "inner.inner_lr=log:0.1:1"], "num None; allowed: how many"),
        (["--search", "tpe:5"], "search has no axes"),
        (
            ["--axis", "outer.num_tasks=log:1.5:3", "--search", "tpe:5"],
            "a whole number",
        ),
    ],
)
def test_a_file_that_could_not_be_run_is_not_written(options, words, tmp_path, capsys):
    file = tmp_path / "new.toml"
    assert new(file, "--base", "maml-sine", *options) == 2
    assert words in capsys.readouterr().err
    assert not file.exists()


SEARCH = """
name = "search"
base = "maml-sine"
[settings]
"outer.num_steps" = 8
"outer.num_tasks" = 2
"model.hidden_sizes" = [4]
"run.provider" = "autodiff"
[evaluation]
num_tasks = 16
every = 2
[axes]
"inner.inner_lr" = { log = [0.001, 0.5] }
"inner.num_inner_steps" = { linear = [1, 3] }
[search]
num = 8
batch = 4
pruner = "successive-halving"
rungs = [0.25, 0.5]
"""


def test_a_search_prunes_and_gives_the_same_trials_on_one_core_and_on_two(
    tmp_path, capsys
):
    file = tmp_path / "search.toml"
    file.write_text(SEARCH, encoding="utf-8")
    tables = []
    for jobs in ("1", "2"):
        out = tmp_path / f"with{jobs}"
        command = ["sweep", str(file), "--out", str(out), "--jobs", jobs, "--json"]
        assert run(command) == 0
        found = facts_of(capsys)
        assert len(found["trials"]) == 8
        pruned = [t for t in found["trials"] if t["pruned"]]
        assert 0 < len(pruned) < 8
        assert all(
            open_run(Path(t["files"][0])).history.step == t["step"] for t in pruned
        )
        assert found["best"]["objective"] == min(
            t["objective"] for t in found["trials"] if not t["pruned"]
        )
        tables.append((out / "trials.csv").read_text())
    assert tables[0] == tables[1]
    # Asked again, it finds every run where it was left.
    before = {p: p.read_bytes() for p in out.glob("*.metalab")}
    assert run(command) == 0
    assert {p: p.read_bytes() for p in out.glob("*.metalab")} == before
    assert (out / "trials.csv").read_text() == tables[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["worker", "here"], "no address of a scheduler"),
        (["sweep", "x.toml", "--jobs", "2", "--scheduler", "tcp://a:1"], "one of them"),
        (["compare"], "Missing argument"),
        (["compare", "none.metalab", "other.metalab"], "none.metalab"),
        (["compare", "."], "holds no run file"),
        (["compare", "a.metalab", "--to", "x.docx"], "allowed: .md, .tex"),
        (["sweep", "none.toml"], "cannot be read"),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(
    arguments, words, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 2
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
