"""tanh and sine of the kernels against numpy in double precision."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from metalab.core.fused.kernels import activations
from metalab.core.fused.kernels.activations import FARTHEST, sine_row, tanh_row


@njit
def _tanh(work, width):
    tanh_row(work, 0, width, width)


@njit
def _sine(work, width):
    sine_row(work, 0, width, width)


def applied(kernel, z):
    """Return values and slopes."""
    work = np.concatenate([z, np.zeros_like(z)])
    kernel(work, len(z))
    return work[: len(z)], work[len(z) :]


def error(found, exact):
    """Return the largest relative error, in units of float32's precision."""
    scale = np.maximum(np.abs(exact), np.finfo(np.float32).tiny)
    return float(np.max(np.abs(found - exact) / scale)) / np.finfo(np.float32).eps


def test_tanh_and_its_slopes_are_exact_to_some_last_bits():
    z = np.concatenate([np.linspace(-9, 9, 400_001), np.geomspace(1e-30, 1, 10_001)])
    z = z.astype(np.float32)
    values, slopes = applied(_tanh, z)
    exact = z.astype(np.float64)
    assert error(values, np.tanh(exact)) < 2
    assert error(slopes, 1 / np.cosh(exact) ** 2) < 6
    assert np.abs(values).max() <= 1


def test_tanh_of_large_numbers_is_one():
    values, slopes = applied(_tanh, np.array([9.5, -40, np.inf, -np.inf], np.float32))
    np.testing.assert_array_equal(values, [1, -1, 1, -1])
    assert ((slopes >= 0) & (slopes < 1e-7)).all()


@pytest.mark.parametrize("largest", [1.6, 30.0, float(FARTHEST)])
def test_sine_and_cosine_are_exact_to_the_last_bits(largest):
    z = np.linspace(-largest, largest, 400_001).astype(np.float32)
    values, slopes = applied(_sine, z)
    exact = z.astype(np.float64)
    assert np.abs(values - np.sin(exact)).max() < 1.5e-7
    assert np.abs(slopes - np.cos(exact)).max() < 2e-7
    small = np.geomspace(1e-30, 0.1, 10_001).astype(np.float32)
    assert error(applied(_sine, small)[0], np.sin(small.astype(np.float64))) < 2


def test_a_row_with_far_numbers_is_left_to_the_c_library():
    z = np.array([0.5, 1e6, -3e30, 12_345.678], np.float32)
    values, slopes = applied(_sine, z)
    exact = z.astype(np.float64)
    np.testing.assert_allclose(values, np.sin(exact), atol=1e-6)
    np.testing.assert_allclose(slopes, np.cos(exact), atol=1e-6)


@pytest.mark.parametrize("kernel", [_tanh, _sine])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_no_number_stays_none(kernel, dtype):
    values, slopes = applied(kernel, np.array([0.3, np.nan, -0.2] * 9, dtype))
    for found in (values, slopes):
        assert np.isnan(found).tolist() == [False, True, False] * 9


def test_the_sine_of_the_infinite_is_no_number():
    values, _ = applied(_sine, np.array([np.inf, 1.0], np.float32))
    assert np.isnan(values[0])
    assert values[1] == pytest.approx(np.sin(1), abs=1e-7)


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=70))
def test_in_double_precision_they_are_those_of_the_c_library(numbers):
    z = np.array(numbers)
    values, slopes = applied(_tanh, z)
    np.testing.assert_allclose(values, np.tanh(z), rtol=1e-14)
    np.testing.assert_allclose(slopes, 1 - np.tanh(z) ** 2, atol=1e-14)
    values, slopes = applied(_sine, z)
    np.testing.assert_allclose(values, np.sin(z), atol=1e-14)
    np.testing.assert_allclose(slopes, np.cos(z), atol=1e-14)


@given(st.lists(st.floats(-20, 20, width=32), min_size=1, max_size=70))
def test_a_number_does_not_depend_on_its_neighbours(numbers):
    """However many fit into a vector, and whatever is left over."""
    z = np.array(numbers, np.float32)
    for kernel in (_tanh, _sine):
        together = applied(kernel, z)
        alone = [applied(kernel, z[i : i + 1]) for i in range(len(z))]
        for found, singles in zip(together, zip(*alone, strict=True), strict=True):
            np.testing.assert_allclose(found, np.concatenate(singles), rtol=4e-7)


def test_they_are_for_compiled_code():
    work = np.zeros(2, np.float32)
    for row in (activations.tanh_row, activations.sine_row):
        with pytest.raises(NotImplementedError, match="compiled code"):
            row(work, 0, 1, 1)
