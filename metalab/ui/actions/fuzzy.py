"""Finds texts by some of their letters, and says which letters those were."""

from dataclasses import dataclass

_START, _RUN, _GAP = 8, 5, 1
"""For a letter at the start of a word and one right after the letter before; against
every letter that was passed over in between."""

_IMPOSSIBLE = -(10**6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Where letters were found.

    Attributes:
        score: How well they fit; comparable between texts for the same letters.
        places: Indices of the letters in the text, in order.
    """

    score: int
    places: tuple[int, ...]


def fuzzy_match(letters: str, text: str) -> Match | None:
    """Find words in a text, each as letters in their order, perhaps with others between.

    Starts of words count more than their middles, and neighbours more than letters far
    from each other: "rs" finds "Run, start" and rather "Reset, same seed" than "hours".

    Args:
        letters: Words between spaces; any of them may come first in the text.
        text: What is searched; upper and lower case are the same.

    Returns:
        The best match; None if a word is not there, or its letters lie so far from each
        other that nobody means them.
    """
    score = 0
    places: set[int] = set()
    for word in letters.split():
        found = _best_of_word(word, text)
        if found is None or found.score < len(word):
            return None
        score += found.score
        places.update(found.places)
    return Match(score=score, places=tuple(sorted(places)))


def _best_of_word(word: str, text: str) -> Match | None:
    """Return the best places of a word's letters, by dynamic programming over both."""
    # Letter by letter, for the lower case of a whole text can be longer than the text.
    wanted = [letter.lower() for letter in word]
    there = [letter.lower() for letter in text]
    best: list[list[int]] = []
    origin: list[list[int]] = []
    for row, letter in enumerate(wanted):
        scores = [_IMPOSSIBLE] * len(there)
        origins = [-1] * len(there)
        for at, found in enumerate(there):
            if found != letter:
                continue
            before, where = (0, -1) if row == 0 else _best_before(best[-1], at)
            if before > _IMPOSSIBLE:
                scores[at] = before + 1 + _START * _starts_word(text, at)
                origins[at] = where
        best.append(scores)
        origin.append(origins)
    return _traced_back(best, origin)


def _best_before(scores: list[int], at: int) -> tuple[int, int]:
    """Return the best score up to, and place of, a letter before `at`."""
    top, where = _IMPOSSIBLE, -1
    for earlier in range(at):
        if scores[earlier] == _IMPOSSIBLE:
            continue
        passed = at - earlier - 1
        score = scores[earlier] + (_RUN if passed == 0 else -_GAP * passed)
        if score > top:
            top, where = score, earlier
    return top, where


def _starts_word(text: str, at: int) -> bool:
    return text[at].isalnum() and (at == 0 or not text[at - 1].isalnum())


def _traced_back(best: list[list[int]], origin: list[list[int]]) -> Match | None:
    score = max(best[-1], default=_IMPOSSIBLE)
    if score == _IMPOSSIBLE:
        return None
    at = best[-1].index(score)
    places: list[int] = []
    for row in range(len(best) - 1, -1, -1):
        places.append(at)
        at = origin[row][at]
    return Match(score=score, places=tuple(reversed(places)))
