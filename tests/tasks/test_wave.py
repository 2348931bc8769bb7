"""Waves with edges."""

import pytest
import torch

from metalab.tasks.wave import SHAPES, Wave
from tests.support.oracles import FLOAT64
from tests.tasks.draws import assert_fills, drawn, error_of, noise_floor


@pytest.mark.parametrize(
    ("shape", "error"),
    [("square", 8.503), ("saw-tooth", 2.834), ("triangle", 2.834), ("step", 8.503)],
)
def test_the_zero_function(shape, error):
    assert error_of(drawn(Wave(shape=shape))) == pytest.approx(error, rel=0.02)


@pytest.mark.parametrize(
    ("shape", "values"),
    [
        ("square", [1, 1, 1, -1, -1, 1, -1]),
        ("saw-tooth", [-1, -0.5, -0.2, 0.2, 0.5, -0.5, 0.5]),
        ("triangle", [-1, 0, 0.6, 0.6, 0, 0, 0]),
        ("step", [1, 1, 1, 1, 1, 1, -1]),
    ],
)
def test_the_first_period(shape, values):
    """At given parts of a period after the phase."""
    parts = torch.tensor([0, 0.25, 0.4, 0.6, 0.75, 3.25, -0.25], dtype=FLOAT64)
    period, phase = 4.0, 0.5
    x = period * (parts + phase)
    parameters = torch.tensor([[1.5, period, phase]], dtype=FLOAT64)
    y = Wave(shape=shape).target(parameters, x[None, :, None]).flatten()
    assert y.tolist() == pytest.approx([1.5 * value for value in values])


@pytest.mark.parametrize("shape", SHAPES)
def test_an_amplitude_is_the_largest_value(shape):
    y = drawn(Wave(shape=shape, amplitude_min=2, amplitude_max=2)).query.y
    assert float(y.abs().max()) == pytest.approx(2, abs=1e-3)
    assert float(y.abs().max()) <= 2


def test_the_numbers_fill_their_ranges():
    columns = drawn(Wave(), num_points=1).parameters.unbind(dim=1)
    for column, ends in zip(columns, [(0.1, 5), (4, 8), (-0.5, 0.5)], strict=True):
        assert_fills(column, *ends)


def test_the_true_function_meets_the_noise_floor():
    """S7."""
    assert noise_floor(Wave(noise_std=0.3)) == pytest.approx(0.09, abs=0.001)
