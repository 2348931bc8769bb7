"""Costs of a network's outputs, and the derivatives that a backward pass begins with.

Names are those of `passes`.
"""

from numba import njit

from metalab.core.fused.indices import (
    CONSTANT,
    CROSS_ENTROPY,
    DELTA_PLACE,
    FACTOR,
    KIND,
)
from metalab.core.fused.kernels.classes import class_errors
from metalab.core.fused.kernels.options import KERNEL, stay_apart
from metalab.core.fused.kernels.passes import input_of
from metalab.core.fused.kernels.samples import num_counted, share_of
from metalab.core.fused.kernels.vector import at, dot, put
from metalab.core.fused.layout import DEPTH, ERRORS, OUT_PLACE, OUT_ROW, OUTPUTS


@njit(**KERNEL)
def errors(work, net, w, x, a, m, y, scale):
    """Write the derivatives of the loss in the outputs; return the sum of squares."""
    last, outputs, row = net[DEPTH], net[OUTPUTS], net[OUT_ROW]
    h, e = input_of(net, last, x, a, m), a + m * net[ERRORS]
    total = 0.0
    for i in range(m):
        for c in range(outputs):
            out = dot(work, h + i * row, w + net[OUT_PLACE] + c * row, row)
            residual = out - at(work, y + i * outputs + c)
            total += residual * residual
            put(work, e + i * outputs + c, scale * residual)
    return total


@njit(**KERNEL)
def _clamped_errors(work, net, w, x, a, m, y, scale, delta):
    """As `errors`, of residuals that pull no more than delta: Huber's loss, doubled."""
    last, outputs, row = net[DEPTH], net[OUTPUTS], net[OUT_ROW]
    h, e = input_of(net, last, x, a, m), a + m * net[ERRORS]
    two = work.dtype.type(2)
    total = 0.0
    for i in range(m):
        for c in range(outputs):
            out = dot(work, h + i * row, w + net[OUT_PLACE] + c * row, row)
            residual = out - at(work, y + i * outputs + c)
            kept = residual
            if residual > delta:
                kept = delta
            elif residual < -delta:
                kept = -delta
            total += kept * (two * residual - kept)
            put(work, e + i * outputs + c, scale * kept)
    return total


@njit(**KERNEL)
def _masked_errors(work, net, w, x, a, m, y, mask, scale, delta):
    """As `errors`, or with delta as `_clamped_errors`, of samples that a mask counts.

    The scale is that of a mean over all m.
    """
    last, outputs, row = net[DEPTH], net[OUTPUTS], net[OUT_ROW]
    h, e = input_of(net, last, x, a, m), a + m * net[ERRORS]
    two, share = work.dtype.type(2), share_of(work, m, mask)
    total = 0.0
    for i in range(m):
        counts = at(work, mask + i)
        weight = scale * (share * counts)
        for c in range(outputs):
            out = dot(work, h + i * row, w + net[OUT_PLACE] + c * row, row)
            residual = out - at(work, y + i * outputs + c)
            kept = residual
            if delta > 0:
                if residual > delta:
                    kept = delta
                elif residual < -delta:
                    kept = -delta
            total += counts * (kept * (two * residual - kept))
            put(work, e + i * outputs + c, weight * kept)
    return total


@njit(**KERNEL)
def cost_at(numbers, place):
    """Return what a loss is made of, which lies in an array from a place on.

    Four numbers cost nothing to hand on; an array is counted each time.
    """
    return (
        numbers[place + FACTOR],
        numbers[place + DELTA_PLACE],
        numbers[place + CONSTANT],
        numbers[place + KIND],
    )


@njit(**KERNEL)
def slope_of(work, net, m, cost):
    """Return the derivative of a mean loss in one residual, per residual."""
    return work.dtype.type(2.0 * cost[FACTOR] / (m * net[OUTPUTS]))


@njit(**KERNEL)
def _masked_cost_errors(work, net, w, x, a, m, y, mask, scale, cost):
    """As `cost_errors`; nothing counts, and nothing costs, where a mask is 0."""
    stay_apart()
    delta = work.dtype.type(cost[DELTA_PLACE])
    total = _masked_errors(work, net, w, x, a, m, y, mask, scale, delta)
    found = num_counted(work, m, mask)
    number = max(found, 1.0)
    mean = cost[FACTOR] * total / (number * net[OUTPUTS])
    return mean + cost[CONSTANT] * (found / number)


@njit(**KERNEL)
def cost_errors(work, net, w, x, a, m, y, mask, scale, cost):
    """Write the derivatives of a loss in the outputs, times a scale; return its mean.

    Without a mask the sums are those of samples that all count, to the last bit.
    """
    if cost[KIND] == CROSS_ENTROPY:
        return class_errors(work, net, w, x, a, m, y, mask, scale)
    if mask >= 0:
        return _masked_cost_errors(work, net, w, x, a, m, y, mask, scale, cost)
    delta = cost[DELTA_PLACE]
    if delta > 0:
        total = _clamped_errors(work, net, w, x, a, m, y, scale, work.dtype.type(delta))
    else:
        total = errors(work, net, w, x, a, m, y, scale)
    return cost[FACTOR] * total / (m * net[OUTPUTS]) + cost[CONSTANT]
