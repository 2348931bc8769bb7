"""Linear solvers from products alone."""

import math

import numpy as np
import pytest
import torch

from metalab.core.linear_solve import conjugate_gradient, dense, neumann, nystrom
from tests.oracles import FLOAT64, generator, relative_error

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


def cg(matrix, v, num_iterations, tolerance=0.0):
    return conjugate_gradient(
        product_of(matrix), v, num_iterations=num_iterations, tolerance=tolerance
    )


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


def test_cg_keeps_what_it_has_where_there_is_no_curvature():
    for matrix in (-MATRIX, torch.zeros_like(MATRIX)):
        assert not cg(matrix, V, DIM).any()
    eigenvalues = EIGENVALUES.clone()
    eigenvalues[0] = -5.0
    assert torch.isfinite(cg(symmetric(eigenvalues), V, 5 * DIM)).all()


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_the_error_of_a_neumann_series_falls_like_its_slowest_factor(share):
    """G5: slope of log error against terms is log(1 - step_size mu)."""
    step_size = share / float(EIGENVALUES.max())
    counts = np.arange(200, 400, 20)
    errors = [
        relative_error(
            neumann(product_of(MATRIX), V, num_terms=int(n), step_size=step_size), EXACT
        )
        for n in counts
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
        relative_error(
            neumann(product_of(MATRIX), V, num_terms=n, step_size=step_size), EXACT
        )
        for n in (50, 400)
    )
    assert (late > early) is diverges


def test_a_neumann_series_of_no_further_term_is_a_step():
    found = neumann(product_of(MATRIX), V, num_terms=0, step_size=0.25)
    assert torch.equal(found, 0.25 * V)


def sketched(matrix, rank, damping):
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


def test_the_dense_solve_is_that_of_torch():
    assert relative_error(dense(product_of(MATRIX), V), EXACT) < 1e-12
    shifted = MATRIX + 2 * torch.eye(DIM, dtype=FLOAT64)
    damped = dense(product_of(MATRIX), V, damping=2.0)
    assert relative_error(damped, torch.linalg.solve(shifted, V)) < 1e-12
