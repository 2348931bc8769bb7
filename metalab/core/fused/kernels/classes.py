"""The cross-entropy of classes: its mean, its derivatives, and those along a direction.

Names are those of `passes`; outputs are logits z, p = softmax(z), or with one output the
probability of the second of two classes.

Source: Bishop 2006, sections 4.3.2 and 4.3.4; `core.loss.cross_entropy`.
"""

import math

from numba import njit

from metalab.core.fused.kernels.options import EXACT, KERNEL, stay_apart
from metalab.core.fused.kernels.passes import input_of
from metalab.core.fused.kernels.samples import num_counted, share_of, weight_of
from metalab.core.fused.kernels.vector import at, dot, put
from metalab.core.fused.layout import (
    DEPTH,
    ERRORS,
    OUT_PLACE,
    OUT_ROW,
    OUTPUTS,
    PROBABILITIES,
    TANGENT_ERRORS,
)


@njit(**EXACT)
def _two_classes(work, z, y):
    """Turn a logit into a probability; return the cost."""
    one = work.dtype.type(1)
    logit, target = at(work, z), at(work, y)
    # Of a negative number alone, so that nothing overflows.
    small = math.exp(-abs(logit))
    share = one / (one + small)
    put(work, z, share if logit >= 0 else small * share)
    # -y log p - (1 - y) log(1 - p), and log(1 - p) is log p - z.
    log_p = (logit if logit < 0 else work.dtype.type(0)) - math.log1p(small)
    return (one - target) * logit - log_p


@njit(**EXACT)
def _many_classes(work, z, y, outputs):
    """Turn logits into probabilities; return the cost."""
    top = at(work, z)
    for c in range(1, outputs):
        if at(work, z + c) > top:
            top = at(work, z + c)
    total = work.dtype.type(0)
    for c in range(outputs):
        total += math.exp(at(work, z + c) - top)
    rest = math.log(total)
    cost = work.dtype.type(0)
    for c in range(outputs):
        # In this order: what is subtracted first may be as large as both logits.
        below = at(work, z + c) - top
        cost -= at(work, y + c) * (below - rest)
        put(work, z + c, math.exp(below) / total)
    return cost


@njit(**KERNEL)
def _to_probabilities(work, net, w, h, z, y):
    """Write the probabilities of the classes of a sample at z; return its cost.

    `h` is what the output layer reads of the sample.
    """
    outputs, row = net[OUTPUTS], net[OUT_ROW]
    for c in range(outputs):
        put(work, z + c, dot(work, h, w + net[OUT_PLACE] + c * row, row))
    if outputs == 1:
        return _two_classes(work, z, y)
    return _many_classes(work, z, y, outputs)


@njit(**KERNEL)
def _mass_of(work, net, y):
    """Return what the targets of a sample sum to: one, but for rounding."""
    if net[OUTPUTS] == 1:
        return work.dtype.type(1)
    mass = work.dtype.type(0)
    for c in range(net[OUTPUTS]):
        mass += at(work, y + c)
    return mass


@njit(**KERNEL)
def class_errors(work, net, w, x, a, m, y, mask, scale):
    """Write scale (p - y), of a mean over all m; return the mean over those that count."""
    last, outputs, row = net[DEPTH], net[OUTPUTS], net[OUT_ROW]
    h, e = input_of(net, last, x, a, m), a + m * net[ERRORS]
    stay_apart()
    total, share = 0.0, share_of(work, m, mask)
    for i in range(m):
        target, error = y + i * outputs, e + i * outputs
        cost = _to_probabilities(work, net, w, h + i * row, error, target)
        mass = _mass_of(work, net, target)
        weight = scale * weight_of(work, i, share, mask)
        for c in range(outputs):
            residual = mass * at(work, error + c) - at(work, target + c)
            put(work, error + c, weight * residual)
        total += cost if mask < 0 else cost * at(work, mask + i)
    return total / (m if mask < 0 else max(num_counted(work, m, mask), 1.0))


@njit(**KERNEL)
def bend_class_changes(work, net, w, x, y, mask, a, m, r):
    """Turn changes t of the logits into those of the errors: p (t - <p, t>), weighed.

    The probabilities are computed once more: kept, they would take room in every inner
    step of every loss.
    """
    last, outputs, row = net[DEPTH], net[OUTPUTS], net[OUT_ROW]
    stay_apart()
    h, one = input_of(net, last, x, a, m), work.dtype.type(1)
    share = share_of(work, m, mask)
    for i in range(m):
        target, p = y + i * outputs, r + m * net[PROBABILITIES] + i * outputs
        change = r + m * net[TANGENT_ERRORS] + i * outputs
        _to_probabilities(work, net, w, h + i * row, p, target)
        weight = weight_of(work, i, share, mask) * _mass_of(work, net, target)
        if outputs == 1:
            slope = at(work, p) * (one - at(work, p))
            put(work, change, weight * slope * at(work, change))
            continue
        along = work.dtype.type(0)
        for c in range(outputs):
            along += at(work, p + c) * at(work, change + c)
        for c in range(outputs):
            bent = at(work, p + c) * (at(work, change + c) - along)
            put(work, change + c, weight * bent)
