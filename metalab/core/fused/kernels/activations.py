"""tanh and sine of whole rows, as vector code.

The C library computes one number at a time, about ten times slower than the matrix products
around it. In float32 both are polynomials here, without a branch; in float64, which is for
checks, they are the C library's.

Coefficients are our own fits, minimax in relative error over the interval that each needs:
4.7e-10 for exp(r) - 1 up to |r| = ln(2) / 2, 7.3e-11 for the sine and 9.9e-10 for the cosine
up to pi / 2, so that what remains is the rounding of float32.
"""

import math

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic, overload

from metalab.core.fused.kernels.options import EXACT
from metalab.core.fused.kernels.vector import at, put

_F, _INT = np.float32, ir.IntType(32)

ONE_FROM = _F(9.02)
"""From here on tanh is 1 in float32."""

E0, E1, E2 = _F(0.500000001346), _F(0.166666665314), _F(0.0416664647226)
E3, E4, E5 = _F(0.00833336086239), _F(0.00139336870529), _F(0.00019857807171)
LOG2_E = _F(1 / math.log(2))
LN2_1 = _F(0.693359375)
LN2_2 = _F(math.log(2) - 0.693359375)

S0, S1, S2 = _F(-0.166666666637), _F(0.00833333274596), _F(-0.000198410818896)
S3, S4 = _F(2.75361564407e-6), _F(-2.40738740382e-8)
C0, C1, C2 = _F(-0.499999999601), _F(0.0416666588606), _F(-0.00138886415359)
C3, C4 = _F(2.4773922081e-5), _F(-2.6284120783e-7)

FARTHEST = _F(8192.0)
"""Up to here the pieces of pi times the number of half turns are exact."""

ROUNDING = _F(12582912.0)
"""1.5 * 2**23: adding and subtracting it rounds to a whole number."""

TURNS, HALF, ONE, TWO, FOUR = _F(1 / math.pi), _F(0.5), _F(1.0), _F(2.0), _F(4.0)
PI_1 = _F(3.140625)
PI_2 = _F(9.675025939941406e-4)
PI_3 = _F(math.pi - 3.140625 - 9.675025939941406e-4)


@intrinsic
def power_of_two(typingctx, exponent):
    """Return two to the power of a whole number between -126 and 127, in float32."""
    signature = types.float32(types.float32)

    def generate(context, builder, signature, arguments):
        whole = builder.fptosi(arguments[0], _INT)
        biased = builder.add(whole, ir.Constant(_INT, 127))
        bits = builder.shl(biased, ir.Constant(_INT, 23))
        return builder.bitcast(bits, ir.FloatType())

    return signature, generate


def _tanh_single(work, h, s, width):
    """Apply tanh to a row of float32; write the slopes.

    With E = exp(2 |z|) - 1: tanh |z| = E / (E + 2), and its slope 4 (E + 1) / (E + 2)^2,
    which loses no digits where tanh is near 1.
    """
    for j in range(width):
        z = at(work, h + j)
        size = abs(z)
        # In this order, so that what is no number stays none.
        double = TWO * min(size, ONE_FROM)
        power = (double * LOG2_E + ROUNDING) - ROUNDING
        r = (double - power * LN2_1) - power * LN2_2
        q = ((((E5 * r + E4) * r + E3) * r + E2) * r + E1) * r + E0
        scale = power_of_two(power)
        grown = scale * (r + r * r * q) + (scale - ONE)
        share = ONE / (grown + TWO)
        value = grown * share
        put(work, h + j, -value if z < 0 else value)
        put(work, s + j, FOUR * (grown + ONE) * share * share)


@njit(**EXACT)
def sine_near(work, h, s, width):
    """Apply the sine to a row of float32, none beyond `FARTHEST`; write the cosines."""
    for j in range(width):
        z = at(work, h + j)
        turns = (z * TURNS + ROUNDING) - ROUNDING
        half = HALF * turns
        odd = half - ((half + ROUNDING) - ROUNDING)
        sign = ONE - FOUR * abs(odd)
        r = ((z - turns * PI_1) - turns * PI_2) - turns * PI_3
        u = r * r
        sine = (((S4 * u + S3) * u + S2) * u + S1) * u + S0
        cosine = (((C4 * u + C3) * u + C2) * u + C1) * u + C0
        put(work, h + j, sign * (r + r * u * sine))
        put(work, s + j, sign * (ONE + u * cosine))


@njit(**EXACT)
def farthest(work, h, width):
    """Return the largest absolute value of a row; not that of what is no number."""
    largest = ONE - ONE
    for j in range(width):
        size = abs(at(work, h + j))
        largest = max(largest, size)
    return largest


def _sine_one_by_one(work, h, s, width):
    """Apply the sine of the C library; write the cosines."""
    for j in range(width):
        z = at(work, h + j)
        put(work, h + j, math.sin(z))
        put(work, s + j, math.cos(z))


sine_one_by_one = njit(**EXACT)(_sine_one_by_one)


def _sine_single(work, h, s, width):
    """Apply the sine to a row of float32; write the cosines."""
    if farthest(work, h, width) <= FARTHEST:
        sine_near(work, h, s, width)
    else:
        sine_one_by_one(work, h, s, width)


def _tanh_one_by_one(work, h, s, width):
    """Apply the tanh of the C library; write the slopes."""
    for j in range(width):
        value = math.tanh(at(work, h + j))
        put(work, h + j, value)
        put(work, s + j, 1 - value * value)


# numba replaces these two by what the overloads return; Python itself cannot run that.


def tanh_row(work, h, s, width):
    """Apply tanh to a row that lies where outputs belong; write the slopes."""
    raise NotImplementedError("for compiled code")


@overload(tanh_row, jit_options=EXACT)
def _tanh_row(work, h, s, width):
    return _tanh_single if work.dtype == types.float32 else _tanh_one_by_one


def sine_row(work, h, s, width):
    """Apply the sine to a row that lies where outputs belong; write the slopes."""
    raise NotImplementedError("for compiled code")


@overload(sine_row, jit_options=EXACT)
def _sine_row(work, h, s, width):
    return _sine_single if work.dtype == types.float32 else _sine_one_by_one
