"""What a run tells and does, next to the command line's answers."""

import json
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure

import metalab as ml
from metalab.api import run as run_module
from metalab.api.adapted import AdaptError
from metalab.cli.main import run as command
from metalab.core.errors import UserError
from metalab.engine.events import METRICS
from metalab.experiment.fields import ConfigError
from metalab.figures.errors import FigureError
from metalab.runs.record.file_format import RunFileError
from metalab.runs.record.reader import open_run
from tests.support.experiments import small

X, Y = [-1.0, 0.5, 2.0], [0.3, -0.4, 1.1]


def told_by(capsys, *arguments):
    capsys.readouterr()
    assert command([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_what_it_tells(run):
    again = ml.open(str(run.path))
    assert again.config == run.config == small()
    assert again.status == "finished"
    assert again.step == 60
    assert again.diverged is None
    assert again.name.startswith("maml-sine")
    for text in (repr(run), run._repr_html_()):
        assert "60 of 60" in text
        assert "finished" in text
        assert str(run.path) in text


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(RunFileError, match=r"no\.metalab"):
        ml.open(tmp_path / "no.metalab")


def test_metrics(run):
    assert list(run.metrics) == ["step", "seconds", *(info.name for info in METRICS)]
    np.testing.assert_array_equal(run.metrics["step"], np.arange(1, 61))
    assert np.isfinite(run.metrics["outer_loss"]).all()


def test_evaluations(run):
    found = run.evaluations
    series = open_run(run.path).history.evaluations
    assert {0, 20, 40, 60} <= set(found["step"])
    assert found.num_rows == len(series) * 3
    row = int(np.searchsorted(series.steps, 40))
    at = (found["step"] == 40) & (found["inner_step"] == 1)
    assert found["query_mean"][at] == series.query_mean[row, 1]
    assert found["support_rising"][at] == series.support_rising[row, 1]


def test_moments(run, tmp_path):
    short = ml.train(
        small(), outer_num_steps=30, path=tmp_path / "a.metalab", progress=False
    )
    there = run.at(30)
    assert there.step == 30
    assert there.phi.tobytes() == short.phi.tobytes()
    np.testing.assert_array_equal(
        there.metrics["outer_loss"], short.metrics["outer_loss"]
    )
    assert there.evaluations["step"].max() == 20
    assert run.at(60).phi.tobytes() == run.phi.tobytes()
    after = run.evaluations["inner_step"] == run.config.num_inner_steps
    losses = run.evaluations["query_mean"][after]
    assert run.at("best").step == run.evaluations["step"][after][losses.argmin()]
    with pytest.raises(RunFileError, match="no outer step 61"):
        run.at(61)


def test_adapting_is_what_the_command_line_does(run, tmp_path, capsys):
    points, curves = tmp_path / "points.csv", tmp_path / "curves.csv"
    points.write_text("\n".join(f"{x},{y}" for x, y in zip(X, Y, strict=True)))
    told = told_by(
        capsys,
        *("adapt", str(run.path), "--points", str(points), "--to", str(curves)),
        *("--num-inner-steps", "4"),
    )
    adapted = run.adapt(X, Y, steps=4)
    np.testing.assert_allclose(adapted.support_loss, told["support_loss"], rtol=1e-6)
    moved = np.linalg.norm(adapted.theta - adapted.theta[0], axis=1)
    np.testing.assert_allclose(moved, told["distance"], rtol=1e-5)
    assert adapted.theta.shape == (5, len(run.phi))
    assert "3 points in 4 inner steps" in repr(adapted)


def test_predictions_at_every_inner_step(run):
    adapted = run.adapt(np.array(X), np.array(Y)[:, None], steps=3)
    assert adapted.predict(X).shape == (3,)
    np.testing.assert_array_equal(adapted.predict(X), adapted.predict(X, inner_step=3))
    np.testing.assert_array_equal(
        adapted.predict(X), adapted.predict(np.array(X)[:, None])
    )
    for step in range(4):
        errors = adapted.predict(X, inner_step=step) - Y
        assert adapted.support_loss[step] == pytest.approx(np.mean(errors**2), rel=1e-5)
    untouched = run.adapt([0.0], [9.0], steps=0)
    np.testing.assert_array_equal(
        untouched.predict(X), adapted.predict(X, inner_step=0)
    )
    assert run.adapt(X, Y).num_inner_steps == run.config.num_shown_steps


def test_the_inner_lr_of_ones_own(run):
    slow, fast = (run.adapt(X, Y, 1, inner_lr=rate) for rate in (0.01, 0.02))
    moved = [part.theta[1] - part.theta[0] for part in (slow, fast)]
    np.testing.assert_allclose(2 * moved[0], moved[1], rtol=1e-3, atol=1e-7)


def test_tables_have_their_own_units(tmp_path):
    table = tmp_path / "heights.csv"
    rng = np.random.default_rng(0)
    lines = ["who,age,height"]
    for who in range(12):
        ages = rng.uniform(2, 18, 12)
        lines += [f"p{who},{age:.3f},{75 + 5.5 * age + who:.3f}" for age in ages]
    table.write_text("\n".join(lines))
    run = ml.train(
        small(),
        settings={
            "tasks.family": {
                "kind": "table",
                "data": str(table),
                "task": "who",
                "x": "age",
                "y": "height",
            }
        },
        outer_num_steps=40,
        path=tmp_path / "a.metalab",
        progress=False,
    )
    x = np.array([3.0, 6, 9, 12, 15])
    adapted = run.adapt(x, 75 + 5.5 * x, steps=2)
    assert 50 < adapted.predict([10.0])[0] < 200
    found = run.evaluate(8, num_inner_steps=1, num_shots=4)
    assert found.rmse is not None
    assert found.table["rmse"].shape == (2,)


@pytest.mark.parametrize(
    ("x", "y", "steps", "told"),
    [
        ([], [], 1, "x holds no point"),
        ([1.0], [1.0, 2.0], 1, r"y has the shape \[2, 1\]; allowed .* \[1, 1\]"),
        ([[1.0, 2.0]], [1.0], 1, r"shape \[1, 2\]; allowed: .* times 1 input"),
        ([np.nan], [1.0], 1, "no finite number"),
        (["a"], [1.0], 1, "x holds what is no number"),
        (1.0, 1.0, 1, "x has 0 axes"),
        ([1.0], [1.0], -1, "steps is -1; allowed: 0 to 10,000"),
    ],
)
def test_points_that_cannot_be(run, x, y, steps, told):
    with pytest.raises(AdaptError, match=told):
        run.adapt(x, y, steps=steps)


def test_an_inner_step_that_was_not_made(run):
    with pytest.raises(AdaptError, match="inner_step is 3; allowed: 0 to 2"):
        run.adapt(X, Y, steps=2).predict(X, inner_step=3)


def test_a_network_that_is_told_the_task(tmp_path):
    run = ml.train(
        small(),
        tasks_family="sinusoid-known",
        outer_num_steps=2,
        path=tmp_path / "a.metalab",
        progress=False,
    )
    with pytest.raises(AdaptError, match="told the numbers of a task"):
        run.adapt(X, Y)


def test_evaluation_is_the_command_lines(run, capsys):
    told = told_by(
        capsys,
        *("eval", str(run.path), "--num-tasks", "20", "--num-inner-steps", "3"),
        *("--num-queries", "7", "--seed", "5", "--step", "40"),
        *("--query-targets", "noise-free", "--set", "tasks.family.x_max=6"),
    )
    found = run.at(40).evaluate(
        20,
        num_inner_steps=3,
        num_queries=7,
        seed=5,
        query_targets="noise-free",
        tasks={"tasks.family.x_max": 6},
    )
    assert found.query_loss.shape == (20, 4)
    assert list(found.summary.mean) == [row["mean"] for row in told["summary"]]
    assert found.mean == told["summary"][3]["mean"]
    assert found.median == told["summary"][3]["median"]
    low, high = found.interval
    assert low < found.mean < high
    assert found.no_interval is None
    assert found.table["mean_low"][-1] == low
    assert list(found.table["inner_step"]) == [0, 1, 2, 3]
    assert "20 tasks after 3 inner steps" in repr(found)
    assert found.table.html() in found._repr_html_()


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({"num_tasks": 1}, UserError, "num_tasks is 1; allowed: 2 or more"),
        ({"num_inner_steps": -1}, UserError, "num_inner_steps is -1"),
        ({"query_inputs": "even"}, UserError, "allowed: random, grid"),
        ({"subset": "training"}, UserError, "allowed: validation, held-out"),
        ({"tasks": {"inner.inner_lr": 1}}, ConfigError, "cannot be changed here"),
    ],
)
def test_evaluations_that_cannot_be(run, options, error, told):
    with pytest.raises(error, match=told):
        run.evaluate(**options)


