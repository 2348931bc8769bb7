"""The end of an outer step: gather, measure, judge, and move the meta-parameters."""

import math

from numba import njit

from metalab.core.fused.indices import (
    ADAM,
    BETA1,
    BETA2,
    CHUNKS,
    CLIP,
    DECAY,
    DISTANCE,
    EPSILON,
    EXPONENTIAL,
    HYPERGRADIENT,
    INNER_GRADIENTS,
    META,
    META_NORM,
    NO_UPDATE,
    NUM_METRICS,
    NUM_RATES,
    NUM_TASKS,
    OPTIMISER,
    OUTER_BEFORE,
    OUTER_LOSS,
    OUTER_MOMENTUM,
    SGD,
    STRENGTH_INDEX,
    STRENGTH_SUM,
    SUM,
    SUPPORT_AFTER,
    SUPPORT_BEFORE,
)
from metalab.core.fused.kernels.options import KERNEL
from metalab.core.fused.kernels.vector import at, put
from metalab.core.fused.layout import PARAMETERS


@njit(**KERNEL)
def gather(works, plan, sums):
    """Add every chunk's sums to those of the first, always in the same order."""
    total, size, first = plan[SUM], plan[META], works[0]
    for chunk in range(1, plan[CHUNKS]):
        other = works[chunk]
        for i in range(size):
            put(first, total + i, at(first, total + i) + at(other, total + i))
        for i in range(NUM_METRICS):
            sums[0, i] += sums[chunk, i]
        sums[0, STRENGTH_SUM] += sums[chunk, STRENGTH_SUM]
        sums[0, INNER_GRADIENTS] = max(
            sums[0, INNER_GRADIENTS], sums[chunk, INNER_GRADIENTS]
        )


@njit(**KERNEL)
def finish_direction(work, net, plan, scalars, phi, sums):
    """Turn sums into the mean hypergradient, clipped; return its norm before."""
    g, count, share = plan[SUM], plan[META], work.dtype.type(1.0 / plan[NUM_TASKS])
    if plan[STRENGTH_INDEX] >= 0:
        put(work, g + plan[STRENGTH_INDEX], sums[STRENGTH_SUM])
    if plan[EXPONENTIAL]:
        for i in range(net[PARAMETERS], net[PARAMETERS] + plan[NUM_RATES]):
            put(work, g + i, at(work, g + i) * math.exp(phi[i]))
    square = work.dtype.type(0)
    for i in range(count):
        put(work, g + i, at(work, g + i) * share)
        square += at(work, g + i) * at(work, g + i)
    norm = math.sqrt(square)
    if scalars[CLIP] > 0 and norm > scalars[CLIP]:
        factor = work.dtype.type(scalars[CLIP] / norm)
        for i in range(count):
            put(work, g + i, at(work, g + i) * factor)
    return norm


@njit(**KERNEL)
def write_metrics(row, plan, sums, norm):
    """Write one row, but for the norm of the meta-parameters, which move first."""
    count = plan[NUM_TASKS]
    row[OUTER_LOSS] = sums[OUTER_LOSS] / count
    row[OUTER_BEFORE] = sums[OUTER_BEFORE] / count
    row[SUPPORT_BEFORE] = sums[SUPPORT_BEFORE] / count
    row[SUPPORT_AFTER] = sums[SUPPORT_AFTER] / count
    row[HYPERGRADIENT] = norm
    row[DISTANCE] = sums[DISTANCE] / count
    row[INNER_GRADIENTS] = sums[INNER_GRADIENTS]


@njit(**KERNEL)
def update(work, plan, scalars, phi, slot1, slot2, lr, count):
    """Move the meta-parameters; `count` is the number of the update, from 1.

    Source: `core.outer`, whose formulas these are.
    """
    g, size, kind = plan[SUM], plan[META], plan[OPTIMISER]
    if kind == NO_UPDATE:
        return
    number = work.dtype.type
    kept = number(1.0 - lr * scalars[DECAY])
    if kind == ADAM:
        share1, share2 = number(1.0 - scalars[BETA1]), number(1.0 - scalars[BETA2])
        rate = number(lr / (1.0 - scalars[BETA1] ** count))
        root = number(1.0 / math.sqrt(1.0 - scalars[BETA2] ** count))
        epsilon = number(scalars[EPSILON])
        for i in range(size):
            grad = at(work, g + i)
            slot1[i] += share1 * (grad - slot1[i])
            slot2[i] += share2 * (grad * grad - slot2[i])
            scale = math.sqrt(slot2[i]) * root + epsilon
            phi[i] = kept * phi[i] - rate * slot1[i] / scale
        return
    rate, momentum = number(lr), number(scalars[OUTER_MOMENTUM])
    for i in range(size):
        grad = at(work, g + i)
        if kind != SGD:
            slot1[i] = momentum * slot1[i] + grad
            grad = slot1[i]
        phi[i] = kept * phi[i] - rate * grad


@njit(**KERNEL)
def meta_norm(phi, plan):
    """Return the length of phi."""
    square = phi.dtype.type(0)
    for i in range(plan[META]):
        square += phi[i] * phi[i]
    return math.sqrt(square)


@njit(**KERNEL)
def is_good(row, limits):
    """Return whether every number of a row is within its limit; nan is not."""
    for i in range(NUM_METRICS):
        if not abs(row[i]) <= limits[i]:
            return False
    return True


@njit(**KERNEL)
def set_meta_norm(row, phi, plan):
    """Complete a row of metrics after the update."""
    row[META_NORM] = meta_norm(phi, plan)
