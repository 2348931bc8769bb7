"""Plain data that the timeline shows. Imports no Qt."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from metalab.engine.events import Array

if TYPE_CHECKING:
    from metalab.runs.record.bookmarks import Bookmark
    from metalab.runs.record.history import RunHistory

NUM_COLUMNS = 200
"""Of a ruler that is full: about one for each five pixels, so that noise is a band and no
comb."""

_SMOOTHED = 9
"""Columns that the middle line of the mini-map is averaged over, an odd number."""

_MOST_PARTS = 64
"""The ruler shows at least one part in so many of the run, however little is done."""

DIVERGED, EDITED, FORKED = "diverged", "edited", "forked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """Something that happened.

    Attributes:
        step: Outer steps made.
        kind: "diverged", "edited" or "forked".
        text: What happened, in a sentence.
    """

    step: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TimelineModel:
    """A run as the timeline draws it.

    Attributes:
        first_step: Where it begins: 0, or where it was forked.
        last_step: Outer steps made.
        num_steps: Outer steps planned.
        end_step: Where the ruler ends, at most `num_steps`.
        x: Middle of each column of the mini-map, in outer steps, [column].
        low: Smallest outer loss there, [column].
        high: Largest outer loss there, [column].
        middle: Geometric mean of the outer loss around there, [column].
        snapshots: Outer steps of the states that are kept, ascending, [state].
        flags: What happened, in order.
        bookmarks: What a person has marked.
    """

    first_step: int
    last_step: int
    num_steps: int
    end_step: int
    x: Array
    low: Array
    high: Array
    middle: Array
    snapshots: Array
    flags: "tuple[Flag, ...]"
    bookmarks: "tuple[Bookmark, ...]"

    def snapshot_after(self, step: int) -> int:
        """Return the next kept state, or the last step."""
        index = int(np.searchsorted(self.snapshots, step, side="right"))
        return (
            int(self.snapshots[index])
            if index < len(self.snapshots)
            else self.last_step
        )

    def snapshot_before(self, step: int) -> int:
        """Return the kept state before, or the first step."""
        index = int(np.searchsorted(self.snapshots, step, side="left")) - 1
        return int(self.snapshots[index]) if index >= 0 else self.first_step


def timeline_model(
    history: "RunHistory", bookmarks: "tuple[Bookmark, ...]"
) -> TimelineModel:
    """Return what to draw of a run; a millisecond for the longest."""
    steps, loss = history.steps, history.metrics["outer_loss"]
    first = 0 if history.origin is None else history.origin.step
    last, planned = max(history.step, first), max(history.num_steps, history.step)
    marked = max((mark.step for mark in bookmarks), default=first)
    end = end_of_ruler(first, last, planned, marked)
    x, low, high, middle = _columns(steps, loss, max((end - first) / NUM_COLUMNS, 1.0))
    return TimelineModel(
        first_step=first,
        last_step=last,
        num_steps=planned,
        end_step=end,
        x=x,
        low=low,
        high=high,
        middle=middle,
        snapshots=history.trail.steps,
        flags=_flags(history),
        bookmarks=bookmarks,
    )


def end_of_ruler(first: int, last: int, planned: int, marked: int) -> int:
    """Return the end of the run, or of its half, quarter, ... as long as that will do.

    Twice what is done has room, so that of a run that has begun at least a quarter of the
    ruler is curve, and so has every mark. It changes only where what is done has doubled.

    Args:
        first: Where the run begins.
        last: Outer steps made.
        planned: Outer steps planned.
        marked: The last step with a mark.
    """
    if last == first:
        return planned
    needed = max(2 * (last - first), marked - first, 2)
    extent, parts = planned - first, 1
    while parts < _MOST_PARTS and extent // (2 * parts) >= needed:
        parts *= 2
    return first + extent // parts


def _columns(
    steps: Array, loss: Array, width: float
) -> tuple[Array, Array, Array, Array]:
    """Return middle step, smallest, largest and mean loss of each column, [column].

    Args:
        steps: Outer step of each row, ascending, [row].
        loss: [row].
        width: Outer steps in a column, at least 1.
    """
    none: Array = np.empty(0)
    if len(steps) == 0:
        return none, none, none, none
    column = np.floor((steps - steps[0]) / width)
    starts = np.flatnonzero(np.append(True, column[1:] != column[:-1]))
    known = np.isfinite(loss) & (loss > 0)
    low = np.minimum.reduceat(np.where(known, loss, np.inf), starts)
    high = np.maximum.reduceat(np.where(known, loss, -np.inf), starts)
    logs = np.log(loss, out=np.zeros(len(loss)), where=known)
    sums = np.add.reduceat(logs, starts)
    counts = np.add.reduceat(known.astype(float), starts)
    ends = np.append(starts[1:], len(steps)) - 1
    at = (steps[starts] + steps[ends]) / 2
    seen = counts > 0
    middle = np.exp(_smoothed(sums[seen]) / _smoothed(counts[seen]))
    return at[seen], low[seen], high[seen], middle


def _smoothed(values: Array) -> Array:
    """Return sums over neighbours, as many on either side; fewer at the ends, [column]."""
    reach = np.minimum(np.arange(len(values)), np.arange(len(values))[::-1])
    reach = np.minimum(reach, _SMOOTHED // 2)
    until = np.concatenate([[0.0], np.cumsum(values)])
    at = np.arange(len(values))
    return until[at + reach + 1] - until[at - reach]


def _flags(history: "RunHistory") -> tuple[Flag, ...]:
    flags = [
        Flag(step=edit.step, kind=EDITED, text=f"{edit.path} = {edit.value}")
        for edit in history.configs.edits
    ]
    if history.origin is not None:
        origin = history.origin
        text = f"forked from {origin.parent} at outer step {origin.step:,}"
        flags.insert(0, Flag(step=origin.step, kind=FORKED, text=text))
    if history.diverged is not None:
        diverged = history.diverged
        flags.append(Flag(step=diverged.step, kind=DIVERGED, text=diverged.message))
    return tuple(flags)
