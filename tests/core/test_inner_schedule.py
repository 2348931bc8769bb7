"""The ramp of the inner lr and of K."""

import pytest

from metalab.core.inner_schedule import InnerSchedule


def test_without_a_ramp_the_set_values_hold_from_the_start():
    assert InnerSchedule().at(0, 5) == (1.0, 5)


def test_the_rate_moves_in_equal_ratios_to_the_set_value():
    ramp = InnerSchedule(ramp_steps=4, lr_start_factor=0.0625)
    factors = [ramp.at(step, 3)[0] for step in range(7)]
    assert factors == pytest.approx([0.0625, 0.125, 0.25, 0.5, 1, 1, 1], rel=1e-14)
    assert factors[4:] == [1.0, 1.0, 1.0]
    falling = InnerSchedule(ramp_steps=2, lr_start_factor=4.0)
    assert [falling.at(step, 3)[0] for step in range(3)] == [4.0, 2.0, 1.0]


def test_k_moves_linearly_and_rounded_to_the_set_value():
    ramp = InnerSchedule(ramp_steps=10, num_steps_start=1)
    counts = [ramp.at(step, 5)[1] for step in range(13)]
    assert counts == [1, 1, 2, 2, 3, 3, 3, 4, 4, 5, 5, 5, 5]
    assert {ramp.at(step, 5)[0] for step in range(13)} == {1.0}


def test_a_ramp_of_the_rate_alone_leaves_k():
    ramp = InnerSchedule(ramp_steps=10, lr_start_factor=0.1)
    assert {ramp.at(step, 5)[1] for step in range(13)} == {5}
