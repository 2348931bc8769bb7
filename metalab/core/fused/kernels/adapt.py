"""The inner loop of one task."""

import math

from numba import njit

from metalab.core.fused.indices import (
    ACT,
    ACTS,
    ALPHA,
    ANCHORED,
    BATCH_SIZE,
    GRADS,
    INNER_COST,
    INNER_MOMENTUM,
    MOMENTUM,
    MQ,
    MS,
    ONE_RATE,
    OUTER_ACT,
    PATH,
    QUERIES,
    QUERY_MASKED,
    RATE_STEPS,
    RATES,
    SHOTS,
    STORES,
    SUPPORT_MASKED,
    THETA,
    TOLERANCE,
    TOLERANT,
    VELOCITY,
    XQ,
    XS,
    YQ,
    YS,
)
from metalab.core.fused.kernels import costs, passes
from metalab.core.fused.kernels.gemm import ADD, SET
from metalab.core.fused.kernels.options import KERNEL
from metalab.core.fused.kernels.vector import at, dot, put
from metalab.core.fused.layout import OUTPUTS, PARAMETERS, ROW, WEIGHTS


@njit(**KERNEL)
def place_of(net, plan, k):
    """Return where theta_k lies."""
    return plan[THETA] if k == 0 else plan[PATH] + (k - 1) * net[WEIGHTS]


@njit(**KERNEL)
def rate_place(net, plan, k):
    """Return where the rates of inner step k lie."""
    return plan[ALPHA] + min(k, plan[RATE_STEPS] - 1) * net[PARAMETERS]


