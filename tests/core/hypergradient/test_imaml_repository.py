"""The system that iMAML's code solves, and how far it is from the paper's."""

import pytest
import torch

from metalab.core.autodiff import AutodiffOracle
from metalab.core.hypergradient.conjugate_gradient import ImplicitCG
from metalab.core.hypergradient.imaml_repository import ImamlRepository
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.meta.anchor import ProximalAnchor
from metalab.core.oracle import BilevelProblem, LossTerms
from tests.support.oracles import FLOAT64, estimated, least_squares, relative_error

KNOWN = least_squares()
STRENGTH = 2.0
PHI = torch.linspace(-1, 1, 4, dtype=FLOAT64)
ORACLE = AutodiffOracle(
    BilevelProblem(model=KNOWN.problem.model, meta=ProximalAnchor(strength=STRENGTH)),
    PHI,
    KNOWN.batch,
)
INNER = GradientDescent(num_inner_steps=300, inner_lr=0.1)


@pytest.mark.parametrize("cg_damping", [0.0, 1.0])
def test_it_solves_its_own_system(cg_damping):
    kind = ImamlRepository(num_iterations=20, tolerance=1e-14, cg_damping=cg_damping)
    q = estimated(kind, ORACLE, INNER).per_task
    end = INNER.run(ORACLE, num_steps=300).end
    alone = ORACLE.linearise(end, terms=LossTerms.PREDICTION, curvature=True)
    left = (1 + cg_damping) * q + alone.hvp(q) / (STRENGTH + 10)
    assert relative_error(left, ORACLE.outer_value_and_grad(end).grad) < 1e-10


def test_it_points_about_where_the_paper_does_but_is_another_vector():
    paper = estimated(
        ImplicitCG(num_iterations=20, tolerance=1e-14), ORACLE, INNER
    ).per_task.mean(dim=0)
    code = estimated(ImamlRepository(), ORACLE, INNER).per_task.mean(dim=0)
    cosine = float(torch.cosine_similarity(code, paper, dim=0))
    error = relative_error(code, paper)
    print(f"repository against paper: cosine {cosine:.3f}, relative error {error:.2f}")
    assert 0.9 < cosine < 1 - 1e-6
    assert error > 0.1
