"""Text to value and back."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metalab.core.spec import OptionSpec
from metalab.ui.forms.reading import (
    Unread,
    exact_text,
    read,
    short_text,
    unread_message,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("0.01", 0.01),
        (" 5 ", 5.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("−2", -2.0),
        ("1E4", 10_000.0),
        ("3.141592653589793", math.pi),
    ],
)
def test_reads_a_float(text: str, value: float) -> None:
    result = read(text, float)
    assert result == value
    assert type(result) is float


@pytest.mark.parametrize(
    ("text", "value"),
    [("10,000", 10_000), ("1e4", 10_000), ("-3", -3), ("7.0", 7), ("007", 7)],
)
def test_reads_an_int(text: str, value: int) -> None:
    result = read(text, int)
    assert result == value
    assert type(result) is int


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("40, 40", (40, 40)),
        ("40", (40,)),
        ("[64,32]", (64, 32)),
        ("", ()),
        ("8,", (8,)),
    ],
)
def test_reads_a_tuple(text: str, value: tuple[int, ...]) -> None:
    assert read(text, tuple) == value


@pytest.mark.parametrize(
    ("text", "value_type"),
    [
        ("abc", float),
        ("", float),
        ("0,01", float),
        ("nan", float),
        ("inf", float),
        ("1e999", float),
        ("1_000", float),
        ("1.5", int),
        ("1,5", int),
        ("10,0000", int),
        ("1e400", int),
        ("9" * 5000, int),
        ("", int),
        ("40, x", tuple),
        ("40 40", tuple),
    ],
)
def test_keeps_what_it_cannot_read(text: str, value_type: type) -> None:
    assert read(text, value_type) == Unread(text)


def test_any_word_reads_as_itself() -> None:
    assert read(" Two words ", str) == " Two words "


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_exact_text_of_a_float_loses_nothing(value: float) -> None:
    assert read(exact_text(value), float) == value


@given(st.integers(min_value=-(2**53), max_value=2**53))
def test_both_texts_of_an_int_lose_nothing(value: int) -> None:
    assert read(exact_text(value), int) == value
    assert read(short_text(value), int) == value


@given(st.lists(st.integers(min_value=1, max_value=4096)))
def test_the_text_of_a_tuple_loses_nothing(entries: list[int]) -> None:
    assert read(short_text(tuple(entries)), tuple) == tuple(entries)


@pytest.mark.parametrize(
    ("value", "exact", "short"),
    [
        (0.01, "0.01", "0.01"),
        (1e-05, "1e-05", "1e-05"),
        (5.0, "5", "5"),
        (math.pi, "3.141592653589793", "3.14159…"),
        (0.999999, "0.999999", "0.999999"),
        (1_000_000.0, "1000000", "1000000"),
        (10_000, "10000", "10,000"),
        ((40, 40), "40, 40", "40, 40"),
        (Unread("1e"), "1e", "1e"),
        ("relu", "relu", "relu"),
    ],
)
def test_writes_values_for_editing_and_for_reading(
    value: object, exact: str, short: str
) -> None:
    assert exact_text(value) == exact
    assert short_text(value) == short


@pytest.mark.parametrize(
    ("text", "value_type", "message"),
    [
        ("abc", float, "is 'abc'; allowed: 1 to 1,000 steps"),
        (" ", float, "is empty; allowed: 1 to 1,000 steps"),
        ("1.5", int, "is '1.5'; allowed: a whole number, 1 to 1,000 steps"),
        (
            "4 x",
            tuple,
            "is '4 x'; allowed: whole numbers with commas between, each 1 to 1,000 steps",
        ),
    ],
)
def test_says_what_is_allowed(text: str, value_type: type, message: str) -> None:
    spec = OptionSpec(label="Steps", help="", unit="steps", low=1, high=1000)
    assert unread_message(Unread(text), value_type, spec) == message
