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
    for _ in range(3):
        after(player, clock, 1 / INNER_RATE)
    assert player.told == [(INNER, 3), (INNER, 0), (INNER, 1)]
    assert player.kind == INNER


@pytest.mark.parametrize(("kind", "last"), [(INNER, 50), (OUTER, 60_000)])
def test_a_loop_never_jumps_over_its_last_step(kind, last, player, clock):
    player.loop, player.speed = True, 8.0
    player.play(kind, 0, (0, last))
    for _ in range(200):
        after(player, clock, 0.07)
    steps = [step for _, step in player.told]
    restarts = [i for i in range(1, len(steps)) if steps[i] < steps[i - 1]]
    assert len(restarts) >= 3
    assert {steps[i - 1] for i in restarts} == {last}
    assert {steps[i] for i in restarts} == {0}


def test_from_the_end_it_plays_from_the_beginning(player, clock):
    player.play(INNER, 3, (0, 3))
    after(player, clock, 1 / INNER_RATE)
    assert player.told == [(INNER, 1)]


def test_a_step_is_told_once(player, clock):
    player.play(INNER, 0, (0, 3))
    for _ in range(3):
        after(player, clock, 0.1 / INNER_RATE)
    assert player.told == [(INNER, 0)]
