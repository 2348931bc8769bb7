"""Every number in a lesson is measured again, or is a setting.

`lesson_numbers.py` measures; what is quick of it runs in `test_lesson_figures.py` always.
"""

import math

import pytest

from metalab.ui.learn.lesson import own_lessons
from tests.ui.learn.lesson_numbers import (
    BREAKING,
    FIRST_ORDER,
    IMPLICIT,
    MEASURE,
    quoted,
    unexplained,
    value_of,
)

DRIFT = 0.04
"""Relative: what other processors make of thousands of outer steps, and no more."""

WILD = {
    "norm_largest": 0.5,
    "small_norm_largest": 0.5,
    "norm_median": 0.2,
    **{f"clipped_{seed}": 0.2 for seed in range(3)},
}
"""Of a run that explodes now and then, where rounding decides how far."""


@pytest.mark.parametrize("key", MEASURE)
def test_every_number_is_measured_or_a_setting(key):
    assert unexplained(key) == []


@pytest.mark.parametrize("key", MEASURE)
def test_where_one_task_is_seen_the_losses_of_all_are_told_apart(key):
    """A page of the Adapt workspace once quoted means beside the losses of one task."""
    measured = {n for _, numbers in quoted(key) for n in numbers.values()}
    for page in own_lessons()[key].pages:
        quotes = any(number in page.text for number in measured if "." in number)
        if page.workspace == "adapt" and "loss" in page.text and quotes:
            assert "on average" in page.text.lower(), page.text


def test_every_lesson_is_measured():
    assert set(MEASURE) == set(own_lessons())


def agrees(name: str, text: str, value: float) -> bool:
    """Return whether a number as it is written tells a value."""
    decimals = len(text.partition(".")[2])
    room = 0.5 * 10.0**-decimals + WILD.get(name, DRIFT) * abs(value)
    return abs(value_of(text) - value) <= room


@pytest.mark.parametrize(
    ("text", "value", "right"),
    [
        ("0.36", 0.586, False),
        ("0.59", 0.586, True),
        ("2", 1, False),
        ("48", 47.6, True),
    ],
)
def test_what_agrees(text, value, right):
    assert agrees("cosine", text, value) is right


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("key", MEASURE)
def test_the_numbers_are_those_of_the_experiment(key):
    found = dict(MEASURE[key](own_lessons()[key]))
    wrong = [
        f"{sentence}: {name} is {found[name]:.5g}, not {text}"
        for sentence, numbers in quoted(key)
        for name, text in numbers.items()
        if not agrees(name, text, found[name])
    ]
    assert wrong == []
    in_words(key, found)


def in_words(key: str, found: dict[str, float]) -> None:
    """Check what a lesson says without digits."""
    text = " ".join(page.text for page in own_lessons()[key].pages)
    if key == FIRST_ORDER:
        assert "two to three times as long" in text
        assert 1.5 < found["times_as_long"] < 4
        # One meta-batch differs by the standard error times the root of their number.
        assert "from the next by ten times that" in " ".join(text.split())
        assert "a fifth behind" in text
        behind = [found[f"first_order_{s}"] / found[f"exact_{s}"] for s in range(3)]
        assert 1.1 < math.prod(behind) ** (1 / 3) < 1.3
    elif key == BREAKING:
        assert "two thousand million" in text
        assert 1e9 < found["norm_largest"] < 4e9
    elif key == IMPLICIT:
        assert "solved none" in text
        assert found["num_solved"] == 0
