"""Sines with a frequency: S1 and S2 of the family of Meta-SGD and MT-net."""

import math

import pytest
import torch

from metalab.tasks.sinusoid_frequency import SinusoidFrequency
from tests.support.oracles import FLOAT64
from tests.tasks.draws import assert_fills, drawn, error_of, noise_floor


def best_fixed(x):
    """Return E[amplitude] E[sin(w x + b)]: the mean over b, then over w."""
    mean_cosine = (torch.sin(1.2 * x) - torch.sin(0.8 * x)) / (0.4 * x)
    return 2.55 * (2 / math.pi) * mean_cosine


def test_the_zero_function_has_half_the_mean_squared_amplitude():
    assert error_of(drawn(SinusoidFrequency())) == pytest.approx(4.2517, abs=0.04)


def test_the_best_fixed_function_is_at_its_known_error():
    """S2 of the jitter family, by integration and by drawing."""
    x = (torch.arange(200_000, dtype=FLOAT64) + 0.5) / 20_000 - 5
    integral = 25.51 / 6 - float((best_fixed(x) ** 2).mean())
    assert integral == pytest.approx(3.1145, abs=1e-4)
    batch = drawn(SinusoidFrequency())
    errors = [
        error_of(batch, scale * best_fixed(batch.query.x)) for scale in (0.9, 1, 1.1)
    ]
    assert errors[1] == pytest.approx(3.1145, abs=0.03)
    assert errors[1] == min(errors)


def test_the_numbers_fill_their_ranges():
    columns = drawn(SinusoidFrequency()).parameters.unbind(dim=1)
    ranges = [(0.1, 5.0), (0.8, 1.2), (0.0, math.pi)]
    for column, (low, high) in zip(columns, ranges, strict=True):
        assert_fills(column, low, high)


def test_the_phase_shifts_to_the_left():
    y = SinusoidFrequency().target(
        torch.tensor([[2.0, 3.0, 0.5]]), torch.tensor([[[0.0], [1.0]]])
    )
    assert y.flatten().tolist() == pytest.approx([2 * math.sin(0.5), 2 * math.sin(3.5)])


def test_the_true_function_meets_the_noise_floor():
    """S7."""
    floor = noise_floor(SinusoidFrequency(noise_std=0.3))
    assert floor == pytest.approx(0.09, abs=0.001)
