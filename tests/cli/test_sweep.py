"""`metalab sweep` and `metalab compare` as a person uses them."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from metalab.cli.main import run
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


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
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
