"""Linear regression whose conditioning is known."""

import pytest
import torch

from metalab.tasks.linear_regression import LinearRegression
from tests.support.oracles import FLOAT64
from tests.tasks.draws import drawn, error_of, noise_floor


@pytest.mark.parametrize(("num", "condition"), [(1, 50.0), (5, 1.0), (20, 50.0)])
def test_inputs_are_centred_uncorrelated_and_stretched_as_asked(num, condition):
    family = LinearRegression(num_features=num, condition_number=condition)
    x = drawn(family, num_tasks=50_000).query.x.flatten(end_dim=1)
    second_moment = x.T @ x / len(x)
    scales = torch.tensor(family.scales, dtype=FLOAT64)
    assert scales[0] == 1
    assert float((scales[0] / scales[-1]) ** 2) == pytest.approx(
        condition if num > 1 else 1
    )
    assert torch.allclose(second_moment, torch.diag(scales**2) / 2, atol=0.005)
    assert float(x.mean(dim=0).abs().max()) < 0.005


def test_the_condition_number_is_exact():
    """Over the whole curve, by the midpoint rule, which is exact for cosines."""
    family = LinearRegression(num_features=20, condition_number=50.0)
    t = (torch.arange(64, dtype=FLOAT64) + 0.5) / 64
    x = family.inputs_at(torch.cos(torch.pi * t))
    assert float(torch.linalg.cond(x.T @ x)) == pytest.approx(50, rel=1e-9)


def test_weights_are_normal_around_their_mean():
    family = LinearRegression(num_features=3, weight_mean=-2, weight_std=0.5)
    weights = drawn(family, num_points=1).parameters
    assert weights.mean(dim=0).tolist() == pytest.approx([-2] * 3, abs=0.01)
    assert weights.std(dim=0).tolist() == pytest.approx([0.5] * 3, rel=0.02)
    assert family.parameter_names == ("weight 1", "weight 2", "weight 3")
    assert family.input_dim == 3


def test_the_zero_function():
    family = LinearRegression(weight_mean=1, weight_std=0.5)
    error = 1.25 * sum(scale**2 for scale in family.scales) / 2
    assert error_of(drawn(family, num_tasks=50_000)) == pytest.approx(error, rel=0.02)


def test_least_squares_finds_the_weights():
    family = LinearRegression(num_features=5, condition_number=4)
    batch = drawn(family, num_tasks=50, num_points=40)
    found = torch.linalg.lstsq(batch.query.x, batch.query.y).solution[..., 0]
    assert torch.allclose(found, batch.parameters, atol=1e-8)


def test_the_true_function_meets_the_noise_floor():
    """S7."""
    family = LinearRegression(num_features=3, noise_std=0.3)
    assert noise_floor(family) == pytest.approx(0.09, abs=0.001)
