"""Many outer steps in one native call."""

import math

from numba import njit

from metalab.core.fused.indices import (
    ADAPTED_END,
    ADAPTED_START,
    ALPHA,
    BAD_ROW,
    BAD_UPDATE,
    CHUNKS,
    EXPONENTIAL,
    GOOD,
    GROUPS,
    LEARNED,
    META,
    NUM_TASKS,
    ONE_RATE,
    RATE_EACH,
    RATE_STEPS,
    RATES,
    STRENGTH,
    STRENGTH_INDEX,
    SUM,
    SUMS_SIZE,
    THETA,
    WORKERS,
)
from metalab.core.fused.kernels import outer, passes
from metalab.core.fused.kernels.adapt import load_task
from metalab.core.fused.kernels.options import ENTRY, KERNEL
from metalab.core.fused.kernels.sync import STATE, meet, read, write
from metalab.core.fused.kernels.task import run_task
from metalab.core.fused.kernels.vector import put
from metalab.core.fused.layout import PARAMETERS


@njit(**KERNEL)
def spread_rates(work, net, plan, ranges, phi, rate):
    """Write the rate of every parameter at each inner step that has its own."""
    count = net[PARAMETERS]
    if plan[RATES] == RATE_EACH:
        alpha = plan[ALPHA]
        for i in range(plan[ADAPTED_START], plan[ADAPTED_END]):
            raw = phi[count + i]
            put(work, alpha + i, math.exp(raw) if plan[EXPONENTIAL] else raw)
        return
    for k in range(plan[RATE_STEPS]):
        alpha = plan[ALPHA] + k * count
        for group in range(plan[GROUPS]):
            value = rate
            if plan[LEARNED]:
                value = phi[count + k * plan[GROUPS] + group]
                if plan[EXPONENTIAL]:
                    value = math.exp(value)
            for i in range(ranges[group, 0], ranges[group, 1]):
                put(work, alpha + i, value)


@njit(**KERNEL)
def begin(work, net, plan, ranges, phi, rate, sums):
    """Make a chunk ready for its tasks of one outer step."""
    theta, total = plan[THETA], plan[SUM]
    for i in range(net[PARAMETERS]):
        put(work, theta + i, phi[i])
    passes.refresh_transposes(work, net, theta)
    for i in range(plan[META]):
        put(work, total + i, 0)
    for i in range(SUMS_SIZE):
        sums[i] = 0.0
    if plan[RATES] != ONE_RATE:
        spread_rates(work, net, plan, ranges, phi, rate)


