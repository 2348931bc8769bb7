"""Transposing matrices in the workspace, a block of vectors at a time."""

from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from metalab.core.fused.kernels.gemm import LANES
from metalab.core.fused.kernels.options import KERNEL


def _shuffled(builder: Any, a: Any, b: Any, places: list[int]) -> Any:
    kind = ir.VectorType(ir.IntType(32), len(places))
    return builder.shuffle_vector(a, b, ir.Constant(kind, places))


def _transposed(builder: Any, rows: list[Any]) -> list[Any]:
    """Swap halves of ever smaller blocks: three rounds for eight rows."""
    span = LANES // 2
    while span > 0:
        low = [j if (j // span) % 2 == 0 else LANES + j - span for j in range(LANES)]
        high = [j + span if (j // span) % 2 == 0 else LANES + j for j in range(LANES)]
        swapped = list(rows)
        for i in range(LANES):
            if (i // span) % 2 == 0:
                a, b = rows[i], rows[i + span]
                swapped[i] = _shuffled(builder, a, b, low)
                swapped[i + span] = _shuffled(builder, a, b, high)
        rows = swapped
        span //= 2
    return rows


@intrinsic
def _transpose_block(typingctx, work, source, row_source, target, row_target):
    """Transpose LANES x LANES numbers."""
    signature = types.void(work, *[types.int64] * 4)

    def generate(context, builder, signature, arguments):
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        scalar = context.get_value_type(work.dtype)
        kind = ir.VectorType(scalar, LANES)
        align = 4 if scalar == ir.FloatType() else 8
        source, row_source, target, row_target = arguments[1:]

        def place(start: Any, row: Any, index: int) -> Any:
            offset = builder.mul(row, ir.Constant(ir.IntType(64), index))
            pointer = builder.gep(array.data, [builder.add(start, offset)])
            return builder.bitcast(pointer, kind.as_pointer())

        rows = [
            builder.load(place(source, row_source, i), align=align)
            for i in range(LANES)
        ]
        for i, row in enumerate(_transposed(builder, rows)):
            builder.store(row, place(target, row_target, i), align=align)
        return context.get_dummy_value()

    return signature, generate


@njit(**KERNEL)
def transpose(work, rows, columns, source, target):
    """Write the transpose of [rows, columns], both multiples of LANES."""
    for i in range(0, rows, LANES):
        for j in range(0, columns, LANES):
            _transpose_block(
                work, source + i * columns + j, columns, target + j * rows + i, rows
            )
