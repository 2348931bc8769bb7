"""Looking at how tasks adapt: every inner step's losses and curves, in one native call.

Beside a window each return to the interpreter may wait for the window's turn to end, so
that many small calls would take many times as long as their work.
"""

import math

from numba import njit

from metalab.core.fused.indices import (
    GRID,
    GRID_POINTS,
    GRID_TARGETS,
    INNER_COST,
    OUTER_ACT,
    OUTER_COST,
    STRENGTH,
    STRENGTH_INDEX,
)
from metalab.core.fused.kernels import costs, passes
from metalab.core.fused.kernels.adapt import (
    adapt,
    load_task,
    place_of,
    query_loss,
    support_loss,
)
from metalab.core.fused.kernels.options import ENTRY, KERNEL
from metalab.core.fused.kernels.steps import begin
from metalab.core.fused.kernels.vector import at
from metalab.core.fused.layout import ERRORS, OUTPUTS


@njit(**KERNEL)
def _draw(work, net, plan, w, curve):
    """Write the network's first output on the grid."""
    a, m = plan[OUTER_ACT], plan[GRID_POINTS]
    passes.forward(work, net, w, plan[GRID], a, m)
    one = work.dtype.type(1)
    # The targets are zero, so that what is left is the output.
    costs.errors(work, net, w, plan[GRID], a, m, plan[GRID_TARGETS], one)
    for i in range(m):
        curve[i] = at(work, a + m * net[ERRORS] + i * net[OUTPUTS])


@njit(**ENTRY)
def look(work, net, plan, scalars, ranges, phi, num_steps, rate, sums, xs, ys, xq, yq,
         ms, mq, grid, support, query, curves):  # fmt: skip
    """Adapt tasks and write what they look like after 0 ... K' inner steps.

    Args:
        work: Workspace of a chunk.
        net: `Layout.description`.
        plan: Whole numbers of `indices`.
        scalars: Real numbers of `indices`.
        ranges: Which padded parameters share a rate, [group, 2].
        phi: Padded meta-parameters.
        num_steps: K'.
        rate: Inner lr.
        sums: Scratch, [SUMS_SIZE].
        xs: Support inputs of all tasks, flat.
        ys: Support targets.
        xq: Query inputs.
        yq: Query targets.
        ms: Masks of the support sets, flat; nothing where every point counts.
        mq: Masks of the query sets.
        grid: Inputs of the curves, of as many tasks as have one, flat.
        support: Support losses are written here, [task, K' + 1].
        query: Query losses, [task, K' + 1].
        curves: First outputs, [task with a curve, K' + 1, point].
    """
    begin(work, net, plan, ranges, phi, phi.dtype.type(rate), sums)
    strength = work.dtype.type(scalars[STRENGTH])
    if plan[STRENGTH_INDEX] >= 0:
        strength = math.exp(phi[plan[STRENGTH_INDEX]])
    inner = costs.cost_at(scalars, INNER_COST)
    outer = costs.cost_at(scalars, OUTER_COST)
    for task in range(len(support)):
        load_task(work, net, plan, task, xs, ys, xq, yq, ms, mq)
        moved, _ = adapt(
            work, net, plan, scalars, strength, num_steps, phi.dtype.type(rate)
        )
        drawn = task < len(curves)
        if drawn:
            points = plan[GRID_POINTS]
            passes.load_inputs(work, net, plan[GRID], grid, task * points, points)
        for k in range(num_steps + 1):
            w = place_of(net, plan, min(k, moved))
            support[task, k] = support_loss(work, net, plan, inner, w)
            query[task, k] = query_loss(work, net, plan, outer, w)
            if drawn:
                _draw(work, net, plan, w, curves[task, k])