@njit(**KERNEL)
def run_chunk(work, net, plan, scalars, ranges, phi, chunk, num_steps, num_exact, rate,
              weights, sums, first, xs, ys, xq, yq, ms, mq):  # fmt: skip
    """Compute a chunk's share of one meta-batch, whose first task is `first`."""
    begin(work, net, plan, ranges, phi, rate, sums)
    strength = work.dtype.type(scalars[STRENGTH])
    if plan[STRENGTH_INDEX] >= 0:
        strength = math.exp(phi[plan[STRENGTH_INDEX]])
    tasks, chunks = plan[NUM_TASKS], plan[CHUNKS]
    for task in range(chunk * tasks // chunks, (chunk + 1) * tasks // chunks):
        load_task(work, net, plan, first + task, xs, ys, xq, yq, ms, mq)
        run_task(
            work, net, plan, scalars, ranges, strength, num_steps, num_exact, rate,
            weights, sums,
        )  # fmt: skip


@njit(**KERNEL)
def keep(previous, phi, slot1, slot2, size):
    """Keep a state, to come back to."""
    for i in range(size):
        previous[0, i] = phi[i]
        previous[1, i] = slot1[i]
        previous[2, i] = slot2[i]


@njit(**KERNEL)
def restore(previous, phi, slot1, slot2, size):
    """Come back to the state that was kept."""
    for i in range(size):
        phi[i] = previous[0, i]
        slot1[i] = previous[1, i]
        slot2[i] = previous[2, i]


@njit(**KERNEL)
def conclude(works, net, plan, scalars, phi, slot1, slot2, previous, lr, count, sums,
             row, limits):  # fmt: skip
    """End an outer step; return `GOOD`, or what is wrong and was undone.

    A bad row makes the state suspect that it was measured at: the last known good one is
    the state before.
    """
    size = plan[META]
    outer.gather(works, plan, sums)
    norm = outer.finish_direction(works[0], net, plan, scalars, phi, sums[0])
    outer.write_metrics(row, plan, sums[0], norm)
    outer.set_meta_norm(row, phi, plan)
    if not outer.is_good(row, limits):
        restore(previous, phi, slot1, slot2, size)
        return BAD_ROW
    keep(previous, phi, slot1, slot2, size)
    outer.update(works[0], plan, scalars, phi, slot1, slot2, lr, count)
    outer.set_meta_norm(row, phi, plan)
    if not outer.is_good(row, limits):
        restore(previous, phi, slot1, slot2, size)
        return BAD_UPDATE
    return GOOD


@njit(**ENTRY)
def run_steps(worker, shared, works, net, plan, scalars, ranges, phi, slot1, slot2,
              previous, step, lrs, inner_steps, exact_steps, rates, weights, sums, rows,
              limits, first, xs, ys, xq, yq, ms, mq):  # fmt: skip
    """Make outer steps until they are all made or a number goes bad.

    Every worker calls this with the same arguments but for `worker`; they meet twice a
    step. The numbers depend on how many chunks there are, not on how many workers.

    Args:
        worker: Which worker this is; worker w computes chunks w, w + workers, ...
        shared: `sync.SYNC_SIZE` zeros.
        works: Workspaces, [chunk, number].
        net: `Layout.description`.
        plan: Whole numbers of `indices`.
        scalars: Real numbers of `indices`.
        ranges: Which padded parameters share a rate, [group, 2].
        phi: Padded meta-parameters; moved.
        slot1: First state of the outer optimiser; moved.
        slot2: Second state; moved.
        previous: The state before the last update, [3, meta]; for coming back.
        step: Outer steps made before.
        lrs: Outer lr of each step.
        inner_steps: K of each step.
        exact_steps: Inner steps that are differentiated exactly, for each step.
        rates: Inner lr of each step.
        weights: Weights of the query losses, [step, K + 1].
        sums: Scratch, [chunk, SUMS_SIZE].
        rows: Metrics of each step are written here, [step, metric].
        limits: Largest good value of each metric.
        first: Index of the first task in the data.
        xs: Support inputs of all tasks, flat.
        ys: Support targets.
        xq: Query inputs.
        yq: Query targets.
        ms: Masks of the support sets, flat; nothing where every point counts.
        mq: Masks of the query sets.

    Returns:
        How many steps are good: if not all, the row after them is the bad one, and
        shared[STATE] says how it ended.
    """
    workers, chunks = plan[WORKERS], plan[CHUNKS]
    for index in range(len(lrs)):
        rate = phi.dtype.type(rates[index])
        for chunk in range(worker, chunks, workers):
            run_chunk(
                works[chunk], net, plan, scalars, ranges, phi, chunk, inner_steps[index],
                exact_steps[index], rate, weights[index], sums[chunk],
                first + index * plan[NUM_TASKS], xs, ys, xq, yq, ms, mq,
            )  # fmt: skip
        meet(shared, workers)
        if worker == 0:
            ending = conclude(
                works, net, plan, scalars, phi, slot1, slot2, previous, lrs[index],
                step + index + 1, sums, rows[index], limits,
            )  # fmt: skip
            write(shared, STATE, ending)
        meet(shared, workers)
        if read(shared, STATE) != GOOD:
            return index
    return len(lrs)
