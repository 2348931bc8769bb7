"""The matrix product of the kernels: one native function for each precision."""

from functools import cache
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.numpy_support import from_dtype

from metalab.core.fused.kernels.options import ENTRY
from metalab.core.fused.kernels.tiles import (
    ADD,
    LANES,
    MASK,
    MASK_ADD,
    RELU,
    SET,
    ProductEmitter,
)

__all__ = [
    "ADD",
    "LANES",
    "MASK",
    "MASK_ADD",
    "RELU",
    "SET",
    "address_of_product",
    "product",
]


@intrinsic
def _gemm(
    typingctx, work, m, n, k, a, row_a, col_a, rhs, row_rhs, c, row_c, mode, factor,
    i, x, row_x,
):  # fmt: skip
    """Write a product, by a mode; the arguments are those of `product`."""
    signature = _signature(work.dtype)

    def generate(context, builder, signature, arguments):
        scalar = context.get_value_type(work.dtype)
        ProductEmitter(builder, scalar, arguments[0], arguments[1:]).emit()
        return context.get_dummy_value()

    return signature, generate


def _signature(scalar: Any) -> Any:
    numbers = [types.int64] * 11
    places = [types.int64] * 3
    return types.void(types.CPointer(scalar), *numbers, scalar, *places)


@njit(**ENTRY)
def _product(work, m, n, k, a, row_a, col_a, rhs, row_rhs, c, row_c, mode, factor,
             i, x, row_x):  # fmt: skip
    _gemm(
        work,
        m,
        n,
        k,
        a,
        row_a,
        col_a,
        rhs,
        row_rhs,
        c,
        row_c,
        mode,
        factor,
        i,
        x,
        row_x,
    )


@cache
def address_of_product(dtype: np.dtype) -> int:
    """Return where the native function of a precision begins.

    Called by address, it is compiled once. Linked into every kernel that multiplies, it
    would be optimised again with each of them, which takes most of a minute.
    """
    signature = _signature(from_dtype(dtype))
    _product.compile(signature)
    compiled = _product.overloads[signature.args]
    name = compiled.fndesc.llvm_func_name
    return int(compiled.library.get_pointer_to_function(name))


@intrinsic
def product(
    typingctx, address, work, m, n, k, a, row_a, col_a, rhs, row_rhs, c, row_c, mode,
    factor, i, x, row_x,
):  # fmt: skip
    """Write a product into the workspace, by a mode.

    Args:
        address: `address_of_product` of the workspace's precision.
        work: Workspace, [number]; every matrix is a place in it.
        m, n, k: C is [m, n], A is [m, k], B is [k, n]; n is a multiple of `LANES`.
        a, row_a, col_a: Place of A, and its strides.
        rhs, row_rhs: Place of B, and its stride; its columns are neighbours.
        c, row_c: Place of C, and its stride.
        mode: One of `SET`, `ADD`, `RELU`, `MASK`, `MASK_ADD`.
        factor: c of `ADD`.
        i: Place of I, laid out like C; may be C's own.
        x, row_x: Place of X, and its stride.
    """
    inner = _signature(work.dtype)
    signature = types.void(types.int64, work, *inner.args[1:])

    def generate(context, builder, signature, arguments):
        array = context.make_array(signature.args[1])(context, builder, arguments[1])
        kinds = [context.get_value_type(kind) for kind in inner.args]
        # Numba's convention: a place for the result, one for an exception, a status.
        # There is neither a result nor a way to fail.
        unused = ir.IntType(8).as_pointer().as_pointer()
        kind = ir.FunctionType(ir.IntType(32), [unused, unused, *kinds])
        function = builder.inttoptr(arguments[0], kind.as_pointer())
        place = cgutils.alloca_once(builder, unused.pointee)
        builder.call(function, [place, place, array.data, *arguments[2:]])
        return context.get_dummy_value()

    return signature, generate
