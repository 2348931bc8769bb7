"""Playing through inner and outer time, by a clock of the test."""

import pytest

from metalab.ui.timeline.player import INNER, INNER_RATE, OUTER, OUTER_SECONDS, Player

pytestmark = pytest.mark.gui


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def player(qapp, clock):
    made = Player(clock=clock)
    made.told = []
    made.advanced.connect(lambda kind, step: made.told.append((kind, step)))
    yield made
    made.stop()


def after(player, clock, seconds):
    clock.now += seconds
    player.tick()


def test_inner_steps_come_at_their_rate_and_it_stops_at_the_end(player, clock):
    player.play(INNER, 0, (0, 3))
    for _ in range(4):
        after(player, clock, 1 / INNER_RATE)
    assert player.told == [(INNER, 1), (INNER, 2), (INNER, 3)]
    assert player.kind == ""


def test_all_of_a_run_takes_its_seconds(player, clock):
    player.play(OUTER, 0, (0, 60_000))
    after(player, clock, OUTER_SECONDS / 2)
    assert player.told == [(OUTER, 30_000)]
    player.speed = 8.0
    after(player, clock, OUTER_SECONDS / 16)
    assert player.told[-1] == (OUTER, 60_000)
    assert player.kind == ""


def test_at_the_end_it_begins_again_if_it_loops(player, clock):
    player.loop = True
    player.play(INNER, 2, (0, 3))
    after(player, clock, 1 / INNER_RATE)
    assert player.told[-1] == (INNER, 0)
    assert player.kind == INNER


def test_from_the_end_it_plays_from_the_beginning(player, clock):
    player.play(INNER, 3, (0, 3))
    after(player, clock, 1 / INNER_RATE)
    assert player.told == [(INNER, 1)]


def test_a_step_is_told_once(player, clock):
    player.play(INNER, 0, (0, 3))
    for _ in range(3):
        after(player, clock, 0.1 / INNER_RATE)
    assert player.told == [(INNER, 0)]
