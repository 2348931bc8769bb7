"""The moving average of loss curves, the same on paper and on screen."""

import math

import numpy as np

from metalab.engine.events import Array

_SMALLEST_WEIGHT = 1e-100
"""Weights within a block stay far above the smallest float64."""


def smoothed(values: Array, weight: float) -> Array:
    """Return the bias-corrected exponential moving average of a series.

    y_t = sum_i weight^(t - i) x_i / sum_i weight^(t - i), over the finite x_i up to t.
    So the first value is the first average, and gaps neither spread nor pull.

    Args:
        values: x, [row].
        weight: Of the past, from 0 (returns the values) to below 1.

    Returns:
        y, [row]; NaN before the first finite value.
    """
    known = np.isfinite(values)
    total = decayed_sum(np.where(known, values, 0.0), weight)
    mass = decayed_sum(known.astype(float), weight)
    return np.divide(total, mass, out=np.full(len(total), np.nan), where=mass > 0)


def decayed_sum(values: Array, weight: float, *, carried: float = 0.0) -> Array:
    """Return s_t = weight s_(t-1) + values_t, [row], in blocks rather than rows.

    Args:
        values: Finite, [row].
        weight: From 0 to below 1.
        carried: s before the first row, to go on with a series.
    """
    if weight == 0 or len(values) == 0:
        return np.asarray(values, dtype=float)
    block = int(math.log(_SMALLEST_WEIGHT) / math.log(weight))
    block = max(1, min(block, len(values)))
    decay = weight ** np.arange(block)
    sums = np.empty(len(values))
    for start in range(0, len(values), block):
        part = values[start : start + block]
        scale = decay[: len(part)]
        sums[start : start + block] = scale * (
            weight * carried + np.cumsum(part / scale)
        )
        carried = float(sums[start + len(part) - 1])
    return sums
