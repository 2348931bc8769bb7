"""Methods with several seeds beside each other, and what is written of them."""

import csv
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from metalab.analysis.adapt_request import AdaptRequest, CustomTask, Start
from metalab.analysis.adaptation import TaskAdapter
from metalab.analysis.evaluate import evaluate_fresh
from metalab.core.errors import UserError
from metalab.experiment.config import preset_config
from metalab.experiment.fields import with_overrides
from metalab.figures.paint import paint, styled
from metalab.figures.sizes import size_named
from metalab.runs.batch.batch import PlannedRun, carry_out
from metalab.runs.record.reader import open_run
from metalab.studies.comparison import ComparisonError, compare_files
from metalab.studies.comparison_curves import (
    COMPARED_AXES,
    SPREADS,
    CurveChoices,
    drawing_of,
    method_curve,
)
from metalab.studies.comparison_output import (
    latex_text,
    to_latex,
    to_markdown,
    write_comparison,
)
from metalab.studies.comparison_words import note_on, rows_of, setting_rows

SMALL = [
    ("outer.num_steps", 3),
    ("evaluation.num_tasks", 16),
    ("run.provider", "autodiff"),
    ("model.hidden_sizes", [8]),
]


def made(folder, preset, seed, *changes):
    config = with_overrides(
        preset_config(preset), [*SMALL, ("run.seed", seed), *changes]
    )
    path = folder / f"{preset}-{seed}-{len(changes)}.metalab"
    carry_out(
        PlannedRun(config=config, path=path),
        tell=lambda _: None,
        stopping=lambda: False,
    )
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return [
        made(folder, preset, seed)
        for preset in ("maml-sine", "fomaml-sine")
        for seed in (0, 1, 2)
    ]


@pytest.fixture(scope="module")
def found(files):
    return compare_files(files, num_tasks=40, num_queries=20)


def test_runs_that_differ_in_their_seed_alone_are_one_method(found):
    assert [group.title for group in found.groups] == ["maml-sine", "fomaml-sine"]
    assert [group.seeds for group in found.groups] == [(0, 1, 2)] * 2
    assert (found.num_tasks, found.num_shots, found.unit) == (40, 10, "y²")


def test_losses_are_those_of_eval_on_the_same_tasks(found, files):
    run = open_run(files[4])
    config = run.history.config_at(run.history.step)
    alone = evaluate_fresh(
        config,
        run.newest_state(),
        num_tasks=40,
        num_shots=10,
        num_queries=20,
        num_inner_steps=1,
        seed=0,
    )
    np.testing.assert_array_equal(found.groups[1].losses[1], alone.query_loss[:, -1])


def test_the_difference_is_that_of_the_means_and_seeds_are_paired(found):
    maml, fomaml = found.groups
    (difference,) = found.differences
    assert (difference.one, difference.reference) == ("fomaml-sine", "maml-sine")
    expected = fomaml.losses.mean() - maml.losses.mean()
    assert difference.interval.value == pytest.approx(expected)
    assert difference.paired
    assert difference.p == difference.p_holm
    assert difference.words


def test_another_reference_and_another_k(files):
    found = compare_files(
        files, num_tasks=10, num_queries=5, num_inner_steps=3, reference="fomaml-sine"
    )
    assert found.groups[0].title == "fomaml-sine"
    with pytest.raises(ComparisonError, match="allowed: maml-sine, fomaml-sine"):
        compare_files(files, num_tasks=10, num_queries=5, reference="anil")


def test_names_tell_what_differs_and_nothing_that_all_share(tmp_path):
    one = made(tmp_path, "maml-sine", 0)
    two = made(tmp_path, "maml-sine", 0, ("inner.inner_lr", 0.05))
    found = compare_files([one, two], num_tasks=10, num_queries=5)
    assert [group.title for group in found.groups] == [
        "maml-sine",
        "maml-sine, inner_lr 0.05",
    ]
    assert found.differences[0].interval.value != 0
    assert "over tasks alone" in note_on(found)


