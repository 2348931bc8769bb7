"""The arithmetic of the arrows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metalab.core.spec import OptionSpec
from metalab.ui.forms.stepping import stepped, times_root_ten

LOG = OptionSpec(label="", help="", low=0.0, high=10.0, exclusive=True, log=True)
UNIT = OptionSpec(label="", help="", low=0.0, high=10.0)
COUNT = OptionSpec(label="", help="", low=1, high=100_000)


def walk(value: float, steps: int, spec: OptionSpec, *, whole: bool) -> list[float]:
    way: list[float] = []
    for _ in range(abs(steps)):
        value = stepped(value, 1 if steps > 0 else -1, spec, whole=whole)
        way.append(value)
    return way


def test_log_steps_are_half_decades_and_come_back_exactly() -> None:
    up = walk(0.01, 4, LOG, whole=False)
    assert up == [0.0316, 0.1, 0.316, 1.0]
    assert walk(1.0, -4, LOG, whole=False) == [0.316, 0.1, 0.0316, 0.01]


@given(
    digits=st.integers(min_value=10, max_value=99),
    exponent=st.integers(min_value=-9, max_value=3),
    up=st.booleans(),
)
def test_two_digits_survive_a_log_step_and_back(
    digits: int, exponent: int, up: bool
) -> None:
    value = float(f"{digits}e{exponent}")
    there = times_root_ten(value, up=up)
    assert times_root_ten(there, up=not up) == value
    assert times_root_ten(there, up=up) == float(
        f"{digits}e{exponent + (1 if up else -1)}"
    )


def test_log_steps_stop_at_the_bounds() -> None:
    assert stepped(5.0, 1, LOG, whole=False) == 10.0
    assert stepped(10.0, 1, LOG, whole=False) == 10.0
    assert 0 < stepped(1e-12, -3, LOG, whole=False) < 1e-12


def test_a_log_step_from_zero_starts_the_scale() -> None:
    assert stepped(0.0, 1, LOG, whole=False) == 1e-5


def test_linear_steps_follow_the_size_of_the_number() -> None:
    assert walk(1, 2, COUNT, whole=True) == [2, 3]
    assert walk(100, 2, COUNT, whole=True) == [110, 120]
    assert walk(100, -2, COUNT, whole=True) == [99, 98]
    assert walk(10_000, 1, COUNT, whole=True) == [11_000]


def test_linear_steps_do_not_gather_rounding_errors() -> None:
    assert walk(0.1, 3, UNIT, whole=False) == [0.11, 0.12, 0.13]
    assert walk(0.0, 3, UNIT, whole=False) == [0.01, 0.02, 0.03]
    assert walk(5.0, 2, UNIT, whole=False) == [5.1, 5.2]


def test_linear_steps_reach_zero_and_pass_it() -> None:
    spec = OptionSpec(label="", help="", low=-10.0, high=10.0)
    assert walk(0.02, -4, spec, whole=False) == [0.01, 0.0, -0.01, -0.02]


def test_linear_steps_stop_at_the_bounds() -> None:
    assert stepped(2, -5, COUNT, whole=True) == 1
    assert stepped(9.95, 2, UNIT, whole=False) == 10.0
    open_end = OptionSpec(label="", help="", low=0.0, exclusive=True)
    assert stepped(0.1, -5, open_end, whole=False) == 0.1


@pytest.mark.parametrize(("value", "inside"), [(0, 1), (-7, 1), (200_000, 100_000)])
def test_a_value_out_of_bounds_steps_to_the_nearest_bound(
    value: int, inside: int
) -> None:
    for steps in (1, -1):
        result = stepped(value, steps, COUNT, whole=True)
        assert result == inside
        assert type(result) is int


def test_without_bounds_anything_goes() -> None:
    free = OptionSpec(label="", help="")
    assert stepped(0, -3, free, whole=True) == -3
    assert stepped(0.0, 1, free, whole=False) == 0.1


def test_several_steps_are_that_many_single_ones() -> None:
    assert stepped(0.01, 3, LOG, whole=False) == walk(0.01, 3, LOG, whole=False)[-1]
