"""Forward and backward passes of one network over one set of samples.

Everything lies in one workspace and is named by its place there: `w` parameters, `v` a
direction of the same layout, `x` inputs with their column of ones, `y` targets, `mask` what
each sample counts (-1 where every one counts), `a` the block of activations and deltas of
`m` samples, `r` their tangents. Between the passes lie the errors of `costs`.
"""

from numba import njit

from metalab.core.fused.kernels.activations import sine_row, tanh_row
from metalab.core.fused.kernels.gemm import LANES, MASK, RELU, SET, product
from metalab.core.fused.kernels.options import KERNEL
from metalab.core.fused.kernels.transpose import transpose
from metalab.core.fused.kernels.vector import at, put
from metalab.core.fused.layout import (
    ACTIVATION,
    BEND,
    DELTA,
    DEPTH,
    ERRORS,
    INPUTS,
    LAYERS,
    OUT_PLACE,
    OUT_ROW,
    OUTPUT,
    OUTPUTS,
    PER_LAYER,
    PRODUCT,
    ROW,
    SLOPE,
    TRANSPOSED,
    WEIGHT,
    WIDTH,
)

RELU_ACTIVATION, TANH_ACTIVATION = 0, 1


@njit(**KERNEL)
def entry(net, layer, what):
    """Return one entry of a layer's description."""
    return net[LAYERS + PER_LAYER * layer + what]


@njit(**KERNEL)
def load_inputs(work, net, x, values, first, m):
    """Copy inputs [m, inputs] from an array of samples, with their column of ones."""
    inputs, row = net[INPUTS], entry(net, 0, ROW)
    for i in range(m):
        place = x + i * row
        for j in range(inputs):
            put(work, place + j, values[(first + i) * inputs + j])
        put(work, place + inputs, 1)
        for j in range(inputs + 1, row):
            put(work, place + j, 0)


@njit(**KERNEL)
def refresh_transposes(work, net, w):
    """Write the transposed weights beside the weights."""
    for layer in range(1, net[DEPTH]):
        transpose(
            work,
            entry(net, layer, WIDTH),
            entry(net, layer + 1, WIDTH),
            w + entry(net, layer, WEIGHT),
            w + entry(net, layer, TRANSPOSED),
        )


@njit(**KERNEL)
def write_ends(work, start, rows, row, width, one):
    """Write the column of ones (or zeros) and the padding beside activations."""
    for i in range(rows):
        place = start + i * row + width
        put(work, place, one)
        for j in range(1, LANES):
            put(work, place + j, 0)


@njit(**KERNEL)
def _activate(work, net, layer, a, m):
    """Apply tanh or the sine to inputs that lie where outputs belong; keep slopes."""
    width, row = entry(net, layer, WIDTH), entry(net, layer, ROW)
    h, s = a + m * entry(net, layer, OUTPUT), a + m * entry(net, layer, SLOPE)
    for i in range(m):
        if net[ACTIVATION] == TANH_ACTIVATION:
            tanh_row(work, h + i * row, s + i * width, width)
        else:
            sine_row(work, h + i * row, s + i * width, width)


@njit(**KERNEL)
def input_of(net, layer, x, a, m):
    """Return where the activations that a layer reads lie."""
    return x if layer == 0 else a + m * entry(net, layer, OUTPUT)


@njit(**KERNEL)
def forward(work, net, w, x, a, m):
    """Compute every hidden layer."""
    mode = RELU if net[ACTIVATION] == RELU_ACTIVATION else SET
    for layer in range(net[DEPTH]):
        width, row = entry(net, layer + 1, WIDTH), entry(net, layer + 1, ROW)
        h = a + m * entry(net, layer + 1, OUTPUT)
        product(
            net[PRODUCT], work, m, width, entry(net, layer, WIDTH) + 1,
            input_of(net, layer, x, a, m), entry(net, layer, ROW), 1,
            w + entry(net, layer, WEIGHT), width,
            h, row, mode, at(work, 0), 0, 0, 0,
        )  # fmt: skip
        write_ends(work, h, m, row, width, 1)
        if net[ACTIVATION] != RELU_ACTIVATION:
            _activate(work, net, layer + 1, a, m)


