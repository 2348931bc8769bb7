"""Small matrix products as explicit vector code.

A network of a meta-learning task is a few thousand numbers: calling a BLAS costs more
than its arithmetic does. A product keeps a tile of the result in vector registers (5 x 40
floats where there are 32 of them) and folds what follows a product in these kernels (a
rectifier, its mask, a step along the product) into the store.

Sizes are run-time values, so that one compiled version serves every network and numba's
disk cache holds it; only the shapes of the tiles are fixed.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba.core import cgutils

LANES = 8
"""Numbers in a vector; rows that `gemm` writes are multiples of it."""

SET = 0
"""C = A B."""
ADD = 1
"""C = I + c A B."""
RELU = 2
"""C = max(A B, 0)."""
MASK = 3
"""C = A B where X > 0, and 0 elsewhere."""
MASK_ADD = 4
"""C = I + A B where X > 0, and 0 elsewhere."""

_MODES = (SET, ADD, RELU, MASK, MASK_ADD)
_LOOP_BLOCKS = ("loop", "loop.body", "loop.end")
_INT = ir.IntType(64)
_MANY_REGISTERS = bool(llvm.get_host_cpu_features().get("avx512vl", False))
# Heights of tiles of 1, 2, ... times LANES columns, tall ones first: accumulators, a row
# of B and a broadcast number of A must fit in the registers, and there must be enough
# accumulators to hide how long one multiplication takes.
_TALL, _FLAT = (10, 5, 2, 1), (5, 2, 1)
_HEIGHTS = (
    (_TALL, _TALL, _FLAT, _FLAT, _FLAT, _FLAT)
    if _MANY_REGISTERS
    else ((8, 4, 2, 1), (5, 2, 1), (4, 2, 1))
)


def _int(value: int) -> ir.Constant:
    return ir.Constant(_INT, value)


def _columns(units: int, scalar: Any) -> list[tuple[Any, int]]:
    """Return type and first column of each vector of a tile's row.

    Of double width as far as they go; where a processor has no registers of that width,
    the compiler halves them.
    """
    double, single = (ir.VectorType(scalar, n * LANES) for n in (2, 1))
    wide = [(double, 2 * LANES * v) for v in range(units // 2)]
    return wide + [(single, LANES * (units - 1))] * (units % 2)


class ProductEmitter:
    """Writes the code of one product; every argument of it is a run-time value."""

    def __init__(self, builder: Any, scalar: Any, data: Any, args: Any) -> None:
        self.b = builder
        self.scalar = scalar
        self.align = 4 if scalar == ir.FloatType() else 8
        self.data = data
        (
            self.m, self.n, self.k,
            self.a, self.row_a, self.col_a,
            self.rhs, self.row_rhs,
            self.c, self.row_c,
            self.mode, self.factor,
            self.i,
            self.x, self.row_x,
        ) = args  # fmt: skip

    def _fma(self, a: Any, b: Any, c: Any) -> Any:
        kind = a.type
        suffix = "f32" if self.scalar == ir.FloatType() else "f64"
        function = cgutils.get_or_insert_function(
            self.b.module,
            ir.FunctionType(kind, [kind] * 3),
            f"llvm.fma.v{kind.count}{suffix}",
        )
        return self.b.call(function, [a, b, c])

    def _at(self, base: Any, *offsets: Any) -> Any:
        for offset in offsets:
            base = self.b.add(base, offset)
        return self.b.gep(self.data, [base])

    def _load(self, pointer: Any, kind: Any) -> Any:
        typed = self.b.bitcast(pointer, kind.as_pointer())
        return self.b.load(typed, align=self.align)

    def _store(self, value: Any, pointer: Any) -> None:
        typed = self.b.bitcast(pointer, value.type.as_pointer())
        self.b.store(value, typed, align=self.align)

    def _broadcast(self, number: Any, kind: Any) -> Any:
        undefined = ir.Constant(kind, ir.Undefined)
        places = ir.Constant(
            ir.VectorType(ir.IntType(32), kind.count), [0] * kind.count
        )
        first = self.b.insert_element(undefined, number, ir.Constant(ir.IntType(32), 0))
        return self.b.shuffle_vector(first, undefined, places)

    def tile(self, i0: Any, j0: Any, rows: int, units: int) -> None:
        """Write `rows` rows of `units` times LANES columns of C."""
        b = self.b
        columns = _columns(units, self.scalar)
        sums = [[self._cleared(kind) for kind, _ in columns] for _ in range(rows)]
        starts = [b.mul(b.add(i0, _int(r)), self.row_a) for r in range(rows)]
        with cgutils.for_range(b, self.k, intp=_INT) as loop:
            along = b.mul(loop.index, self.row_rhs)
            rhs = [
                self._load(self._at(self.rhs, along, j0, _int(offset)), kind)
                for kind, offset in columns
            ]
            step = b.mul(loop.index, self.col_a)
            for r in range(rows):
                number = b.load(self._at(self.a, starts[r], step), align=self.align)
                # One broadcast for each width; the optimiser shares registers.
                for place, value in zip(sums[r], rhs, strict=True):
                    wide = self._broadcast(number, value.type)
                    b.store(self._fma(wide, value, b.load(place)), place)
        values = [[b.load(place) for place in row] for row in sums]
        offsets = [offset for _, offset in columns]
        cases = [partial(self.finish, mode, i0, j0, values, offsets) for mode in _MODES]
        self.chosen(self.mode, cases, first=0)

    def _cleared(self, kind: Any) -> Any:
        place = cgutils.alloca_once(self.b, kind)
        self.b.store(ir.Constant(kind, [0.0] * kind.count), place)
        return place

    def finish(
        self, mode: int, i0: Any, j0: Any, sums: list[list[Any]], offsets: list[int]
    ) -> None:
        """Store a tile as the mode says."""
        b = self.b
        for r, row in enumerate(sums):
            index = b.add(i0, _int(r))
            line = b.mul(index, self.row_c)
            for value, offset in zip(row, offsets, strict=True):
                column = b.add(j0, _int(offset))
                out = self._finished(mode, value, (index, line, column))
                self._store(out, self._at(self.c, line, column))

    def _finished(self, mode: int, value: Any, place: Any) -> Any:
        b, kind = self.b, value.type
        zero = ir.Constant(kind, [0.0] * kind.count)
        index, line, column = place
        if mode == SET:
            return value
        if mode == RELU:
            return b.select(b.fcmp_ordered(">", value, zero), value, zero)
        if mode == ADD:
            start = self._load(self._at(self.i, line, column), kind)
            return self._fma(value, self._broadcast(self.factor, kind), start)
        if mode == MASK_ADD:
            value = b.fadd(value, self._load(self._at(self.i, line, column), kind))
        shown = self._load(self._at(self.x, b.mul(index, self.row_x), column), kind)
        return b.select(b.fcmp_ordered(">", shown, zero), value, zero)

    def column_of_tiles(self, j0: Any, units: int) -> None:
        """Write all rows of `units` times LANES columns, tall tiles first."""
        b = self.b
        done = cgutils.alloca_once(b, _INT)
        b.store(_int(0), done)
        for height in _HEIGHTS[units - 1]:
            with self.loop(partial(self._fits, done, height)):
                i0 = b.load(done)
                self.tile(i0, j0, height, units)
                b.store(b.add(i0, _int(height)), done)

    def _fits(self, done: Any, height: int) -> Any:
        after = self.b.add(self.b.load(done), _int(height))
        return self.b.icmp_signed("<=", after, self.m)

    @contextmanager
    def loop(self, condition: Callable[[], Any]) -> Iterator[None]:
        """Repeat what is written inside while a condition holds."""
        b = self.b
        head, body, after = (b.append_basic_block(name) for name in _LOOP_BLOCKS)
        b.branch(head)
        b.position_at_end(head)
        b.cbranch(condition(), body, after)
        b.position_at_end(body)
        yield
        b.branch(head)
        b.position_at_end(after)

    def emit(self) -> None:
        """Write the whole product, in columns of tiles that are as even as can be."""
        b = self.b
        widest = len(_HEIGHTS)
        left, start = cgutils.alloca_once(b, _INT), cgutils.alloca_once(b, _INT)
        b.store(b.udiv(self.n, _int(LANES)), left)
        b.store(_int(0), start)
        with self.loop(lambda: b.icmp_signed(">", b.load(left), _int(0))):
            remaining, j0 = b.load(left), b.load(start)
            parts = b.udiv(b.add(remaining, _int(widest - 1)), _int(widest))
            width = b.udiv(b.add(remaining, b.sub(parts, _int(1))), parts)
            cases = [
                partial(self.column_of_tiles, j0, units)
                for units in range(1, widest + 1)
            ]
            self.chosen(width, cases, first=1)
            b.store(b.add(j0, b.mul(width, _int(LANES))), start)
            b.store(b.sub(remaining, width), left)

    def chosen(self, key: Any, cases: list[Callable[[], None]], first: int) -> None:
        """Do the case whose number, from `first`, is the key."""
        b = self.b
        origin, end = b.block, b.append_basic_block("chosen.end")
        blocks: list[Any] = []
        for case in cases:
            block = b.append_basic_block("case")
            blocks.append(block)
            b.position_at_end(block)
            case()
            b.branch(end)
        b.position_at_end(origin)
        switch = b.switch(key, blocks[0])
        for number, block in enumerate(blocks, start=first):
            switch.add_case(_int(number), block)
        b.position_at_end(end)
