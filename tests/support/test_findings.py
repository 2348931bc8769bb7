"""The collector of failures fails itself when it should."""

import pytest

from tests.support.findings import check_each


def test_every_failure_is_told():
    def check(number, word):
        assert len(word) == number, f"{word} has {len(word)}"

    with pytest.raises(AssertionError, match="2 of 3") as told:
        check_each([(1, "one"), (3, "two"), (2, "four")], check)
    assert "(1, 'one'): AssertionError: one has 3" in str(told.value)
    assert "four has 4" in str(told.value)


def test_an_error_is_a_finding_too():
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        check_each([0], lambda number: 1 / number)


def test_nothing_to_check_is_a_failure():
    with pytest.raises(AssertionError, match="nothing to check"):
        check_each([], print)