@njit(**KERNEL)
def _tanh_slopes(work, h, s, u, delta, width):
    """One row of `_through_slope`: tanh'' = -2 tanh tanh'."""
    two = work.dtype.type(2)
    for j in range(width):
        after = at(work, delta + j) * at(work, s + j)
        put(work, u + j, -two * at(work, h + j) * after)
        put(work, delta + j, after)


@njit(**KERNEL)
def _sine_slopes(work, h, s, u, delta, width):
    """One row of `_through_slope`: sin'' = -sin."""
    for j in range(width):
        before = at(work, delta + j)
        put(work, u + j, -at(work, h + j) * before)
        put(work, delta + j, before * at(work, s + j))


@njit(**KERNEL)
def _through_slope(work, net, layer, a, m, delta):
    """Multiply by the slopes; keep delta times the second derivative."""
    width, row = entry(net, layer, WIDTH), entry(net, layer, ROW)
    h = a + m * entry(net, layer, OUTPUT)
    s, u = a + m * entry(net, layer, SLOPE), a + m * entry(net, layer, BEND)
    for i in range(m):
        d = delta + i * width
        if net[ACTIVATION] == TANH_ACTIVATION:
            _tanh_slopes(work, h + i * row, s + i * width, u + i * width, d, width)
        else:
            _sine_slopes(work, h + i * row, s + i * width, u + i * width, d, width)


@njit(**KERNEL)
def backward(work, net, w, a, m):
    """Compute every delta, from the errors; needs the transposed weights."""
    relu = net[ACTIVATION] == RELU_ACTIVATION
    mode = MASK if relu else SET
    last, outputs = net[DEPTH], net[OUTPUTS]
    for layer in range(last, 0, -1):
        width, row = entry(net, layer, WIDTH), entry(net, layer, ROW)
        delta, h = a + m * entry(net, layer, DELTA), a + m * entry(net, layer, OUTPUT)
        if layer == last:
            product(
                net[PRODUCT], work, m, width, outputs,
                a + m * net[ERRORS], outputs, 1, w + net[OUT_PLACE], net[OUT_ROW],
                delta, width, mode, at(work, 0), 0, h, row,
            )  # fmt: skip
        else:
            after = entry(net, layer + 1, WIDTH)
            product(
                net[PRODUCT], work, m, width, after,
                a + m * entry(net, layer + 1, DELTA), after, 1,
                w + entry(net, layer, TRANSPOSED), width,
                delta, width, mode, at(work, 0), 0, h, row,
            )  # fmt: skip
        if not relu:
            _through_slope(work, net, layer, a, m, delta)


@njit(**KERNEL)
def add_gradient(work, net, x, a, m, target, start, mode, factor):
    """Write the gradient, or `start` plus a factor times it, at `target`."""
    last, outputs, row = net[DEPTH], net[OUTPUTS], net[OUT_ROW]
    for layer in range(last):
        width, place = entry(net, layer + 1, WIDTH), entry(net, layer, WEIGHT)
        product(
            net[PRODUCT], work, entry(net, layer, WIDTH) + 1, width, m,
            input_of(net, layer, x, a, m), 1, entry(net, layer, ROW),
            a + m * entry(net, layer + 1, DELTA), width,
            target + place, width, mode, factor, start + place, 0, 0,
        )  # fmt: skip
    product(
        net[PRODUCT], work, outputs, row, m,
        a + m * net[ERRORS], 1, outputs, input_of(net, last, x, a, m), row,
        target + net[OUT_PLACE], row, mode, factor, start + net[OUT_PLACE], 0, 0,
    )  # fmt: skip
