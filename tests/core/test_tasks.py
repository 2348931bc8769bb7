"""Tasks as values, and batches of them."""

from dataclasses import FrozenInstanceError
from itertools import product

import pytest
import torch

from metalab.core.tasks import (
    LIKE_SUPPORT,
    QUERY_INPUTS,
    QUERY_TARGETS,
    QueryKind,
    sample_batch,
)
from metalab.tasks.sinusoid import Sinusoid
from tests.support.oracles import FLOAT64, generator, smooth_batch


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


@pytest.mark.parametrize(("inputs", "targets"), [*product(QUERY_INPUTS, QUERY_TARGETS)])
def test_tasks_and_support_sets_do_not_depend_on_the_kind_of_query(inputs, targets):
    family = Sinusoid(noise_std=0.3)

    def draw(query):
        return sample_batch(
            family, 5, num_shots=4, num_queries=9, generator=generator(), query=query
        )

    plain, other = draw(LIKE_SUPPORT), draw(QueryKind(inputs=inputs, targets=targets))
    assert torch.equal(plain.parameters, other.parameters)
    assert torch.equal(plain.support.x, other.support.x)
    assert torch.equal(plain.support.y, other.support.y)
    if inputs == "grid":
        grid = torch.linspace(-5, 5, 9).expand(5, -1)
        assert torch.equal(other.query.x[..., 0], grid)
    else:
        assert torch.equal(other.query.x, plain.query.x)
    true = family.target(other.parameters, other.query.x)
    assert torch.equal(other.query.y, true) is (targets == "noise-free")


@pytest.mark.parametrize(("num_queries", "expected"), [(100, 3.01577), (50, 3.02537)])
def test_the_best_fixed_function_has_its_known_loss_on_a_grid(num_queries, expected):
    """S2: no network that has not adapted can do better than -1.6234 cos x."""
    drawn = sample_batch(
        Sinusoid(),
        100_000,
        num_shots=1,
        num_queries=num_queries,
        generator=generator(),
        query=QueryKind(inputs="grid"),
    )
    loss = (drawn.query.y + 1.6234 * drawn.query.x.cos()).square().mean()
    assert float(loss) == pytest.approx(expected, abs=0.03)
