"""When numbers explode: which step is blamed, what is kept, and what happens next."""

import itertools
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from metalab.core.learner import METRIC_NAMES
from metalab.engine.events import Diverged, EvaluationDone, RunEnded, StepsDone
from metalab.engine.steppers import BLAME_ORDER
from metalab.engine.trainer import EXPLOSION_FACTOR, Trainer
from tests.support.experiments import constantly, record, run, same, small

LIMIT = 20


CONFIG = small(evaluation__every=1000, outer__num_steps=LIMIT, run__provider="autodiff")


@cache
def healthy():
    """Return every state of the run without a fault, and what it says."""
    trainer = Trainer(CONFIG)
    states, events = {}, []
    for event in trainer.run(constantly(1)):
        events.append(event)
        states[trainer.step] = trainer.checkpoint()
    return states, record(events)


class FaultyLearner:
    """A learner one of whose steps measures something bad.

    Attributes:
        bad: The step, counted from 1, that measures it.
        values: Metric name -> what is measured there.
    """

    measures_all = True

    def __init__(self, learner, bad, **values):
        self._learner = learner
        self.bad = bad
        self.values = values

    def step(self, state, batch, streams):
        result = self._learner.step(state, batch, streams)
        if state.step + 1 != self.bad:
            return result
        metrics = result.metrics.clone()
        for name, value in self.values.items():
            metrics[METRIC_NAMES.index(name)] = value
        return replace(result, metrics=metrics)


def faulty(bad, config=None, **values):
    trainer = Trainer(config or CONFIG)
    values = values or {"outer_loss": float("nan")}
    stepper = trainer._stepper
    stepper._learner = FaultyLearner(stepper._learner, bad, **values)
    return trainer


def until_diverged(trainer, pace):
    events = []
    for event in trainer.run(constantly(pace)):
        events.append(event)
        if isinstance(event, Diverged):
            return events
    raise AssertionError("nothing diverged")


@pytest.mark.parametrize("pace", [1, 2, 3, 5, 1000])
@pytest.mark.parametrize("bad", range(1, 15))
def test_the_last_good_state_is_kept_wherever_the_bad_row_falls(pace, bad):
    """First, middle and last of a batch of steps; across batches; at the very start.

    Row n is measured at the state before step n, so a bad row n makes the state after
    n - 1 steps suspect, and the one after n - 2 is the last good one.
    """
    states, straight = healthy()
    trainer = faulty(bad)
    events = until_diverged(trainer, pace)
    kept = max(bad - 2, 0)
    assert (events[-1].step, events[-1].last_good_step) == (bad, kept)
    assert events[-1].quantity == "outer_loss"
    assert trainer.step == kept
    assert same(trainer.checkpoint(), states[kept])
    told = [event for event in events if isinstance(event, StepsDone)]
    numbers = slice(0, len(METRIC_NAMES))
    assert all(np.isfinite(event.metrics[:, numbers]).all() for event in told)
    assert all(event.last_step <= kept + 1 for event in told)
    rows = record(events).metrics
    assert list(rows) == list(range(1, kept + 1))
    assert all(same(rows[n].copy(), straight.metrics[n].copy()) for n in rows)


@pytest.mark.parametrize("pace", [1, 3, 1000])
@pytest.mark.parametrize("bad", [1, 2, 6, 7])
def test_going_on_repeats_the_steps_and_ends_as_if_nothing_had_been(pace, bad):
    trainer = faulty(bad)
    events = []
    for event in trainer.run(constantly(pace)):
        events.append(event)
        if isinstance(event, Diverged):
            trainer._stepper._learner.bad = None
    _, straight = healthy()
    assert isinstance(events[-1], RunEnded)
    assert same(record(events).rows(), straight.rows())
    assert same(record(events).probes, straight.probes)


def test_going_on_without_a_change_diverges_again_at_the_same_step():
    trainer = faulty(9)
    found = [
        event
        for event in itertools.islice(trainer.run(constantly(4)), 40)
        if isinstance(event, Diverged)
    ]
    assert len(found) > 3
    assert {(event.step, event.last_good_step) for event in found} == {(9, 7)}


def test_a_probe_after_the_last_good_state_is_taken_again():
    config = small(outer__num_steps=LIMIT, run__provider="autodiff")
    trainer = faulty(11, config)
    events = []
    for event in trainer.run(constantly(1000)):
        events.append(event)
        if isinstance(event, Diverged):
            trainer._stepper._learner.bad = None
    probed = [e.evaluation.step for e in events if isinstance(e, EvaluationDone)]
    assert probed == [0, 1, 2, 5, 10, 10, 20]
    assert same(record(events).probes, run(config).probes)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("quantity", METRIC_NAMES)
