"""One task of one outer step: adapt, look, and carry the derivative back."""

import math

from numba import njit

from metalab.core.fused.indices import (
    ACT,
    ACTS,
    ADAPTED_END,
    ADAPTED_START,
    ANCHORED,
    BATCH_SIZE,
    DISTANCE,
    GRADS,
    GROUPS,
    INNER_COST,
    INNER_GRADIENTS,
    INNER_MOMENTUM,
    JOINT,
    LEARNED,
    MEASURES_ALL,
    METHOD,
    MOMENTUM,
    ONE_RATE,
    OUTER_ACT,
    OUTER_BEFORE,
    OUTER_COST,
    OUTER_LOSS,
    QUERIES,
    RATE_EACH,
    RATE_STEPS,
    RATES,
    REPTILE,
    STRENGTH_SUM,
    SUM,
    SUPPORT_AFTER,
    SUPPORT_BEFORE,
    TANGENTS,
    THETA,
    VELOCITY_BAR,
    WEIGHTED,
    XQ,
    XS,
    YQ,
    YS,
    U,
    V,
)
from metalab.core.fused.kernels import costs, passes
from metalab.core.fused.kernels.adapt import (
    adapt,
    block_of,
    place_of,
    query_loss,
    query_mask,
    rate_place,
    support_loss,
    support_mask,
)
from metalab.core.fused.kernels.gemm import ADD, SET
from metalab.core.fused.kernels.options import KERNEL
from metalab.core.fused.kernels.tangents import add_hessian_product
from metalab.core.fused.kernels.vector import at, dot, put
from metalab.core.fused.layout import OUTPUTS, PARAMETERS, ROW


@njit(**KERNEL)
def outer_gradient(work, net, plan, cost, k, weight, target, mode):
    """Write or add the weighted gradient of the query loss at theta_k.

    Returns:
        The query loss there.
    """
    queries, mask = plan[QUERIES], query_mask(plan)
    w, a = place_of(net, plan, k), plan[OUTER_ACT]
    passes.forward(work, net, w, plan[XQ], a, queries)
    slope = costs.slope_of(work, net, queries, cost)
    scale = work.dtype.type(weight) * slope
    loss = costs.cost_errors(
        work, net, w, plan[XQ], a, queries, plan[YQ], mask, scale, cost
    )
    passes.backward(work, net, w, a, queries)
    one = work.dtype.type(1)
    passes.add_gradient(work, net, plan[XQ], a, queries, target, target, mode, one)
    return loss


@njit(**KERNEL)
def add_rate_gradient(work, net, plan, ranges, k):
    """Add - v times the gradient of step k, gathered over what shares a rate."""
    g, v = plan[GRADS] + k * net[PARAMETERS], plan[V]
    out = plan[SUM] + net[PARAMETERS]
    if plan[RATES] == RATE_EACH:
        for i in range(plan[ADAPTED_START], plan[ADAPTED_END]):
            put(work, out + i, at(work, out + i) - at(work, v + i) * at(work, g + i))
        return
    out += min(k, plan[RATE_STEPS] - 1) * plan[GROUPS]
    for group in range(plan[GROUPS]):
        start, count = ranges[group, 0], ranges[group, 1] - ranges[group, 0]
        put(
            work,
            out + group,
            at(work, out + group) - dot(work, v + start, g + start, count),
        )


@njit(**KERNEL)
def pull_exactly(work, net, plan, scalars, strength, k, rate, sums):
    """Carry v back over inner step k, its curvature included."""
    start, rows = block_of(plan, k)
    w, a = place_of(net, plan, k), plan[ACTS] + k * plan[ACT]
    x, y = plan[XS] + start * passes.entry(net, 0, ROW), plan[YS] + start * net[OUTPUTS]
    mask = support_mask(plan, start)
    v, cost = plan[V], costs.cost_at(scalars, INNER_COST)
    if plan[RATES] == ONE_RATE and not plan[ANCHORED] and not plan[MOMENTUM]:
        passes.refresh_transposes(work, net, v)
        add_hessian_product(
            work, net, w, v, x, y, mask, a, rows, plan[TANGENTS], cost, v, -rate
        )
        return
    u, count = plan[U], net[PARAMETERS]
    direction_of_step(work, net, plan, k, rate)
    passes.refresh_transposes(work, net, u)
    add_hessian_product(
        work, net, w, u, x, y, mask, a, rows, plan[TANGENTS], cost, v,
        work.dtype.type(-1),
    )  # fmt: skip
    if plan[ANCHORED]:
        total, anchor = plan[SUM], plan[THETA]
        along = 0.0
        for i in range(count):
            pulled = strength * at(work, u + i)
            put(work, v + i, at(work, v + i) - pulled)
            put(work, total + i, at(work, total + i) + pulled)
            along += pulled * (at(work, w + i) - at(work, anchor + i))
        sums[STRENGTH_SUM] -= along
    if plan[MOMENTUM]:
        bar, momentum = plan[VELOCITY_BAR], work.dtype.type(scalars[INNER_MOMENTUM])
        for i in range(count):
            put(work, bar + i, -momentum * at(work, u + i))


