"""Hessian-vector products: the passes of `passes`, differentiated along a direction."""

from numba import njit

from metalab.core.fused.indices import CROSS_ENTROPY, DELTA_PLACE, KIND
from metalab.core.fused.kernels.classes import bend_class_changes
from metalab.core.fused.kernels.costs import slope_of
from metalab.core.fused.kernels.gemm import ADD, MASK, MASK_ADD, SET, product
from metalab.core.fused.kernels.options import KERNEL, stay_apart
from metalab.core.fused.kernels.passes import (
    RELU_ACTIVATION,
    entry,
    input_of,
    write_ends,
)
from metalab.core.fused.kernels.samples import share_of
from metalab.core.fused.kernels.vector import at, dot, put
from metalab.core.fused.layout import (
    ACTIVATION,
    BEND,
    DELTA,
    DEPTH,
    ERRORS,
    OUT_PLACE,
    OUT_ROW,
    OUTPUT,
    OUTPUTS,
    PRODUCT,
    ROW,
    SLOPE,
    TANGENT,
    TANGENT_BEND,
    TANGENT_DELTA,
    TANGENT_ERRORS,
    TRANSPOSED,
    WEIGHT,
    WIDTH,
)


@njit(**KERNEL)
def _bend_tangent(work, net, layer, a, m, r):
    """From tangents of inputs to those of outputs; keep what bends the deltas."""
    width, row = entry(net, layer, WIDTH), entry(net, layer, ROW)
    s, u = a + m * entry(net, layer, SLOPE), a + m * entry(net, layer, BEND)
    t, b = r + m * entry(net, layer, TANGENT), r + m * entry(net, layer, TANGENT_BEND)
    for i in range(m):
        for j in range(width):
            z = at(work, t + i * row + j)
            put(work, b + i * width + j, at(work, u + i * width + j) * z)
            put(work, t + i * row + j, at(work, s + i * width + j) * z)


@njit(**KERNEL)
def _tangent_forward(work, net, w, v, x, a, m, r):
    relu = net[ACTIVATION] == RELU_ACTIVATION
    one = work.dtype.type(1)
    for layer in range(net[DEPTH]):
        before, width = entry(net, layer, WIDTH), entry(net, layer + 1, WIDTH)
        row, place = entry(net, layer + 1, ROW), entry(net, layer, WEIGHT)
        t, h = (
            r + m * entry(net, layer + 1, TANGENT),
            a + m * entry(net, layer + 1, OUTPUT),
        )
        if layer > 0:
            product(
                net[PRODUCT], work, m, width, before,
                r + m * entry(net, layer, TANGENT), entry(net, layer, ROW), 1,
                w + place, width, t, row, SET, one, 0, 0, 0,
            )  # fmt: skip
        if relu:
            mode = MASK_ADD if layer > 0 else MASK
        else:
            mode = ADD if layer > 0 else SET
        product(
            net[PRODUCT], work, m, width, before + 1,
            input_of(net, layer, x, a, m), entry(net, layer, ROW), 1,
            v + place, width, t, row, mode, one, t, h, row,
        )  # fmt: skip
        write_ends(work, t, m, row, width, 0)
        if not relu:
            _bend_tangent(work, net, layer + 1, a, m, r)


@njit(**KERNEL)
def _tangent_errors(work, net, w, v, x, a, m, r, scale):
    last, outputs, row = net[DEPTH], net[OUTPUTS], net[OUT_ROW]
    h, e = input_of(net, last, x, a, m), r + m * net[TANGENT_ERRORS]
    for i in range(m):
        for c in range(outputs):
            place = net[OUT_PLACE] + c * row
            change = dot(work, h + i * row, v + place, row)
            if last > 0:
                t = r + m * entry(net, last, TANGENT)
                change += dot(work, t + i * row, w + place, row)
            put(work, e + i * outputs + c, scale * change)


@njit(**KERNEL)
def _weigh_changes(work, net, w, x, y, mask, a, m, r, delta):
    """Let a mask weigh the changes; nothing comes of residuals beyond delta, if it is one.

    Errors that are weighed no longer tell which residuals are clamped: they are computed
    once more.
    """
    stay_apart()
    last, outputs, row = net[DEPTH], net[OUTPUTS], net[OUT_ROW]
    h, change = input_of(net, last, x, a, m), r + m * net[TANGENT_ERRORS]
    share = share_of(work, m, mask)
    for i in range(m):
        weight = share * at(work, mask + i)
        for c in range(outputs):
            place = i * outputs + c
            kept = weight * at(work, change + place)
            if delta > 0:
                out = dot(work, h + i * row, w + net[OUT_PLACE] + c * row, row)
                if abs(out - at(work, y + place)) > delta:
                    kept = work.dtype.type(0)
            put(work, change + place, kept)


