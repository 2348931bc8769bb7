from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from metalab.core.fused.plan import Counts
from metalab.core.streams import RandomStreams
from metalab.engine.build import build_family
from metalab.engine.task_stream import STEPS_PER_BLOCK, TaskStream
from metalab.experiment.config import preset_config


@pytest.fixture(scope="module")
def blocks():
    return TaskStream(
        family=build_family(preset_config("maml-sine")),
        streams=RandomStreams(0),
        counts=Counts(num_tasks=2, num_shots=3, num_queries=4),
        dtype=torch.float32,
        device=torch.device("cpu"),
    )


@given(step=st.integers(0, 10**7), count=st.integers(1, 5000))
def test_calls_are_as_long_as_asked_at_most(blocks, step, count):
    assert 1 <= blocks.even(step, count) <= count


@given(step=st.integers(0, 10**7), count=st.integers(STEPS_PER_BLOCK, 5000))
def test_long_calls_end_where_a_block_ends(blocks, step, count):
    assert blocks.place(step + blocks.even(step, count))[1] == 0


def test_short_calls_share_a_block_evenly(blocks):
    step, calls = 0, []
    while step < STEPS_PER_BLOCK:
        calls.append(blocks.even(step, 200))
        step += calls[-1]
    assert calls == [128, 128]


class Ahead:
    """Draws when it is asked to begin, and remembers what was begun and taken."""

    def __init__(self):
        self.begun = self.taken = 0

    def __call__(self, draw):
        self.begun += 1
        batch = draw()

        def take():
            self.taken += 1
            return batch

        return take


def assert_same(batch, other):
    for mine, theirs in (
        (batch.support.x, other.support.x),
        (batch.query.y, other.query.y),
    ):
        assert torch.equal(mine, theirs)


@pytest.mark.parametrize(
    ("asked", "taken"),
    [
        ((0, 1, 2), 2),
        ((0, 1, 2, 2), 2),
        # A run that goes back draws anew.
        ((5, 2, 3), 1),
    ],
)
def test_tasks_drawn_ahead_are_those_drawn_in_their_turn(blocks, asked, taken):
    ahead = Ahead()
    hurried = replace(blocks, ahead=ahead)
    for index in asked:
        assert_same(hurried.block(index), blocks.block(index))
    assert (ahead.begun, ahead.taken) == (3, taken)


def test_limited_training_tasks_are_drawn_evenly_with_points_of_their_own(blocks):
    limited = replace(blocks, num_training_tasks=5)
    drawn = [limited.block(index) for index in (0, 1, 7)]
    parameters = torch.cat([batch.parameters for batch in drawn])
    tasks, counts = parameters.unique(dim=0, return_counts=True)
    assert len(tasks) == 5
    # 1,536 draws of five: expected 307 each, deviation 15.7.
    assert int((counts - len(parameters) / 5).abs().max()) < 5 * 16
    x = torch.cat([batch.support.x for batch in drawn]).flatten()
    assert len(x.unique()) > 0.99 * len(x)
    y = blocks.family.target(drawn[0].parameters, drawn[0].support.x)
    assert torch.equal(drawn[0].support.y, y)


def test_limited_training_tasks_depend_on_the_seed_alone(blocks):
    limited = replace(blocks, num_training_tasks=5)
    later = replace(limited, ahead=Ahead())
    assert_same(later.block(3), limited.block(3))
    other = replace(limited, streams=RandomStreams(1))
    mine, theirs = (
        {tuple(row) for row in made.block(0).parameters.tolist()}
        for made in (limited, other)
    )
    assert mine.isdisjoint(theirs)


def test_numbers_of_shots_are_even_between_their_ends(blocks):
    counts = replace(blocks.counts, num_shots=6, num_shots_min=3)
    drawing = replace(blocks, counts=counts)
    fixed = replace(blocks, counts=replace(counts, num_shots_min=0))
    found = [drawing.num_shots(step) for step in range(2_000)]
    for number in (3, 4, 5, 6):
        assert abs(found.count(number) - 500) < 100  # five deviations of 19.4
    assert set(found) == {3, 4, 5, 6}
    for step in (0, 1, 255, 256, 300):
        batch, whole = drawing.batch(step), fixed.batch(step)
        count = drawing.num_shots(step)
        assert torch.equal(batch.support.x, whole.support.x[:, :count])
        assert torch.equal(batch.support.y, whole.support.y[:, :count])
        assert_same(replace(batch, support=whole.support), whole)
