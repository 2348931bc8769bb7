"""The Huber loss of one task."""

import pytest
import torch

from metalab.core.loss.huber import Huber

RESIDUALS = torch.linspace(-3, 3, 25, dtype=torch.float64)[None, :, None]


@pytest.mark.parametrize("delta", [0.3, 1.0, 2.5])
def test_it_is_that_of_torch(delta):
    zero = torch.zeros_like(RESIDUALS)
    found = Huber(delta=delta).costs(RESIDUALS, zero)
    expected = torch.nn.functional.huber_loss(
        RESIDUALS, zero, reduction="none", delta=delta
    )
    torch.testing.assert_close(found, expected, rtol=1e-14, atol=1e-15)


def test_a_point_pulls_no_more_than_delta_and_bends_only_within_it():
    prediction = torch.tensor([[[0.3], [-0.4], [2.0], [-9.0]]], requires_grad=True)
    costs = Huber(delta=0.5).costs(prediction, torch.zeros(1, 4, 1)).sum()
    (slope,) = torch.autograd.grad(costs, prediction, create_graph=True)
    (bend,) = torch.autograd.grad(slope.sum(), prediction)
    torch.testing.assert_close(slope.flatten(), torch.tensor([0.3, -0.4, 0.5, -0.5]))
    assert bend.flatten().tolist() == [1.0, 1.0, 0.0, 0.0]


def test_with_a_large_delta_it_is_half_the_squared_error():
    zero = torch.zeros_like(RESIDUALS)
    found = Huber(delta=1e3).costs(RESIDUALS, zero)
    torch.testing.assert_close(found, 0.5 * RESIDUALS.square())
