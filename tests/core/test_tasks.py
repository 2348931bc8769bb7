"""Tasks as values, and batches of them."""

from dataclasses import FrozenInstanceError

import pytest
import torch

from metalab.core.tasks import sample_batch
from metalab.tasks.sinusoid import Sinusoid
from tests.oracles import FLOAT64, generator, smooth_batch


def draw(family, seed=0, **counts):
    counts = {"num_shots": 3, "num_queries": 4, **counts}
    return sample_batch(family, 5, generator=generator(seed), dtype=FLOAT64, **counts)


def test_support_and_query_are_independent_draws():
    batch = draw(Sinusoid())
    assert batch.num_tasks == 5
    assert batch.support.x.shape == (5, 3, 1)
    assert batch.query.y.shape == (5, 4, 1)
    points = torch.cat([batch.support.x, batch.query.x], dim=1)
    assert len(points.unique()) == points.numel()


def test_targets_are_the_true_ones_without_noise():
    batch = draw(Sinusoid())
    for samples in (batch.support, batch.query):
        true = Sinusoid().target(batch.parameters, samples.x)
        assert torch.equal(samples.y, true)


def test_noise_is_on_support_and_query():
    batch = draw(Sinusoid(noise_std=0.3))
    for samples in (batch.support, batch.query):
        true = Sinusoid().target(batch.parameters, samples.x)
        assert bool((samples.y != true).all())


def test_noise_changes_neither_tasks_nor_inputs():
    quiet, noisy = draw(Sinusoid()), draw(Sinusoid(noise_std=0.3))
    assert torch.equal(quiet.parameters, noisy.parameters)
    assert torch.equal(quiet.support.x, noisy.support.x)


def test_rows_are_views_of_some_tasks():
    batch = draw(Sinusoid())
    part = batch.rows(1, 3)
    assert part.num_tasks == 2
    assert torch.equal(part.parameters, batch.parameters[1:3])
    assert torch.equal(part.query.y, batch.query.y[1:3])
    assert part.support.x.untyped_storage().data_ptr() == (
        batch.support.x.untyped_storage().data_ptr()
    )


def test_a_batch_moves_to_another_device_as_a_whole():
    moved = smooth_batch().to(torch.device("meta"))
    tensors = (moved.parameters, moved.support.x, moved.support.y)
    assert all(t.is_meta for t in (*tensors, moved.query.x, moved.query.y))


def test_batches_are_values():
    batch = smooth_batch()
    with pytest.raises(FrozenInstanceError):
        batch.support = batch.query
