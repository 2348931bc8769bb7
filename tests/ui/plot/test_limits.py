import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metalab.ui.plot.limits import round_end, settled, value_limits, with_margin


def test_limits_hold_every_finite_value():
    series = [np.array([3.0, np.nan, 1.0]), np.array([np.inf, 7.0])]
    assert value_limits(series, log=False, trimmed=False) == (1.0, 7.0)


def test_a_log_axis_knows_positive_values_only():
    series = [np.array([-5.0, 0.0, 0.5, 2.0])]
    assert value_limits(series, log=True, trimmed=False) == (0.5, 2.0)
    assert value_limits([np.array([-1.0, 0.0])], log=True, trimmed=False) is None


def test_outliers_stretch_the_axis_only_if_wanted():
    values = np.append(np.ones(500), 1e6)
    assert value_limits([values], log=False, trimmed=True) == (1.0, 1.0)
    assert value_limits([values], log=False, trimmed=False) == (1.0, 1e6)


def test_few_values_are_never_outliers():
    values = np.array([1.0, 2.0, 100.0])
    assert value_limits([values], log=False, trimmed=True) == (1.0, 100.0)


def test_the_largest_numbers_there_are_leave_room_for_a_margin():
    low, high = with_margin(
        value_limits([np.array([-1.7e308, 1.7e308])], log=False, trimmed=False)
    )
    assert np.isfinite(high - low)


def test_nothing_has_no_limits():
    assert (
        value_limits([np.empty(0), np.array([np.nan])], log=False, trimmed=True) is None
    )


@pytest.mark.parametrize("limits", [(0.0, 0.0), (5.0, 5.0), (-3.0, -3.0), (1.0, 2.0)])
def test_a_margin_always_leaves_room(limits):
    low, high = with_margin(limits)
    assert low < limits[0]
    assert high > limits[1]


def test_an_axis_stands_still_until_it_does_not_fit():
    assert settled(None, (0.0, 1.0)) == (0.0, 1.0)
    assert settled((0.0, 1.0), (0.1, 0.9)) == (0.0, 1.0)
    assert settled((0.0, 1.0), (0.1, 1.2)) == (0.1, 1.2)
    # Mostly empty: it comes nearer.
    assert settled((0.0, 1.0), (0.1, 0.5)) == (0.1, 0.5)


@given(st.floats(1e-12, 1e12))
def test_round_ends_are_near_and_not_below(value):
    end = round_end(value)
    assert value * (1 - 1e-6) <= end <= 1.35 * value
    # Round already: nothing is rounder.
    assert round_end(end) == pytest.approx(end)


def test_nothing_ends_at_one():
    assert round_end(0.0) == 1.0
