"""What every hypergradient estimator owes, by the exactness that it claims."""

import inspect

import pytest
import torch

from metalab.catalog.slots import HYPERGRADIENTS, INNER_LOOPS, META_PARAMETERISATIONS
from metalab.core.autodiff import AutodiffOracle
from metalab.core.hypergradient.base import Exactness, ProblemSize, Target
from metalab.core.inner.adaptive import AdaptiveLoop
from metalab.core.inner.base import PathStorage
from metalab.core.meta.anchor import ProximalAnchor
from metalab.core.meta.base import PhiRole
from metalab.core.meta.initialisation import Initialisation
from metalab.core.model.mlp import MLP
from metalab.core.oracle import BilevelProblem, Evaluations
from tests.support.oracles import (
    FLOAT64,
    InputShift,
    central_differences,
    estimated,
    goes_with,
    initial_phi,
    least_squares,
    outer_objective,
    relative_error,
    smooth_batch,
)

ESTIMATORS = HYPERGRADIENTS.components.values()
SMALL = {"embedding_dim": 2, "context_dim": 2}
"""Central differences take two inner loops for each meta-parameter."""


def configured(registry, kind, **options):
    """Return a component with those of the options that it has."""
    known = registry.models[kind.name].model_fields
    return kind(**{name: v for name, v in options.items() if name in known})


METAS = [
    configured(META_PARAMETERISATIONS, kind, **SMALL)
    for kind in META_PARAMETERISATIONS.components.values()
] + [
    ProximalAnchor(strength_is="learned"),
    InputShift(),
]
INNER = INNER_LOOPS.components.values()
STRENGTH = 0.7
THOROUGH = {
    "num_iterations": 50,
    "num_terms": 600,
    "step_size": 0.1,
    "tolerance": 0.0,
    "rank": 4,
}
"""Options with which an estimator that converges has converged."""


def claiming(exactness, target=None):
    return [
        kind
        for kind in ESTIMATORS
        if kind.exactness is exactness and target in (None, kind.target)
    ]


def loop(kind, **options):
    # An epsilon far below the gradients would make a step their sign, and kinks of it.
    return configured(INNER_LOOPS, kind, inner_epsilon=0.1, **options)


def network(meta):
    model = MLP(
        input_dim=1 + meta.extra_inputs,
        output_dim=1,
        hidden_sizes=(4, 3),
        activation="tanh",
    )
    return BilevelProblem(model=model, meta=meta)


KNOWN = least_squares()


def anchored(known):
    """Return the least-squares tasks with a proximal anchor."""
    meta = ProximalAnchor(strength=STRENGTH)
    return BilevelProblem(model=known.problem.model, meta=meta)


def problem_for(kind, known):
    """Return least squares as the estimator can take it."""
    return anchored(known) if kind.target is Target.SOLUTION else known.problem


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_it_says_what_it_is(kind):
    for heading in ("Equals:", "Valid:", "Cost:", "Exactness:", "Source:"):
        assert heading in kind.__doc__, heading
    assert isinstance(kind.exactness, Exactness)
    assert isinstance(kind.keep, PathStorage)
    assert f"Exactness: {kind.exactness.value}" in kind.__doc__


@pytest.mark.parametrize(
    ("meta", "inner_kind"),
    [
        pytest.param(meta, inner, id=f"{meta.name}+{inner.name}")
        for meta in METAS
        for inner in INNER
        if goes_with(inner, meta)
    ],
)
@pytest.mark.parametrize("kind", claiming(Exactness.EXACT))
@pytest.mark.sampled(9)
def test_exact_means_the_slope_of_the_k_step_outer_loss(kind, meta, inner_kind):
    assert kind.learns == frozenset(PhiRole), "limit this test to what it learns"
    num_steps = 2
    problem = network(meta)
    inner = loop(inner_kind, num_inner_steps=num_steps, inner_lr=0.1)
    batch, phi = smooth_batch(), initial_phi(problem, inner)
    slope = central_differences(outer_objective(problem, inner, batch, num_steps), phi)
    found = estimated(kind(), AutodiffOracle(problem, phi, batch), inner)
    assert relative_error(found.per_task.mean(dim=0), slope) < 1e-6


@pytest.mark.parametrize("kind", claiming(Exactness.CONVERGENT, Target.K_STEP))
def test_convergent_to_the_k_step_value_means_within_its_own_step(kind):
    known = least_squares()
    phi = torch.linspace(-1, 1, 4, dtype=FLOAT64)
    inner = INNER_LOOPS.components["gradient-descent"](num_inner_steps=5, inner_lr=0.05)
    oracle = AutodiffOracle(known.problem, phi, known.batch)
    exact = known.hypergradient(phi, inner_lr=0.05, num_steps=5)
    assert relative_error(estimated(kind(), oracle, inner).per_task, exact) < 1e-8


@pytest.mark.parametrize("kind", claiming(Exactness.CONVERGENT, Target.SOLUTION))
def test_convergent_to_the_solution_means_ever_closer_to_the_closed_form(kind):
    known = least_squares()
    phi = torch.linspace(-1, 1, 4, dtype=FLOAT64)
    exact = known.proximal(phi, strength=STRENGTH)[1][:, :4]
    estimator = configured(HYPERGRADIENTS, kind, **THOROUGH)
    oracle = AutodiffOracle(anchored(known), phi, known.batch)
    errors = []
    for num_steps in (5, 20, 80, 400):
        inner = INNER_LOOPS.components["gradient-descent"](
            num_inner_steps=num_steps, inner_lr=0.1
        )
        found = estimated(estimator, oracle, inner).per_task
        errors.append(relative_error(found, exact))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-6


