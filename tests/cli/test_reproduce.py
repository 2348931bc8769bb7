"""`metalab reproduce`, in process."""

import json
import os
import signal

import pytest

from metalab.cli import study_runs
from metalab.cli.main import run
from metalab.studies import registry
from tests.studies import toy


@pytest.fixture
def toy_study(monkeypatch):
    monkeypatch.setattr(registry, "studies", lambda: {"toy": toy.STUDY})


def test_without_a_name_the_studies_are_listed(capsys):
    assert run(["reproduce", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    steps = {row["name"]: row["outer_steps"] for row in rows}
    assert steps["cavia"] == 3 * 13 * 50_000
    assert steps["imaml"] == 0
    assert run(["reproduce"]) == 0
    assert "maml-sine" in capsys.readouterr().out


def test_a_study_prints_one_object_and_leaves_its_files(toy_study, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["reproduce", "toy", "--seeds", "1", "--out", str(out)]
    assert run([*arguments, "--json"]) == 0
    captured = capsys.readouterr()
    report = json.loads(captured.out)
    assert json.loads((out / "report.json").read_text()) == report
    assert report["is_protocol"]
    assert report["lines"][0]["published"]["grade"] == "as remembered"
    assert report["lines"][0]["ours"]["seed_deviation"] is None
    assert "toy-a, seed 0: finished at outer step 20" in captured.err
    assert run(arguments) == 0
    captured = capsys.readouterr()
    for words in ("as remembered", "holds", "differs", "there is no C", "a toy"):
        assert words in captured.out
    assert "metalab train --preset maml-sine" in captured.out
    assert "found finished" in captured.err


def test_the_commands_work(toy_study, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(["reproduce", "toy", "--seeds", "1", "--out", str(out), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    evaluation = report["commands"]["a"][1].split()
    assert evaluation[:2] == ["metalab", "eval"]
    assert run([*evaluation[1:], "--json"]) == 0
    loss = json.loads(capsys.readouterr().out)["loss"]
    assert loss[1][1] == pytest.approx(report["lines"][0]["ours"]["mean"], rel=1e-6)


def test_ctrl_c_saves_and_the_same_command_goes_on(
    toy_study, tmp_path, capsys, monkeypatch
):
    out = tmp_path / "out"
    arguments = ["reproduce", "toy", "--seeds", "1", "--out", str(out), "--json"]
    stepped = study_runs.ProgressWatch.stepped

    def interrupted(watch, index, step):
        stepped(watch, index, step)
        if step == 1:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as context:
        context.setattr(study_runs.ProgressWatch, "stepped", interrupted)
        assert run(arguments) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "the same command goes on" in captured.err
    assert len(list(out.glob("*.metalab"))) == 1
    assert run(arguments) == 0
    assert json.loads(capsys.readouterr().out)["lines"][0]["ours"]["mean"] > 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nobody"], ["nobody", "maml-sine"]),
        (["imaml", "--share", "0"], ["share is 0", "above 0, up to 1"]),
        (["imaml", "--out", "file/inside"], ["file/inside"]),
    ],
)
def test_what_cannot_be_run_is_one_message(
    tmp_path, monkeypatch, capsys, arguments, words
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    assert run(["reproduce", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    for word in words:
        assert word in captured.err


def test_a_step_size_is_refused_where_it_was_learned(tmp_path, capsys):
    path = str(tmp_path / "run.metalab")
    small = ["--set", "outer.num_steps=2", "--set", "evaluation.num_tasks=16"]
    assert run(["train", "--preset", "meta-sgd-sine", *small, "--out", path]) == 0
    capsys.readouterr()
    assert run(["eval", path, "--inner-lr", "0.1"]) == 2
    assert "has learned its learning rates" in capsys.readouterr().err
