"""The squared error of one task."""

import torch

from metalab.core.loss.squared_error import SquaredError
from metalab.core.tasks import Samples


def from_zero(prediction):
    zero = torch.zeros_like(prediction)
    return SquaredError()(prediction, Samples(x=zero, y=zero))


def test_it_averages_once_over_points_and_outputs_and_never_over_tasks():
    prediction = torch.tensor([[[1.0, 2.0], [3.0, 4.0]], [[0.0, 0.0], [0.0, 2.0]]])
    loss = from_zero(prediction)
    assert loss.tolist() == [(1 + 4 + 9 + 16) / 4, 1.0]


def test_it_does_not_depend_on_the_number_of_copies_of_the_points():
    prediction = torch.tensor([[[1.0], [3.0]]])
    once = from_zero(prediction)
    twice = prediction.repeat(1, 2, 1)
    assert torch.equal(from_zero(twice), once)


def test_points_that_fill_up_a_small_task_cost_nothing():
    prediction = torch.tensor([[[1.0], [3.0]], [[2.0], [100.0]]])
    zero = torch.zeros_like(prediction)
    mask = torch.tensor([[1.0, 1.0], [1.0, 0.0]])
    loss = SquaredError()(prediction, Samples(x=zero, y=zero, mask=mask))
    assert loss.tolist() == [5.0, 4.0]
