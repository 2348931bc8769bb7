"""Diagnostics as events: when they come, and that they change nothing."""

import itertools
import subprocess
import sys

import numpy as np
import pytest

from metalab.engine.diagnostics import (
    DIAGNOSTICS,
    SOLVE_DIAGNOSTICS,
    diagnostic_info,
    diagnostic_order,
    diagnostic_panels,
)
from metalab.engine.events import METRICS, DiagnosticsTaken, EvaluationDone, StepsDone
from metalab.engine.trainer import Trainer
from metalab.experiment.loss_words import DEFAULT_WORDS
from tests.support.experiments import constantly, record, run, same, small

METHODS = (
    "maml-sine",
    "maml-plus-plus-sine",
    "meta-sgd-sine",
    "anil-sine",
    "reptile-sine",
    "imaml-sine",
    "cavia-sine",
)


def diagnosed(preset="maml-sine", **overrides):
    power = {"diagnostics__num_power_iterations": 2, "outer__num_tasks": 4}
    return small(
        preset, diagnostics__every=7, outer__num_steps=21, **power, **overrides
    )


def taken_in(events):
    return {e.step: e.values for e in events if isinstance(e, DiagnosticsTaken)}


def test_they_come_at_multiples_of_the_interval_from_step_0():
    events = run(diagnosed(), pace=4).events
    assert list(taken_in(events)) == [0, 7, 14, 21]
    made = 0
    for before, event in itertools.pairwise(events):
        if isinstance(event, StepsDone):
            made = event.last_step
        if isinstance(event, DiagnosticsTaken):
            assert event.step == made
            assert isinstance(before, StepsDone | EvaluationDone)


def test_there_are_none_unless_asked_for():
    assert taken_in(run(small(outer__num_steps=5)).events) == {}


@pytest.mark.parametrize("preset", METHODS)
def test_measuring_changes_no_number_of_the_run(preset):
    config = diagnosed(preset)
    plain = small(preset, outer__num_steps=21, outer__num_tasks=4)
    measured, straight = Trainer(config), Trainer(plain)
    one, two = record(measured.run()), record(straight.run())
    assert taken_in(one.events)
    assert same(one.rows(), two.rows())
    assert same(one.probes, two.probes)
    assert same(measured.checkpoint(), straight.checkpoint())


@pytest.mark.parametrize("step", [7, 10])
def test_they_depend_on_the_step_alone(step):
    config = diagnosed("imaml-sine")
    trainer = Trainer(config)
    events = trainer.run(lambda: max(1, min(3, step - trainer.step)))
    heard = []
    while trainer.step < step:
        heard.append(next(events))
    events.close()
    resumed = Trainer(config, checkpoint=trainer.checkpoint())
    assert resumed.diagnostics_due == (step == 7)
    rest = list(resumed.run(constantly(2)))
    straight = run(config)
    pieced = taken_in([*heard, *rest])
    assert pieced == taken_in(straight.events)
    assert same(record([*heard, *rest]).rows(), straight.rows())


def test_each_value_has_a_description_in_order():
    values = taken_in(run(diagnosed()).events)[0]
    names = list(values)
    assert names[: len(DIAGNOSTICS)] == [info.name for info in DIAGNOSTICS]
    assert diagnostic_order(sorted(names)) == names
    for name in names:
        info = diagnostic_info(name)
        assert info.name == name
        assert info.label
        assert info.help.endswith(".")
    with pytest.raises(KeyError):
        diagnostic_info("luck")


def test_methods_with_linear_systems_tell_how_they_were_solved():
    implicit = diagnosed("imaml-sine", outer__first_order_steps=5)
    taken = taken_in(run(implicit).events)
    names = [info.name for info in SOLVE_DIAGNOSTICS]
    for step, values in taken.items():
        assert list(values)[len(DIAGNOSTICS) :][:4] == names
        assert diagnostic_order(sorted(values)) == list(values)
        # The first steps are first-order: there is nothing to solve.
        assert all(np.isnan(values[name]) == (step < 5) for name in names)
    assert not set(names) & set(taken_in(run(diagnosed()).events)[0])
    metrics = run(implicit).rows()[7]
    columns = [info.name for info in METRICS]
    for name in names[:3]:
        assert taken[7][name] == metrics[columns.index(name)]
    assert all("Linear solves" in info.label for info in SOLVE_DIAGNOSTICS[:3])
    titles = [panel.title for panel in diagnostic_panels(names, DEFAULT_WORDS)]
    assert titles[0] == "Linear solves (tasks)"
    assert diagnostic_panels(names, DEFAULT_WORDS)[0].short_labels() == (
        "Not positive definite",
        "Not converged",
    )


def test_layers_are_ordered_by_their_number():
    layers = [f"distance_layer_{layer}" for layer in (10, 2, 1)]
    assert diagnostic_order(layers) == layers[::-1]


def test_what_belongs_together_shares_a_panel():
    names = [info.name for info in DIAGNOSTICS] + [
        "distance_layer_1",
        "distance_layer_2",
    ]
    panels = {
        p.label: [line.name for line in p.lines]
        for p in diagnostic_panels(names, DEFAULT_WORDS)
    }
    assert panels["Hessian eigenvalue (y²)"] == [
        "hessian_eigenvalue_start",
        "hessian_eigenvalue_end",
    ]
    assert panels["Distance moved"] == ["distance_layer_1", "distance_layer_2"]
    assert len(panels) == 6
    assert [name for names in panels.values() for name in names] == names


def test_describing_them_imports_no_torch():
    code = "import sys, metalab.engine.diagnostics; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
