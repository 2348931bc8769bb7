"""What `eval`, `export`, `curves` and `adapt` find at any state of a run, and on any tasks.

Each number is compared with one that was computed without metalab: by hand in numpy
(`tests.support.plain_adaptation`), or from a run that was stopped there.
"""

import csv
import json
import math
import shutil
import sqlite3
from contextlib import closing

import numpy as np
import pytest
import torch
from safetensors.numpy import load, save

from metalab.cli.main import run
from metalab.core.streams import RandomStreams
from metalab.runs.record.file_format import RunFileError
from metalab.runs.record.reader import open_run
from metalab.runs.services.snapshots import state_at
from tests.support.plain_adaptation import loss, path, predict

LR, SHOTS = 0.02, 6
SETTINGS = [
    *("outer.num_steps=60", "outer.num_tasks=3", "outer.optimizer.outer_lr=0.05"),
    *("model.hidden_sizes=8", "model.activation=tanh", f"inner.inner_lr={LR}"),
    *("evaluation.num_tasks=16", "evaluation.every=10", f"tasks.num_shots={SHOTS}"),
    *("evaluation.num_inner_steps=4", "run.precision=float64"),
]


def trained(path, *options):
    sets = [part for setting in SETTINGS for part in ("--set", setting)]
    assert run(["train", *sets, "--out", str(path), *options]) == 0
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("states")


@pytest.fixture(scope="module")
def run_file(folder):
    return trained(folder / "run.metalab")


def stopped_at(folder, step):
    file = folder / f"until-{step}.metalab"
    return file if file.exists() else trained(file, "--stop-at", str(step))


