"""The command line, in process: what it prints, writes and refuses."""

import json
import os
import shutil
import signal
import sqlite3
import sys
import tomllib
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from metalab.analysis import check_presets
from metalab.api.foreground import StorageSink
from metalab.catalog.recipes import presets
from metalab.cli.main import run
from metalab.core.learner import METRIC_NAMES
from metalab.engine.events import METRICS
from metalab.experiment.config import preset_config
from metalab.experiment.fields import with_overrides
from metalab.experiment.share_code import share_code
from metalab.runs.record.reader import open_run
from metalab.runs.system import kernels
from metalab.runs.system.compiling import Compiling

SMALL = [
    "--set", "outer.num_steps=30",
    "--set", "outer.num_tasks=4",
    "--set", "model.hidden_sizes=[8]",
    "--set", "evaluation.num_tasks=16",
]  # fmt: skip


def json_of(capsys) -> object:
    captured = capsys.readouterr()
    assert captured.out.count("\n") == 1, "one object and nothing else"
    return json.loads(captured.out)


@pytest.fixture
def run_file(tmp_path, capsys) -> Path:
    path = tmp_path / "run.metalab"
    assert run(["train", *SMALL, "--out", str(path), "--json"]) == 0
    capsys.readouterr()
    return path


def test_train_prints_one_object_and_keeps_the_run(tmp_path, capsys):
    path = tmp_path / "run.metalab"
    assert run(["train", *SMALL, "--seed", "7", "--out", str(path), "--json"]) == 0
    result = json_of(capsys)
    assert result["num_steps"] == result["step"] == 30
    assert result["file"] == str(path)
    assert result["seconds"] > 0
    assert result["steps_per_second"] == pytest.approx(30 / result["seconds"])
    assert result["seed"] == 7
    assert result["status"] == "finished"
    assert path.exists()


IMPLICIT = [*SMALL, "--preset", "imaml-sine", "--set", "meta.strength=0.01"]


def test_train_tells_what_became_of_linear_systems(tmp_path, capsys):
    path = tmp_path / "run.metalab"
    few = ["--set", "outer.num_steps=3"]
    assert run(["train", *IMPLICIT, *few, "--out", str(path), "--json"]) == 0
    solves = json_of(capsys)["linear_solves"]
    metrics = open_run(path).history.metrics
    counts = metrics["not_positive_definite_solves"]
    assert solves["num_steps"] == 3
    assert solves["num_solves"] == 3 * 4
    assert solves["not_positive_definite"] == counts.sum() > 0
    assert solves["unconverged"] == metrics["unconverged_solves"].sum()
    assert solves["largest_residual"] == metrics["solve_residual"].max()
    assert solves["last_step"]["not_positive_definite"] == counts[-1]
    assert solves["last_step"]["num_solves"] == 4
    assert run(["train", *IMPLICIT, *few]) == 0
    text = capsys.readouterr().out
    assert f"{int(counts.sum())} of 12 not positive definite" in text
    assert "stronger regulariser" in text


def test_methods_without_linear_systems_say_nothing_of_them(capsys):
    assert run(["train", *SMALL, "--json"]) == 0
    assert json_of(capsys)["linear_solves"] is None
    assert run(["train", *SMALL]) == 0
    assert "Linear systems" not in capsys.readouterr().out


def test_train_tells_people_what_happened(capsys):
    assert run(["train", *SMALL]) == 0
    text = capsys.readouterr().out
    assert "Finished at outer step 30 of 30" in text
    assert "Held-out query loss" in text
    assert ".metalab" in text


def test_one_seed_twice_gives_identical_metrics(tmp_path, capsys):
    histories = []
    for name in ("a", "b"):
        path = tmp_path / f"{name}.metalab"
        run(["train", *SMALL, "--seed", "3", "--out", str(path), "--json"])
        histories.append(open_run(path).history)
    for name, column in histories[0].metrics.items():
        np.testing.assert_array_equal(column, histories[1].metrics[name], name)


def test_config_file_preset_and_assignments_in_that_order(tmp_path, capsys):
    file = tmp_path / "experiment.toml"
    file.write_text(
        'name = "mine"\n[outer]\nnum_steps = 20\nnum_tasks = 3\n'
        "[model]\nhidden_sizes = [6]\n[evaluation]\nnum_tasks = 16\n"
    )
    assert tomllib.loads(file.read_text())
    arguments = ["train", str(file), "--preset", "fomaml-sine", "--json"]
    assert run([*arguments, "--set", "outer.num_steps=10"]) == 0
    result = json_of(capsys)
    assert result["name"] == "mine"
    assert result["num_steps"] == 10


