"""The matrix product of the kernels, for any sizes and every way to store it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from metalab.core.fused.kernels.gemm import (
    ADD,
    LANES,
    MASK,
    MASK_ADD,
    RELU,
    SET,
    address_of_product,
    product,
)
from metalab.core.fused.kernels.transpose import transpose
from metalab.core.fused.kernels.vector import dot

CLOSE = {np.float32: 1e-5, np.float64: 1e-13}
PRODUCTS = {dtype: address_of_product(np.dtype(dtype)) for dtype in CLOSE}


@njit
def turn(work, rows, columns, source, target):
    transpose(work, rows, columns, source, target)


@njit
def multiply(address, work, m, n, k, a, row_a, col_a, b, c, mode, factor, i, x):
    product(address, work, m, n, k, a, row_a, col_a, b, n, c, n, mode, factor, i, x, n)


@njit
def inner(work, a, b, count):
    return dot(work, a, b, count)


def stored(mode, value, start, shown):
    return {
        SET: value,
        ADD: start + 0.3 * value,
        RELU: np.maximum(value, 0),
        MASK: np.where(shown > 0, value, 0),
        MASK_ADD: np.where(shown > 0, start + value, 0),
    }[mode]


@settings(max_examples=120, deadline=None)
@given(
    m=st.integers(1, 43),
    n=st.integers(1, 9).map(lambda units: units * LANES),
    k=st.integers(1, 45),
    mode=st.sampled_from([SET, ADD, RELU, MASK, MASK_ADD]),
    transposed=st.booleans(),
    dtype=st.sampled_from(sorted(CLOSE, key=str)),
    seed=st.integers(0, 10),
)
def test_it_equals_numpy(m, n, k, mode, transposed, dtype, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(m, k)).astype(dtype), rng.normal(size=(k, n)).astype(dtype)
    start, shown = (rng.normal(size=(m, n)).astype(dtype) for _ in range(2))
    stored_a = a.T if transposed else a
    parts = [stored_a, b, start, shown, np.full((m, n), 7, dtype), np.full(9, 8, dtype)]
    places = np.cumsum([0, *[part.size for part in parts]])
    work = np.concatenate([part.ravel() for part in parts])
    row, column = (1, m) if transposed else (k, 1)
    multiply(
        PRODUCTS[dtype], work, m, n, k, places[0], row, column, places[1], places[4],
        mode, dtype(0.3), places[2], places[3],
    )  # fmt: skip
    expected = stored(mode, a.astype(float) @ b.astype(float), start, shown)
    found = work[places[4] : places[5]].reshape(m, n)
    np.testing.assert_allclose(found, expected, atol=CLOSE[dtype] * np.sqrt(k) * 5)
    assert (work[places[5] :] == 8).all(), "it wrote past the end"


@pytest.mark.parametrize("dtype", sorted(CLOSE, key=str))
@pytest.mark.parametrize("count", [0, 8, 16, 24, 48, 1760])
def test_inner_products(count, dtype):
    work = np.random.default_rng(0).normal(size=2 * count + 3).astype(dtype)
    expected = work[:count].astype(float) @ work[count : 2 * count].astype(float)
    found = inner(work, 0, count, count)
    assert found == pytest.approx(expected, rel=1e-4 if dtype is np.float32 else 1e-10)


@pytest.mark.parametrize(("rows", "columns"), [(8, 8), (40, 16), (8, 64)])
def test_transposing(rows, columns):
    work = np.arange(2 * rows * columns, dtype=np.float32)
    before = work[: rows * columns].reshape(rows, columns).copy()
    turn(work, rows, columns, 0, rows * columns)
    assert np.array_equal(work[rows * columns :].reshape(columns, rows), before.T)