@njit(**KERNEL)
def _drop_clamped(work, net, a, m, r, limit):
    """Let nothing come of residuals that are clamped: the loss is straight there."""
    e, change = a + m * net[ERRORS], r + m * net[TANGENT_ERRORS]
    for i in range(m * net[OUTPUTS]):
        if abs(at(work, e + i)) >= limit:
            put(work, change + i, 0)


@njit(**KERNEL)
def _bend_delta(work, net, layer, a, m, r):
    width = entry(net, layer, WIDTH)
    s = a + m * entry(net, layer, SLOPE)
    b = r + m * entry(net, layer, TANGENT_BEND)
    d = r + m * entry(net, layer, TANGENT_DELTA)
    for j in range(m * width):
        put(work, d + j, at(work, d + j) * at(work, s + j) + at(work, b + j))


@njit(**KERNEL)
def _tangent_backward(work, net, w, v, a, m, r):
    relu = net[ACTIVATION] == RELU_ACTIVATION
    one = work.dtype.type(1)
    mode = MASK_ADD if relu else ADD
    last, outputs = net[DEPTH], net[OUTPUTS]
    for layer in range(last, 0, -1):
        width, row = entry(net, layer, WIDTH), entry(net, layer, ROW)
        d, h = (
            r + m * entry(net, layer, TANGENT_DELTA),
            a + m * entry(net, layer, OUTPUT),
        )
        if layer == last:
            count, stride, place = outputs, net[OUT_ROW], net[OUT_PLACE]
            change, delta = r + m * net[TANGENT_ERRORS], a + m * net[ERRORS]
        else:
            count = entry(net, layer + 1, WIDTH)
            stride, place = width, entry(net, layer, TRANSPOSED)
            change = r + m * entry(net, layer + 1, TANGENT_DELTA)
            delta = a + m * entry(net, layer + 1, DELTA)
        product(
            net[PRODUCT], work, m, width, count, change, count, 1, w + place, stride,
            d, width, SET, one, 0, 0, 0,
        )  # fmt: skip
        product(
            net[PRODUCT], work, m, width, count, delta, count, 1, v + place, stride,
            d, width, mode, one, d, h, row,
        )  # fmt: skip
        if not relu:
            _bend_delta(work, net, layer, a, m, r)


@njit(**KERNEL)
def add_hessian_product(work, net, w, v, x, y, mask, a, m, r, cost, target, factor):
    """Add a factor times the Hessian of the loss times v at `target`.

    After `forward`, `cost_errors` with its `slope_of` and `backward` at w; v comes with
    its transposes. `target` may be v itself.

    Source: Pearlmutter 1994.
    """
    _tangent_forward(work, net, w, v, x, a, m, r)
    scale = slope_of(work, net, m, cost)
    _tangent_errors(work, net, w, v, x, a, m, r, scale)
    if cost[KIND] == CROSS_ENTROPY:
        bend_class_changes(work, net, w, x, y, mask, a, m, r)
    elif mask >= 0:
        delta = work.dtype.type(cost[DELTA_PLACE])
        _weigh_changes(work, net, w, x, y, mask, a, m, r, delta)
    elif cost[DELTA_PLACE] > 0:
        limit = scale * work.dtype.type(cost[DELTA_PLACE])
        _drop_clamped(work, net, a, m, r, limit)
    _tangent_backward(work, net, w, v, a, m, r)
    last, outputs, row = net[DEPTH], net[OUTPUTS], net[OUT_ROW]
    for layer in range(last):
        before, width = entry(net, layer, WIDTH), entry(net, layer + 1, WIDTH)
        place = target + entry(net, layer, WEIGHT)
        product(
            net[PRODUCT], work, before + 1, width, m,
            input_of(net, layer, x, a, m), 1, entry(net, layer, ROW),
            r + m * entry(net, layer + 1, TANGENT_DELTA), width,
            place, width, ADD, factor, place, 0, 0,
        )  # fmt: skip
        if layer > 0:
            product(
                net[PRODUCT], work, before, width, m,
                r + m * entry(net, layer, TANGENT), 1, entry(net, layer, ROW),
                a + m * entry(net, layer + 1, DELTA), width,
                place, width, ADD, factor, place, 0, 0,
            )  # fmt: skip
    place = target + net[OUT_PLACE]
    product(
        net[PRODUCT], work, outputs, row, m,
        r + m * net[TANGENT_ERRORS], 1, outputs, input_of(net, last, x, a, m), row,
        place, row, ADD, factor, place, 0, 0,
    )  # fmt: skip
    if last > 0:
        product(
            net[PRODUCT], work, outputs, row, m,
            a + m * net[ERRORS], 1, outputs, r + m * entry(net, last, TANGENT), row,
            place, row, ADD, factor, place, 0, 0,
        )  # fmt: skip
