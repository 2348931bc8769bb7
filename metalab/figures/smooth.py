"""The moving average of loss curves, the same on paper and on screen."""

import math

import numpy as np

from metalab.engine.events import Array
from metalab.runs.history import Spans

_SMALLEST_WEIGHT = 1e-100
"""Weights within a block stay far above the smallest float64."""


_LANE = 64
"""Rows that one pass goes through at once."""


def smoothed(values: Array, weight: float, spans: Spans | None = None) -> Array:
    """Return the bias-corrected exponential moving average of a series.

    y_t = sum_i weight^(t - i) x_i / sum_i weight^(t - i), over the finite x_i up to t.
    So the first value is the first average, and gaps neither spread nor pull.

    Args:
        values: x, [row].
        weight: Of the past, from 0 (returns the values) to below 1.
        spans: What the rows of a thinned series stand for: all values of a span then
            count as their mean.

    Returns:
        y, [row]; NaN before the first finite value.
    """
    if spans is not None and weight > 0:
        total, mass = spanned_sums(spans, weight)
        return np.divide(total, mass, out=np.full(len(total), np.nan), where=mass > 0)
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


def spanned_sums(
    spans: Spans, weight: float, carried: tuple[float, float] = (0.0, 0.0)
) -> tuple[Array, Array]:
    """Return the decayed sums of values and of their number, after each span.

    Args:
        spans: What the rows stand for.
        weight: From above 0 to below 1, for one step.
        carried: Both sums before the first row.
    """
    decay = weight**spans.lengths
    gain = (1 - decay) / (1 - weight) / spans.lengths
    total, mass = (
        _unevenly_decayed_sum(gain * added, decay, start)
        for added, start in zip((spans.totals, spans.counts), carried, strict=True)
    )
    return total, mass


def _unevenly_decayed_sum(values: Array, decay: Array, carried: float) -> Array:
    """Return s_t = decay_t s_(t-1) + values_t, [row], many stretches side by side."""
    num_lanes = -(-len(values) // _LANE)
    rest = num_lanes * _LANE - len(values)
    sums = np.append(values, np.zeros(rest)).reshape(num_lanes, _LANE)
    factors = np.append(decay, np.ones(rest)).reshape(num_lanes, _LANE)
    for column in range(1, _LANE):
        sums[:, column] += factors[:, column] * sums[:, column - 1]
        factors[:, column] *= factors[:, column - 1]
    for lane in range(num_lanes):
        sums[lane] += factors[lane] * carried
        carried = float(sums[lane, -1])
    return sums.ravel()[: len(values)]
