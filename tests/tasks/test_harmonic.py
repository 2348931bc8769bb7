"""The sum of two sine waves."""

import math

import pytest
import torch

from metalab.tasks.harmonic import Harmonic
from tests.tasks.draws import assert_fills, drawn, error_of, noise_floor


def test_the_zero_function_has_half_the_variance_of_each_amplitude():
    assert error_of(drawn(Harmonic())) == pytest.approx(1.0, abs=0.02)


def test_numbers_have_the_published_distributions():
    frequency, a1, a2, b1, b2 = drawn(Harmonic()).parameters.unbind(dim=1)
    assert_fills(frequency, 5, 7)
    for phase in (b1, b2):
        assert_fills(phase, 0, 2 * math.pi)
    for amplitude in (a1, a2):
        assert float(amplitude.mean()) == pytest.approx(0, abs=0.02)
        assert float(amplitude.std()) == pytest.approx(1, abs=0.02)
    assert abs(float((a1 * a2).mean())) < 0.02
    assert abs(float(torch.corrcoef(torch.stack([b1, b2]))[0, 1])) < 0.02


def test_inputs_lie_around_a_centre_of_the_task():
    family = Harmonic()
    x = drawn(family, num_tasks=20_000, num_points=30).query.x[..., 0]
    assert family.input_range == (-7, 7)
    assert -7 <= float(x.min()) < -6.9
    assert 6.9 < float(x.max()) <= 7
    centre, spread = x.mean(dim=1), x.std(dim=1)
    assert float(centre.std()) == pytest.approx(8 / math.sqrt(12), abs=0.05)
    # A normal deviation cut at 3 has a standard deviation of 0.9866.
    assert float(spread.square().mean().sqrt()) == pytest.approx(0.9866, abs=0.005)


def test_support_and_query_of_a_task_share_their_centre():
    batch = drawn(Harmonic(spread=0.001), num_tasks=100)
    assert float((batch.support.x - batch.query.x).abs().max()) < 0.01


def test_the_second_wave_has_twice_the_frequency():
    parameters = torch.tensor([[5.0, 1.5, -0.5, 0.3, 0.7]])
    y = Harmonic().target(parameters, torch.tensor([[[0.2]]]))
    expected = 1.5 * math.sin(5 * 0.2 + 0.3) - 0.5 * math.sin(10 * 0.2 + 0.7)
    assert float(y) == pytest.approx(expected, abs=1e-6)


def test_the_true_function_meets_the_noise_floor():
    """S7."""
    assert noise_floor(Harmonic(noise_std=0.3)) == pytest.approx(0.09, abs=0.001)
