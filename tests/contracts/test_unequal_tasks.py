"""Tasks of different sizes in one batch are what each is alone, whatever the method."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from metalab.core.fused.support import KernelError
from metalab.core.streams import RandomStreams
from metalab.core.tasks import Samples, TaskBatch
from metalab.engine.build import build_learner
from metalab.engine.held_out import losses_along_paths
from tests.contracts.test_combinations import SLOW_ONES, valid
from tests.support.findings import check_each

SHOTS, QUERIES = (5, 3, 4), (4, 1, 2)
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-6}
DIVIDES_BY_A_SMALL_STEP = "finite-differences"
"""Rounding of another order of summation is magnified by 1 / step."""


def padded(sizes, widest, dtype, generator):
    """Return points of tasks of different sizes; what fills up would be noticed."""
    x = torch.randn(len(sizes), widest, 1, generator=generator, dtype=dtype)
    mask = (torch.arange(widest) < torch.tensor(sizes)[:, None]).to(dtype)
    fill = 50.0 * (1 - mask[..., None])
    return Samples(x=x + fill, y=torch.sin(3 * x) + fill, mask=mask)


def unequal(dtype, *, support=SHOTS, query=QUERIES):
    generator = torch.Generator().manual_seed(3)
    return TaskBatch(
        parameters=torch.zeros(len(support), 2, dtype=dtype),
        support=padded(support, max(SHOTS), dtype, generator),
        query=padded(query, max(QUERIES), dtype, generator),
    )


def alone(batch, task, shots, queries):
    """Return one task as a batch without a mask."""
    row = batch.rows(task, task + 1)
    return TaskBatch(
        parameters=row.parameters,
        support=replace(row.support.first(shots), mask=None),
        query=replace(row.query.first(queries), mask=None),
    )


def result(learner, phi, batch):
    gradient = learner.outer_gradient(0)
    return gradient(learner.oracle(phi, batch), RandomStreams(0), 0)


def difference(learner, dtype):
    """Return how far a batch is from its tasks alone, relative to their size."""
    generator = torch.Generator().manual_seed(0)
    phi = learner.initial_state(
        generator=generator, dtype=dtype, device=torch.device("cpu")
    ).phi
    phi = phi + 0.1 * torch.randn(phi.shape, generator=generator, dtype=dtype)
    batch = unequal(dtype)
    together = result(learner, phi, batch)
    apart = [
        result(learner, phi, alone(batch, task, SHOTS[task], QUERIES[task]))
        for task in range(len(SHOTS))
    ]
    pairs = [
        (together.hypergradient, [one.hypergradient for one in apart]),
        (together.outer_loss, [one.outer_loss for one in apart]),
        (together.support_loss_before, [one.support_loss_before for one in apart]),
        (together.support_loss_after, [one.support_loss_after for one in apart]),
    ]
    worst = 0.0
    for found, each in pairs:
        expected = torch.stack(each).mean(dim=0)
        size = torch.linalg.vector_norm(torch.stack(each)).clamp(min=1e-6)
        worst = max(worst, float(torch.linalg.vector_norm(found - expected) / size))
    return worst


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["f64", "f32"])
def test_a_batch_of_unequal_tasks_is_the_mean_of_each_task_alone(dtype):
    def check(kinds, config):
        found = difference(build_learner(config), dtype)
        differences = config.hypergradient.kind == DIVIDES_BY_A_SMALL_STEP
        tolerance = 1e4 * TOLERANCE[dtype] if differences else TOLERANCE[dtype]
        assert found <= tolerance, f"{kinds} differs by {found:.1e}"

    chosen = [
        (f"{config.meta.kind} {config.inner.kind} {config.hypergradient.kind}", config)
        for config in valid()
        if not config.hypergradient.build().draws
        and config.inner.options().get("inner_batch_size", 0) == 0
        and (config.outer.loss == "final" or config.hypergradient.kind not in SLOW_ONES)
    ]
    assert len(chosen) > 100
    check_each(chosen, check)


def test_a_mask_that_counts_every_point_changes_nothing_that_is_seen():
    config = next(iter(valid()))
    learner = build_learner(config)
    phi = learner.initial_state(
        generator=torch.Generator().manual_seed(0),
        dtype=torch.float64,
        device=torch.device("cpu"),
    ).phi
    full = unequal(torch.float64, support=(5, 5, 5), query=(4, 4, 4))
    bare = TaskBatch(
        parameters=full.parameters,
        support=replace(full.support, mask=None),
        query=replace(full.query, mask=None),
    )
    masked, plain = result(learner, phi, full), result(learner, phi, bare)
    assert torch.allclose(masked.hypergradient, plain.hypergradient, rtol=1e-13)


def test_points_that_fill_up_are_counted_nowhere():
    samples = unequal(torch.float64).support
    assert samples.num_shots[:, 0].tolist() == list(SHOTS)
    assert samples.first(3).num_shots[:, 0].tolist() == [3, 3, 3]
    assert samples.mean(torch.ones(3, 5, 2, dtype=torch.float64)).tolist() == [1, 1, 1]


def test_losses_along_paths_take_slices_of_unequal_tasks():
    config = next(iter(valid()))
    learner = build_learner(config)
    batch = unequal(torch.float64)
    phi = learner.initial_state(
        generator=torch.Generator().manual_seed(0),
        dtype=torch.float64,
        device=torch.device("cpu"),
    ).phi
    whole = losses_along_paths(learner, phi, batch, num_inner_steps=2, tasks_at_once=3)
    sliced = losses_along_paths(learner, phi, batch, num_inner_steps=2, tasks_at_once=1)
    for one, other in zip(whole, sliced, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_kernels_refuse_what_they_would_count():
    config = next(iter(valid()))
    learner = build_learner(config, fused=True)
    phi = torch.zeros(learner.problem.meta_dim, dtype=torch.float64)
    with pytest.raises(KernelError, match="tasks of different sizes"):
        learner.oracle(phi, unequal(torch.float64))
