"""What every hypergradient estimator owes, by the exactness that it claims."""

import pytest
import torch

from metalab.catalog.slots import HYPERGRADIENTS, INNER_LOOPS, META_PARAMETERISATIONS
from metalab.core.hypergradient.base import Exactness
from metalab.core.inner import Keep
from metalab.core.model import MLP
from metalab.core.oracle import AutodiffOracle, BilevelProblem
from tests.oracles import (
    FLOAT64,
    InputShift,
    ProximalAnchor,
    central_differences,
    generator,
    least_squares,
    outer_objective,
    relative_error,
    smooth_batch,
)

ESTIMATORS = HYPERGRADIENTS.components.values()
METAS = [*META_PARAMETERISATIONS.components.values(), ProximalAnchor, InputShift]
INNER = INNER_LOOPS.components.values()
MODEL = MLP(input_dim=1, output_dim=1, hidden_sizes=(4, 3), activation="tanh")


def claiming(exactness):
    return [kind for kind in ESTIMATORS if kind.exactness is exactness]


def loop(kind, **options):
    """Return an inner loop with a larger step than its default, if it has one."""
    known = INNER_LOOPS.models[kind.name].model_fields
    return kind(**{name: v for name, v in options.items() if name in known})


def estimate(kind, problem, inner, phi, batch, num_steps):
    oracle = AutodiffOracle(problem, phi, batch)
    path = inner.run(oracle, num_steps=num_steps, keep=kind.keep)
    return kind().estimate(oracle, inner, path)


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_it_says_what_it_is(kind):
    for heading in ("Equals:", "Valid:", "Cost:", "Exactness:", "Source:"):
        assert heading in kind.__doc__, heading
    assert isinstance(kind.exactness, Exactness)
    assert isinstance(kind.keep, Keep)
    assert f"Exactness: {kind.exactness.value}" in kind.__doc__


@pytest.mark.parametrize("num_steps", [1, 3])
@pytest.mark.parametrize("inner_kind", INNER)
@pytest.mark.parametrize("meta", METAS)
@pytest.mark.parametrize("kind", claiming(Exactness.EXACT))
def test_exact_means_the_slope_of_the_k_step_outer_loss(
    kind, meta, inner_kind, num_steps
):
    if kind.only_start and meta.shapes_inner_loss:
        pytest.skip("refused by the configuration")
    problem = BilevelProblem(model=MODEL, meta=meta())
    inner = loop(inner_kind, num_inner_steps=num_steps, inner_lr=0.1)
    batch = smooth_batch()
    phi = problem.meta.initial(MODEL, generator=generator(), dtype=FLOAT64)
    slope = central_differences(outer_objective(problem, inner, batch, num_steps), phi)
    found = estimate(kind, problem, inner, phi, batch, num_steps)
    assert relative_error(found.per_task.mean(dim=0), slope) < 1e-6


@pytest.mark.parametrize("num_steps", [1, 5, 20])
@pytest.mark.parametrize("inner_kind", INNER)
@pytest.mark.parametrize("kind", claiming(Exactness.BIASED))
def test_biased_still_means_downhill(kind, inner_kind, num_steps):
    known = least_squares()
    inner = loop(inner_kind, num_inner_steps=num_steps, inner_lr=0.05)
    phi = torch.linspace(-1, 1, 4, dtype=FLOAT64)
    found = estimate(kind, known.problem, inner, phi, known.batch, num_steps)
    direction = found.per_task.mean(dim=0)
    slope = known.hypergradient(phi, inner_lr=0.05, num_steps=num_steps).mean(dim=0)
    assert float(torch.dot(direction, slope)) > 0.1 * float(
        direction.norm() * slope.norm()
    )
    objective = outer_objective(known.problem, inner, known.batch, num_steps)
    step = 0.05 * phi.norm() / direction.norm()
    assert objective(phi - step * direction) < objective(phi)


def test_every_claim_has_its_contract_here():
    """An estimator that converges to its target needs one more test in this file."""
    assert {kind.exactness for kind in ESTIMATORS} <= {
        Exactness.EXACT,
        Exactness.BIASED,
    }


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_the_outer_loss_is_the_query_loss_after_adaptation(kind):
    problem = BilevelProblem(
        model=MODEL, meta=META_PARAMETERISATIONS.components["initialisation"]()
    )
    inner = INNER_LOOPS.components["gradient-descent"](inner_lr=0.1)
    phi = problem.meta.initial(MODEL, generator=generator(), dtype=FLOAT64)
    batch = smooth_batch()
    found = estimate(kind, problem, inner, phi, batch, 2)
    oracle = AutodiffOracle(problem, phi, batch)
    expected = oracle.query_loss(inner.run(oracle, num_steps=2).end)
    assert torch.equal(found.outer_loss, expected)
    assert found.per_task.shape == (batch.num_tasks, MODEL.dim)
    assert not found.per_task.requires_grad


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_tasks_do_not_mix(kind):
    """Each task's row is what the task alone would give."""
    known = least_squares()
    inner = INNER_LOOPS.components["gradient-descent"](inner_lr=0.05)
    phi = torch.linspace(-1, 1, 4, dtype=FLOAT64)
    together = estimate(kind, known.problem, inner, phi, known.batch, 3).per_task
    for task in range(known.batch.num_tasks):
        alone = known.batch.rows(task, task + 1)
        row = estimate(kind, known.problem, inner, phi, alone, 3).per_task[0]
        assert relative_error(together[task], row) < 1e-12
