"""The absolute error of one task."""

import torch

from metalab.core.loss.absolute_error import AbsoluteError
from metalab.core.tasks import Samples


def test_it_is_the_mean_distance_over_points_and_outputs():
    y = torch.tensor([[[1.0, 0.0], [0.0, 2.0]]])
    prediction = torch.tensor([[[-1.0, 0.5], [0.0, 5.0]]])
    loss = AbsoluteError()(prediction, Samples(x=y, y=y))
    assert loss.tolist() == [(2 + 0.5 + 0 + 3) / 4]


def test_a_point_pulls_by_its_sign_and_not_at_all_once_it_is_hit():
    prediction = torch.tensor([[[3.0], [-2.0], [0.0]]], requires_grad=True)
    AbsoluteError().costs(prediction, torch.zeros(1, 3, 1)).sum().backward()
    assert prediction.grad.flatten().tolist() == [1.0, -1.0, 0.0]


def test_it_has_no_curvature_of_its_own():
    prediction = torch.tensor([[[3.0], [-2.0]]], requires_grad=True)
    costs = AbsoluteError().costs(prediction, torch.zeros(1, 2, 1)).sum()
    (slope,) = torch.autograd.grad(costs, prediction, create_graph=True)
    (bend,) = torch.autograd.grad(
        slope.sum(), prediction, allow_unused=True, materialize_grads=True
    )
    assert (bend + torch.zeros(1, 2, 1)).flatten().tolist() == [0.0, 0.0]
