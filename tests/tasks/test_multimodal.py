"""The mixtures of MMAML: what the zero function costs on each."""

import math

import pytest
import torch

from metalab.tasks.multimodal import Multimodal
from tests.tasks.draws import assert_fills, drawn, error_of, noise_floor

BATCH = drawn(Multimodal(), num_tasks=250_000)
ERRORS = {0: 4.25, 1: 28.0, 2: 5.50, 3: 5.41, 4: 37.06}


@pytest.mark.parametrize(("mode", "error"), ERRORS.items())
def test_the_zero_function_on_a_mode(mode, error):
    """S6."""
    rows = BATCH.parameters[:, 0] == mode
    assert float((BATCH.query.y[rows] ** 2).mean()) == pytest.approx(error, rel=0.02)


@pytest.mark.parametrize(("num_modes", "error"), [(2, 16.13), (3, 12.58), (5, 16.04)])
def test_the_zero_function_on_a_mixture(num_modes, error):
    batch = drawn(Multimodal(num_modes=num_modes))
    assert error_of(batch) == pytest.approx(error, rel=0.02)


@pytest.mark.parametrize("num_modes", [1, 2, 3, 4, 5])
def test_modes_are_equally_likely(num_modes):
    modes = drawn(Multimodal(num_modes=num_modes), num_points=1).parameters[:, 0]
    counts = torch.bincount(modes.long(), minlength=5) / len(modes)
    expected = [1 / num_modes] * num_modes + [0] * (5 - num_modes)
    assert counts.tolist() == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(
    ("mode", "scale", "shift", "offset"),
    [
        (0, (0.1, 5), (0, math.pi), (0, 0)),
        (1, (-3, 3), (0, 0), (-3, 3)),
        (3, (-3, 3), (-3, 3), (-3, 3)),
        (4, (-3, 3), (-3, 3), (-3, 3)),
    ],
)
def test_numbers_fill_the_published_ranges(mode, scale, shift, offset):
    rows = BATCH.parameters[BATCH.parameters[:, 0] == mode]
    for column, (low, high) in enumerate((scale, shift, offset), start=1):
        assert_fills(rows[:, column], low, high)


def test_a_parabola_opens_either_way():
    rows = BATCH.parameters[BATCH.parameters[:, 0] == 2]
    assert_fills(rows[:, 1].abs(), 0.02, 0.15)
    assert float((rows[:, 1] > 0).double().mean()) == pytest.approx(0.5, abs=0.01)
    assert float(rows[:, 1].abs().min()) >= 0.02


def test_targets():
    rows = [[mode, 2.0, 0.5, 0.25] for mode in range(5)]
    y = Multimodal().target(torch.tensor(rows), torch.full((5, 1, 1), -1.0))
    shapes = [math.sin(-1.5), -1.5, 2.25, math.tanh(-1.5), 1.5]
    expected = [2 * shape + 0.25 for shape in shapes]
    assert y.flatten().tolist() == pytest.approx(expected)


def test_the_true_function_meets_the_noise_floor_on_query_points():
    """S7."""
    assert noise_floor(Multimodal(noise_std=0.3)) == pytest.approx(0.09, abs=0.001)