def learnable(kind, inner):
    """Return whether a biased estimator goes with a loop on its problem."""
    meta = problem_for(kind, KNOWN).meta
    learns = not inner.learned or PhiRole.RATES in kind.learns
    return learns and goes_with(inner, meta)


@pytest.mark.parametrize("num_steps", [1, 5, 20])
@pytest.mark.parametrize(
    ("kind", "inner_kind"),
    [
        pytest.param(kind, inner, id=f"{kind.name}+{inner.name}")
        for kind in claiming(Exactness.BIASED)
        for inner in INNER
        if learnable(kind, inner)
    ],
)
@pytest.mark.sampled(4)
def test_biased_still_means_downhill(kind, inner_kind, num_steps):
    known = least_squares()
    problem = problem_for(kind, known)
    inner = loop(inner_kind, num_inner_steps=num_steps, inner_lr=0.05)
    start = torch.linspace(-1, 1, 4, dtype=FLOAT64)
    phi = torch.cat([start, initial_phi(problem, inner)[4:]])  # rates behind
    oracle = AutodiffOracle(problem, phi, known.batch)
    direction = estimated(kind(), oracle, inner).per_task.mean(dim=0)
    objective = outer_objective(problem, inner, known.batch, num_steps)
    if kind.target is Target.SOLUTION:
        slope = known.proximal(start, strength=STRENGTH)[1][:, :4].mean(dim=0)
    else:
        slope = central_differences(objective, phi)
        exact = known.hypergradient(start, inner_lr=0.05, num_steps=num_steps)
        if not issubclass(inner_kind, AdaptiveLoop):  # the others start as descent
            assert relative_error(slope[:4], exact.mean(dim=0)) < 1e-6
    cosine = torch.nn.functional.cosine_similarity(direction, slope, dim=0)
    assert float(cosine) > 0.1
    step = 0.05 * start.norm() / direction.norm()
    assert objective(phi - step * direction) < objective(phi)


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_the_outer_loss_is_the_query_loss_after_adaptation(kind):
    known = least_squares()
    inner = INNER_LOOPS.components["gradient-descent"](num_inner_steps=2, inner_lr=0.1)
    for problem, batch in (
        (problem_for(kind, known), known.batch),
        (network(problem_for(kind, known).meta), smooth_batch()),
    ):
        oracle = AutodiffOracle(problem, initial_phi(problem, inner), batch)
        found = estimated(kind(), oracle, inner)
        expected = oracle.query_loss(inner.run(oracle, num_steps=2).end)
        assert torch.equal(found.outer_loss, expected)
        assert found.per_task.shape == (batch.num_tasks, problem.meta_dim)
        assert not found.per_task.requires_grad


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_tasks_do_not_mix(kind):
    """Each task's row is what the task alone would give."""
    known = least_squares()
    problem = problem_for(kind, known)
    inner = INNER_LOOPS.components["gradient-descent"](num_inner_steps=3, inner_lr=0.05)
    phi = torch.linspace(-1, 1, 4, dtype=FLOAT64)

    def rows(batch):
        return estimated(kind(), AutodiffOracle(problem, phi, batch), inner).per_task

    together = rows(known.batch)
    # A difference of losses divides their rounding by its small step.
    by_values = kind.name in (
        "finite-differences",
        "evolution",
        "persistent-evolution",
    )
    limit = 1e-8 if by_values else 1e-12
    for task in range(known.batch.num_tasks):
        row = rows(known.batch.rows(task, task + 1))[0]
        assert relative_error(together[task], row) < limit


@pytest.mark.slow
@pytest.mark.parametrize("kind", claiming(Exactness.UNBIASED))
def test_unbiased_means_exact_on_average(kind):
    known = least_squares()
    phi = torch.linspace(-1, 1, 4, dtype=FLOAT64)
    inner = INNER_LOOPS.components["gradient-descent"](num_inner_steps=5, inner_lr=0.05)
    oracle = AutodiffOracle(known.problem, phi, known.batch)
    exact = known.hypergradient(phi, inner_lr=0.05, num_steps=5)

    def error(count):
        estimator = configured(HYPERGRADIENTS, kind, num_directions=count)
        return relative_error(estimated(estimator, oracle, inner).per_task, exact)

    assert error(4000) < 0.1
    assert error(4000) < 0.5 * error(40)


COSTED = [
    pytest.param(kind, meta, id=f"{kind.name}+{meta.name}")
    for kind in ESTIMATORS
    for meta in (Initialisation(), ProximalAnchor())
    if kind.target is Target.K_STEP or meta.regularised
]


@pytest.mark.parametrize("num_steps", [1, 2, 7])
@pytest.mark.parametrize(("kind", "meta"), COSTED)
def test_it_costs_what_it_declares(kind, meta, num_steps):
    problem, batch = network(meta), smooth_batch()
    inner = INNER_LOOPS.components["gradient-descent"](
        num_inner_steps=num_steps, inner_lr=0.05
    )
    oracle = AutodiffOracle(problem, initial_phi(problem, inner), batch)
    estimated(kind(), oracle, inner)
    size = ProblemSize(
        num_inner_steps=num_steps,
        meta_dim=oracle.meta_dim,
        mixed=oracle.phi_shapes_inner_loss,
    )
    declared = kind().cost(size)
    assert oracle.evaluations == Evaluations(
        gradients=num_steps + declared.gradients, products=declared.products
    )


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_it_is_at_most_80_lines(kind):
    assert len(inspect.getsource(kind).splitlines()) <= 80
