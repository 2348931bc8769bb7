"""The cross-entropy of classes on the kernels against automatic differentiation."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from metalab.core.autodiff import AutodiffOracle
from metalab.core.fused.oracle import FusedOracle
from metalab.core.fused.plan import Counts, unsupported_reason
from metalab.core.loss.cross_entropy import CrossEntropy
from metalab.core.model.mlp import MLP
from metalab.core.oracle import LossTerms
from metalab.core.outer import SGD
from metalab.core.tasks import Samples, TaskBatch
from metalab.engine.build import build_learner
from metalab.experiment.config import preset_config
from metalab.experiment.fields import with_overrides
from tests.core.fused.problems import (
    Setup,
    distance,
    fused_steps,
    of_unequal_sizes,
    oracle_steps,
)
from tests.core.fused.test_oracle import METAS, RATES, same_answers, same_derivatives

CLOSE = {torch.float32: 1e-6, torch.float64: 1e-12}
ROUNDED = {torch.float32: 1e-5, torch.float64: 1e-12}
"""How close two moves of phi can be, which is rounded itself."""

OUTPUTS = pytest.mark.parametrize("outputs", [1, 2, 5])
UNEQUAL = pytest.mark.parametrize("unequal", [False, True], ids=["equal", "unequal"])
GRADIENT_DESCENT = {"kind": "gradient-descent", "inner_lr": 0.3, "num_inner_steps": 3}
INNER = [
    GRADIENT_DESCENT,
    GRADIENT_DESCENT | {"momentum": 0.5, "inner_batch_size": 2},
    {"kind": "learned-descent", "num_inner_steps": 3},
    {"kind": "proximal-descent", "num_inner_steps": 3},
]


def points(tasks, shots, outputs, generator, dtype):
    """Return points with targets: known classes in the first task, else shares."""
    x = torch.randn(tasks, shots, 2, generator=generator, dtype=dtype)
    z = torch.randn(tasks, shots, outputs, generator=generator, dtype=dtype)
    y = torch.sigmoid(z) if outputs == 1 else torch.softmax(z, dim=2)
    y[0] = (z[0] > 0) if outputs == 1 else (z[0] == z[0].amax(dim=1, keepdim=True))
    return Samples(x=x, y=y)


def classes(outputs, dtype=torch.float64, *, tasks=4, unequal=False, **changes):
    """Return an experiment with classes, and unrelated random tasks."""
    config = with_overrides(
        preset_config("maml-sine"),
        [
            ("model.hidden_sizes", (9, 5)),
            ("model.activation", changes.pop("activation", "tanh")),
            ("run.precision", str(dtype).removeprefix("torch.")),
            *((name.replace("__", "."), value) for name, value in changes.items()),
        ],
    )
    learner, generator = build_learner(config), torch.Generator().manual_seed(5)
    model = MLP(
        input_dim=2,
        output_dim=outputs,
        hidden_sizes=config.model.options()["hidden_sizes"],
        activation=config.model.options()["activation"],
    )
    problem = replace(
        learner.problem, model=model, loss=CrossEntropy(), query_loss=None
    )
    learner = replace(learner, problem=problem, outer=SGD(outer_lr=1.0))
    batch = TaskBatch(
        parameters=torch.zeros(tasks, 1, dtype=dtype),
        support=points(tasks, 8, outputs, generator, dtype),
        query=points(tasks, 7, outputs, generator, dtype),
    )
    state = learner.initial_state(
        generator=generator, dtype=dtype, device=torch.device("cpu")
    )
    counts = Counts(num_tasks=tasks, num_shots=8, num_queries=7)
    batch = of_unequal_sizes(batch) if unequal else batch
    return Setup(learner, state, counts, batch)


def oracles(made):
    """Return the two oracles at a phi that is another for every task, and theta."""
    generator = torch.Generator().manual_seed(3)
    shift = torch.randn(
        made.batch.num_tasks,
        len(made.state.phi),
        generator=generator,
        dtype=torch.float64,
    )
    phi, problem = made.state.phi + 0.1 * shift, made.learner.problem
    both = tuple(
        kind(problem, phi, made.batch) for kind in (FusedOracle, AutodiffOracle)
    )
    start = both[0].start()
    away = torch.randn(start.shape, generator=generator, dtype=torch.float64)
    return both, start + 0.5 * away, generator


@UNEQUAL
@OUTPUTS
@pytest.mark.parametrize("activation", ["relu", "tanh", "sine"])
@pytest.mark.parametrize("meta", METAS)
def test_every_answer(meta, activation, outputs, unequal):
    made = classes(
        outputs, unequal=unequal, activation=activation, meta=meta, inner=RATES
    )
    asked = oracles(made)
    same_answers(*asked)
    for part in (slice(None), slice(2, 5), slice(6, 8)):
        same_derivatives(*asked, LossTerms.ALL, part)


@UNEQUAL
@OUTPUTS
@pytest.mark.parametrize("dtype", list(CLOSE), ids=["f32", "f64"])
@pytest.mark.parametrize(
    ("estimator", "inner"),
    [
        *itertools.product(("unrolled", "truncated", "first-order"), INNER),
        # Neither learns rates.
        *itertools.product(("reptile", "joint"), [INNER[0], INNER[1], INNER[3]]),
    ],
)
def test_a_step_of_a_whole_run(estimator, inner, dtype, outputs, unequal):
    meta = "anchor" if inner["kind"] == "proximal-descent" else "initialisation"
    made = classes(
        outputs,
        dtype,
        unequal=unequal,
        meta={"kind": meta},
        inner=inner,
        hypergradient={"kind": estimator},
    )
    assert unsupported_reason(made.learner, made.counts) is None
    (fused, moved), (autodiff, expected) = fused_steps(made, 1), oracle_steps(made, 1)
    start = made.state.phi
    assert distance(moved.phi - start, expected.phi - start) < ROUNDED[dtype]
    np.testing.assert_allclose(fused, autodiff, rtol=10 * CLOSE[dtype])


@OUTPUTS
def test_unequal_tasks_are_what_each_is_alone(outputs):
    made = classes(outputs, unequal=True, tasks=3)
    moved = fused_steps(made, 1)[1].phi - made.state.phi
    apart = []
    for task in range(3):
        row = made.batch.rows(task, task + 1)
        support, query = (
            Samples(x=kept.x[kept.mask > 0][None], y=kept.y[kept.mask > 0][None])
            for kept in (row.support, row.query)
        )
        counts = Counts(
            num_tasks=1, num_shots=support.x.shape[1], num_queries=query.x.shape[1]
        )
        batch = replace(row, support=support, query=query)
        alone = replace(made, counts=counts, batch=batch)
        apart.append(fused_steps(alone, 1)[1].phi - made.state.phi)
    torch.testing.assert_close(
        moved, torch.stack(apart).mean(dim=0), rtol=1e-11, atol=0
    )


@pytest.mark.parametrize("dtype", list(CLOSE), ids=["f32", "f64"])
@OUTPUTS
@pytest.mark.parametrize("size", [1.0, 30.0, 1e3, 1e6])
def test_logits_of_any_size_cost_and_pull_what_they_do_in_torch(size, outputs, dtype):
    """Targets that do not sum to one included: nobody checks them on the way."""
    made = classes(outputs, dtype, model__hidden_sizes=())
    support = replace(made.batch.support, y=1.5 * made.batch.support.y)
    batch = replace(made.batch, support=support)
    theta = size * made.state.phi.expand(4, -1).contiguous()
    problem = made.learner.problem
    ours, theirs = (
        kind(problem, made.state.phi, batch).linearise(theta, curvature=True)
        for kind in (FusedOracle, AutodiffOracle)
    )
    v = torch.randn(theta.shape, generator=torch.Generator().manual_seed(1)).to(dtype)
    pairs = [
        (ours.loss, theirs.loss),
        (ours.grad, theirs.grad),
        (ours.hvp(v), theirs.hvp(v)),
    ]
    for one, other in pairs:
        assert torch.isfinite(one).all()
        # Of logits far apart there is next to no curvature left.
        least = 1.0 if size > 1 else 0.0
        length = torch.linalg.vector_norm(other).clamp(min=least)
        assert torch.linalg.vector_norm(one - other) <= CLOSE[dtype] * length


@OUTPUTS
def test_what_is_no_number_stays_none(outputs):
    made = classes(outputs)
    theta = made.state.phi.expand(4, -1).clone()
    theta[1] = torch.nan
    oracle = FusedOracle(made.learner.problem, made.state.phi, made.batch)
    assert oracle.query_loss(theta).isfinite().tolist() == [True, False, True, True]