def test_a_share_code_stands_in_for_a_preset(tmp_path, capsys):
    config = with_overrides(
        preset_config("fomaml-sine"),
        [("outer.num_steps", 20), ("evaluation.num_tasks", 16)],
    )
    path = tmp_path / "run.metalab"
    arguments = ["train", "--code", share_code(config), "--out", str(path), "--json"]
    assert run([*arguments, "--set", "outer.num_steps=10"]) == 0
    result = json_of(capsys)
    assert (result["name"], result["num_steps"]) == (
        "fomaml-sine, 2 changes",
        10,
    )
    assert open_run(path).history.config_at().hypergradient == config.hypergradient


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--code", "metalab1:nonsense!"], "share code has been damaged"),
        (["--code", "metalab1:", "--preset", "maml-sine"], "beside --preset"),
    ],
)
def test_a_share_code_that_cannot_be_used_is_one_message(arguments, message, capsys):
    assert run(["train", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err


def rows_of(path):
    """Return everything that a run file holds of a run's numbers, table by table."""
    with closing(sqlite3.connect(path)) as database:
        columns = ", ".join(["step", *(info.name for info in METRICS)])
        return {
            "metrics": database.execute(f"SELECT {columns} FROM metrics").fetchall(),
            **{
                table: database.execute(f"SELECT * FROM {table}").fetchall()
                for table in ("probes", "snapshots", "diagnostics")
            },
        }


@pytest.mark.parametrize(("stop", "evaluated"), [(20, 20), (25, 20), (30, 30)])
def test_the_evaluation_due_at_the_stop_is_made_once_and_reported(
    stop, evaluated, tmp_path, capsys
):
    wanted = ["--set", "evaluation.every=10", "--set", "diagnostics.every=10"]
    straight, parts = tmp_path / "straight.metalab", tmp_path / "parts.metalab"
    assert run(["train", *SMALL, *wanted, "--out", str(straight), "--json"]) == 0
    capsys.readouterr()
    arguments = ["train", *SMALL, *wanted, "--out", str(parts), "--json"]
    assert run([*arguments, "--stop-at", str(stop)]) == 0
    result = json_of(capsys)
    assert (result["step"], result["evaluation_step"]) == (stop, evaluated)
    assert result["status"] == ("finished" if stop == 30 else "stopped")
    series = open_run(straight).history.evaluations
    (at,) = (series.steps == evaluated).nonzero()[0]
    assert result["evaluation"] == series.query_mean[at, 1]
    if stop < 30:
        assert run(["resume", str(parts), "--json"]) == 0
    assert rows_of(parts) == rows_of(straight)


def test_an_older_evaluation_is_told_with_its_step(capsys):
    arguments = ["train", *SMALL, "--set", "evaluation.every=10"]
    assert run([*arguments, "--stop-at", "25"]) == 0
    assert "Held-out query loss at outer step 20:" in capsys.readouterr().out
    assert run([*arguments, "--stop-at", "20"]) == 0
    assert "Held-out query loss:" in capsys.readouterr().out


def test_stop_at_then_resume(tmp_path, capsys):
    path = tmp_path / "run.metalab"
    arguments = ["train", *SMALL, "--out", str(path), "--stop-at", "11", "--json"]
    assert run(arguments) == 0
    assert json_of(capsys)["step"] == 11
    assert run(["resume", str(path), "--json"]) == 0
    result = json_of(capsys)
    assert result["num_steps"] == 19
    assert result["step"] == 30
    assert run(["resume", str(path), "--num-steps", "40", "--json"]) == 0
    assert json_of(capsys)["step"] == 40


@pytest.mark.parametrize("stop_at", ["11", "5"])
def test_a_stop_that_lies_behind_is_refused(tmp_path, capsys, stop_at):
    path = tmp_path / "run.metalab"
    assert run(["train", *SMALL, "--out", str(path), "--stop-at", "11"]) == 0
    capsys.readouterr()
    assert run(["resume", str(path), "--stop-at", stop_at]) == 2
    assert f"--stop-at is {stop_at}; allowed: above 11" in capsys.readouterr().err
    assert open_run(path).history.step == 11


def test_a_script_is_named_with_its_data(run_file, tmp_path, capsys):
    script = tmp_path / "figure.py"
    assert run(["export", str(run_file), "losses", "--to", str(script)]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "figure.py and" in told
    assert told.endswith("figure.csv")
    assert {path.name for path in tmp_path.glob("figure.*")} == {
        "figure.py",
        "figure.csv",
    }


def test_eval_gives_mean_and_interval_after_each_inner_step(run_file, capsys):
    arguments = ["eval", str(run_file), "--num-tasks", "50", "--num-inner-steps", "3"]
    assert run([*arguments, "--json"]) == 0
    result = json_of(capsys)
    assert result["num_tasks"] == 50
    assert [row[0] for row in result["loss"]] == [0, 1, 2, 3]
    for _, mean, low, high in result["loss"]:
        assert low < mean < high
    run([*arguments, "--json"])
    assert json_of(capsys) == result
    run([*arguments, "--seed", "1", "--json"])
    assert json_of(capsys)["loss"] != result["loss"]
    assert run(arguments) == 0
    assert "query loss of 50 fresh tasks" in capsys.readouterr().out


def test_presets_lists_name_title_source(capsys):
    assert run(["presets", "--json"]) == 0
    rows = json_of(capsys)
    assert [row["name"] for row in rows] == list(presets())
    assert all(row["title"] and row["source"] for row in rows)
    assert run(["presets"]) == 0
    assert "maml-sine" in capsys.readouterr().out


def test_presets_lists_only_those_that_are_named(capsys):
    assert run(["presets", "reptile-sine", "maml-sine", "reptile-sine", "--json"]) == 0
    assert [row["name"] for row in json_of(capsys)] == ["reptile-sine", "maml-sine"]


def test_presets_check_compares_held_out_losses(capsys):
    arguments = ["presets", "--check", "maml-sine", "oracle-sine"]
    assert run([*arguments, "--num-steps", "10", "--json"]) == 0
    rows = json_of(capsys)
    assert [row["name"] for row in rows] == ["maml-sine", "oracle-sine"]
    assert [row["over"] for row in rows] == ["training", "adaptation"]
    for row in rows:
        assert row["verdict"] == "falls"
        assert row["after"] < row["before"]
        assert row["seconds"] > 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("outer.optimizer.outer_lr", 1e-30), "does not fall over training"),
        (("inner", {"inner_lr": 10.0, "num_inner_steps": 5}), "diverged: "),
    ],
)
def test_presets_check_ends_with_1_where_one_fails(monkeypatch, capsys, change, told):
    monkeypatch.setattr(
        check_presets,
        "preset_config",
        lambda name: with_overrides(
            preset_config(name), [change] if name == "maml-sine" else []
        ),
    )
    monkeypatch.setenv("COLUMNS", "200")
    arguments = ["presets", "--check", "maml-sine", "reptile-sine"]
    assert run([*arguments, "--num-steps", "10"]) == 1
    told_of = {
        words[1]: line
        for line in capsys.readouterr().out.splitlines()
        if len(words := line.split()) > 1
    }
    assert told in told_of["maml-sine"]
    assert "falls over training" in told_of["reptile-sine"]


