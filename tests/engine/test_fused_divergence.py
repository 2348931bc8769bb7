"""The compiled kernels go back to the last good state, as the oracle path does."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from metalab.core.learner import METRIC_NAMES
from metalab.core.tasks import Samples
from metalab.engine.events import Diverged, RunEnded, StepsDone
from metalab.engine.trainer import Trainer
from tests.support.experiments import constantly, record, same, small

LIMIT = 12
CONFIG = small(evaluation__every=1000, outer__num_steps=LIMIT, run__provider="fused")
WITHOUT_KERNELS = small(
    evaluation__every=1000, outer__num_steps=LIMIT, run__provider="autodiff"
)


class FaultyBlocks:
    """Blocks that hold a query set of nonsense at one outer step, counted from 1."""

    def __init__(self, blocks, bad):
        self._blocks = blocks
        self.bad = bad

    def __getattr__(self, name):
        return getattr(self._blocks, name)

    def block(self, index):
        whole = self._blocks.block(index)
        block, offset = self._blocks.place((self.bad or 0) - 1)
        if self.bad is None or block != index:
            return whole
        y = whole.query.y.clone()
        y[offset * self.counts.num_tasks] = float("nan")
        return replace(whole, query=Samples(x=whole.query.x, y=y))


def faulty(bad):
    trainer = Trainer(CONFIG)
    trainer._stepper._blocks = FaultyBlocks(trainer.task_stream, bad)
    return trainer


@cache
def healthy():
    trainer = Trainer(CONFIG)
    states, events = {}, []
    for event in trainer.run(constantly(1)):
        events.append(event)
        states[trainer.step] = trainer.checkpoint()
    return states, record(events)


@pytest.mark.parametrize("pace", [1, 2, 3, 1000])
@pytest.mark.parametrize("bad", [1, 2, 3, 5, 9])
def test_the_last_good_state_is_kept_wherever_the_bad_row_falls(pace, bad):
    states, straight = healthy()
    trainer = faulty(bad)
    events = []
    for event in trainer.run(constantly(pace)):
        events.append(event)
        if isinstance(event, Diverged):
            break
    kept = max(bad - 2, 0)
    assert (events[-1].step, events[-1].last_good_step) == (bad, kept)
    assert np.isnan(events[-1].value)
    assert events[-1].quantity == "outer_loss_before"
    assert same(trainer.checkpoint(), states[kept])
    rows = record(events).metrics
    assert list(rows) == list(range(1, kept + 1))
    assert all(same(rows[n].copy(), straight.metrics[n].copy()) for n in rows)
    told = [event for event in events if isinstance(event, StepsDone)]
    numbers = slice(0, len(METRIC_NAMES))
    assert all(np.isfinite(event.metrics[:, numbers]).all() for event in told)


@pytest.mark.parametrize("pace", [1, 3, 1000])
@pytest.mark.parametrize("bad", [1, 2, 7])
def test_going_on_ends_as_if_nothing_had_been(pace, bad):
    trainer = faulty(bad)
    events = []
    for event in trainer.run(constantly(pace)):
        events.append(event)
        if isinstance(event, Diverged):
            trainer._stepper._blocks.bad = None
            trainer._stepper._data = None
    assert isinstance(events[-1], RunEnded)
    assert same(record(events).rows(), healthy()[1].rows())


def test_an_explosion_is_blamed_on_the_same_step_and_quantity_by_both():
    """A step of 300 blows up: found at the same place, whoever computes it."""
    found = {}
    for config in (CONFIG, WITHOUT_KERNELS):
        optimizer = {"kind": "sgd", "outer_lr": 5.0}
        wild = small(
            evaluation__every=1000,
            outer__num_steps=200,
            outer__optimizer=optimizer,
            run__provider=config.run.provider,
        )
        trainer = Trainer(wild)
        events = []
        for event in trainer.run(constantly(10)):
            events.append(event)
            if isinstance(event, Diverged):
                break
        assert isinstance(events[-1], Diverged)
        found[config.run.provider] = (events[-1].step, events[-1].quantity)
    assert found["fused"] == found["autodiff"]
