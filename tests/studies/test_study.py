"""A toy study from its runs to its report."""

import csv
import dataclasses
import io

import numpy as np
import pytest

from metalab.cli.study_runs import run_study
from metalab.runs.record.reader import open_run
from metalab.studies.base import StudyError
from metalab.studies.files import write_files
from metalab.studies.measure import measure
from metalab.studies.plan import StudyPlan
from metalab.studies.report import (
    ABSENT,
    DIFFERS,
    HOLDS,
    SHOWN,
    make_report,
    to_json,
    to_table,
)
from metalab.studies.series import Series
from tests.studies import toy


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Return the plan of a finished toy study with two seeds, and its results."""
    plan = toy.plan(tmp_path_factory.mktemp("study"), num_seeds=2)
    result = run_study(plan, num_processes=1)
    assert not result.stopped
    assert result.problems == ()
    return plan, measure(plan, result.complete)


def test_every_run_has_a_file_of_its_own(done):
    plan, _ = done
    files = {run.path for run in plan.runs()}
    assert len(files) == 4
    assert files == set(plan.folder.glob("*.metalab"))


def test_tasks_of_all_seeds_are_pooled(done):
    _, results = done
    series = results["a", "5 shots"]
    assert [values.shape for values in series.values] == [(8, 4), (8, 4)]
    assert series.column(1).shape == (16,)
    assert series.seed_means(1).mean() == pytest.approx(series.column(1).mean())
    assert (series.values[0] != series.values[1]).all()


def test_a_protocol_may_have_another_step_size(done):
    _, results = done
    slow, fast = (results["a", name].column(3) for name in ("slow", "5 shots"))
    start = results["a", "slow"].column(0)
    np.testing.assert_allclose(slow, start, rtol=1e-2)
    assert np.abs(fast - start).max() > 1e-2


def test_verdicts_follow_from_the_tolerances(done):
    plan, results = done
    report = make_report(plan, results, ())
    assert [entry.verdict for entry in report.lines] == [HOLDS, DIFFERS, SHOWN]
    assert [entry.verdict for entry in report.checks] == [DIFFERS, DIFFERS]
    assert report.cautions == ()


def test_a_method_that_did_not_finish_has_no_number(done):
    plan, results = done
    some = {key: value for key, value in results.items() if key[0] == "a"}
    report = make_report(plan, some, ("toy-b, seed 0, diverged: too far",))
    assert [entry.verdict for entry in report.lines] == [HOLDS, ABSENT, ABSENT]
    assert [entry.verdict for entry in report.checks] == [DIFFERS, ABSENT]
    assert report.cautions == ("toy-b, seed 0, diverged: too far",)
    assert to_json(report)["lines"][1]["ours"] is None


def test_the_files_hold_table_and_figures(done):
    plan, results = done
    report = make_report(plan, results, ())
    files = write_files(report, results, "{}")
    names = {path.name for path in files}
    assert {"report.json", "report.csv", "loss.png", "table.pdf"} <= names
    assert "a-adaptation.png" in names
    assert all(path.stat().st_size > 0 for path in files)
    rows = list(csv.DictReader(io.StringIO(to_table(report).to_csv())))
    assert [row["verdict"] for row in rows] == [HOLDS, DIFFERS, SHOWN]
    assert float(rows[0]["published_low"]) == 3
    assert rows[2]["tolerance_low"] == ""


def test_another_share_is_another_file_and_said_aloud(done):
    plan, results = done
    short = toy.plan(plan.folder, share=0.5)
    assert {run.path for run in short.runs()}.isdisjoint(
        run.path for run in plan.runs()
    )
    assert {run.config.outer.num_steps for run in short.runs()} == {10}
    assert "NOT THE PROTOCOL" in make_report(short, results, ()).cautions[0]


def test_one_seed_has_no_deviation(done):
    plan, results = done
    one = {
        key: dataclasses.replace(series, values=series.values[:1])
        for key, series in results.items()
    }
    ours = make_report(plan, one, ()).lines[0].ours
    assert np.isnan(ours.seed_deviation)
    assert ours.num_values == 8


def test_a_study_is_reused_and_a_lost_run_made_again(done):
    plan, results = done
    lost = plan.runs()[0].path
    kept = open_run(lost).checkpoint.phi
    lost.unlink()
    again = run_study(plan, num_processes=1)
    assert len(again.complete) == 2
    assert open_run(lost).checkpoint.phi.tobytes() == kept.tobytes()
    remeasured = measure(plan, again.complete)
    for key, series in results.items():
        for one, two in zip(series.values, remeasured[key].values, strict=True):
            assert one.tobytes() == two.tobytes()


@pytest.mark.parametrize("options", [{"num_seeds": 0}, {"share": 0.0}, {"share": 1.5}])
def test_a_plan_without_runs_is_refused(tmp_path, options):
    with pytest.raises(StudyError, match="allowed"):
        StudyPlan(study=toy.STUDY, folder=tmp_path, **options)


def test_a_series_refuses_a_point_it_has_not():
    series = Series(points=np.arange(2.0), x=np.arange(2.0), values=(np.ones((3, 2)),))
    with pytest.raises(AssertionError, match="no point"):
        series.column(5)
