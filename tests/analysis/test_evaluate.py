"""Fresh tasks with each kind of query set.

The family has no amplitude: every task is the zero function. What tells tasks apart
before adaptation is then the draw of the query set alone.
"""

import numpy as np
import pytest
import torch

from metalab.analysis.evaluate import evaluate_fresh
from metalab.core.tasks import QueryKind
from metalab.engine.build import build_learner
from metalab.engine.trainer import Trainer
from tests.support.experiments import small

ZERO = small(
    tasks__family__amplitude_min=0.0,
    tasks__family__amplitude_max=0.0,
    tasks__family__noise_std=1.0,
    run__precision="float64",
)


def losses(query):
    """Return the query losses of 400 tasks after 0 ... 2 inner steps, on 20 points."""
    return evaluate_fresh(
        ZERO,
        Trainer(ZERO).checkpoint(),
        num_tasks=400,
        num_shots=5,
        num_queries=20,
        num_inner_steps=2,
        seed=3,
        query=query,
    ).query_loss


def test_the_true_targets_on_a_grid_are_alike_for_every_task():
    found = losses(QueryKind(inputs="grid", targets="noise-free"))
    learner, phi = build_learner(ZERO), torch.tensor(Trainer(ZERO).checkpoint().phi)
    grid = torch.linspace(-5, 5, 20, dtype=phi.dtype)[None, :, None]
    expected = learner.problem.model.apply(phi[None], grid).square().mean()
    assert found[:, 0] == pytest.approx(float(expected), rel=1e-12)
    # The support set is as random and as noisy as ever.
    assert found[:, 1].std() > 0.01 * found[:, 1].mean()


@pytest.mark.parametrize("preset", ["oracle-sine", "cavia-sine", "maml-sine"])
def test_tasks_are_taken_a_part_at_a_time(preset, monkeypatch):
    """Whatever is learned: without meta-parameters too there is a number of them."""
    config = small(preset, run__precision="float64")

    def found():
        return evaluate_fresh(
            config,
            Trainer(config).checkpoint(),
            num_tasks=7,
            num_shots=5,
            num_queries=6,
            num_inner_steps=2,
            seed=3,
        ).query_loss

    whole = found()
    monkeypatch.setattr("metalab.analysis.evaluate.BYTES_AT_ONCE", 16_000)
    np.testing.assert_allclose(found(), whole, rtol=1e-12)
    assert whole.shape == (7, 3)


def test_random_inputs_and_noise_each_tell_tasks_apart():
    for kind in (QueryKind(inputs="grid"), QueryKind(targets="noise-free")):
        before = losses(kind)[:, 0]
        assert before.std() > 0.01 * before.mean()


@pytest.mark.parametrize("inputs", ["random", "grid"])
def test_noise_on_the_query_targets_costs_its_variance(inputs):
    noisy = losses(QueryKind(inputs=inputs, targets="noisy"))
    true = losses(QueryKind(inputs=inputs, targets="noise-free"))
    assert (noisy - true).mean(axis=0) == pytest.approx([1.0] * 3, abs=0.06)
