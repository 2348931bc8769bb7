"""Named, counted random streams."""

import itertools

import pytest
import torch

from metalab.core.streams import RandomStreams


def draw(streams, *address):
    return torch.rand(1000, generator=streams.generator(*address), dtype=torch.float64)


def test_a_stream_can_be_drawn_again():
    assert torch.equal(draw(RandomStreams(3), "a", 2), draw(RandomStreams(3), "a", 2))


def test_drawing_from_one_generator_leaves_the_others_alone():
    streams = RandomStreams(3)
    reference = draw(streams, "b")
    for _ in range(5):
        draw(streams, "a")
    assert torch.equal(draw(streams, "b"), reference)


def test_seeds_purposes_and_blocks_are_unrelated():
    addresses = itertools.product((0, 1, 2), ("tasks", "task"), (0, 1, 12))
    draws = torch.stack([draw(RandomStreams(s), p, b) for s, p, b in addresses])
    correlation = torch.corrcoef(draws) - torch.eye(len(draws), dtype=torch.float64)
    # Five standard errors of the correlation of 1000 independent pairs.
    assert float(correlation.abs().max()) < 5 / 1000**0.5


@pytest.mark.parametrize("seed", [0, 1, 2**31 - 1])
def test_every_admissible_seed_works(seed):
    assert 0 <= float(draw(RandomStreams(seed), "a")[0]) < 1


def test_the_streams_are_the_same_in_every_version():
    """A run file stores no tasks: changing a stream would change what it means."""
    seed = RandomStreams(0).generator("training tasks", 7).initial_seed()
    assert seed == 3753556329625689598
