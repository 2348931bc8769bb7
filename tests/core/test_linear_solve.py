"""Linear solvers from products alone."""

import math

import numpy as np
import pytest
import torch

from metalab.core.linear_solve import conjugate_gradient, dense, neumann, nystrom
from tests.support.oracles import FLOAT64, generator, relative_error

DIM = 12
NUM_TASKS = 4


def symmetric(eigenvalues, seed=0):
    """Return matrices with these eigenvalues in random directions, [task, dim, dim]."""
    shape = (NUM_TASKS, DIM, DIM)
    noise = torch.randn(shape, generator=generator(seed), dtype=FLOAT64)
    vectors = torch.linalg.qr(noise).Q
    return vectors * eigenvalues @ vectors.mT


def product_of(matrix):
    return lambda q: (matrix @ q[:, :, None])[:, :, 0]


def right_hand_side(dim=DIM):
    return torch.randn(NUM_TASKS, dim, generator=generator(7), dtype=FLOAT64)


EIGENVALUES = torch.linspace(0.5, 20.0, DIM, dtype=FLOAT64)
MATRIX = symmetric(EIGENVALUES)
V = right_hand_side()
EXACT = torch.linalg.solve(MATRIX, V)


def solved(matrix, v, num_iterations, tolerance=0.0, **more):
    return conjugate_gradient(
        product_of(matrix),
        v,
        num_iterations=num_iterations,
        tolerance=tolerance,
        **more,
    )


def cg(matrix, v, num_iterations, tolerance=0.0):
    return solved(matrix, v, num_iterations, tolerance).q


def series(matrix, v, num_terms, step_size):
    return neumann(product_of(matrix), v, num_terms=num_terms, step_size=step_size)


