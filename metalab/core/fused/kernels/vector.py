"""Reading and writing the workspace without the care that Python's indices ask for.

Numba lets an index be negative, and the test for it keeps a loop over `work[start + i]`
from becoming vector code. Places in the workspace are never negative.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from metalab.core.fused.kernels.gemm import LANES

_INT = ir.IntType(64)
_WIDE = 2 * LANES


def _pointer(context: Any, builder: Any, kind: Any, array: Any, place: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.gep(data, [place])


@intrinsic
def at(typingctx, work, place):
    """Return the number at a place."""
    signature = work.dtype(work, types.int64)

    def generate(context, builder, signature, arguments):
        pointer = _pointer(context, builder, signature.args[0], *arguments)
        return builder.load(pointer)

    return signature, generate


@intrinsic
def put(typingctx, work, place, value):
    """Write a number at a place."""
    signature = types.void(work, types.int64, work.dtype)

    def generate(context, builder, signature, arguments):
        array, place, value = arguments
        pointer = _pointer(context, builder, signature.args[0], array, place)
        builder.store(value, pointer)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def dot(typingctx, work, a, b, count):
    """Return the inner product of two places; `count` is a multiple of LANES."""
    signature = work.dtype(work, types.int64, types.int64, types.int64)

    def generate(context, builder, signature, arguments):
        array, a, b, count = arguments
        data = context.make_array(signature.args[0])(context, builder, array).data
        scalar = context.get_value_type(work.dtype)
        return _Dot(builder, scalar, data, (a, b)).emit(count)

    return signature, generate


class _Dot:
    """Writes the code of one inner product."""

    def __init__(self, builder: Any, scalar: Any, data: Any, places: Any) -> None:
        self.b, self.scalar, self.data, self.places = builder, scalar, data, places
        self.wide = ir.VectorType(scalar, _WIDE)
        self.align = 4 if scalar == ir.FloatType() else 8
        self.suffix = "f32" if scalar == ir.FloatType() else "f64"

    def load(self, place: Any, index: Any, kind: Any) -> Any:
        pointer = self.b.gep(self.data, [self.b.add(place, index)])
        typed = self.b.bitcast(pointer, kind.as_pointer())
        return self.b.load(typed, align=self.align)

    def call(self, name: str, result: Any, arguments: list[Any], **options: Any) -> Any:
        kinds = [argument.type for argument in arguments]
        function = cgutils.get_or_insert_function(
            self.b.module, ir.FunctionType(result, kinds), f"llvm.{name}"
        )
        return self.b.call(function, arguments, **options)

    def multiplied(self, index: Any, kind: Any, sums: Any) -> Any:
        pair = [self.load(place, index, kind) for place in self.places]
        return self.call(f"fma.v{kind.count}{self.suffix}", kind, [*pair, sums])

    def emit(self, count: Any) -> Any:
        b, scalar = self.b, self.scalar
        sums = cgutils.alloca_once(b, self.wide)
        b.store(ir.Constant(self.wide, [0.0] * _WIDE), sums)
        whole = b.udiv(count, ir.Constant(_INT, _WIDE))
        with cgutils.for_range(b, whole, intp=_INT) as loop:
            index = b.mul(loop.index, ir.Constant(_INT, _WIDE))
            b.store(self.multiplied(index, self.wide, b.load(sums)), sums)
        total = cgutils.alloca_once(b, scalar)
        b.store(self.reduced(b.load(sums), ir.Constant(scalar, 0.0)), total)
        start = b.mul(whole, ir.Constant(_INT, _WIDE))
        with b.if_then(b.icmp_signed("<", start, count)):
            narrow = ir.VectorType(scalar, LANES)
            zero = ir.Constant(narrow, [0.0] * LANES)
            tail = self.multiplied(start, narrow, zero)
            b.store(self.reduced(tail, b.load(total)), total)
        return b.load(total)

    def reduced(self, vector: Any, start: Any) -> Any:
        name = f"vector.reduce.fadd.v{vector.type.count}{self.suffix}"
        return self.call(name, self.scalar, [start, vector], fastmath=("reassoc",))
