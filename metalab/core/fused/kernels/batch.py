"""Answers about a whole meta-batch, one native call each: what an oracle is asked.

Each task has a row of workspace: parameters with their transposes, inputs, targets, a mask
if there is one, and the activations of its pass. A row that is kept answers Hessian-vector
products later.
"""

from numba import njit

from metalab.core.fused.kernels import costs, passes
from metalab.core.fused.kernels.gemm import SET
from metalab.core.fused.kernels.options import ENTRY, KERNEL
from metalab.core.fused.kernels.tangents import add_hessian_product
from metalab.core.fused.kernels.vector import at, put
from metalab.core.fused.layout import OUTPUTS, PARAMETERS

PARAMETERS_PLACE, DIRECTION, RESULT, INPUTS_PLACE, TARGETS, ACTS, TANGENTS = range(7)
MASK_PLACE = 7
PLACES_SIZE = 8

NO_MASK = -1
"""At MASK_PLACE: every sample counts."""


@njit(**KERNEL)
def _load(work, net, places, order, values, task, x, y, mask, start, m):
    """Copy a task's parameters and points; what is padding was zero and stays so."""
    w, outputs = places[PARAMETERS_PLACE], net[OUTPUTS]
    for i in range(len(order)):
        put(work, w + order[i], values[i])
    passes.refresh_transposes(work, net, w)
    passes.load_inputs(work, net, places[INPUTS_PLACE], x[task], start, m)
    for i in range(m * outputs):
        put(work, places[TARGETS] + i, y[task, start * outputs + i])
    if places[MASK_PLACE] != NO_MASK:
        for i in range(m):
            put(work, places[MASK_PLACE] + i, mask[task, start + i])


@njit(**KERNEL)
def _measure(work, net, places, m, cost):
    """Forward pass and errors; return the mean loss."""
    w, x, a = places[PARAMETERS_PLACE], places[INPUTS_PLACE], places[ACTS]
    y, mask = places[TARGETS], places[MASK_PLACE]
    passes.forward(work, net, w, x, a, m)
    scale = costs.slope_of(work, net, m, cost)
    return costs.cost_errors(work, net, w, x, a, m, y, mask, scale, cost)


@njit(**ENTRY)
def losses(works, net, places, order, theta, x, y, mask, start, m, cost, loss):
    """Write the mean loss of every task, [task]; uses the first row alone."""
    work = works[0]
    for task in range(len(theta)):
        _load(work, net, places, order, theta[task], task, x, y, mask, start, m)
        loss[task] = _measure(work, net, places, m, cost)


@njit(**ENTRY)
def gradients(works, net, places, order, theta, x, y, mask, start, m, cost, loss,
              grad):  # fmt: skip
    """Write loss [task] and gradient [task, parameter] of every task.

    With one row of workspace a task, what products need is kept there.
    """
    rows, target = len(works), places[RESULT]
    for task in range(len(theta)):
        work = works[task % rows]
        _load(work, net, places, order, theta[task], task, x, y, mask, start, m)
        loss[task] = _measure(work, net, places, m, cost)
        passes.backward(work, net, places[PARAMETERS_PLACE], places[ACTS], m)
        one = work.dtype.type(1)
        passes.add_gradient(
            work, net, places[INPUTS_PLACE], places[ACTS], m, target, target, SET, one
        )
        for i in range(len(order)):
            grad[task, i] = at(work, target + order[i])


@njit(**ENTRY)
def products(works, net, places, order, v, m, cost, out):
    """Write the Hessian-vector product of every task, [task, parameter]."""
    for task in range(len(v)):
        work, direction, target = works[task], places[DIRECTION], places[RESULT]
        for i in range(net[PARAMETERS]):
            put(work, target + i, 0)
        for i in range(len(order)):
            put(work, direction + order[i], v[task, i])
        passes.refresh_transposes(work, net, direction)
        add_hessian_product(
            work, net, places[PARAMETERS_PLACE], direction, places[INPUTS_PLACE],
            places[TARGETS], places[MASK_PLACE], places[ACTS], m, places[TANGENTS], cost,
            target, work.dtype.type(1),
        )  # fmt: skip
        for i in range(len(order)):
            out[task, i] = at(work, target + order[i])
