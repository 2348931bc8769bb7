"""Outer steps of a run that a person has marked, with notes; kept in the run's file.

Imports no torch: views of runs hold them from the first frame.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

FACT = "bookmarks"
"""Key of the fact of a run file that holds them."""

MOST_BOOKMARKS = 300
LONGEST_NOTE = 1000
"""Characters. As JSON, that many of both fit into one fact of a run file."""

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookmark:
    """A place in a run.

    Attributes:
        step: The outer step.
        inner_step: The inner step that was emphasised.
        note: What a person says of it; "" for nothing.
    """

    step: int
    inner_step: int = 0
    note: str = ""


Bookmarks = tuple[Bookmark, ...]
"""Of one run, in the order of their outer steps."""


def with_mark(marks: Bookmarks, step: int, inner_step: int = 0) -> Bookmarks:
    """Return bookmarks with one at an outer step; the same ones if there is one.

    Of more than `MOST_BOOKMARKS`, none is added.
    """
    if mark_at(marks, step) is not None or len(marks) >= MOST_BOOKMARKS:
        return marks
    added = Bookmark(step=step, inner_step=inner_step)
    return _in_order([*marks, added])


def without_mark(marks: Bookmarks, step: int) -> Bookmarks:
    """Return bookmarks without the one at an outer step."""
    return tuple(mark for mark in marks if mark.step != step)


def with_note(marks: Bookmarks, step: int, note: str) -> Bookmarks:
    """Return bookmarks with a note at an outer step, where one is set if need be."""
    kept = " ".join(_UNPRINTABLE.sub(" ", note).split())[:LONGEST_NOTE]
    return tuple(
        replace(mark, note=kept) if mark.step == step else mark
        for mark in with_mark(marks, step)
    )


def mark_at(marks: Bookmarks, step: int) -> Bookmark | None:
    """Return the bookmark at an outer step, or None."""
    return next((mark for mark in marks if mark.step == step), None)


def until(marks: Bookmarks, step: int) -> Bookmarks:
    """Return the bookmarks up to an outer step: those that a fork there takes along."""
    return tuple(mark for mark in marks if mark.step <= step)


def as_fact(marks: Bookmarks) -> list[dict[str, object]]:
    """Return bookmarks as plain values, for the fact of a run file."""
    return [asdict(mark) for mark in marks]


def _in_order(marks: Sequence[Bookmark]) -> Bookmarks:
    return tuple(sorted(marks, key=_step))


def _step(mark: Bookmark) -> int:
    return mark.step
