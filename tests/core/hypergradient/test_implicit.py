"""Implicit differentiation: the derivative at the inner solution."""

import pytest
import torch

from metalab.core.autodiff import AutodiffOracle
from metalab.core.hypergradient.checkpointed import Checkpointed
from metalab.core.hypergradient.conjugate_gradient import ImplicitCG
from metalab.core.hypergradient.first_order import FirstOrder
from metalab.core.hypergradient.neumann import ImplicitNeumann
from metalab.core.hypergradient.t1_t2 import T1T2
from metalab.core.inner.base import PathStorage
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.meta.anchor import ProximalAnchor
from metalab.core.meta.penalty import PenaltyStrength
from metalab.core.model.mlp import MLP
from metalab.core.oracle import BilevelProblem
from metalab.core.tasks import sample_batch
from metalab.tasks.sinusoid import Sinusoid
from tests.support.combinations import oracle_of
from tests.support.oracles import (
    FINAL_LOSS,
    FLOAT64,
    estimated,
    generator,
    least_squares,
    relative_error,
)

pytestmark = pytest.mark.unchecked

STRENGTH = 0.7
KNOWN = least_squares()
PHI = torch.linspace(-1, 1, 4, dtype=FLOAT64)
CG = ImplicitCG(num_iterations=50, tolerance=1e-14)
NEUMANN = ImplicitNeumann(num_terms=600, step_size=0.1)
THOROUGH = [CG, NEUMANN]
REGULARISED = [
    ProximalAnchor(strength=3.0),
    ProximalAnchor(strength=3.0, strength_is="learned"),
    PenaltyStrength(strength=3.0),
]


def descent(num_steps):
    return GradientDescent(num_inner_steps=num_steps, inner_lr=0.1)


def closed_form_oracle(strength_is="fixed"):
    """Return the least-squares tasks with an anchor, and their exact answers."""
    meta = ProximalAnchor(strength=STRENGTH, strength_is=strength_is)
    problem = BilevelProblem(model=KNOWN.problem.model, meta=meta)
    learned = [STRENGTH] if strength_is == "learned" else []
    phi = torch.cat([PHI, torch.tensor(learned, dtype=FLOAT64).log()])
    _, exact = KNOWN.proximal(PHI, strength=STRENGTH)
    return AutodiffOracle(problem, phi, KNOWN.batch), exact[:, : phi.numel()]


def error(estimator, num_steps=800, strength_is="fixed"):
    oracle, exact = closed_form_oracle(strength_is)
    found = estimated(estimator, oracle, descent(num_steps)).per_task
    return relative_error(found, exact)


@pytest.mark.parametrize("strength_is", ["fixed", "learned"])
@pytest.mark.parametrize("estimator", THOROUGH)
@pytest.mark.sampled(2)
def test_converged_it_is_the_closed_form(estimator, strength_is):
    assert error(estimator, strength_is=strength_is) < 1e-10


@pytest.mark.parametrize("strength_is", ["fixed", "learned"])
@pytest.mark.sampled(2)
def test_the_unrolled_sweep_converges_to_the_same_closed_form(strength_is):
    assert error(Checkpointed(), strength_is=strength_is) < 1e-10


@pytest.mark.parametrize("estimator", THOROUGH)
@pytest.mark.parametrize("meta", REGULARISED)
@pytest.mark.sampled(3)
def test_on_a_network_it_is_the_unrolled_one_once_both_have_converged(meta, estimator):
    inner = GradientDescent(num_inner_steps=600, inner_lr=0.1)
    oracle = oracle_of(meta, inner)
    exact = estimated(Checkpointed(), oracle, inner).per_task
    assert relative_error(estimated(estimator, oracle, inner).per_task, exact) < 1e-8


@pytest.mark.parametrize("estimator", THOROUGH)
def test_its_error_falls_with_the_inner_steps(estimator):
    errors = [error(estimator, num_steps=n) for n in (2, 5, 10, 20, 40, 80)]
    print("inner steps 2, 5, 10, 20, 40, 80:", errors)
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-2 * errors[0]


def test_its_error_falls_with_the_tolerance_of_the_solver():
    errors = [
        error(ImplicitCG(num_iterations=50, tolerance=tolerance))
        for tolerance in (1e-1, 1e-2, 1e-4, 1e-8)
    ]
    print("tolerance 1e-1, 1e-2, 1e-4, 1e-8:", errors)
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-7


@pytest.mark.slow
def test_its_error_falls_with_the_effort_of_the_solver():
    for efforts in (
        [ImplicitCG(num_iterations=n, tolerance=0.0) for n in (1, 2, 3, 4)],
        [ImplicitNeumann(num_terms=n, step_size=0.1) for n in (1, 10, 30, 100)],
    ):
        errors = [error(estimator) for estimator in efforts]
        assert errors == sorted(errors, reverse=True)
        assert errors[-1] < 1e-2 * errors[0]


SINES = 25


