"""Ranges of axes: over all that is drawn, and steady from frame to frame."""

import math
from collections.abc import Iterable

import numpy as np

from metalab.engine.events import Array

Limits = tuple[float, float]

_QUANTILES = (1.0, 99.0)
_FEWEST_TO_TRIM = 20
_MARGIN = 0.05
_FULL_ENOUGH = 0.7
_FARTHEST = 1e300
_ROUND_ENDS = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


def value_limits(series: Iterable[Array], *, log: bool, trimmed: bool) -> Limits | None:
    """Return the smallest and the largest value to show; None if there is none.

    Args:
        series: What is drawn; NaN and infinite values do not count.
        log: Whether the axis is logarithmic: then only positive values count.
        trimmed: Whether each series may leave 1 % of its values outside at either end.
    """
    ends: list[float] = []
    for values in series:
        drawn = values[np.isfinite(values) & ((values > 0) | (not log))]
        if len(drawn) == 0:
            continue
        if trimmed and len(drawn) >= _FEWEST_TO_TRIM:
            ends.extend(np.percentile(drawn, _QUANTILES).tolist())
        else:
            ends.extend((float(drawn.min()), float(drawn.max())))
    # Two ends and a margin must not add up to infinity.
    return (max(min(ends), -_FARTHEST), min(max(ends), _FARTHEST)) if ends else None


def with_margin(limits: Limits) -> Limits:
    """Return limits with some air, in the coordinates of the axis."""
    low, high = limits
    extent = high - low
    if extent <= 1e-12 * max(abs(low), abs(high), 1e-300):
        extent = max(abs(low), 1e-3)
    return (low - _MARGIN * extent, high + _MARGIN * extent)


def settled(current: Limits | None, wanted: Limits) -> Limits:
    """Return `current` as long as it suits `wanted`, so that an axis stands still."""
    if current is None:
        return wanted
    inside = current[0] <= wanted[0] and wanted[1] <= current[1]
    filled = (wanted[1] - wanted[0]) >= _FULL_ENOUGH * (current[1] - current[0])
    return current if inside and filled else wanted


def round_end(value: float) -> float:
    """Return the next round number at or above a positive value."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(
        (end * power for end in _ROUND_ENDS if end * power >= value * (1 - 1e-9)),
        10.0 * power,
    )