def result_of(capsys, *arguments):
    capsys.readouterr()
    assert run([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def rows_of(file):
    with file.open(newline="") as stream:
        return list(csv.DictReader(stream))


def best_step(run_file):
    """Return the step of the lowest mean over the held-out tasks, from every evaluation."""
    series = open_run(run_file).history.evaluations
    means = dict(zip(series.steps.tolist(), series.query_mean[:, 1], strict=True))
    return int(min(sorted(means), key=lambda step: means[step]))


def test_the_best_state_is_that_of_a_run_which_ended_there(run_file, folder, capsys):
    step = best_step(run_file)
    assert 0 < step < 60, "else the best would be the first or the newest"
    best = result_of(capsys, "eval", run_file, "--step", "best", "--num-tasks", 50)
    assert (best["step"], best["chosen"]) == (step, "best")
    shorter = stopped_at(folder, step)
    straight = result_of(capsys, "eval", shorter, "--num-tasks", 50)
    assert best["loss"] == straight["loss"]
    newest = result_of(capsys, "eval", run_file, "--num-tasks", 50)
    assert newest["step"] == 60
    assert newest["loss"] != best["loss"]


@pytest.mark.parametrize("step", [0, 37, 40, 60])
def test_any_step_is_that_of_a_run_which_was_stopped_there(
    run_file, folder, capsys, step
):
    """Of 0, 40 and 60 the state is kept; 37 is made again from that of 30."""
    asked = result_of(capsys, "eval", run_file, "--step", step, "--num-tasks", 50)
    assert (asked["step"], asked["chosen"]) == (step, str(step))
    if step:
        file = run_file if step == 60 else stopped_at(folder, step)
        straight = result_of(capsys, "eval", file, "--num-tasks", 50)
        assert asked["loss"] == straight["loss"]


def test_figures_and_curves_of_a_step_are_those_of_a_run_which_was_stopped_there(
    run_file, folder, tmp_path, capsys
):
    made = tmp_path / "a.csv", tmp_path / "b.csv"
    for command in (["export", "{}", "adaptation"], ["curves", "{}"]):
        words = [word.format(run_file) for word in command]
        assert run([*words, "--step", "37", "--to", str(made[0])]) == 0
        words = [word.format(stopped_at(folder, 37)) for word in command]
        assert run([*words, "--to", str(made[1])]) == 0
        assert made[0].read_bytes() == made[1].read_bytes()
        for file in made:
            file.unlink()


def test_curves_hold_what_the_held_out_tasks_adapt_to(run_file, tmp_path):
    file = tmp_path / "curves.csv"
    options = ["--task", "2", "--task", "16", "--num-inner-steps", "3"]
    assert run(["curves", str(run_file), "--to", str(file), *options]) == 0
    rows = rows_of(file)
    assert {row["task"] for row in rows} == {"2", "16"}
    phi = open_run(run_file).checkpoint.phi
    for task in ("2", "16"):
        own = [row for row in rows if row["task"] == task]
        x, y = points_of(own, "support")
        assert len(x) == SHOTS
        assert {row["inner_step"] for row in own} == {"", "0", "1", "2", "3"}
        for step, theta in enumerate(path(phi, x, y, lr=LR, num_steps=3)):
            grid, curve = points_of(own, "prediction", step)
            np.testing.assert_allclose(
                curve, predict(theta, grid), rtol=1e-9, atol=1e-9
            )
    kept = file.read_bytes()
    assert run(["curves", str(run_file), "--to", str(file)]) == 2
    assert file.read_bytes() == kept
    assert run(["curves", str(run_file), "--to", str(file), "--force"]) == 0
    assert {row["task"] for row in rows_of(file)} == {str(n) for n in range(1, 17)}


def points_of(rows, part, step=None):
    chosen = [
        (float(row["x"]), float(row["y"]))
        for row in rows
        if row["part"] == part and (step is None or row["inner_step"] == str(step))
    ]
    return np.array(chosen).T


def test_adapt_goes_down_the_gradient_of_the_points(run_file, tmp_path, capsys):
    points, to = tmp_path / "mine.csv", tmp_path / "curve.csv"
    points.write_bytes("x;y\r\n-3,5;0,5\r\n1;-1\r\n12;0,25\r\n".encode("utf-16"))
    told = result_of(
        capsys,
        *("adapt", run_file, "--points", points, "--to", to, "--step", 20),
        *("--num-inner-steps", 3, "--inner-lr", 0.001),
    )
    x, y = np.array([-3.5, 1, 12]), np.array([0.5, -1, 0.25])
    phi = next(s.phi for s in open_run(run_file).history.trail.states() if s.step == 20)
    thetas = path(phi, x, y, lr=0.001, num_steps=3)
    assert (
        told["points"]
        == "3 points, header 'x;y', decimal comma, separated by semicolons"
    )
    losses = [loss(theta, x, y) for theta in thetas]
    assert told["support_loss"] == pytest.approx(losses, rel=1e-9)
    moved = [float(np.linalg.norm(theta - phi)) for theta in thetas]
    assert told["distance"] == pytest.approx(moved, rel=1e-9, abs=1e-12)
    rows = rows_of(to)
    np.testing.assert_array_equal(points_of(rows, "support"), [x, y])
    for step, theta in enumerate(thetas):
        grid, curve = points_of(rows, "prediction", step)
        assert (grid[0], grid[-1]) == (-5, 12), "as far as the points"
        np.testing.assert_allclose(curve, predict(theta, grid), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            "1,2,3\n",
            "mine.csv: line 1 is '1,2,3', 3 values; allowed: two numbers, x and y",
        ),
        ("", "mine.csv: holds no points; allowed: two numbers a line, x and y"),
        ("1, 2\n500, 3\n", "mine.csv: x is 500; allowed: -205 to 205, beside tasks"),
        ("1,5; 2,5", "mine.csv: can be read in two ways"),
    ],
)
def test_adapt_refuses_points_in_words(run_file, tmp_path, capsys, content, words):
    points = tmp_path / "mine.csv"
    points.write_text(content)
    assert run(["adapt", str(run_file), "--points", str(points)]) == 2
    assert words in capsys.readouterr().err


