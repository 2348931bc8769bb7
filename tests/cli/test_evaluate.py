"""`metalab eval` with each kind of query set."""

import json
from itertools import product

import pytest

from metalab.cli.evaluate import QueryInputs, QueryTargets
from metalab.cli.main import run
from metalab.core.tasks import QUERY_INPUTS, QUERY_TARGETS
from metalab.experiment.config import preset_config
from metalab.experiment.fields import with_overrides
from metalab.runs.record.live import LiveRun
from metalab.runs.record.reader import open_run
from metalab.runs.running.control import RunControl
from metalab.runs.running.run import run_experiment
from tests.support.experiments import small


@pytest.fixture(scope="module")
def run_file(tmp_path_factory):
    """Return a run on noisy zero functions, so that tasks differ in their draw alone."""
    config = small(
        outer__num_steps=1,
        tasks__family__amplitude_min=0.0,
        tasks__family__amplitude_max=0.0,
        tasks__family__noise_std=1.0,
    )
    path = tmp_path_factory.mktemp("runs") / "run.metalab"
    run_experiment(LiveRun(config, path=path), RunControl())
    return path


def evaluated(capsys, path, *options):
    arguments = ["eval", str(path), "--num-tasks", "200", "--num-inner-steps", "1"]
    assert run([*arguments, *options, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_words_are_those_of_the_core():
    assert tuple(QueryInputs) == QUERY_INPUTS
    assert tuple(QueryTargets) == QUERY_TARGETS


def test_each_kind_is_named_and_used(run_file, capsys):
    width, mean = {}, {}
    for kind in product(QUERY_INPUTS, QUERY_TARGETS):
        options = ["--query-inputs", kind[0], "--query-targets", kind[1]]
        result = evaluated(capsys, run_file, *options, "--num-queries", "50")
        assert (result["query_inputs"], result["query_targets"]) == kind
        assert result["num_queries"] == 50
        _, mean[kind], low, high = result["loss"][0]
        width[kind] = high - low
    assert width.pop(("grid", "noise-free")) == pytest.approx(0, abs=1e-6)
    assert all(value > 1e-3 for value in width.values())
    for inputs in QUERY_INPUTS:
        noise = mean[inputs, "noisy"] - mean[inputs, "noise-free"]
        assert noise == pytest.approx(1.0, abs=0.1)


def test_by_default_query_sets_are_random_and_noisy(run_file, capsys):
    named = ["--query-inputs", "random", "--query-targets", "noisy"]
    usual = evaluated(capsys, run_file)
    assert usual == evaluated(capsys, run_file, *named, "--num-queries", "100")


def test_the_step_size_is_told(run_file, capsys):
    config = open_run(run_file).history.config_at()
    assert evaluated(capsys, run_file)["inner_lr"] == config.inner.inner_lr
    other = evaluated(capsys, run_file, "--inner-lr", "0.02")
    assert other["inner_lr"] == 0.02 != config.inner.inner_lr


@pytest.mark.parametrize("preset", ["meta-sgd-sine", "ridge-sine"])
def test_no_step_size_is_told_where_none_was_chosen(preset, tmp_path, capsys):
    path = tmp_path / "run.metalab"
    sizes = {"outer.num_steps": 1, "evaluation.num_tasks": 16}
    config = with_overrides(preset_config(preset), list(sizes.items()))
    run_experiment(LiveRun(config, path=path), RunControl())
    assert evaluated(capsys, path)["inner_lr"] is None


def test_other_words_are_refused(run_file, capsys):
    assert run(["eval", str(run_file), "--query-inputs", "sorted"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "sorted" in captured.err


def test_what_stands_beside_a_mean(run_file, capsys):
    result = evaluated(capsys, run_file)
    assert result["interval_over"] == "tasks of this network"
    assert len(result["summary"]) == len(result["loss"]) == 2
    for (step, mean, low, high), row in zip(
        result["loss"], result["summary"], strict=True
    ):
        ends = (row["mean"], row["mean_low"], row["mean_high"])
        assert (row["inner_step"], *ends) == (step, mean, low, high)
        assert row["no_interval"] is None
        for name in ("mean", "iqm", "median"):
            assert row[f"{name}_low"] < row[name] < row[f"{name}_high"]
        assert row["num_exploded"] == row["num_rising"] == 0


def test_a_mean_that_has_no_interval_says_why(run_file, capsys):
    """Steps so large that every task explodes, and so long that none is a number."""
    options = ["--num-tasks", "50", "--num-inner-steps", "60", "--inner-lr", "10"]
    assert run(["eval", str(run_file), *options, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["summary"]
    assert rows[0]["no_interval"] is None
    last = rows[-1]
    assert last["no_interval"] == "tasks exploded"
    assert (last["mean"], last["mean_low"], last["mean_high"]) == (None, None, None)
    assert last["num_exploded"] == last["num_rising"] == 50
    assert run(["eval", str(run_file), *options]) == 0
    text = capsys.readouterr().out
    for words in ("tasks exploded", "this network", "interquartile mean", "Median"):
        assert words in text
    assert "…" not in text, "nothing is cut off"


def test_a_trained_run_tells_its_interval_too(tmp_path, capsys):
    path = tmp_path / "run.metalab"
    settings = ["outer.num_steps=1", "evaluation.num_tasks=16", "outer.num_tasks=2"]
    options = [part for setting in settings for part in ("--set", setting)]
    arguments = ["train", *options, "--out", str(path)]
    assert run([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["evaluation_over_tasks"]
    series = open_run(path).history.evaluations
    assert found["mean"] == series.query_mean[-1, 1]
    assert (found["mean_low"], found["mean_high"]) == (
        series.query_low[-1, 1],
        series.query_high[-1, 1],
    )
    assert (found["iqm"], found["median"]) == (
        series.query_iqm[-1, 1],
        series.query_median[-1, 1],
    )
    assert (found["num_exploded"], found["num_tasks"]) == (0, 16)
    path.unlink()
    assert run(arguments) == 0
    assert "over the tasks of this network" in capsys.readouterr().out
