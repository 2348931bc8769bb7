"""Quadratic bowls: Hessian, minimum and hypergradients are what the docstring says."""

import pytest
import torch
from torch.autograd.functional import hessian as hessian_of

from metalab.core.autodiff import AutodiffOracle
from metalab.core.hypergradient.checkpointed import Checkpointed
from metalab.core.hypergradient.conjugate_gradient import ImplicitCG
from metalab.core.hypergradient.first_order import FirstOrder
from metalab.core.hypergradient.unrolled import Unrolled
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.meta.anchor import ProximalAnchor
from metalab.core.meta.initialisation import Initialisation
from metalab.core.model.mlp import MLP
from metalab.core.oracle import BilevelProblem
from metalab.core.tasks import sample_batch
from metalab.tasks.quadratic_bowl import QuadraticBowl
from tests.support.oracles import FLOAT64, estimated, generator, relative_error

FAMILY = QuadraticBowl(num_dimensions=4, curvature_min=0.3, curvature_max=3.0)
DIM = FAMILY.num_dimensions
CURVATURE = torch.tensor([*FAMILY.curvatures, 2.0], dtype=FLOAT64)
BATCH = sample_batch(
    FAMILY,
    3,
    num_shots=4 * DIM,
    num_queries=2 * DIM,
    generator=generator(),
    dtype=FLOAT64,
)
MINIMUM = torch.cat([BATCH.parameters, torch.zeros(3, 1, dtype=FLOAT64)], dim=1)
MODEL = MLP(input_dim=DIM, output_dim=1, hidden_sizes=())
PHI = torch.linspace(-1, 2, DIM + 1, dtype=FLOAT64)


def oracle_of(meta):
    return AutodiffOracle(BilevelProblem(model=MODEL, meta=meta), PHI, BATCH)


def by_steps(inner_lr, num_steps):
    """Return the closed-form hypergradient through K steps."""
    shrink = (1 - inner_lr * CURVATURE) ** num_steps
    return shrink * CURVATURE * (shrink * (PHI - MINIMUM))


def test_its_curvatures_rise_in_equal_ratios():
    assert FAMILY.curvatures == pytest.approx((0.3, 0.6463, 1.3925, 3.0), rel=1e-4)


@pytest.mark.parametrize("part", ["support", "query"])
def test_the_hessian_is_diagonal_with_those_curvatures(part):
    samples = getattr(BATCH, part)
    problem = BilevelProblem(model=MODEL, meta=Initialisation())

    def loss(theta):
        one = samples.rows(0, 1)
        return problem.prediction_loss(theta[None], theta[None], one, one)[0]

    found = hessian_of(loss, PHI)
    torch.testing.assert_close(found, CURVATURE.diag(), rtol=1e-12, atol=1e-12)


def test_the_minimum_is_the_task():
    oracle = oracle_of(Initialisation())
    assert oracle.support_loss(MINIMUM).max() < 1e-24
    away = oracle.support_loss(PHI.expand(3, -1))
    expected = 0.5 * (CURVATURE * (PHI - MINIMUM) ** 2).sum(dim=1)
    torch.testing.assert_close(away, expected, rtol=1e-12, atol=0.0)


@pytest.mark.parametrize("num_steps", [1, 5, 20])
def test_the_unrolled_hypergradient_is_the_closed_form(num_steps):
    inner = GradientDescent(num_inner_steps=num_steps, inner_lr=0.1)
    found = estimated(Unrolled(), oracle_of(Initialisation()), inner).per_task
    assert relative_error(found, by_steps(0.1, num_steps)) < 1e-12


def test_the_implicit_hypergradient_is_the_closed_form():
    strength = 0.8
    pulled = CURVATURE + strength
    solution = (CURVATURE * MINIMUM + strength * PHI) / pulled
    exact = strength / pulled * CURVATURE * (solution - MINIMUM)
    inner = GradientDescent(num_inner_steps=400, inner_lr=0.2)
    oracle = oracle_of(ProximalAnchor(strength=strength))
    implicit = ImplicitCG(num_iterations=DIM + 1, tolerance=1e-14)
    assert relative_error(estimated(implicit, oracle, inner).per_task, exact) < 1e-10
    unrolled = estimated(Checkpointed(), oracle, inner).per_task
    assert relative_error(unrolled, exact) < 1e-10


def test_the_error_of_first_order_is_linear_in_the_inner_lr():
    """dropping (I - a H)^K leaves K a H v, to first order in a."""
    rates = torch.tensor([1e-4, 1e-3, 1e-2])
    errors = []
    for rate in rates.tolist():
        inner = GradientDescent(num_inner_steps=3, inner_lr=rate)
        found = estimated(FirstOrder(), oracle_of(Initialisation()), inner).per_task
        errors.append(relative_error(found, by_steps(rate, 3)))
    slopes = torch.tensor(errors).log().diff() / rates.log().diff()
    print("first-order error", errors, "slopes", slopes.tolist())
    assert slopes.tolist() == pytest.approx([1.0, 1.0], abs=0.05)
    v = CURVATURE * (PHI - MINIMUM)
    theory = 3 * rates[0] * (CURVATURE * v).norm() / v.norm()
    assert errors[0] == pytest.approx(float(theory), rel=0.01)


def test_an_empty_range_of_curvatures_is_refused():
    with pytest.raises(ValueError, match=r"curvature_max is 0\.1; it must be at least"):
        QuadraticBowl(curvature_min=0.2, curvature_max=0.1)