@njit(**KERNEL)
def block_of(plan, k):
    """Return first row and number of rows of the support set that step k descends."""
    size, shots = plan[BATCH_SIZE], plan[SHOTS]
    if size == 0 or size >= shots:
        return 0, shots
    start = (k % (-(-shots // size))) * size
    return start, min(size, shots - start)


@njit(**KERNEL)
def support_mask(plan, start):
    """Return where the mask of the support set lies from a row on; -1 where it has none."""
    return plan[MS] + start if plan[SUPPORT_MASKED] else -1


@njit(**KERNEL)
def query_mask(plan):
    """Return where the mask of the query set lies; -1 where it has none."""
    return plan[MQ] if plan[QUERY_MASKED] else -1


@njit(**KERNEL)
def load_task(work, net, plan, task, xs, ys, xq, yq, ms, mq):
    """Copy a task's support and query set into the workspace, with what masks they have."""
    outputs = net[OUTPUTS]
    shots, queries = plan[SHOTS], plan[QUERIES]
    passes.load_inputs(work, net, plan[XS], xs, task * shots, shots)
    passes.load_inputs(work, net, plan[XQ], xq, task * queries, queries)
    y = plan[YS]
    for i in range(shots * outputs):
        put(work, y + i, ys[task * shots * outputs + i])
    y = plan[YQ]
    for i in range(queries * outputs):
        put(work, y + i, yq[task * queries * outputs + i])
    if plan[SUPPORT_MASKED]:
        for i in range(shots):
            put(work, plan[MS] + i, ms[task * shots + i])
    if plan[QUERY_MASKED]:
        for i in range(queries):
            put(work, plan[MQ] + i, mq[task * queries + i])


@njit(**KERNEL)
def support_loss(work, net, plan, cost, w):
    """Return the inner level's loss on the support set at w."""
    x, y, mask = plan[XS], plan[YS], support_mask(plan, 0)
    return _mean_loss(work, net, plan, cost, w, x, y, mask, plan[SHOTS])


@njit(**KERNEL)
def query_loss(work, net, plan, cost, w):
    """Return the outer level's loss on the query set at w."""
    x, y, mask = plan[XQ], plan[YQ], query_mask(plan)
    return _mean_loss(work, net, plan, cost, w, x, y, mask, plan[QUERIES])


@njit(**KERNEL)
def _mean_loss(work, net, plan, cost, w, x, y, mask, rows):
    """Return a mean loss at w; leaves its activations behind."""
    a = plan[OUTER_ACT]
    passes.forward(work, net, w, x, a, rows)
    one = work.dtype.type(1)
    return costs.cost_errors(work, net, w, x, a, rows, y, mask, one, cost)


@njit(**KERNEL)
def linearise(work, net, plan, cost, k):
    """Forward and backward pass of inner step k; return its mean loss."""
    start, rows = block_of(plan, k)
    w, a = place_of(net, plan, k), plan[ACTS] + k * plan[ACT]
    x = plan[XS] + start * passes.entry(net, 0, ROW)
    y, mask = plan[YS] + start * net[OUTPUTS], support_mask(plan, start)
    passes.forward(work, net, w, x, a, rows)
    scale = costs.slope_of(work, net, rows, cost)
    loss = costs.cost_errors(work, net, w, x, a, rows, y, mask, scale, cost)
    passes.backward(work, net, w, a, rows)
    return loss


@njit(**KERNEL)
def inner_gradient(work, net, plan, strength, k):
    """Write the gradient of inner step k where it is kept; return its place."""
    start, rows = block_of(plan, k)
    count = net[PARAMETERS]
    a, g = plan[ACTS] + k * plan[ACT], plan[GRADS] + k * count
    x = plan[XS] + start * passes.entry(net, 0, ROW)
    passes.add_gradient(work, net, x, a, rows, g, g, SET, at(work, 0))
    if plan[ANCHORED]:
        w, anchor = place_of(net, plan, k), plan[THETA]
        for i in range(count):
            put(
                work,
                g + i,
                at(work, g + i) + strength * (at(work, w + i) - at(work, anchor + i)),
            )
    return g


@njit(**KERNEL)
def step_along(work, net, plan, k, update, rate):
    """Write theta_{k+1} from an update that lies at a place."""
    w, after, count = (
        place_of(net, plan, k),
        place_of(net, plan, k + 1),
        net[PARAMETERS],
    )
    if plan[RATES] == ONE_RATE:
        for i in range(count):
            put(work, after + i, at(work, w + i) - rate * at(work, update + i))
    else:
        alpha = rate_place(net, plan, k)
        for i in range(count):
            put(
                work,
                after + i,
                at(work, w + i) - at(work, alpha + i) * at(work, update + i),
            )


@njit(**KERNEL)
def inner_step(work, net, plan, scalars, strength, k, rate):
    """Write theta_{k+1}; return whether the task moved (it rests once converged)."""
    if not plan[STORES]:
        start, rows = block_of(plan, k)
        x = plan[XS] + start * passes.entry(net, 0, ROW)
        after = place_of(net, plan, k + 1)
        passes.add_gradient(
            work, net, x, plan[ACTS] + k * plan[ACT], rows,
            after, place_of(net, plan, k), ADD, -rate,
        )  # fmt: skip
        passes.refresh_transposes(work, net, after)
        return True
    count = net[PARAMETERS]
    update = inner_gradient(work, net, plan, strength, k)
    if (
        plan[TOLERANT]
        and math.sqrt(dot(work, update, update, count)) <= scalars[TOLERANCE]
    ):
        return False
    if plan[MOMENTUM]:
        momentum = work.dtype.type(scalars[INNER_MOMENTUM])
        velocity = plan[VELOCITY]
        for i in range(count):
            before = at(work, velocity + i) if k > 0 else work.dtype.type(0)
            put(work, velocity + i, momentum * before + at(work, update + i))
        update = velocity
    step_along(work, net, plan, k, update, rate)
    passes.refresh_transposes(work, net, place_of(net, plan, k + 1))
    return True


@njit(**KERNEL)
def adapt(work, net, plan, scalars, strength, num_steps, rate):
    """Take up to `num_steps` inner steps; return how many moved, and the first loss."""
    first, cost = 0.0, costs.cost_at(scalars, INNER_COST)
    for k in range(num_steps):
        loss = linearise(work, net, plan, cost, k)
        if k == 0:
            first = loss
        if not inner_step(work, net, plan, scalars, strength, k, rate):
            return k, first
    return num_steps, first