def test_presets_check_goes_to_the_end_from_several_seeds(monkeypatch, capsys):
    monkeypatch.setattr(
        check_presets,
        "preset_config",
        lambda name: with_overrides(preset_config(name), [("outer.num_steps", 40)]),
    )
    monkeypatch.setenv("COLUMNS", "200")
    arguments = ["presets", "--check", "maml-sine", "--full", "--seeds", "3"]
    assert run([*arguments, "--json"]) == 0
    rows = json_of(capsys)
    assert [row["seed"] for row in rows] == [0, 1, 2]
    assert {row["step"] for row in rows} == {40}
    assert len({row["after"] for row in rows}) == 3
    for row in rows:
        assert row["diverged"] is None
        assert row["low"] < row["after"] < row["high"]
    assert run(arguments) == 0
    text = capsys.readouterr().out
    mean = sum(row["after"] for row in rows) / 3
    assert f"{mean:.4g}" in text
    assert "0 of 3" in text


def test_presets_check_has_one_length(capsys):
    arguments = ["presets", "--check", "maml-sine", "--full", "--num-steps", "9"]
    assert run(arguments) == 2
    assert "--num-steps 9" in capsys.readouterr().err


def test_presets_refuses_an_unknown_name_before_anything_runs(capsys):
    assert run(["presets", "--check", "maml-sine", "nobody"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "preset is 'nobody'; allowed: " in captured.err


def test_doctor_names_versions_device_and_display(capsys):
    assert run(["doctor", "--json"]) == 0
    report = json_of(capsys)
    assert report["torch"]
    assert report["PySide6-Essentials"]
    assert "cpu" in report["devices"]
    assert report["display"] == "ok"
    assert report["kernels"].startswith("float32 ")
    assert run(["doctor"]) == 0
    assert "torch" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("display", "missing", "code"),
    [(None, {}, 0), (None, {"libEGL.so.1": "libegl1"}, 1), ("none", {"a": "b"}, 0)],
)
def test_doctor_ends_with_1_where_a_window_cannot_open(
    monkeypatch, capsys, display, missing, code
):
    monkeypatch.setattr(
        sys.modules["metalab.cli.doctor"], "display_problem", lambda: display
    )
    monkeypatch.setattr(
        sys.modules["metalab.cli.doctor"], "missing_libraries", lambda: missing
    )
    assert run(["doctor", "--json"]) == code


def test_doctor_ends_with_1_where_runs_cannot_be_kept(monkeypatch, tmp_path, capsys):
    (tmp_path / "home").write_text("a file")
    monkeypatch.setenv("METALAB_HOME", str(tmp_path / "home"))
    assert run(["doctor", "--json"]) == 1
    assert "Runs cannot be kept in" in json_of(capsys)["problems"][0]


def test_resume_tells_steps_of_this_call_and_of_all(tmp_path, capsys):
    path = tmp_path / "run.metalab"
    assert run(["train", *SMALL, "--stop-at", "10", "--out", str(path)]) == 0
    capsys.readouterr()
    assert run(["resume", str(path), "--stop-at", "25", "--json"]) == 0
    result = json_of(capsys)
    assert result["num_steps"] == result["num_steps_made_now"] == 15
    assert result["num_steps_made_in_all"] == result["step"] == 25
    assert result["num_steps_planned"] == 30


def test_doctor_says_why_there_are_no_kernels(capsys, monkeypatch):
    monkeypatch.setattr(kernels, "missing_compiler", lambda: "numba is not installed")
    assert run(["doctor", "--json"]) == 0
    expected = "unavailable because numba is not installed (pip install numba)"
    assert json_of(capsys)["kernels"] == expected


def test_train_says_who_computes_and_why(capsys, monkeypatch):
    arguments = ["train", *SMALL, "--set", "run.provider=autodiff"]
    assert run([*arguments, "--json"]) == 0
    result = json_of(capsys)
    assert result["provider"] == "autodiff"
    assert result["provider_reason"] == "run.provider says so"
    monkeypatch.setattr(kernels, "missing_compiler", lambda: "numba is not installed")
    assert run(["train", *SMALL]) == 0
    text = capsys.readouterr().out
    assert "by automatic differentiation: no compiled kernels: numba is not" in text
    assert run(["train", *SMALL, "--set", "run.provider=fused"]) == 2
    assert "run.provider is 'fused'" in capsys.readouterr().err


def test_train_says_that_it_compiles_and_a_stop_leaves_nothing(
    capsys, monkeypatch, tmp_path
):
    def prepare(precision, *, cancelled, on_compiling):
        on_compiling(Compiling(share=0.0, name="", seconds=0.0))
        signal.raise_signal(signal.SIGINT)
        assert cancelled()
        return kernels.Readiness(ready=False, reason="compiling was cancelled")

    monkeypatch.setattr("metalab.runs.running.provider.prepare", prepare)
    path = tmp_path / "run.metalab"
    assert run(["train", *SMALL, "--out", str(path)]) == 0
    text = capsys.readouterr().out
    assert "Compiling kernels, once on this machine: twenty seconds to a minute" in text
    assert "Stopped at outer step 0 of 30" in text
    assert "Run file" not in text
    assert not path.exists()


def test_version(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("metalab ")


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        (
            ["inner.inner_lr=5"],
            "Lower inner.inner_lr (now 5): an inner loop diverges above 2/L",
        ),
        (
            [
                "meta.kind=anchor",
                "hypergradient.kind=implicit-neumann",
                "hypergradient.step_size=1",
                "hypergradient.num_terms=200",
            ],
            "Lower hypergradient.step_size (now 1): the series diverges above 2/L",
        ),
        (
            ["meta.kind=ridge-head", "inner.kind=closed-form", "outer.optimizer.kind=sgd",
             "outer.optimizer.outer_lr=10"],
            "Lower outer.optimizer.outer_lr (now 10): an outer step went too far",
        ),
    ],
)  # fmt: skip
def test_a_divergence_comes_with_advice_that_fits(changes, advice, capsys):
    sets = [part for text in changes for part in ("--set", text)]
    assert run(["train", *SMALL, *sets, "--json"]) == 1
    said = capsys.readouterr().err
    assert advice in said
    assert ("inner_lr" in said) is ("inner.inner_lr=5" in changes)


