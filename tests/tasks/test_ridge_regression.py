"""The ridge-hyperparameter problem: its best strength is known, and is found."""

import pytest
import torch

from metalab.catalog.slots import HYPERGRADIENTS
from metalab.core.autodiff import AutodiffOracle
from metalab.core.hypergradient.base import Exactness, Target
from metalab.core.inner.closed_form import ClosedForm
from metalab.core.inner.proximal_descent import ProximalDescent
from metalab.core.learner import MetaLearner
from metalab.core.meta.base import PhiRole
from metalab.core.meta.ridge_head import RidgeHead
from metalab.core.model.mlp import MLP
from metalab.core.objective import OuterObjective
from metalab.core.oracle import BilevelProblem
from metalab.core.outer import Adam
from metalab.core.streams import RandomStreams
from metalab.core.tasks import sample_batch
from metalab.tasks.ridge_regression import RidgeRegression
from tests.support.oracles import FLOAT64, estimated, generator, relative_error

pytestmark = pytest.mark.unchecked

FAMILY = RidgeRegression(num_features=6)
MODEL = MLP(input_dim=6, output_dim=1, hidden_sizes=())
PROBLEM = BilevelProblem(model=MODEL, meta=RidgeHead(strength=1.5))
PHI = torch.tensor([1.5], dtype=FLOAT64).log()


def batch(num_tasks=5, seed=0, num_shots=8):
    return sample_batch(
        FAMILY,
        num_tasks,
        num_shots=num_shots,
        num_queries=10,
        generator=generator(seed),
        dtype=FLOAT64,
    )


def with_ones(x):
    return torch.cat([x, torch.ones_like(x[..., :1])], dim=2)


def closed_form(drawn, strength):
    """Return the solution, and the derivative of its query loss in log strength."""
    x, q = with_ones(drawn.support.x), with_ones(drawn.query.x)
    gram = x.mT @ x + strength * torch.eye(x.shape[2], dtype=FLOAT64)
    theta = torch.linalg.solve(gram, x.mT @ drawn.support.y)
    v = 2 / q.shape[1] * q.mT @ (q @ theta - drawn.query.y)
    slope = -strength * (theta * torch.linalg.solve(gram, v)).sum(dim=(1, 2))
    return theta[..., 0], slope[:, None]


def oracle_of(drawn):
    return AutodiffOracle(PROBLEM, PHI, drawn)


def test_the_closed_form_loop_is_ridge_regression():
    drawn = batch()
    path = ClosedForm().run(oracle_of(drawn), num_steps=1)
    assert relative_error(path.end, closed_form(drawn, 1.5)[0]) < 1e-12


@pytest.mark.parametrize(
    "kind",
    [
        kind
        for kind in HYPERGRADIENTS.components.values()
        if PhiRole.INNER_LOSS in kind.learns and kind.exactness is Exactness.EXACT
    ],
)
def test_through_the_solve_exact_ones_reach_the_closed_form(kind):
    drawn = batch()
    found = estimated(kind(), oracle_of(drawn), ClosedForm()).per_task
    assert relative_error(found, closed_form(drawn, 1.5)[1]) < 1e-6


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("implicit-cg", {"num_iterations": 7, "tolerance": 1e-12}),
        ("implicit-neumann", {"num_terms": 400, "step_size": 0.15}),
        ("implicit-nystrom", {"rank": 7}),
        ("finite-differences", {}),
        ("difference-product", {}),
    ],
)
@pytest.mark.sampled(3)
def test_convergent_ones_reach_it_from_a_solved_inner_problem(kind, options):
    drawn = batch()
    estimator = HYPERGRADIENTS.components[kind](**options)
    exact = closed_form(drawn, 1.5)[1]
    errors = []
    for tolerance in (1e-1, 1e-4, 1e-10):
        inner = ProximalDescent(num_inner_steps=300, inner_lr=0.3, tolerance=tolerance)
        found = estimated(estimator, oracle_of(drawn), inner).per_task
        errors.append(relative_error(found, exact))
    print(kind, "inner tolerance 1e-1, 1e-4, 1e-10: relative error", errors)
    assert errors[-1] < 1e-6
    if estimator.target is Target.SOLUTION:
        assert errors == sorted(errors, reverse=True)


def test_a_learned_strength_finds_noise_over_weight_variance():
    learner = MetaLearner(
        problem=PROBLEM,
        inner=ClosedForm(),
        hypergradient=HYPERGRADIENTS.components["unrolled"](),
        outer=Adam(outer_lr=0.05),
        num_steps=200,
        schedule="cosine",
        objective=OuterObjective(),
    )
    streams = RandomStreams(0)
    state = learner.initial_state(
        generator=generator(), dtype=FLOAT64, device=torch.device("cpu")
    )
    for step in range(200):
        state = learner.step(state, batch(100, seed=step), streams).state
    strength = float(state.phi.exp())
    print(f"learned strength {strength:.3f}, known {FAMILY.best_strength:.3f}")
    assert strength == pytest.approx(FAMILY.best_strength, rel=0.03)
