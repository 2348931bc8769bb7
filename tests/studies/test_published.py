"""What every shipped study owes: it can be run, and its table refers to what it runs."""

import shlex
from itertools import pairwise

import numpy as np
import pytest

from metalab.catalog.recipes import presets
from metalab.cli.config_source import resolve_config
from metalab.core.hypergradient.unrolled import Unrolled
from metalab.experiment.fields import with_overrides
from metalab.studies.plan import StudyPlan, train_command
from metalab.studies.published import imaml
from metalab.studies.registry import studies

STUDIES = tuple(studies().values())
METHODS = [(study, method) for study in STUDIES for method in study.methods]


def test_the_studies_that_were_promised_are_there():
    promised = {"maml-sine", "meta-sgd", "cavia", "reptile", "imaml", "mmaml"}
    assert promised <= set(studies())


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_names_are_unique_and_the_table_refers_to_them(study):
    names = [method.name for method in study.methods]
    assert len(set(names)) == len(names)
    places = [(line.key, line.at) for line in study.lines]
    assert len(set(places)) == len(places)
    steps = {
        (method.name, protocol.name): protocol.num_inner_steps
        for method in study.methods
        for protocol in method.protocols
    } or dict.fromkeys(((m, imaml.BY_STEPS) for m in imaml.ESTIMATORS), 400)
    for line in study.lines:
        assert 0 <= line.at <= steps[line.key]
        assert study.title_of(line.method)
    for check in study.checks:
        assert set(check.needs) <= set(steps)
    for method, _ in study.run_figures:
        assert method in names
    assert study.differences


@pytest.mark.parametrize(
    ("study", "method"), METHODS, ids=lambda entry: getattr(entry, "name", "")
)
def test_a_method_can_be_run_and_its_command_makes_the_same_experiment(
    study, method, tmp_path
):
    assert method.preset in presets()
    plan = StudyPlan(study=study, folder=tmp_path, share=0.1)
    run = plan.run(method, 2)
    words = shlex.split(train_command(plan, method, 2))
    assignments = [value for word, value in pairwise(words) if word == "--set"]
    config = resolve_config(
        None,
        preset=words[words.index("--preset") + 1],
        assignments=assignments,
        seed=int(words[words.index("--seed") + 1]),
    )
    assert config == run.config
    assert words[words.index("--out") + 1] == str(run.path)


def test_published_numbers_carry_their_grade():
    for study in STUDIES:
        for entry in (*study.lines, *study.missing):
            if entry.published is not None:
                assert entry.published.grade.value in entry.published.words()
                assert entry.published.low <= entry.published.high


def test_the_exact_hypergradient_is_where_unrolling_ends(monkeypatch):
    monkeypatch.setattr(imaml, "INNER_STEPS", (1, 1000))
    monkeypatch.setattr(imaml, "ESTIMATORS", {"unrolled": Unrolled()})
    series = imaml.measure(0)["unrolled", imaml.BY_COMPUTE]
    assert series.values[0][:, 1].max() < 1e-9
    assert series.values[0][:, 0].min() > 1e-2
    np.testing.assert_array_equal(series.x, [1 + 1 + 2, 1000 + 1 + 2000])


def test_the_problem_of_imaml_is_a_quadratic_in_double_precision():
    config = imaml.experiment()
    assert config.run.precision == "float64"
    assert with_overrides(config, []).model.options()["hidden_sizes"] == ()