def test_divergence_saves_and_ends_with_1(tmp_path, capsys):
    path = tmp_path / "run.metalab"
    arguments = ["train", *SMALL, "--set", "inner.inner_lr=10", "--out", str(path)]
    assert run([*arguments, "--json"]) == 1
    captured = capsys.readouterr()
    result = json.loads(captured.out)
    assert result["status"] == "diverged"
    diverged = result["diverged"]
    assert diverged["last_good_step"] == result["step"] < diverged["step"]
    assert diverged["quantity"] in METRIC_NAMES
    assert diverged["message"] in captured.err
    assert path.exists()


def test_train_tells_how_stable_the_inner_steps_are(capsys):
    assert run(["train", *SMALL, "--json"]) == 0
    stability = json_of(capsys)["stability"]
    assert stability["step"] == 30
    assert 0 <= stability["unstable_share"] <= 1
    assert stability["step_curvature"] > 0
    assert stability["warning"] is None


def test_train_warns_before_a_run_diverges(capsys):
    arguments = ["--set", "hypergradient.kind=first-order", "--set", "inner.inner_lr=1"]
    arguments += ["--set", "inner.num_inner_steps=3", "--set", "outer.num_steps=2"]
    run(["train", *SMALL, *arguments, "--json"])
    captured = capsys.readouterr()
    warning = json.loads(captured.out)["stability"]["warning"]
    assert "At outer step 0 an inner step overshoots" in warning
    assert f"Warning: {warning}" in captured.err
    assert captured.err.count("Warning:") == 1


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("inner.inner_lr=-1", ["inner.inner_lr", "-1", "above 0, up to 10"]),
        ("inner.inner_lr=fast", ["inner.inner_lr", "fast"]),
        ("inner.inner_lr=nan", ["inner.inner_lr", "nan"]),
        ("outer.num_steps=0", ["outer.num_steps", "is 0", "1 to"]),
        ("outer.num_steps=true", ["outer.num_steps", "True"]),
        ("outer.num_stepps=5", ["outer.num_stepps", "outer.num_steps"]),
        ("bogus=1", ["bogus", "not a known setting"]),
        ("hypergradient=magic", ["hypergradient.kind", "magic", "unrolled"]),
        ("tasks.family.amplitude_max=0", ["amplitude_max", "amplitude_min"]),
        ("inner.inner_batch_size=11", ["inner.inner_batch_size", "tasks.num_shots"]),
        ("run.device=cuda:7", ["run.device", "cuda:7", "cpu"]),
        ("name=a/b", ["name", "a/b"]),
        ("no-equals-sign", ["--set", "no-equals-sign"]),
    ],
)
def test_a_bad_setting_is_one_message_and_writes_nothing(
    tmp_path, capsys, assignment, words
):
    path = tmp_path / "run.metalab"
    assert run(["train", "--set", assignment, "--out", str(path), "--json"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    for word in words:
        assert word in captured.err
    assert list(tmp_path.rglob("*")) == []


def test_bad_files_are_one_message_and_write_nothing(tmp_path, capsys):
    (tmp_path / "broken.toml").write_text("= nonsense")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "foreign.metalab").write_text("SQLite format 3? no")
    before = sorted(tmp_path.iterdir())
    commands = [
        ["train", str(tmp_path / "missing.toml")],
        ["train", str(tmp_path / "broken.toml")],
        ["train", str(tmp_path / "binary.toml")],
        ["train", str(tmp_path)],
        ["train", "--preset", "nobody"],
        ["train", "--out", str(tmp_path / "no" / "folder.metalab"), *SMALL],
        ["train", "--out", str(tmp_path / "foreign.metalab"), *SMALL],
        ["resume", str(tmp_path / "missing.metalab")],
        ["resume", str(tmp_path / "foreign.metalab")],
        ["eval", str(tmp_path / "foreign.metalab")],
        ["export", str(tmp_path / "foreign.metalab"), "losses", "--to", "x.png"],
    ]
    for command in commands:
        assert run(command) == 2, command
        captured = capsys.readouterr()
        assert captured.out == "", command
        assert len(captured.err.splitlines()) == 1, captured.err
        assert captured.err.startswith("metalab: ")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.slow
def test_export_writes_every_figure_in_every_format(run_file, tmp_path, capsys):
    for figure in ("losses", "adaptation", "inner-loss"):
        for suffix in ("png", "svg", "pdf", "csv"):
            target = tmp_path / f"{figure}.{suffix}"
            assert run(["export", str(run_file), figure, "--to", str(target)]) == 0
            assert target.stat().st_size > 100


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["nothing", "--to", "x.png"], "nothing"),
        (["losses", "--to", "x.jpeg"], "jpeg"),
        (["losses", "--to", "x.png", "--size", "huge"], "huge"),
        (["losses", "--to", "no/where/x.png"], "no/where"),
    ],
)
def test_export_refuses_with_one_message(
    run_file, tmp_path, monkeypatch, capsys, arguments, word
):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert run(["export", str(run_file), *arguments]) == 2
    error = capsys.readouterr().err
    assert word in error
    assert len(error.splitlines()) == 1
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(os.name == "nt", reason="a folder in use cannot be removed there")
def test_a_current_folder_that_is_gone_is_one_message(tmp_path, monkeypatch, capsys):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert run(["presets"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "metalab: the folder that this was started in cannot be used: No such file or "
        "directory\n"
    )


def test_a_copy_is_whole_and_takes_no_other_files_place(run_file, tmp_path, capsys):
    copy = tmp_path / "copy.metalab"
    assert run(["copy", str(run_file), str(copy)]) == 0
    assert capsys.readouterr().err == ""
    assert open_run(copy).history.step == 30
    assert run(["copy", str(run_file), str(copy)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert run(["copy", str(run_file), str(copy), "--force"]) == 0
    assert run(["copy", str(run_file), str(run_file), "--force"]) == 2
    assert "is the run itself" in capsys.readouterr().err


def test_every_reader_says_what_a_copy_of_a_run_that_goes_on_lacks(
    tmp_path, capsys, monkeypatch
):
    path, copy = tmp_path / "run.metalab", tmp_path / "copy.metalab"
    monkeypatch.setattr("metalab.runs.record.store.FLUSH_SECONDS", 0.0)
    flush = StorageSink.flush

    def copying(self, trainer, *, force=False):
        flush(self, trainer, force=force)
        if 0 < trainer.step < 30:
            shutil.copyfile(path, copy)

    monkeypatch.setattr(StorageSink, "flush", copying)
    assert run(["train", *SMALL, "--out", str(path)]) == 0
    capsys.readouterr()
    step = open_run(copy).history.step
    assert 0 < step < 30
    gif = str(tmp_path / "a.gif")
    for command in (
        ["eval", str(copy), "--num-tasks", "8", "--num-inner-steps", "1"],
        ["export", str(copy), "losses", "--to", str(tmp_path / "a.csv")],
        ["animate", str(copy), "adaptation", "--to", gif, "--num-frames", "2"],
        ["copy", str(copy), str(tmp_path / "b.metalab")],
    ):
        assert run(command) == 0, command
        told = capsys.readouterr().err
        assert f"is complete to outer step {step} of 30" in told, command
    monkeypatch.setattr(StorageSink, "flush", flush)
    assert run(["resume", str(copy)]) == 0
    capsys.readouterr()
    assert run(["eval", str(copy), "--num-tasks", "8"]) == 0
    assert "complete to" not in capsys.readouterr().err


def test_a_folder_that_vanishes_is_told_while_the_run_goes_on(
    tmp_path, capsys, monkeypatch
):
    folder = tmp_path / "disk"
    folder.mkdir()
    monkeypatch.setattr("metalab.runs.record.store.FLUSH_SECONDS", 0.0)
    flush = StorageSink.flush
    told = []

    def flush_and_look(self, trainer, *, force=False):
        flush(self, trainer, force=force)
        told.append(capsys.readouterr().err)
        if trainer.step == 1 and folder.exists():
            folder.rename(tmp_path / "away")
        elif trainer.step > 10 and not folder.exists():
            (tmp_path / "away").rename(folder)

    monkeypatch.setattr(StorageSink, "flush", flush_and_look)
    path = folder / "run.metalab"
    assert run(["train", *SMALL, "--out", str(path), "--json"]) == 0
    assert [line for line in told if line] == [
        f"metalab: {path} cannot be written: there is no folder {folder} any more; it is "
        "kept in memory and tried again\n",
        f"metalab: {path} is written again\n",
    ]
    assert open_run(path).history.step == 30
