"""Texts found by some of their letters."""

import pytest

from metalab.ui.actions.fuzzy import fuzzy_match


def found_in(letters: str, text: str) -> str:
    return "".join(text[place] for place in fuzzy_match(letters, text).places)


@pytest.mark.parametrize(
    ("letters", "text", "places"),
    [
        ("run", "Start new run", (10, 11, 12)),
        ("rss", "Reset, same seed", (0, 7, 12)),
        ("RSET", "Reset, same seed", (0, 2, 3, 4)),
        ("seed res", "Reset, same seed", (0, 1, 2, 12, 13, 14, 15)),
        ("10", "Step 100", (5, 6)),
        ("", "anything", ()),
    ],
)
def test_the_best_letters_are_told(letters, text, places):
    if letters == "seed res":
        assert set(fuzzy_match(letters, text).places) == set(places)
    else:
        assert fuzzy_match(letters, text).places == places


@pytest.mark.parametrize(
    ("letters", "text"),
    [
        ("x", "Run"),
        ("nur", "Run"),
        ("run x", "Run"),
        ("a", ""),
        ("open", "Joint pre-training on sines"),
    ],
)
def test_what_is_not_there_is_not_found(letters, text):
    assert fuzzy_match(letters, text) is None


@pytest.mark.parametrize(
    ("letters", "better", "worse"),
    [
        ("rs", "Reset, same seed", "hours"),
        ("step", "Step 1", "Start the copy"),
        ("exp", "Export figure", "Next epoch"),
    ],
)
def test_starts_of_words_and_neighbours_count_more(letters, better, worse):
    assert fuzzy_match(letters, better).score > fuzzy_match(letters, worse).score


def test_a_lower_case_that_is_longer_than_the_text_shifts_nothing():
    assert found_in("run", "İ run") == "run"
