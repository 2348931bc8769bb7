"""The training loop: what it says, and what cannot shift it."""

import itertools
import random
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum

import numpy as np
import pytest
import torch

from metalab.core.learner import METRIC_NAMES
from metalab.engine import task_stream as blocks_module
from metalab.engine.events import (
    METRICS,
    Checkpoint,
    EvaluationDone,
    RunEnded,
    RunStarted,
    StepsDone,
)
from metalab.engine.task_stream import STEPS_PER_BLOCK
from metalab.engine.trainer import Trainer
from tests.support.experiments import PRESETS, constantly, record, run, same, small


def test_events_come_in_order():
    config = small()
    events = run(config).events
    assert isinstance(events[0], RunStarted)
    assert events[0].step == 0
    assert isinstance(events[1], EvaluationDone)
    assert same(events[-1], RunEnded(step=60))
    steps = [event for event in events if isinstance(event, StepsDone)]
    assert [event.first_step for event in steps] == [
        1,
        *(event.last_step + 1 for event in steps[:-1]),
    ]
    assert steps[-1].last_step == 60
    for before, after in itertools.pairwise(events):
        if isinstance(after, EvaluationDone) and isinstance(before, StepsDone):
            assert after.evaluation.step == before.last_step


@pytest.mark.parametrize(
    ("every", "num_steps", "probed"),
    [
        (20, 60, [0, 1, 2, 5, 10, 20, 40, 60]),
        (25, 60, [0, 1, 2, 5, 10, 20, 25, 50, 60]),
        (1, 4, [0, 1, 2, 3, 4]),
        (1000, 7, [0, 1, 2, 5, 7]),
    ],
)
def test_probes_come_early_then_evenly_and_at_the_end(every, num_steps, probed):
    config = small(evaluation__every=every, outer__num_steps=num_steps)
    probes = run(config).probes
    assert list(probes) == probed
    assert all(p.curves.step == p.evaluation.step == s for s, p in probes.items())


def arrays_in(value):
    """Yield every array of an event; fail at anything that is not plain."""
    if is_dataclass(value):
        for entry in fields(value):
            yield from arrays_in(getattr(value, entry.name))
    elif isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, Mapping):
        for entry in value.values():
            yield from arrays_in(entry)
    else:
        assert isinstance(value, int | float | str | tuple | Enum | None), type(value)


def test_what_comes_out_is_plain_and_read_only():
    for event in run(small(outer__num_steps=3)).events:
        assert not any(array.flags.writeable for array in arrays_in(event))


def test_metrics_have_one_column_each():
    rows = run(small()).rows()
    assert rows.shape == (60, len(METRICS))
    names = tuple(info.name for info in METRICS)
    assert names[: len(METRIC_NAMES)] == METRIC_NAMES
    assert rows.dtype == np.float32


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.sampled(3)
def test_the_same_seed_says_the_same(preset):
    one, two = run(small(preset)), run(small(preset))
    assert len(one.events) == len(two.events)
    assert all(map(same, one.events, two.events))


def test_another_seed_says_something_else():
    one, two = run(small()), run(small(run__seed=1))
    measured = slice(len(METRIC_NAMES))
    assert not (one.rows()[:, measured] == two.rows()[:, measured]).any()
    assert not same(one.events[0], two.events[0])


@pytest.mark.parametrize("pace", [1, 3, 7, 1000])
def test_the_pace_changes_no_number(pace):
    reference, other = run(small()), run(small(), pace)
    assert same(other.rows(), reference.rows())
    assert same(other.probes, reference.probes)


def test_a_pace_below_one_still_makes_a_step():
    config = small(outer__num_steps=3)
    assert same(run(config, 0).rows(), run(config).rows())


def test_an_uneven_pace_and_somebody_looking_change_no_number():
    dice = random.Random(4)
    trainer = Trainer(small())
    events = []
    for event in trainer.run(lambda: dice.randint(1, 9)):
        events.append(event)
        trainer.curves()
        trainer.checkpoint()
        if dice.random() < 0.3:
            trainer.accept_explosion()
    reference = run(small())
    assert same(record(events).rows(), reference.rows())
    assert same(record(events).probes, reference.probes)