def test_cg_is_exact_after_as_many_steps_as_dimensions():
    """G3."""
    assert relative_error(cg(MATRIX, V, DIM), EXACT) < 1e-8
    assert relative_error(cg(MATRIX, V, DIM // 2), EXACT) > 1e-3


@pytest.mark.parametrize("scale", [1e-3, 1.0, 40.0])
def test_cg_solves_a_multiple_of_the_identity_in_one_step(scale):
    """G3."""
    found = cg(scale * torch.eye(DIM, dtype=FLOAT64).expand(NUM_TASKS, -1, -1), V, 1)
    assert relative_error(found, V / scale) < 1e-14


def test_cg_solves_a_scalar_problem():
    """G3: a solver that starts from its own residual must not stop at zero."""
    v = right_hand_side(dim=1)
    found = cg(torch.full((NUM_TASKS, 1, 1), 3.0, dtype=FLOAT64), v, 1)
    assert relative_error(found, v / 3) < 1e-14


@pytest.mark.parametrize("condition", [4.0, 100.0, 1e4])
def test_cg_never_violates_its_bound_in_the_energy_norm(condition):
    """G4."""
    steps = torch.linspace(0, 1, DIM, dtype=FLOAT64)
    matrix = symmetric(condition**steps, seed=3)
    exact = torch.linalg.solve(matrix, V)

    def energy(error):
        return (error * product_of(matrix)(error)).sum(dim=1).sqrt()

    first = energy(exact)
    ratio = (math.sqrt(condition) - 1) / (math.sqrt(condition) + 1)
    for count in range(1, DIM):
        error = energy(cg(matrix, V, count) - exact)
        assert (error <= 2 * ratio**count * first * (1 + 1e-9)).all()


@pytest.mark.parametrize("tolerance", [1e-1, 1e-3, 1e-6])
def test_cg_stops_each_task_at_its_tolerance(tolerance):
    found = cg(MATRIX, V, DIM, tolerance)
    residual = (V - product_of(MATRIX)(found)).norm(dim=1) / V.norm(dim=1)
    assert (residual <= tolerance * (1 + 1e-6)).all()
    assert (residual > 0).all()
    assert torch.equal(found, cg(MATRIX, V, 10 * DIM, tolerance))


def test_a_task_that_has_converged_stays_while_others_go_on():
    matrix, v = MATRIX.clone(), V.clone()
    matrix[0] = 2 * torch.eye(DIM, dtype=FLOAT64)
    v[1] = 0.0
    found = cg(matrix, v, DIM)
    assert relative_error(found[0], v[0] / 2) < 1e-14
    assert not found[1].any()
    assert relative_error(found[2:], EXACT[2:]) < 1e-8


NO_SIGN = torch.linspace(-8.0, 20.0, DIM, dtype=FLOAT64)
SINGULAR = NO_SIGN.clone()
SINGULAR[3] = 0.0
ALTERNATING = torch.tensor([s * k for k in range(1, 7) for s in (-1, 1)], dtype=FLOAT64)


def residuals(matrix, v, q):
    return (v - product_of(matrix)(q)).norm(dim=1) / v.norm(dim=1)


@pytest.mark.parametrize("eigenvalues", [NO_SIGN, -EIGENVALUES, ALTERNATING])
def test_it_goes_on_to_the_solution_where_the_curvature_is_not_positive(eigenvalues):
    matrix = symmetric(eigenvalues)
    exact = torch.linalg.solve(matrix, V)
    assert relative_error(cg(matrix, V, 2 * DIM), exact) < 1e-10


def fresh_gradients(matrix, v, num_iterations):
    """Conjugate gradients of a textbook for one system, that looks at no sign."""
    q, residual = np.zeros_like(v), v.copy()
    direction = residual.copy()
    for _ in range(num_iterations):
        product = matrix @ direction
        alpha = residual @ residual / (direction @ product)
        q += alpha * direction
        following = residual - alpha * product
        direction *= following @ following / (residual @ residual)
        direction += following
        residual = following
    return q


@pytest.mark.parametrize("num_iterations", [1, 2, 5, DIM])
def test_it_is_conjugate_gradients_where_the_matrix_is_positive_definite(
    num_iterations,
):
    found = cg(MATRIX, V, num_iterations).numpy()
    for matrix, v, q in zip(MATRIX.numpy(), V.numpy(), found, strict=True):
        expected = fresh_gradients(matrix, v, num_iterations)
        assert np.linalg.norm(q - expected) < 1e-10 * np.linalg.norm(expected)


@pytest.mark.parametrize("num_iterations", [1, 2, 3, 6, 9])
def test_where_it_is_not_the_residual_is_the_smallest_of_the_krylov_space(
    num_iterations,
):
    matrix = symmetric(ALTERNATING)
    solution = solved(matrix, V, num_iterations)
    met = ~solution.quality.positive_definite
    powers = [V]
    for _ in range(num_iterations):
        powers.append(product_of(matrix)(powers[-1]))
    images = torch.linalg.qr(torch.stack(powers[1:], dim=2)).Q
    smallest = V - (images @ (images.mT @ V[:, :, None]))[:, :, 0]
    expected = smallest.norm(dim=1) / V.norm(dim=1)
    assert met.any()
    found = residuals(matrix, V, solution.q)
    assert relative_error(found[met], expected[met]) < 1e-6
    assert (found[met] <= 1 + 1e-12).all()


@pytest.mark.parametrize("shift", [1e-4, 1e-8, 1e-12, 0.0])
def test_a_curvature_of_almost_zero_ruins_nothing(shift):
    """The first step of conjugate gradients is longer than 1 / shift here."""
    matrix = symmetric(ALTERNATING)
    weights = torch.ones(NUM_TASKS, DIM, dtype=FLOAT64)
    weights[:, 0] += shift
    v = (torch.linalg.eigh(matrix).eigenvectors @ weights[:, :, None])[:, :, 0]
    exact = torch.linalg.solve(matrix, v)
    assert relative_error(cg(matrix, v, 2 * DIM), exact) < 1e-10


def test_a_singular_matrix_is_solved_where_it_can_be():
    matrix = symmetric(SINGULAR)
    v = product_of(matrix)(V)
    found = solved(matrix, v, 4 * DIM, 1e-12)
    assert found.quality.converged.all()
    assert residuals(matrix, v, found.q).max() < 1e-11


@pytest.mark.parametrize("num_iterations", [2 * DIM, 20 * DIM])
def test_where_it_cannot_be_the_residual_is_the_least_and_told(num_iterations):
    matrix = symmetric(SINGULAR)
    found = solved(matrix, V, num_iterations, 1e-12)
    null = torch.linalg.eigh(matrix).eigenvectors[:, :, 3]
    least = (V * null).sum(dim=1).abs() / V.norm(dim=1)
    assert relative_error(residuals(matrix, V, found.q), least) < 1e-6
    assert relative_error(found.quality.residual, least) < 1e-6
    assert not found.quality.converged.any()


def test_a_matrix_of_zeros_has_no_solution_but_zero():
    found = solved(torch.zeros_like(MATRIX), V, DIM, 1e-6)
    assert not found.q.any()
    assert (found.quality.residual == 1).all()
    assert not found.quality.positive_definite.any()


@pytest.mark.parametrize("num_iterations", [3, DIM, 4 * DIM, 40 * DIM])
@pytest.mark.parametrize("eigenvalues", [EIGENVALUES, NO_SIGN, -EIGENVALUES])
def test_the_residual_that_is_told_is_the_true_one(eigenvalues, num_iterations):
    matrix = symmetric(eigenvalues)
    found = solved(matrix, V, num_iterations, 1e-9)
    true = residuals(matrix, V, found.q)
    assert (found.quality.residual - true).abs().max() < 1e-11
    assert torch.equal(found.quality.converged, true <= 1e-9)


def test_it_tells_apart_the_tasks_that_are_not_positive_definite():
    matrix = torch.cat([symmetric(EIGENVALUES)[:2], symmetric(NO_SIGN)[2:]])
    found = solved(matrix, V, 2 * DIM, 1e-10)
    assert found.quality.positive_definite.tolist() == [True, True, False, False]
    assert found.quality.summary().tolist()[:2] == [2.0, 0.0]
    assert found.quality.summary()[2] == found.quality.residual.max()
    unfinished = solved(matrix, V, 4, 1e-10).quality.summary()
    assert unfinished[1] == NUM_TASKS


@pytest.mark.parametrize("num_iterations", [1, 3, 7, DIM])
def test_the_smallest_ritz_value_is_that_of_the_projection(num_iterations):
    matrix = symmetric(NO_SIGN)
    basis = torch.linalg.qr(
        torch.stack(
            [
                (torch.linalg.matrix_power(matrix, k) @ V[:, :, None])[:, :, 0]
                for k in range(num_iterations)
            ],
            dim=2,
        )
    ).Q
    expected = torch.linalg.eigvalsh(basis.mT @ matrix @ basis)[:, 0]
    quality = solved(matrix, V, num_iterations).quality
    assert relative_error(quality.smallest_ritz_values(), expected) < 1e-8
    assert torch.equal(quality.positive_definite, expected > 0)


def test_a_task_without_iterations_has_no_ritz_value():
    v = V.clone()
    v[0] = 0.0
    ritz = solved(MATRIX, v, DIM).quality.smallest_ritz_values()
    assert ritz.isnan().tolist() == [True, False, False, False]
    assert (ritz[1:] - EIGENVALUES[0]).abs().max() < 1e-6
    assert solved(MATRIX, V, 0).quality.smallest_ritz_values().isnan().all()


def test_a_right_hand_side_that_is_no_number_is_not_answered_with_zeros():
    v = V.clone()
    v[0, 0], v[1, 0] = torch.nan, torch.inf
    found = solved(MATRIX, v, DIM, 1e-6)
    assert found.q[:2].isnan().all()
    assert not found.quality.converged[:2].any()
    assert relative_error(found.q[2:], EXACT[2:]) < 1e-5


def test_in_single_precision_it_ends_at_what_there_is_to_have():
    for eigenvalues in (EIGENVALUES, NO_SIGN):
        matrix = symmetric(eigenvalues)
        found = solved(matrix.float(), V.float(), 50 * DIM)
        exact = torch.linalg.solve(matrix, V)
        assert found.quality.converged.all()
        assert relative_error(found.q.double(), exact) < 1e-4


def test_a_newton_step_ends_before_it_leads_uphill():
    matrix = torch.cat([symmetric(EIGENVALUES)[:2], symmetric(NO_SIGN)[2:]])
    found = solved(matrix, V, 2 * DIM, descends=True).q
    assert relative_error(found[:2], torch.linalg.solve(matrix, V)[:2]) < 1e-10
    assert ((found * V).sum(dim=1) >= 0).all()
    assert not solved(-MATRIX, V, DIM, descends=True).q.any()


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_the_error_of_a_neumann_series_falls_like_its_slowest_factor(share):
    """G5: slope of log error against terms is log(1 - step_size mu)."""
    step_size = share / float(EIGENVALUES.max())
    counts = np.arange(200, 400, 20)
    errors = [
        relative_error(series(MATRIX, V, int(n), step_size).q, EXACT) for n in counts
    ]
    slope = np.polyfit(counts, np.log(errors), 1)[0]
    expected = math.log(1 - step_size * float(EIGENVALUES.min()))
    assert slope == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize(("factor", "diverges"), [(1.9, False), (2.1, True)])
def test_a_neumann_series_diverges_beyond_two_over_the_largest_eigenvalue(
    factor, diverges
):
    """G5."""
    step_size = factor / float(EIGENVALUES.max())
    early, late = (
        relative_error(series(MATRIX, V, n, step_size).q, EXACT) for n in (50, 400)
    )
    assert (late > early) is diverges


def test_a_neumann_series_of_no_further_term_is_a_step():
    assert torch.equal(series(MATRIX, V, 0, 0.25).q, 0.25 * V)


@pytest.mark.parametrize("factor", [0.5, 1.9, 2.1])
def test_a_neumann_series_tells_its_residual_and_the_sign_it_met(factor):
    step_size = factor / float(EIGENVALUES.max())
    for matrix in (MATRIX, symmetric(NO_SIGN)):
        found = series(matrix, V, 30, step_size)
        true = residuals(matrix, V, found.q)
        assert relative_error(found.quality.residual, true) < 1e-10
    diverged = series(MATRIX, V, 200, 2.1 / float(EIGENVALUES.max())).quality
    assert (diverged.residual > 1).all()
    assert not diverged.converged.any()
    assert diverged.positive_definite.all()
    assert not series(-MATRIX, V, 3, 0.01).quality.positive_definite.any()
    assert series(MATRIX, V, 3000, step_size / factor).quality.converged.all()


def sketched(matrix, rank, damping):
    return sketch(matrix, rank, damping).q


def sketch(matrix, rank, damping):
    return nystrom(
        product_of(matrix),
        V,
        rank=rank,
        damping=torch.full((len(V), 1), damping, dtype=FLOAT64),
        generator=generator(1),
    )


def test_nystrom_of_full_rank_is_exact():
    for damping in (0.1, 3.0):
        exact = dense(product_of(MATRIX), V, damping=damping)
        assert relative_error(sketched(MATRIX, DIM, damping), exact) < 1e-8


def test_nystrom_of_the_rank_of_the_matrix_is_exact():
    low = EIGENVALUES.clone()
    low[4:] = 0.0
    matrix = symmetric(low)
    exact = dense(product_of(matrix), V, damping=0.5)
    assert relative_error(sketched(matrix, 4, 0.5), exact) < 1e-8
    assert relative_error(sketched(matrix, 2, 0.5), exact) > 1e-3


@pytest.mark.parametrize("rank", [2, 6, DIM])
def test_nystrom_tells_its_residual_and_the_sign_it_met(rank):
    shifted = MATRIX + 0.5 * torch.eye(DIM, dtype=FLOAT64)
    found = sketch(MATRIX, rank, 0.5)
    true = residuals(shifted, V, found.q)
    assert (found.quality.residual - true).abs().max() < 1e-10
    assert found.quality.converged.all() == (rank == DIM)
    assert found.quality.positive_definite.all()
    assert not sketch(-MATRIX, rank, 0.25).quality.positive_definite.any()


def test_the_dense_solve_is_that_of_torch():
    assert relative_error(dense(product_of(MATRIX), V), EXACT) < 1e-12
    shifted = MATRIX + 2 * torch.eye(DIM, dtype=FLOAT64)
    damped = dense(product_of(MATRIX), V, damping=2.0)
    assert relative_error(damped, torch.linalg.solve(shifted, V)) < 1e-12
