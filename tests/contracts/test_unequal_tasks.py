"""Tasks of different sizes in one batch are what each is alone, whatever the method."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from metalab.catalog.slots import INNER_LOOPS
from metalab.core.fused.plan import Counts, unsupported_reason
from metalab.core.fused.run import Data, FusedRun
from metalab.core.fused.support import oracle_unsupported_reason
from metalab.core.learner import METRIC_NAMES
from metalab.core.loss.gaussian import GaussianLikelihood
from metalab.core.loss.huber import Huber
from metalab.core.outer import SGD
from metalab.core.streams import RandomStreams
from metalab.core.tasks import Samples, TaskBatch
from metalab.engine.build import build_learner
from metalab.engine.held_out import losses_along_paths
from tests.contracts.test_combinations import SLOW_ONES, valid
from tests.support.findings import check_each

ILL_CONDITIONED = "implicit-cg"
"""Rounding is magnified by the condition number of its system: 1.1e-6 in float32."""

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


def some_phi(learner, dtype):
    generator = torch.Generator().manual_seed(0)
    phi = learner.initial_state(
        generator=generator, dtype=dtype, device=torch.device("cpu")
    ).phi
    return phi + 0.1 * torch.randn(phi.shape, generator=generator, dtype=dtype)


def difference(learner, dtype):
    """Return how far a batch is from its tasks alone, relative to their size."""
    phi, batch = some_phi(learner, dtype), unequal(dtype)
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


def named(configs):
    """Return experiments with what tells them apart."""
    return [
        (f"{config.meta.kind} {config.inner.kind} {config.hypergradient.kind}", config)
        for config in configs
    ]


def whole(config):
    """Return whether a task alone takes the inner steps that it takes beside others."""
    return config.inner.options().get("inner_batch_size", 0) == 0


def quick(config):
    """Return whether an experiment draws nothing, and is soon computed."""
    return not config.hypergradient.build().draws and (
        config.outer.loss == "final" or config.hypergradient.kind not in SLOW_ONES
    )


def tolerance(config, dtype):
    factor = {DIVIDES_BY_A_SMALL_STEP: 1e4, ILL_CONDITIONED: 10}
    return factor.get(config.hypergradient.kind, 1) * TOLERANCE[dtype]


DTYPES = pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float32], ids=["f64", "f32"]
)


BY_INNER_LOOP = pytest.mark.parametrize("inner", list(INNER_LOOPS.components))
"""Each a test of its own: together they take minutes on a busy machine."""


@DTYPES
@BY_INNER_LOOP
@pytest.mark.sampled(8)
def test_a_batch_of_unequal_tasks_is_the_mean_of_each_task_alone(inner, dtype):
    def check(kinds, config):
        found = difference(build_learner(config), dtype)
        assert found <= tolerance(config, dtype), f"{kinds} differs by {found:.1e}"

    chosen = named(
        config
        for config in valid()
        if config.inner.kind == inner and quick(config) and whole(config)
    )
    check_each(chosen, check)


LOSSES = {"square": None, "huber": Huber(delta=0.5), "gaussian": GaussianLikelihood()}


def on_kernels(config, loss):
    """Return the learner of an experiment with an inner loss, on kernels."""
    learner = build_learner(config, fused=True)
    if loss is None:
        return learner
    return replace(learner, problem=replace(learner.problem, loss=loss))


def known(config):
    """Return whether kernels answer about an experiment."""
    return oracle_unsupported_reason(build_learner(config).problem) is None


@DTYPES
@BY_INNER_LOOP
@pytest.mark.sampled(3)
def test_kernels_find_the_mean_of_each_task_alone(inner, dtype):
    def check(kinds, config):
        found = difference(on_kernels(config, None), dtype)
        assert found <= tolerance(config, dtype), f"{kinds} differs by {found:.1e}"

    chosen = named(
        c
        for c in valid()
        if c.inner.kind == inner and quick(c) and whole(c) and known(c)
    )
    if not chosen:
        pytest.skip("needs a closed form, which no problem of the kernels has")
    check_each(chosen, check)


MAGNIFIED = {"finite-differences": 1e5, "difference-product": 10, "reptile": 10}
"""How many times as large the two providers' different roundings are in the answers of
estimators that divide by a small step, or take the difference of close parameters."""


@DTYPES
@pytest.mark.parametrize("loss", list(LOSSES))
@pytest.mark.sampled(4)
def test_kernels_find_what_autodiff_finds_in_unequal_tasks(loss, dtype):
    """For every estimator that kernels answer, minibatches included."""
    batch = unequal(dtype)

    def check(kinds, config):
        fused = on_kernels(config, LOSSES[loss])
        phi = some_phi(fused, dtype)
        ours = result(fused, phi, batch)
        theirs = result(replace(fused, fused=False), phi, batch)
        for name in ("hypergradient", "outer_loss", "support_loss_after"):
            one, other = getattr(ours, name), getattr(theirs, name)
            size = torch.linalg.vector_norm(other).clamp(min=1e-3)
            off = float(torch.linalg.vector_norm(one - other) / size)
            allowed = TOLERANCE[dtype] * MAGNIFIED.get(config.hypergradient.kind, 1)
            assert off <= allowed, f"{kinds}: {name} is off {off:.1e}"

    chosen = named(config for config in valid() if quick(config) and known(config))
    assert len(chosen) > 100
    check_each(chosen, check)


def step_of_a_run(learner, phi, batch):
    """Return the hypergradient and the metrics of an outer step in one native call."""
    counts = Counts(
        num_tasks=batch.num_tasks,
        num_shots=batch.support.x.shape[1],
        num_queries=batch.query.x.shape[1],
    )
    state = learner.initial_state(
        generator=torch.Generator().manual_seed(0), dtype=phi.dtype, device=phi.device
    )
    run = FusedRun(learner, replace(state, phi=phi), counts)
    outcome = run.advance(Data.of(batch), 0, 1, np.full(len(METRIC_NAMES), np.inf))
    row = dict(zip(METRIC_NAMES, outcome.metrics[0], strict=False))
    return phi - run.state.phi, row


@pytest.mark.parametrize("loss", list(LOSSES))
def test_whole_runs_step_by_the_mean_of_each_task_alone(loss):
    """A step of SGD with rate 1 moves phi by the hypergradient, nothing else."""
    batch = unequal(torch.float64)

    def check(kinds, config):
        learner = replace(on_kernels(config, LOSSES[loss]), outer=SGD(outer_lr=1.0))
        phi = some_phi(learner, torch.float64)
        moved, row = step_of_a_run(learner, phi, batch)
        apart = [
            step_of_a_run(learner, phi, alone(batch, i, SHOTS[i], QUERIES[i]))
            for i in range(len(SHOTS))
        ]
        expected = torch.stack([one for one, _ in apart]).mean(dim=0)
        # phi itself is rounded: what is left of its differences is not as exact.
        assert torch.allclose(moved, expected, rtol=1e-12, atol=1e-14), kinds
        for name in ("outer_loss", "support_loss_before", "support_loss_after"):
            mean = np.mean([one[name] for _, one in apart])
            np.testing.assert_allclose(row[name], mean, rtol=1e-12, err_msg=kinds)

    chosen = named(
        config
        for config in valid()
        if known(config)
        and whole(config)
        and unsupported_reason(
            build_learner(config), Counts(num_tasks=3, num_shots=5, num_queries=4)
        )
        is None
    )
    assert len(chosen) > 20
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
