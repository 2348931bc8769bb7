"""Measures of accuracy, on vectors whose angles are known."""

import math

import pytest
import torch

from metalab.analysis.accuracy import accuracy, relative_variance

REFERENCE = torch.tensor([[3.0, 4.0], [1.0, 0.0]], dtype=torch.float64)


def test_equal_vectors_have_cosine_one_and_no_error():
    found = accuracy(REFERENCE, REFERENCE)
    assert found.cosine.mean == found.norm_ratio.mean == 1.0
    assert found.relative_error.mean == found.cosine.deviation == 0.0


def test_a_longer_and_a_turned_vector():
    turned = torch.tensor([[6.0, 8.0], [0.0, 1.0]])
    found = accuracy(turned, REFERENCE)
    assert found.cosine.mean == pytest.approx(0.5)
    assert found.cosine.deviation == pytest.approx(math.sqrt(0.5))
    assert found.cosine.standard_error == pytest.approx(0.5)
    assert found.cosine.num_batches == 2
    assert found.norm_ratio.mean == pytest.approx(1.5)
    assert found.relative_error.mean == pytest.approx((1 + math.sqrt(2)) / 2)


def test_what_is_not_finite_is_not_hidden():
    found = accuracy(REFERENCE * float("nan"), REFERENCE)
    assert math.isnan(found.cosine.mean)
    assert math.isnan(found.relative_error.mean)


def test_variance_is_relative_to_the_mean():
    estimates = torch.tensor([[1.0, 2.0], [3.0, 2.0]])
    assert relative_variance(estimates) == pytest.approx(2 / 8)
    assert relative_variance(10 * estimates) == pytest.approx(2 / 8)