def test_what_cannot_be_compared_is_refused(tmp_path, files):
    with pytest.raises(ComparisonError, match="two or more"):
        compare_files(files[:1])
    other = made(tmp_path, "maml-sine", 5, ("tasks.num_shots", 4))
    with pytest.raises(ComparisonError, match="differ in the shots of held-out tasks"):
        compare_files([files[0], other])
    twin = tmp_path / "twin.metalab"
    shutil.copy(files[0], twin)
    with pytest.raises(ComparisonError, match="each seed once"):
        compare_files([files[0], files[1], twin], num_tasks=10)


def test_a_run_that_diverged_counts_in_no_mean_and_is_told(tmp_path, files):
    wreck = made(
        tmp_path,
        "maml-sine",
        7,
        ("inner.inner_lr", 10.0),
        *[("inner.num_inner_steps", 40)],
    )
    found = compare_files([*files, wreck], num_tasks=10, num_queries=5)
    failed = found.groups[-1]
    assert (failed.num_diverged, failed.num_failed, failed.measured) == (1, 0, ())
    assert "diverged" in failed.runs[0].failure
    assert rows_of(found)[-1][1:5] == ("0", "1", "0", "-")
    assert "1 run diverged and counts in no mean" in note_on(found)


def test_steps_and_area_are_those_of_the_runs_own_curves(found):
    maml = found.groups[0]
    curves = [run.curve() for run in maml.runs]
    last = np.mean([losses[-1] for _, losses in curves])
    assert found.threshold == pytest.approx(last)
    assert found.end == curves[0][0][-1] == 3
    assert curves[0][0].tolist() == [0, 1, 2, 3]
    areas = [(y[0] / 2 + y[1] + y[2] + y[3] / 2) / 3 for _, y in curves]
    assert maml.area(found.end).value == pytest.approx(np.mean(areas))
    none = replace(found, threshold=0.0)
    assert rows_of(none)[0][8] == "> 3 (0 of 3)"
    assert "is counted as longer than it went on" in note_on(found)


def test_a_threshold_of_ones_own(files):
    found = compare_files(files, num_tasks=10, num_queries=5, threshold=1e6)
    assert [row[8] for row in rows_of(found)] == ["0 (3 of 3)"] * 2


def test_settings_that_differ_are_a_table(found):
    assert ("Hypergradient: Hypergradient", "unrolled", "first-order") in [
        (row[0], *row[1:]) for row in setting_rows(found)
    ]
    assert "| Setting | maml-sine | fomaml-sine |" in to_markdown(found)


def test_the_held_out_tasks_are_those_that_were_measured(found, files):
    run = open_run(files[0])
    tasks = found.tasks
    assert len(tasks.support) == len(tasks.true_curves) == 40
    learner_losses = found.groups[0].losses[0]
    adapter = TaskAdapter(run.history.config_at())
    task = CustomTask(
        x=tasks.support.plotted(5)[0],
        y=tasks.support.plotted(5)[1],
        grid=tasks.grid,
        truth=None,
        parameters=None,
        other_x=tasks.query.plotted(5)[0],
        other_y=tasks.query.plotted(5)[1],
    )
    start = Start(
        key="run",
        config=run.history.config_at(),
        phi=run.newest_state().phi,
        step=run.history.step,
    )
    asked = AdaptRequest(task=task, starts=(start,), num_inner_steps=1)
    found_there = adapter.adapt(start, asked).query_loss
    assert found_there is not None
    assert found_there[-1] == pytest.approx(learner_losses[5], rel=1e-4)


