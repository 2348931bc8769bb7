"""Numbers of a learning curve: time to a threshold, and area under the curve.

A run that never reaches a threshold is no missing value: all that is known of its time is
that it is longer than the run, and it is counted like that (Kaplan and Meier 1958). To
leave it out would favour the method whose slow runs are missing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from metalab.engine.events import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """When a run reached a threshold, or how long it is known not to have.

    Attributes:
        step: Outer step of the first evaluation at or below the threshold; of a run that
            reached none, the last that it was evaluated at, and infinite for one that
            diverged: it would never have.
        reached: Whether it did.
    """

    step: float
    reached: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeToThreshold:
    """Outer steps that the runs of a method take to a threshold.

    Attributes:
        median: Kaplan-Meier estimate; infinite where fewer than half are known to reach
            it.
        num_reached: Runs that did.
        num_runs: All runs.
        followed: The longest time that a run is known not to have reached it; 0 where all
            did.
    """

    median: float
    num_reached: int
    num_runs: int
    followed: float

    @property
    def words(self) -> str:
        """Number and count, such as "1,200 (3 of 3)" or "> 5,000 (1 of 3)"."""
        count = f"({self.num_reached} of {self.num_runs})"
        if math.isfinite(self.median):
            return f"{self.median:,.0f} {count}"
        if self.followed:
            return f"> {self.followed:,.0f} {count}"
        return f"- {count}"


def reach_of(steps: Array, losses: Array, threshold: float, *, diverged: bool) -> Reach:
    """Return when a curve first was at or below a threshold.

    Args:
        steps: Outer steps of its evaluations, ascending, [evaluation].
        losses: Held-out loss at each, [evaluation].
        threshold: What counts as good enough.
        diverged: Whether the run ended because it diverged.
    """
    below = np.flatnonzero(losses <= threshold)
    if len(below):
        return Reach(step=float(steps[below[0]]), reached=True)
    last = float(steps[-1]) if len(steps) else 0.0
    return Reach(step=math.inf if diverged else last, reached=False)


def time_to_threshold(reaches: Sequence[Reach]) -> TimeToThreshold:
    """Return the median time of some runs; those that never arrive are counted."""
    reached = [entry.step for entry in reaches if entry.reached]
    known = [e.step for e in reaches if not e.reached and math.isfinite(e.step)]
    return TimeToThreshold(
        median=_median(reaches),
        num_reached=len(reached),
        num_runs=len(reaches),
        followed=max(known, default=0.0),
    )


def _median(reaches: Sequence[Reach]) -> float:
    """Return the first time by which half have arrived, as Kaplan and Meier estimate."""
    waiting = 1.0
    for step in sorted({entry.step for entry in reaches if entry.reached}):
        at_risk = sum(entry.step >= step for entry in reaches)
        arrived = sum(entry.step == step and entry.reached for entry in reaches)
        waiting *= 1 - arrived / at_risk
        # Rounding may leave a hair above one half.
        if waiting <= 0.5 + 1e-9:
            return step
    return math.inf


def mean_over_training(steps: Array, losses: Array, end: float) -> float:
    """Return the area under a curve up to an outer step, divided by its length.

    By the trapezoidal rule, from the first evaluation on; so it is a loss, and compares
    runs of one budget.

    Args:
        steps: Outer steps of the evaluations, ascending, [evaluation].
        losses: Held-out loss at each, [evaluation].
        end: Where the area ends: one of `steps`.

    Returns:
        NaN where there are fewer than two evaluations up to there.
    """
    kept = steps <= end
    x, y = steps[kept], losses[kept]
    if len(x) < 2:
        return math.nan
    with np.errstate(invalid="ignore", over="ignore"):
        return float(np.trapezoid(y, x) / (x[-1] - x[0]))
