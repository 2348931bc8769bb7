"""The hypergradient at the inner solution, against closed form and against differences."""

import pytest
import torch

from metalab.analysis import solution
from metalab.analysis.solution import solution_hypergradient
from metalab.core.autodiff import AutodiffOracle
from metalab.core.meta.anchor import ProximalAnchor
from metalab.core.model.mlp import MLP
from metalab.core.oracle import BilevelProblem
from tests.support.oracles import (
    FLOAT64,
    generator,
    least_squares,
    relative_error,
    smooth_batch,
)

STRENGTH = 0.7


@pytest.mark.parametrize("dense_dim", [0, 200])
def test_it_is_the_closed_form_of_least_squares(monkeypatch, dense_dim):
    """By a formed Hessian, and by conjugate gradients."""
    monkeypatch.setattr(solution, "DENSE_DIM", dense_dim)
    known = least_squares()
    phi = torch.linspace(-1, 1, 4, dtype=FLOAT64)
    meta = ProximalAnchor(strength=STRENGTH)
    problem = BilevelProblem(model=known.problem.model, meta=meta)
    found = solution_hypergradient(AutodiffOracle(problem, phi, known.batch))
    exact = known.proximal(phi, strength=STRENGTH)[1][:, :4]
    assert relative_error(found.per_task, exact) < 1e-9
    assert found.is_solved.all()
    assert float(found.residual.max()) < 1e-9


def test_a_smooth_network_is_solved_to_the_tolerance():
    model = MLP(input_dim=1, output_dim=1, hidden_sizes=(6, 5), activation="tanh")
    problem = BilevelProblem(model=model, meta=ProximalAnchor(strength=0.5))
    phi = problem.meta.initial(model, generator=generator(), dtype=FLOAT64)
    found = solution_hypergradient(AutodiffOracle(problem, phi, smooth_batch()))
    assert found.is_solved.all()


def test_a_kink_is_told():
    model = MLP(input_dim=1, output_dim=1, hidden_sizes=(20, 20), activation="relu")
    problem = BilevelProblem(model=model, meta=ProximalAnchor(strength=0.01))
    phi = problem.meta.initial(model, generator=generator(), dtype=FLOAT64)
    batch = smooth_batch(num_tasks=6, num_shots=10)
    found = solution_hypergradient(AutodiffOracle(problem, phi, batch))
    assert not found.is_solved.all()
    assert found.per_task.isfinite().all()
