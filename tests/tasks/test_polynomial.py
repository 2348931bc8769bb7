"""Polynomials."""

import numpy as np
import pytest
import torch

from metalab.tasks.polynomial import Polynomial
from tests.support.oracles import FLOAT64
from tests.tasks.draws import assert_fills, drawn, error_of, noise_floor


@pytest.mark.parametrize("degree", [0, 1, 2, 6])
def test_the_zero_function(degree):
    error = sum(1 / (3 * (2 * power + 1)) for power in range(degree + 1))
    batch = drawn(Polynomial(degree=degree))
    assert error_of(batch) == pytest.approx(error, rel=0.02)


def test_coefficients_shrink_from_term_to_term():
    family = Polynomial(degree=3, coefficient_max=2, shrinkage=4)
    columns = drawn(family, num_points=1).parameters.unbind(dim=1)
    for power, column in enumerate(columns):
        assert_fills(column, -2 / 4**power, 2 / 4**power)
    assert family.parameter_names == ("c0", "c1", "c2", "c3")


@pytest.mark.parametrize("degree", [0, 1, 2, 12])
def test_the_target_is_the_polynomial(degree):
    batch = drawn(Polynomial(degree=degree), num_tasks=20)
    for row, x, y in zip(batch.parameters, batch.query.x, batch.query.y, strict=True):
        expected = np.polynomial.polynomial.polyval(x.numpy(), row.numpy())
        assert torch.allclose(y, torch.as_tensor(expected, dtype=FLOAT64))


def test_inputs_reach_two():
    x = drawn(Polynomial()).query.x
    assert_fills(x, -2, 2)


def test_the_true_function_meets_the_noise_floor():
    """S7."""
    assert noise_floor(Polynomial(noise_std=0.3)) == pytest.approx(0.09, abs=0.001)
