"""Sines and lines in equal shares."""

import math

import pytest
import torch

from metalab.tasks.sine_or_line import SineOrLine
from tests.tasks.draws import assert_fills, drawn, error_of, noise_floor


@pytest.mark.parametrize(
    ("line_share", "error"), [(0.0, 4.2517), (1.0, 28.0), (0.5, 16.126)]
)
def test_the_zero_function(line_share, error):
    """S6, for the two modes and their even mixture."""
    batch = drawn(SineOrLine(line_share=line_share))
    assert error_of(batch) == pytest.approx(error, rel=0.02)


def test_half_of_the_tasks_are_lines():
    lines = drawn(SineOrLine()).parameters[:, 0]
    assert set(lines.tolist()) == {0.0, 1.0}
    assert float(lines.mean()) == pytest.approx(0.5, abs=0.01)


def test_the_numbers_fill_the_ranges_of_their_kind():
    parameters = drawn(SineOrLine()).parameters
    line = parameters[:, 0] == 1
    for column, low, high in ((1, -3, 3), (2, -3, 3)):
        assert_fills(parameters[line, column], low, high)
    for column, low, high in ((1, 0.1, 5), (2, 0, math.pi)):
        assert_fills(parameters[~line, column], low, high)


def test_targets():
    parameters = torch.tensor([[0.0, 2.0, 0.5], [1.0, 2.0, 0.5]])
    y = SineOrLine().target(parameters, torch.full((2, 1, 1), 1.5))
    assert y.flatten().tolist() == pytest.approx([2 * math.sin(1.0), 3.5])


def test_the_true_function_meets_the_noise_floor():
    """S7."""
    assert noise_floor(SineOrLine(noise_std=0.3)) == pytest.approx(0.09, abs=0.001)
