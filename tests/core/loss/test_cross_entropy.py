"""The cross-entropy of classes."""

import math

import pytest
import torch
from torch.nn import functional

from metalab.core.loss.cross_entropy import CrossEntropy
from metalab.core.tasks import Samples
from tests.support.oracles import generator


def logits(classes):
    source = generator()
    return 3 * torch.randn(2, 6, classes, generator=source, dtype=torch.float64)


def test_of_known_classes_it_is_that_of_torch():
    z, known = logits(4), torch.arange(12).remainder(4).view(2, 6)
    y = functional.one_hot(known, 4).to(z)
    found = CrossEntropy()(z, Samples(x=z, y=y))
    expected = functional.cross_entropy(
        z.flatten(0, 1), known.flatten(), reduction="none"
    )
    torch.testing.assert_close(found, expected.view(2, 6).mean(dim=1))


def test_of_probabilities_it_is_their_mean_over_known_classes():
    z = logits(3)
    y = torch.tensor([0.2, 0.5, 0.3], dtype=z.dtype).expand_as(z)
    each = [
        CrossEntropy().costs(z, row.expand_as(z)) for row in torch.eye(3, dtype=z.dtype)
    ]
    expected = 0.2 * each[0] + 0.5 * each[1] + 0.3 * each[2]
    torch.testing.assert_close(CrossEntropy().costs(z, y), expected)


def test_one_output_is_the_logit_of_the_second_of_two_classes():
    z = logits(1)
    y = torch.arange(12, dtype=z.dtype).remainder(2).view(2, 6, 1)
    found = CrossEntropy().costs(z, y)
    expected = functional.binary_cross_entropy_with_logits(z, y, reduction="none")
    torch.testing.assert_close(found, expected)
    two = CrossEntropy().costs(
        torch.cat([torch.zeros_like(z), z], dim=2), torch.cat([1 - y, y], dim=2)
    )
    torch.testing.assert_close(found, two)


@pytest.mark.parametrize("classes", [1, 2, 5])
def test_a_network_that_knows_nothing_pays_the_logarithm_of_the_classes(classes):
    zero = torch.zeros(1, 3, classes)
    y = torch.zeros_like(zero)
    y[..., 0] = 1
    found = CrossEntropy()(zero, Samples(x=zero, y=y))
    assert found.item() == pytest.approx(math.log(max(classes, 2)))


@pytest.mark.parametrize("classes", [1, 3])
def test_no_logit_is_too_large(classes):
    z = torch.full((1, 2, classes), 1e4)
    z[:, 1] = -1e4
    y = torch.zeros_like(z)
    y[..., 0] = 1
    assert torch.isfinite(CrossEntropy().costs(z, y)).all()
