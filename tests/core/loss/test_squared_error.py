"""The squared error of one task."""

import torch

from metalab.core.loss.squared_error import SquaredError


def test_it_averages_once_over_points_and_outputs_and_never_over_tasks():
    prediction = torch.tensor([[[1.0, 2.0], [3.0, 4.0]], [[0.0, 0.0], [0.0, 2.0]]])
    loss = SquaredError()(prediction, torch.zeros_like(prediction))
    assert loss.tolist() == [(1 + 4 + 9 + 16) / 4, 1.0]


def test_it_does_not_depend_on_the_number_of_copies_of_the_points():
    prediction = torch.tensor([[[1.0], [3.0]]])
    once = SquaredError()(prediction, torch.zeros_like(prediction))
    twice = prediction.repeat(1, 2, 1)
    assert torch.equal(SquaredError()(twice, torch.zeros_like(twice)), once)
