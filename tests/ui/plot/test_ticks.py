import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metalab.ui.plot.ticks import linear_ticks, log_ticks, mean_text, number_text


@given(
    low=st.floats(-1e9, 1e9),
    extent=st.floats(1e-6, 1e9),
    most=st.integers(2, 12),
)
def test_linear_ticks_are_inside_even_and_not_too_many(low, extent, most):
    high = low + extent
    if high - low < 1e-9 * max(abs(low), 1):
        return
    positions = [position for position, _ in linear_ticks(low, high, most)]
    assert len(positions) <= most + 1
    slack = 1e-6 * extent
    assert all(low - slack <= position <= high + slack for position in positions)
    if len(positions) > 2:
        steps = np.diff(positions)
        np.testing.assert_allclose(steps, steps[0], rtol=1e-4)


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (0, 10_000, ["0", "2,000", "4,000", "6,000", "8,000", "10,000"]),
        (-5, 5, ["−4", "−2", "0", "2", "4"]),
        (0, 1, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (0, 5e6, ["0", "1M", "2M", "3M", "4M", "5M"]),
        (0, 6e-6, ["0", *(f"{n}·10⁻⁶" for n in range(1, 7))]),
    ],
)
def test_linear_texts(low, high, texts):
    assert [text for _, text in linear_ticks(low, high, 6)] == texts


def test_whole_numbers_have_no_ticks_between_them():
    assert [p for p, _ in linear_ticks(0, 2, 10, whole=True)] == [0, 1, 2]


@given(low=st.floats(-30, 30), extent=st.floats(0.01, 40), most=st.integers(2, 12))
def test_log_ticks_are_inside_and_mean_what_they_say(low, extent, most):
    ticks = log_ticks(low, low + extent, most)
    assert all(low - 1e-6 <= position <= low + extent + 1e-6 for position, _ in ticks)
    texts = [text for _, text in ticks]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (0.3, 5, ["0.5", "1", "2", "5"]),
        (0.01, 100, ["0.01", "0.1", "1", "10", "100"]),
        (1e-8, 1e8, ["10⁻⁸", "0.0001", "1", "10,000", "10⁸"]),
    ],
)
def test_log_texts(low, high, texts):
    ticks = log_ticks(math.log10(low), math.log10(high), 5)
    assert [text for _, text in ticks] == texts
    for position, text in ticks:
        if "⁻" not in text and "⁸" not in text:
            assert 10**position == pytest.approx(float(text.replace(",", "")))


def test_a_short_log_axis_has_straight_ticks():
    texts = [text for _, text in log_ticks(math.log10(3.0), math.log10(3.5), 6)]
    assert texts == ["3.0", "3.1", "3.2", "3.3", "3.4", "3.5"]


@pytest.mark.parametrize("ticks", [linear_ticks, log_ticks])
def test_an_axis_without_extent_has_no_ticks(ticks):
    assert ticks(1.0, 1.0, 5) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.2143, "0.214"),
        (3.0, "3.00"),
        (123.4, "123"),
        (999.6, "1,000"),
        (1234.4, "1,234"),
        (-1.5, "−1.50"),
        (0.00001234, "1.23·10⁻⁵"),
        (1.5e12, "1.50·10¹²"),
        (math.nan, "–"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
    ],
)
def test_numbers_for_people(value, text):
    assert number_text(value) == text


@pytest.mark.parametrize(
    ("mean", "error", "text"),
    [
        (0.5864, 0.0341, "0.586 ± 0.034"),
        (0.5, 0.2, "0.50 ± 0.20"),
        (123.4, 5.6, "123.4 ± 5.6"),
        (123.4, 56.0, "123 ± 56"),
        (-0.02, 0.5, "−0.02 ± 0.50"),
        (1.0, 1e-9, "1.00"),
        (0.0, 0.0, "0"),
        (2e-7, 1e-8, "2.00·10⁻⁷"),
        (2e4, 1e3, "20,000 ± 1,000"),
        (math.nan, 0.1, "–"),
        (0.5, math.nan, "0.500"),
        (math.inf, math.inf, "∞"),
    ],
)
def test_a_mean_has_the_digits_of_its_error(mean: float, error: float, text: str):
    assert mean_text(mean, error) == text
