"""The negative log likelihood under Gaussian noise."""

import math

import pytest
import torch

from metalab.core.loss.gaussian import LEARNED, LEAST_NOISE, GaussianLikelihood
from metalab.core.loss.squared_error import SquaredError
from metalab.core.tasks import Samples
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


def test_learned_noise_is_that_of_the_outputs_behind_the_predictions():
    prediction, y = points()
    loss = GaussianLikelihood(noise_std=0.3, noise_is=LEARNED)
    assert (loss.num_outputs(3), GaussianLikelihood().num_outputs(3)) == (6, 3)
    values = torch.randn(prediction.shape, generator=generator(3), dtype=torch.float64)
    outputs = torch.cat([prediction, values], dim=2)
    share = torch.log1p(torch.exp(values + math.log(math.e - 1)))
    noise = 0.3 * (LEAST_NOISE + (1 - LEAST_NOISE) * share)
    expected = -torch.distributions.Normal(prediction, noise).log_prob(y)
    torch.testing.assert_close(loss.costs(outputs, y), expected, rtol=1e-13, atol=1e-13)
    torch.testing.assert_close(loss.deviation(outputs, 3), noise[:, :, 0])
    assert GaussianLikelihood().deviation(prediction, 3) is None


def test_learned_noise_begins_at_the_value_set_and_the_other_level_leaves_it_out():
    prediction, y = points()
    outputs = torch.cat([prediction, torch.zeros_like(prediction)], dim=2)
    samples = Samples(x=y[:, :, :1], y=y)
    learned = GaussianLikelihood(noise_std=0.3, noise_is=LEARNED)(outputs, samples)
    torch.testing.assert_close(
        learned, GaussianLikelihood(noise_std=0.3)(prediction, samples)
    )
    assert torch.equal(
        SquaredError()(outputs, samples), SquaredError()(prediction, samples)
    )