@pytest.mark.parametrize(
    "overrides",
    [
        {"evaluation__every": 7},
        {"evaluation__num_tasks": 31},
        {"evaluation__num_inner_steps": 9},
        {"evaluation__num_shots": 3},
        {"outer__num_steps": 40},
        {"name": "another"},
    ],
)
def test_what_is_looked_at_never_shifts_what_is_trained_on(overrides):
    reference, other = run(small()).rows(), run(small(**overrides)).rows()
    count = min(len(reference), len(other))
    assert same(other[:count].copy(), reference[:count].copy())


def test_the_global_generator_is_neither_read_nor_moved():
    reference = run(small()).rows()
    state = torch.get_rng_state()
    torch.rand(3)
    assert same(run(small()).rows(), reference)
    torch.set_rng_state(state)
    run(small())
    assert torch.equal(torch.get_rng_state(), state)


def test_every_step_has_fresh_tasks_across_blocks():
    config = small(outer__num_steps=3 * STEPS_PER_BLOCK, evaluation__every=10**6)
    trainer = Trainer(config)
    seen = torch.cat(
        [
            trainer.task_stream.batch(step).parameters
            for step in (0, 1, 255, 256, 257, 511, 512, 700)
        ]
    )
    assert len(seen[:, 0].unique()) == len(seen)


def test_a_batch_depends_on_the_step_alone():
    config = small()
    forth, back = Trainer(config), Trainer(config)
    ahead = {
        step: forth.task_stream.batch(step).query.y.clone() for step in (0, 300, 3, 299)
    }
    for step in (299, 3, 0, 300):
        assert torch.equal(back.task_stream.batch(step).query.y, ahead[step])


def test_a_large_meta_batch_is_drawn_in_small_blocks():
    few = small(outer__num_tasks=1000, tasks__num_shots=100, tasks__num_queries=100)
    block = Trainer(few)
    block.task_stream.batch(0)
    drawn = block.task_stream._drawn[1]
    points = drawn.num_tasks * 200
    assert points <= blocks_module.POINTS_PER_BLOCK
    assert drawn.num_tasks % 1000 == 0


def test_one_step_larger_than_a_block_is_drawn_alone(monkeypatch):
    monkeypatch.setattr(blocks_module, "POINTS_PER_BLOCK", 10)
    trainer = Trainer(small())
    trainer.task_stream.batch(0)
    assert trainer.task_stream._drawn[1].num_tasks == 25


def test_closing_the_generator_stops_between_steps():
    trainer = Trainer(small())
    events = trainer.run(constantly(4))
    for event in events:
        if isinstance(event, StepsDone) and event.last_step >= 10:
            break
    events.close()
    assert trainer.step == event.last_step
    assert trainer.checkpoint().step == event.last_step


def test_curves_are_those_of_the_current_meta_parameters():
    trainer = Trainer(small())
    for event in trainer.run():
        if isinstance(event, EvaluationDone):
            now = trainer.curves()
            assert now.step == event.curves.step
            np.testing.assert_allclose(now.curves, event.curves.curves, rtol=1e-5)
            np.testing.assert_allclose(
                now.query_loss, event.curves.query_loss, rtol=1e-5
            )


def test_a_checkpoint_of_another_network_is_refused():
    checkpoint = Checkpoint(step=3, phi=np.zeros(7, np.float32), slots=())
    with pytest.raises(ValueError, match=r"shapes \[\(7,\)\]"):
        Trainer(small(), checkpoint=checkpoint)


def test_a_checkpoint_is_a_copy():
    trainer = Trainer(small())
    before = trainer.checkpoint()
    phi = before.phi.copy()
    list(trainer.run())
    assert same(before.phi.copy(), phi)
    assert not same(trainer.checkpoint().phi.copy(), phi)