@njit(**KERNEL)
def direction_of_step(work, net, plan, k, rate):
    """Write u: minus what reaches the gradient of step k."""
    u, v, count = plan[U], plan[V], net[PARAMETERS]
    if plan[RATES] == ONE_RATE:
        for i in range(count):
            put(work, u + i, rate * at(work, v + i))
    else:
        alpha = rate_place(net, plan, k)
        for i in range(count):
            put(work, u + i, at(work, alpha + i) * at(work, v + i))
    if plan[MOMENTUM]:
        bar = plan[VELOCITY_BAR]
        for i in range(count):
            put(work, u + i, at(work, u + i) - at(work, bar + i))


@njit(**KERNEL)
def sweep(work, net, plan, scalars, ranges, strength, moved, num_steps, num_exact, rate,
          weights, sums):  # fmt: skip
    """Add the swept hypergradient of a task; return the query loss at theta_K."""
    v, count, total = plan[V], net[PARAMETERS], plan[SUM]
    cost = costs.cost_at(scalars, OUTER_COST)
    weighted = plan[WEIGHTED] and weights[num_steps] != 1.0
    if num_exact == 0 and not plan[LEARNED] and not weighted:
        return outer_gradient(work, net, plan, cost, moved, 1.0, total, ADD)
    weight = weights[num_steps] if plan[WEIGHTED] else 1.0
    loss = outer_gradient(work, net, plan, cost, moved, weight, v, SET)
    if plan[MOMENTUM]:
        bar = plan[VELOCITY_BAR]
        for i in range(count):
            put(work, bar + i, 0)
    for k in range(num_steps - 1, -1, -1):
        if k < moved:
            if plan[LEARNED]:
                add_rate_gradient(work, net, plan, ranges, k)
            if num_steps - 1 - k < num_exact:
                pull_exactly(work, net, plan, scalars, strength, k, rate, sums)
        if plan[WEIGHTED] and weights[k] != 0.0:
            outer_gradient(work, net, plan, cost, min(k, moved), weights[k], v, ADD)
    for i in range(count):
        put(work, total + i, at(work, total + i) + at(work, v + i))
    return loss


@njit(**KERNEL)
def reptile(work, net, plan, moved):
    """Add theta_0 - theta_K."""
    start, end, total = plan[THETA], place_of(net, plan, moved), plan[SUM]
    for i in range(net[PARAMETERS]):
        put(
            work,
            total + i,
            at(work, total + i) + at(work, start + i) - at(work, end + i),
        )


@njit(**KERNEL)
def run_task(work, net, plan, scalars, ranges, strength, num_steps, num_exact, rate,
             weights, sums):  # fmt: skip
    """Add a task's hypergradient and metrics; its points are in the workspace."""
    theta = plan[THETA]
    inner = costs.cost_at(scalars, INNER_COST)
    outer = costs.cost_at(scalars, OUTER_COST)
    before = after = 0.0
    if plan[MEASURES_ALL]:
        before = query_loss(work, net, plan, outer, theta)
    moved, first = adapt(work, net, plan, scalars, strength, num_steps, rate)
    if plan[BATCH_SIZE] > 0:
        first = support_loss(work, net, plan, inner, theta)
    end = place_of(net, plan, moved)
    if plan[MEASURES_ALL]:
        after = support_loss(work, net, plan, inner, end)
    if plan[METHOD] == REPTILE:
        reptile(work, net, plan, moved)
        loss = query_loss(work, net, plan, outer, end)
    elif plan[METHOD] == JOINT:
        loss = query_loss(work, net, plan, outer, end)
        outer_gradient(work, net, plan, outer, 0, 1.0, plan[SUM], ADD)
    else:
        loss = sweep(
            work, net, plan, scalars, ranges, strength, moved, num_steps, num_exact,
            rate, weights, sums,
        )  # fmt: skip
    distance = work.dtype.type(0)
    for i in range(net[PARAMETERS]):
        difference = at(work, end + i) - at(work, theta + i)
        distance += difference * difference
    sums[OUTER_LOSS] += loss
    sums[OUTER_BEFORE] += before
    sums[SUPPORT_BEFORE] += first
    sums[SUPPORT_AFTER] += after
    sums[DISTANCE] += math.sqrt(distance)
    sums[INNER_GRADIENTS] = max(sums[INNER_GRADIENTS], min(moved + 1, num_steps))