def sine_oracle(strength, theta_scale):
    """Return 25 sine tasks of a small network in float64, and parameters for each."""
    problem = BilevelProblem(
        model=MLP(input_dim=1, output_dim=1, hidden_sizes=(8, 6), activation="tanh"),
        meta=ProximalAnchor(strength=strength),
    )
    batch = sample_batch(
        Sinusoid(), SINES, num_shots=10, num_queries=10, generator=generator(),
        dtype=FLOAT64,
    )  # fmt: skip
    phi = problem.meta.initial(problem.model, generator=generator(1), dtype=FLOAT64)
    oracle = AutodiffOracle(problem, phi, batch)
    noise = torch.randn(SINES, len(phi), generator=generator(2), dtype=FLOAT64)
    return oracle, oracle.start() + theta_scale * noise


@pytest.mark.parametrize(("strength", "definite"), [(30.0, 25), (0.02, 0)])
def test_on_25_tasks_it_is_the_dense_solution_definite_or_not(strength, definite):
    oracle, theta = sine_oracle(strength, 0.5)
    linearisation = oracle.linearise(theta, curvature=True)
    outer = oracle.outer_value_and_grad(theta)
    eye = torch.eye(theta.shape[1], dtype=FLOAT64)
    hessian = torch.stack(
        [linearisation.hvp(row.expand_as(theta)) for row in eye], dim=2
    )
    eigenvalues = torch.linalg.eigvalsh(hessian)
    exact = torch.linalg.solve(hessian, outer.grad)
    estimator = ImplicitCG(num_iterations=8 * theta.shape[1], tolerance=1e-14)
    found = estimator.solve(oracle, linearisation, outer.grad, FINAL_LOSS)
    errors = (found.q - exact).norm(dim=1) / exact.norm(dim=1)
    print(f"eigenvalues from {eigenvalues.min():.2g}; largest error {errors.max():.1e}")
    assert errors.max() < 1e-10
    quality = found.quality
    assert torch.equal(quality.positive_definite, eigenvalues[:, 0] > 0)
    assert int(quality.positive_definite.sum()) == definite
    ritz = quality.smallest_ritz_values()
    # Never below the eigenvalue; above it while that hardly matters to the solution.
    assert (ritz > eigenvalues[:, 0] - 1e-9).all()
    assert relative_error(ritz, eigenvalues[:, 0]) < 1e-2


def test_its_hypergradient_tells_how_its_systems_were_solved():
    oracle, _ = sine_oracle(0.02, 0.0)
    inner = GradientDescent(num_inner_steps=3, inner_lr=0.05)
    for estimator in (ImplicitCG(num_iterations=3), ImplicitNeumann(num_terms=3)):
        found = estimated(estimator, oracle, inner)
        theta = inner.run(oracle, num_steps=3).end
        linearisation = oracle.linearise(theta, curvature=True)
        v = oracle.outer_value_and_grad(theta).grad
        q = estimator.solve(oracle, linearisation, v, FINAL_LOSS).q
        true = (v - linearisation.hvp(q)).norm(dim=1) / v.norm(dim=1)
        assert relative_error(found.solves.residual, true) < 1e-9
        assert not found.solves.converged.any()
    assert estimated(T1T2(), oracle, inner).solves is None
    assert estimated(FirstOrder(), oracle, inner).solves is None


@pytest.mark.parametrize("kind", [ImplicitCG, ImplicitNeumann])
@pytest.mark.sampled(2)
def test_damping_changes_the_target_in_proportion(kind):
    effort = {"num_terms": 600} if kind is ImplicitNeumann else {"tolerance": 1e-14}
    errors = [error(kind(damping=damping, **effort)) for damping in (1e-4, 1e-3)]
    assert errors[1] / errors[0] == pytest.approx(10, rel=0.05)


@pytest.mark.parametrize("strength_is", ["fixed", "learned"])
def test_t1_t2_of_an_anchor_is_collinear_with_first_order(strength_is):
    """G7: B = -strength I there, so T1-T2 is strength times the query gradient."""
    oracle, _ = closed_form_oracle(strength_is)
    inner = descent(20)
    t1_t2 = estimated(T1T2(), oracle, inner).per_task[:, : PHI.numel()]
    first_order = estimated(FirstOrder(), oracle, inner).per_task[:, : PHI.numel()]
    cosine = torch.nn.functional.cosine_similarity(t1_t2, first_order)
    assert (1 - cosine).max() < 1e-12
    assert relative_error(t1_t2, STRENGTH * first_order) < 1e-12


def test_t1_t2_is_a_neumann_series_of_one_term_and_step_one():
    oracle, exact = closed_form_oracle("learned")
    inner = descent(20)
    found = estimated(T1T2(), oracle, inner).per_task
    series = ImplicitNeumann(num_terms=0, step_size=1.0)
    assert torch.equal(found, estimated(series, oracle, inner).per_task)
    assert relative_error(found, exact) > 0.1


def test_their_memory_does_not_grow_with_the_path():
    assert {kind.keep for kind in (ImplicitCG, ImplicitNeumann, T1T2)} == {
        PathStorage.END
    }
