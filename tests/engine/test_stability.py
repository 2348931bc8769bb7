"""The stability meter of a run: what it measures, that it changes nothing, when it warns."""

from dataclasses import replace
from itertools import takewhile

import numpy as np
import pytest

from metalab.engine.diagnostics import RISING_SHARE, STEP_CURVATURE, UNSTABLE_SHARE
from metalab.engine.events import Diverged, Evaluation, EvaluationDone
from metalab.engine.held_out import HeldOutEvaluation
from metalab.engine.stability import first_warning, stability_warning
from metalab.engine.trainer import Trainer
from tests.support.experiments import constantly, record, same, small

OVER = {UNSTABLE_SHARE: 0.3, RISING_SHARE: 0.15, STEP_CURVATURE: 4.0}
BLIND = {"hypergradient": {"kind": "first-order"}, "inner__num_inner_steps": 5}


def probes(config):
    """Return the evaluations of a run, up to where it diverges, if it does."""
    events = takewhile(lambda e: not isinstance(e, Diverged), Trainer(config).run())
    return [event for event in events if isinstance(event, EvaluationDone)]


@pytest.mark.parametrize("provider", ["fused", "autodiff"])
def test_every_evaluation_measures(provider):
    for probe in probes(small(run__provider=provider, outer__num_steps=20)):
        share, rising, largest = (
            probe.stability[name]
            for name in (UNSTABLE_SHARE, RISING_SHARE, STEP_CURVATURE)
        )
        assert 0 <= share <= 1
        assert 0 <= rising <= 1
        assert (share > 0) == (largest > 2)


def test_an_inner_lr_far_too_large_is_unstable_for_every_task():
    first = probes(small(inner__inner_lr=10.0, outer__num_steps=1))[0]
    assert first.stability[UNSTABLE_SHARE] == 1.0
    assert first.stability[RISING_SHARE] > 0.5
    assert first.stability[STEP_CURVATURE] > 2


@pytest.mark.parametrize("preset", ["alpaca-sine", "oracle-sine"])
def test_without_inner_steps_nothing_is_measured(preset):
    assert all(not probe.stability for probe in probes(small(preset)))


def test_rising_support_losses_are_counted(monkeypatch):
    trainer = Trainer(small(inner__num_inner_steps=2))
    losses = np.array([[4, 2, 1], [4, 2, 2.05], [4, 5, 1], [4, 2, np.nan], [0, 0, 0]])
    evaluation = Evaluation(step=0, support_loss=losses, query_loss=losses)
    phi = trainer.state.phi
    measured = trainer._held_out.stability(phi, evaluation)
    assert measured[RISING_SHARE] == pytest.approx(2 / 5)


@pytest.mark.parametrize("preset", ["maml-sine", "meta-sgd-sine", "imaml-sine"])
def test_measuring_changes_no_other_number(monkeypatch, preset):
    config = small(preset, outer__num_steps=30)

    def without_stability():
        events = list(Trainer(config).run(constantly(7)))
        return record(
            [
                replace(e, stability={}) if isinstance(e, EvaluationDone) else e
                for e in events
            ]
        )

    measured = without_stability()
    monkeypatch.setattr(HeldOutEvaluation, "stability", lambda *_: {})
    assert same(measured, without_stability())


def test_a_blind_run_of_several_steps_is_warned_of():
    config = small(**BLIND, inner__inner_lr=0.01)
    warning = stability_warning(config, 500, OVER)
    assert warning is not None
    assert warning.step == 500
    assert warning.steady_lr == pytest.approx(0.005)
    for words in ("outer step 500", "30 %", "15 %", "up to 4", "below 0.005"):
        assert words in warning.message


@pytest.mark.parametrize(
    ("changes", "values"),
    [
        ({"inner__num_inner_steps": 1}, {}),
        ({"hypergradient": {"kind": "unrolled"}}, {}),
        ({"outer__optimizer": {"kind": "none"}}, {}),
        ({}, {UNSTABLE_SHARE: 0.1}),
        ({}, {RISING_SHARE: 0.05}),
        ({}, {UNSTABLE_SHARE: np.nan}),
    ],
)
def test_other_runs_are_not(changes, values):
    config = small(**(BLIND | changes))
    assert stability_warning(config, 500, OVER | values) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"inner__num_inner_steps": 1},
        {"hypergradient": {"kind": "unrolled"}},
        {"outer__optimizer": {"kind": "none"}},
        BLIND,
    ],
)
def test_a_run_in_which_every_task_is_unstable_is_always_warned_of(changes):
    config = small(**(changes | {"inner__inner_lr": 10.0}))
    steps = np.array([0.0, 10.0])
    rows = {
        UNSTABLE_SHARE: [0.5, 1.0],
        RISING_SHARE: [0.0, 0.0],
        STEP_CURVATURE: [3, 40],
    }
    values = {name: np.array(row, dtype=float) for name, row in rows.items()}
    warning = first_warning(lambda _: config, steps, values)
    assert warning is not None
    assert warning.step == 10
    assert "100 % of the held-out tasks" in warning.message
    assert "An inner lr below 0.5 would have been steady" in warning.message
    assert ("does not pass" in warning.message) == (changes is BLIND)
    at = {name: column[1] for name, column in values.items()}
    assert stability_warning(config, 10, at) == warning


def test_the_first_warning_stays():
    config = small(**BLIND)
    steps = np.array([0.0, 10.0, 20.0, 30.0])
    values = {name: np.full(4, value) for name, value in OVER.items()}
    values[UNSTABLE_SHARE] = np.array([np.nan, 0.0, 0.3, 0.5])
    warning = first_warning(lambda _: config, steps, values)
    assert warning is not None
    assert (warning.step, warning.unstable_share) == (20, 0.3)
    assert first_warning(lambda _: config, steps, {}) is None


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [0, 1])
def test_first_order_maml_is_warned_of_long_before_it_explodes(seed):
    config = small(
        "fomaml-sine",
        model__hidden_sizes=[40, 40],
        run__seed=seed,
        inner__num_inner_steps=5,
        inner__inner_lr=0.01,
        outer__num_steps=10_000,
        evaluation__every=500,
        evaluation__num_tasks=100,
        evaluation__num_queries=100,
    )
    warned, exploded = None, None
    for event in Trainer(config).run():
        if isinstance(event, Diverged):
            exploded = event.step
            break
        if isinstance(event, EvaluationDone) and warned is None:
            step = event.evaluation.step
            warned = stability_warning(config, step, event.stability)
    assert exploded is not None
    assert warned is not None
    assert warned.step <= exploded - 500
