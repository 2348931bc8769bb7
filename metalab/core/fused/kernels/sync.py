"""A meeting point of the threads that share a run, inside native code.

An outer step takes a fraction of a millisecond: threads of the interpreter cannot meet
that often. Each worker makes one native call for many outer steps and waits here, first
spinning, then giving way to whoever wants the processor.
"""

import sys
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from metalab.core.fused.kernels.options import KERNEL

ARRIVED, ROUND = 0, 8
"""Places in the shared numbers, on different cache lines."""

STATE = 16
SYNC_SIZE = 32
_SPINS = 2_000


def _pointer(context: Any, builder: Any, kind: Any, arguments: Any) -> Any:
    array = context.make_array(kind)(context, builder, arguments[0])
    return builder.gep(array.data, [arguments[1]])


@intrinsic
def fetch_add(typingctx, shared, index, value):
    """Add to shared[index] at once; return what was there before."""
    signature = types.int64(shared, types.int64, types.int64)

    def generate(context, builder, signature, arguments):
        pointer = _pointer(context, builder, signature.args[0], arguments)
        return builder.atomic_rmw("add", pointer, arguments[2], "seq_cst")

    return signature, generate


@intrinsic
def read(typingctx, shared, index):
    """Return shared[index] as it is now, not as it was."""
    signature = types.int64(shared, types.int64)

    def generate(context, builder, signature, arguments):
        pointer = _pointer(context, builder, signature.args[0], arguments)
        return builder.load_atomic(pointer, "acquire", 8)

    return signature, generate


@intrinsic
def write(typingctx, shared, index, value):
    """Set shared[index] after everything that was written before."""
    signature = types.void(shared, types.int64, types.int64)

    def generate(context, builder, signature, arguments):
        pointer = _pointer(context, builder, signature.args[0], arguments)
        builder.store_atomic(arguments[2], pointer, "release", 8)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def give_way(typingctx):
    """Let another thread have the processor."""
    name = "SwitchToThread" if sys.platform == "win32" else "sched_yield"
    signature = types.int32()

    def generate(context, builder, signature, arguments):
        kind = ir.FunctionType(ir.IntType(32), [])
        function = cgutils.get_or_insert_function(builder.module, kind, name)
        return builder.call(function, [])

    return signature, generate


@njit(**KERNEL)
def meet(shared, num_workers):
    """Wait until every worker is here."""
    if num_workers == 1:
        return
    before = read(shared, ROUND)
    if fetch_add(shared, ARRIVED, 1) == num_workers - 1:
        write(shared, ARRIVED, 0)
        write(shared, ROUND, before + 1)
        return
    spins = 0
    while read(shared, ROUND) == before:
        spins += 1
        if spins > _SPINS:
            give_way()
