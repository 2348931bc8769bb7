"""How options describe themselves and refuse values."""

import math

import pytest

from metalab.core.spec import OptionSpec, option, option_default, option_spec


def spec(**entries):
    return OptionSpec(label="Rate", help="How fast.", **entries)


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({}, "any value"),
        ({"low": 1}, "at least 1"),
        ({"low": 0, "exclusive": True}, "above 0"),
        ({"high": 2.5}, "at most 2.5"),
        ({"low": 0, "high": 1e6}, "0 to 1,000,000"),
        ({"low": 0, "high": 1, "exclusive": True}, "above 0, up to 1"),
        ({"low": 1, "high": 10_000, "unit": "shots"}, "1 to 10,000 shots"),
        ({"choices": ("relu", "tanh")}, "relu, tanh"),
    ],
)
def test_bounds_read_as_plain_words(entries, words):
    assert spec(**entries).allowed() == words


@pytest.mark.parametrize(
    ("entries", "good", "bad"),
    [
        ({"low": 1, "high": 3}, (1, 2, 3), (0, 4, 0.999, 10**400, -(10**400))),
        ({"low": 0, "exclusive": True}, (1e-300, 10**400), (0, 0.0, -1)),
        ({}, (0, -1e300, 10**400), (math.inf, -math.inf, math.nan)),
        ({"choices": ("a", "b")}, ("a", "b"), ("c", "", "ab")),
        ({"low": 1}, ((), (1,), (3, 1)), ((0,), (3, 0, 4))),
        ({}, ("any text", ""), ()),
    ],
)
def test_a_value_is_admitted_or_refused(entries, good, bad):
    for value in good:
        spec(**entries).check(value)
    for value in bad:
        with pytest.raises(ValueError, match="allowed"):
            spec(**entries).check(value)


def test_a_refusal_names_the_offending_entry():
    with pytest.raises(ValueError, match="is 0; allowed: at least 1"):
        spec(low=1).check((3, 0, 4))


def test_an_option_carries_its_spec_and_default():
    from dataclasses import dataclass, fields  # noqa: PLC0415

    @dataclass
    class Component:
        bound: int
        rate: float = option(0.5, label="Rate", help="How fast.", low=0.0)

    bound, rate = fields(Component)
    assert option_spec(bound) is None
    assert option_spec(rate) == spec(low=0.0)
    assert option_default(rate) == 0.5


def test_a_word_for_nought_is_shown_read_and_told():
    spec = OptionSpec(label="Batch", help="", low=0, high=10, at_zero="all shots")
    assert spec.allowed() == "0 to 10 (0: all shots)"
    assert [spec.word_for(value) for value in (0, 0.0, 1, False, "")] == [
        *["all shots"] * 2,
        *[""] * 3,
    ]
    assert spec.means_zero(" Off ")
    assert spec.means_zero("all shots")
    assert not spec.means_zero("none")
    assert not OptionSpec(label="", help="").means_zero("off")