def test_figures_are_matplotlibs(run):
    figure = run.figure("losses", size="double", log_y=False, x="training-time")
    assert isinstance(figure, Figure)
    assert figure.get_figwidth() * 25.4 == pytest.approx(183)
    assert figure.axes[0].get_yscale() == "linear"
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_a_figure_of_points_of_ones_own_at_a_moment(run):
    figure = run.at(20).figure("adapt", points=(X, Y), inner_step=1)
    assert isinstance(figure, Figure)


@pytest.mark.parametrize(
    ("name", "choices", "error", "told"),
    [
        ("loss", {}, FigureError, "figure is 'loss'; allowed: .*losses"),
        ("losses", {"log": True}, TypeError, "'log' is no choice of a figure"),
        ("losses", {"smoothness": 0}, TypeError, "did you mean smoothing"),
        ("losses", {"size": "a4"}, FigureError, "size is 'a4'"),
        ("gallery", {"task": 0}, FigureError, "task is 0"),
        ("adapt", {"points": 3}, FigureError, "two rows of numbers"),
        ("adapt", {"points": ([1.0], [])}, FigureError, r"\[1\] x and \[0\] y"),
    ],
)
def test_figures_that_cannot_be(run, name, choices, error, told):
    with pytest.raises(error, match=told):
        run.figure(name, **choices)