def test_eval_on_other_tasks_is_what_sampling_them_directly_gives(run_file, capsys):
    """Amplitudes in [6, 8], x in [5, 10]: nothing that the run was trained on."""
    ranges = {"amplitude_min": 6, "amplitude_max": 8, "x_min": 5, "x_max": 10}
    sets = [f"tasks.family.{key}={value}" for key, value in ranges.items()]
    options = [part for text in sets for part in ("--set", text)]
    counts = ["--num-tasks", 40, "--num-queries", 30, "--num-inner-steps", 2]
    told = result_of(capsys, "eval", run_file, *options, *counts, "--seed", 5)
    assert told["tasks"] == {f"tasks.family.{k}": float(v) for k, v in ranges.items()}
    generator = RandomStreams(5).generator("fresh tasks")

    def drawn(*shape):
        return torch.rand(shape, generator=generator, dtype=torch.float64).numpy()

    unit = drawn(40, 2)
    amplitude, phase = 6 + 2 * unit[:, 0], math.pi * unit[:, 1]
    x = 5 + 5 * drawn(40, SHOTS + 30, 1)[..., 0]
    assert x.min() >= 5
    assert x.max() > 9.9
    y = amplitude[:, None] * np.sin(x - phase[:, None])
    phi = open_run(run_file).checkpoint.phi
    losses = np.array(
        [
            [
                loss(theta, places[SHOTS:], values[SHOTS:])
                for theta in path(
                    phi, places[:SHOTS], values[:SHOTS], lr=LR, num_steps=2
                )
            ]
            for places, values in zip(x, y, strict=True)
        ]
    )
    for step in range(3):
        assert told["summary"][step]["mean"] == pytest.approx(
            losses[:, step].mean(), rel=1e-9
        )
        assert told["summary"][step]["median"] == pytest.approx(
            float(np.median(losses[:, step])), rel=1e-9
        )
    own = result_of(capsys, "eval", run_file, *counts, "--seed", 5)
    assert own["tasks"] == {}
    assert own["summary"][0]["mean"] < told["summary"][0]["mean"]


def test_adaptation_is_drawn_on_other_tasks(run_file, tmp_path, capsys):
    file = tmp_path / "a.csv"
    sets = ["--set", "tasks.family.x_min=5", "--set", "tasks.family.x_max=10"]
    words = ["export", str(run_file), "adaptation", *sets, "--step", "best"]
    assert run([*words, "--to", str(file)]) == 0
    x, y = points_of(rows_of(file), "support")
    assert 5 <= x.min() <= x.max() <= 10
    phi = next(
        s.phi
        for s in open_run(run_file).history.trail.states()
        if s.step == best_step(run_file)
    )
    theta = path(phi, x, y, lr=LR, num_steps=1)[1]
    grid, curve = points_of(rows_of(file), "prediction", 1)
    assert (grid[0], grid[-1]) == (5, 10)
    np.testing.assert_allclose(curve, predict(theta, grid), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("eval {} --step 61", "has no outer step 61; allowed: 0 to 60"),
        (
            "eval {} --step last",
            "--step is 'last'; allowed: an outer step, from 0, or best",
        ),
        (
            "eval {} --step -1",
            "--step is '-1'; allowed: an outer step, from 0, or best",
        ),
        (
            "eval {} --set outer.num_steps=7",
            "outer.num_steps cannot be changed here: the meta-parameters were trained "
            "with it; allowed: tasks.family and settings that begin with tasks.family.",
        ),
        ("eval {} --set tasks.num_shots=7", "tasks.num_shots cannot be changed here"),
        (
            "eval {} --set tasks.family.x_min=7",
            "tasks.family x_max is 5; it must exceed x_min",
        ),
        ("eval {} --set tasks.family.amplitude=7", "is not a known setting"),
        (
            "eval {} --set tasks.family=ridge-regression",
            "tasks.family.kind is 'ridge-regression', with",
        ),
        ("curves {} --to {out}.png", "ends in '.png'; allowed: .csv"),
        ("adapt {} --points {out}.none", "cannot be read: No such file"),
        (
            "export {} losses --to {out}.csv --set tasks.family.x_max=7",
            "figure 'losses' shows what was measured on the run's own tasks; with other "
            "tasks (--set), allowed: adapt, adaptation, gallery, landscape",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_words(run_file, tmp_path, capsys, command, words):
    given = command.format(run_file, out=tmp_path / "out").split()
    assert run(given) == 2
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_gone_on_with_names_the_nearest_state(run_file, tmp_path):
    """Before 0.4 the optimiser's state was not kept beside the meta-parameters."""
    file = tmp_path / "old.metalab"
    shutil.copy(run_file, file)
    with closing(sqlite3.connect(file)) as database, database:
        for step, data in database.execute(
            "SELECT step, phi FROM snapshots"
        ).fetchall():
            alone = save({"phi": load(data)["phi"]})
            database.execute(
                "UPDATE snapshots SET phi = ? WHERE step = ?", (alone, step)
            )
    stored = open_run(file)
    assert state_at(stored, 40).step == 40
    with pytest.raises(RunFileError, match=r"outer step 37, .* it keeps: 40"):
        state_at(stored, 37)