@pytest.mark.parametrize("axis", COMPARED_AXES)
def test_curves_against_every_axis(found, axis):
    drawing = drawing_of(found, size_named("double"), CurveChoices(x=axis))
    own = drawing.table.column("series").values == "maml-sine"
    x = drawing.table.numbers("x")[own]
    run = found.groups[0].runs[0]
    expected = {"outer step": 3, "tasks seen": 75}.get(axis)
    if axis == "gradient evaluations":
        metrics = open_run(run.path).history.metrics
        costs = metrics["gradient_evaluations"] + 2 * metrics["hessian_vector_products"]
        expected = 25 * costs.sum()
    if expected is None:
        assert x[-1] > 0
    else:
        assert (x[0], x[-1]) == (0, expected)
    for spread in SPREADS:
        choices = CurveChoices(x=axis, spread=spread)
        drawn = drawing_of(found, size_named("double"), choices)
        with styled(size_named("double")):
            paint(drawn, size_named("double"))


def test_each_seed_is_a_faint_line(found):
    choices = CurveChoices(spread="seeds")
    calls = drawing_of(found, size_named("double"), choices).calls
    named = [call.where["series"] for call in calls if call.where]
    assert sum(", run " in str(name) for name in named) == 6
    assert not [call for call in calls if call.method == "ax.fill_between"]
    with pytest.raises(UserError, match="spread is 'sd'; allowed: band, seeds"):
        CurveChoices(spread="sd")
    with pytest.raises(UserError, match="x is 'hours'; allowed: outer step"):
        CurveChoices(x="hours")


def test_a_run_that_does_not_tell_its_gradients_is_named(found):
    run = found.groups[0].runs[0]
    unknown = np.full(len(run.curve()[0]), np.nan)
    old = replace(run, x={**run.x, "gradient evaluations": unknown})
    group = replace(found.groups[0], runs=(old, *found.groups[0].runs[1:]))
    with pytest.raises(ComparisonError, match="does not tell its gradient evaluations"):
        method_curve(group, "gradient evaluations")


def test_runs_without_a_state_are_counted_and_told(found):
    group = found.groups[0]
    lost = replace(group.runs[0], losses=None)
    seen = replace(
        found, groups=(replace(group, runs=(lost, *group.runs[1:])), found.groups[1])
    )
    assert rows_of(seen)[0][1:4] == ("2", "0", "1")
    assert seen.failures() == [f"{lost.path}: was never trained"]
    assert "1 run failed and counts in no mean" in note_on(seen)


def test_the_csv_has_full_digits(found, tmp_path):
    write_comparison(found, tmp_path / "table.csv")
    lines = [
        line
        for line in (tmp_path / "table.csv").read_text().splitlines()
        if not line.startswith("#")
    ]
    rows = list(csv.DictReader(lines))
    mean = next(name for name in rows[0] if name.startswith("mean"))
    assert float(rows[0][mean]) == pytest.approx(
        found.groups[0].losses.mean(), rel=1e-12
    )
    p = next(name for name in rows[0] if name.split()[0] == "p")
    assert rows[0][p] in ("", "nan")
    assert float(rows[1][p]) == pytest.approx(found.differences[0].p)


@pytest.mark.parametrize("suffix", [".md", ".tex", ".html", ".pdf", ".png", ".svg"])
def test_every_format_is_written(found, tmp_path, suffix):
    path = tmp_path / f"out{suffix}"
    assert write_comparison(found, path) == (path,)
    assert path.stat().st_size > 200
    with pytest.raises(ComparisonError, match="allowed"):
        write_comparison(found, tmp_path / "out.docx")


def test_latex_is_escaped_and_whole(found):
    assert latex_text("a_b & 5 % < x²") == r"a\_b \& 5 \% $<$ x$^2$"
    table = to_latex(found)
    assert table.count(r"\\") == 2 + len(found.groups) + len(setting_rows(found))
    assert table.count("{") == table.count("}")
    assert r"\textbf{" in table


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX here")
def test_latex_compiles(found, tmp_path):
    whole = (
        r"\documentclass{article}\usepackage{booktabs}\begin{document}"
        + to_latex(found)
        + r"\end{document}"
    )
    (tmp_path / "a.tex").write_text(whole, encoding="utf-8")
    subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "a.tex"], cwd=tmp_path, check=True
    )