def test_the_window_is_a_process(run, monkeypatch):
    started = []
    monkeypatch.setattr(run_module.subprocess, "Popen", started.append)
    run.window()
    assert started == [[sys.executable, "-m", "metalab", str(run.path)]]


@pytest.mark.parametrize("preset", ml.presets())
def test_every_preset_adapts_and_is_evaluated(preset, tmp_path):
    path = tmp_path / "a.metalab"
    run = ml.train(small(preset), outer_num_steps=3, path=path, progress=False)
    family = run.config.tasks.family.build()
    x = np.linspace(*family.input_range, 5)
    if family.input_dim > 1 and not family.inputs_lie_on_a_curve:
        x = np.tile(x[:, None], family.input_dim)
    adapted = run.adapt(x, np.linspace(1, 3, 5), steps=2)
    assert np.isfinite(adapted.predict(x)).all()
    assert run.at(1).evaluate(6, num_inner_steps=1).query_loss.shape == (6, 2)


def test_of_a_table_evaluate_averages_the_draws_that_eval_does(tmp_path, capsys):
    rows = [f"P{i},{x},{i * x / 10}\n" for i in range(20) for x in range(1, 7)]
    data = tmp_path / "data.csv"
    data.write_text("who,x,y\n" + "".join(rows), encoding="utf-8")
    path = tmp_path / "run.metalab"
    small = ["--set", "outer.num_steps=2", "--set", "run.provider=autodiff"]
    shots = ["--set", "tasks.num_shots=3", "--out", str(path)]
    made = ["train", "--data", str(data), "--preset", "maml", *small, *shots]
    assert command(made) == 0
    told = told_by(capsys, "eval", str(path), "--num-inner-steps", "2")["summary"][2]
    found = ml.open(path).evaluate(num_inner_steps=2)
    assert (found.mean, float(found.rmse[2])) == (told["mean"], told["rmse"])
    alone = ml.open(path).evaluate(num_inner_steps=2, num_draws=1)
    assert alone.mean != found.mean


def test_a_network_that_predicts_its_noise_still_predicts_one_number_a_point(tmp_path):
    config = small(loss__kind="gaussian", loss__noise_is="learned", outer__num_steps=2)
    run = ml.train(config, progress=False, path=tmp_path / "run.metalab")
    assert run.adapt(X, Y, steps=3).predict([0.1, 0.2]).shape == (2,)
    assert run.evaluate(6).query_loss.shape == (6, 11)