def test_any_metric_that_is_not_finite_stops_the_run(quantity, value):
    event = until_diverged(faulty(4, **{quantity: value}), 3)[-1]
    assert event.quantity == quantity
    assert str(event.value) == str(float(value))


def test_the_quantity_that_is_computed_first_is_blamed():
    assert set(BLAME_ORDER) == set(METRIC_NAMES)
    for first, second in itertools.pairwise(BLAME_ORDER):
        event = until_diverged(faulty(4, **{first: np.nan, second: np.inf}), 3)[-1]
        assert event.quantity == first


def test_an_earlier_row_is_blamed_before_a_quantity_that_ranks_higher():
    trainer = faulty(4, meta_parameter_norm=np.inf)
    trainer.learner = FaultyLearner(trainer.learner, 5, support_loss_before=np.nan)
    event = until_diverged(trainer, 10)[-1]
    assert (event.step, event.quantity) == (4, "meta_parameter_norm")


def test_a_finite_loss_explodes_beyond_its_limit_and_a_norm_never():
    limit = Trainer(small()).explosion_limit
    event = until_diverged(faulty(4, support_loss_after=1.01 * limit), 3)[-1]
    assert event.quantity == "support_loss_after"
    assert event.value == pytest.approx(1.01 * limit, rel=1e-6)
    for harmless in (
        {"support_loss_after": 0.99 * limit},
        {"hypergradient_norm": 100 * limit},
    ):
        with pytest.raises(AssertionError, match="nothing diverged"):
            until_diverged(faulty(4, **harmless), 3)


def test_the_limit_is_a_multiple_of_the_untrained_loss():
    trainer = Trainer(small())
    first = next(e for e in trainer.run() if isinstance(e, EvaluationDone))
    untrained = float(first.evaluation.query_loss[:, 0].mean())
    assert trainer.explosion_limit == pytest.approx(EXPLOSION_FACTOR * untrained)


def test_an_explosion_that_is_accepted_goes_on():
    limit = Trainer(small()).explosion_limit
    trainer = faulty(4, outer_loss=10 * limit)
    events = []
    for event in trainer.run(constantly(3)):
        events.append(event)
        if isinstance(event, Diverged):
            trainer.accept_explosion()
    assert sum(isinstance(event, Diverged) for event in events) == 1
    assert len(record(events).rows()) == LIMIT
    assert record(events).metrics[4][0] == pytest.approx(10 * limit)


def test_what_is_not_finite_is_never_accepted():
    trainer = faulty(4, outer_loss=np.inf)
    for _ in range(60):
        trainer.accept_explosion()
    assert until_diverged(trainer, 3)[-1].value == np.inf


@pytest.mark.parametrize(
    "overrides",
    [
        {"inner__inner_lr": 10.0},
        {"outer__optimizer__outer_lr": 10.0},
        {"outer__optimizer": {"kind": "sgd", "outer_lr": 10.0}},
        {"inner__inner_lr": 10.0, "inner__num_inner_steps": 60},
        {"run__precision": "float64", "inner__inner_lr": 10.0},
    ],
)
@pytest.mark.parametrize("pace", [1, 16])
def test_learning_rates_that_are_too_large_are_caught(overrides, pace):
    config = small(outer__num_steps=LIMIT, model__hidden_sizes=[40, 40], **overrides)
    trainer = Trainer(config)
    events = until_diverged(trainer, pace)
    event = events[-1]
    assert event.quantity in METRIC_NAMES
    assert event.step - 2 <= event.last_good_step == trainer.step < event.step
    checkpoint = trainer.checkpoint()
    assert all(np.isfinite(a).all() for a in (checkpoint.phi, *checkpoint.slots))
    # With too large an inner lr no start adapts: the start itself is what is kept.
    curves = trainer.curves().curves
    inner_is_sound = config.inner.inner_lr < 1
    assert np.isfinite(curves if inner_is_sound else curves[:, 0]).all()
    for said in events:
        if isinstance(said, StepsDone):
            assert np.isfinite(said.metrics[:, : len(METRIC_NAMES)]).all()


def test_the_message_names_quantity_step_and_what_was_kept():
    event = Diverged(
        step=1234, last_good_step=1232, quantity="outer_loss", value=float("nan")
    )
    assert event.message == (
        "Outer loss (query, after adaptation) became nan at outer step 1,234; "
        "kept the last good state, step 1,232."
    )
