"""The negative log likelihood under Gaussian noise."""

import pytest
import torch

from metalab.core.loss.gaussian import GaussianLikelihood
from metalab.core.loss.squared_error import SquaredError
from tests.support.oracles import generator


def points():
    source = generator()
    return [torch.randn(2, 5, 3, generator=source, dtype=torch.float64) for _ in "py"]


@pytest.mark.parametrize("noise_std", [0.1, 1.0, 4.0])
def test_it_is_that_of_the_distribution(noise_std):
    prediction, y = points()
    found = GaussianLikelihood(noise_std=noise_std).costs(prediction, y)
    expected = -torch.distributions.Normal(prediction, noise_std).log_prob(y)
    torch.testing.assert_close(found, expected, rtol=1e-13, atol=1e-13)


def test_its_gradient_is_that_of_the_squared_error_over_twice_the_variance():
    prediction, y = points()
    prediction.requires_grad_()
    slopes = [
        torch.autograd.grad(loss.costs(prediction, y).sum(), prediction)[0]
        for loss in (GaussianLikelihood(noise_std=0.3), SquaredError())
    ]
    torch.testing.assert_close(slopes[0], slopes[1] / (2 * 0.3**2))


def test_a_sure_and_right_prediction_costs_less_than_nothing():
    zero = torch.zeros(1, 1, 1)
    assert GaussianLikelihood(noise_std=0.1).costs(zero, zero).item() < -1.3
    assert GaussianLikelihood(noise_std=0.4).costs(zero, zero).item() > 0
