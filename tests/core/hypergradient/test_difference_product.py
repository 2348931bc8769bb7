"""The order of the differences that stand for second derivatives (G10)."""

import numpy as np
import pytest
import torch

from metalab.core.autodiff import AutodiffOracle
from metalab.core.hypergradient.difference_product import DifferenceProduct
from metalab.core.hypergradient.unrolled import Unrolled
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.meta.penalty import PenaltyStrength
from metalab.core.model.mlp import MLP
from metalab.core.oracle import BilevelProblem
from metalab.core.tasks import Samples, TaskBatch
from tests.support.combinations import INNERS, METAS, oracle_of
from tests.support.oracles import estimated, initial_phi, relative_error, smooth_batch

INNER = INNERS["plain"]
DOUBLE = oracle_of(METAS["initialisation"], INNER)


def single():
    """Return the same meta-batch in float32."""
    batch, problem = DOUBLE._batch, DOUBLE._problem

    def rounded(samples):
        return Samples(x=samples.x.float(), y=samples.y.float())

    return AutodiffOracle(
        problem,
        DOUBLE._phi.float(),
        TaskBatch(
            parameters=batch.parameters.float(),
            support=rounded(batch.support),
            query=rounded(batch.query),
        ),
    )


def error(oracle, exact, epsilon, difference="central"):
    estimator = DifferenceProduct(epsilon=epsilon, difference=difference)
    return relative_error(estimated(estimator, oracle, INNER).per_task.double(), exact)


EXACT = estimated(Unrolled(), DOUBLE, INNER).per_task


@pytest.mark.parametrize(("difference", "order"), [("central", 2), ("one-sided", 1)])
def test_its_error_falls_with_the_order_of_the_difference(difference, order):
    epsilons = np.logspace(-3, -1, 5)
    errors = [error(DOUBLE, EXACT, e, difference) for e in epsilons]
    slope = np.polyfit(np.log(epsilons), np.log(errors), 1)[0]
    print(difference, "errors", errors, "slope", slope)
    assert slope == pytest.approx(order, abs=0.1)


@pytest.mark.parametrize(
    ("precision", "low", "high"), [("float64", 1e-6, 1e-4), ("float32", 1e-3, 1e-1)]
)
def test_it_is_best_where_truncation_meets_rounding(precision, low, high):
    oracle = DOUBLE if precision == "float64" else single()
    epsilons = np.logspace(-8, 0, 17)
    errors = [error(oracle, EXACT, e) for e in epsilons]
    best = float(epsilons[int(np.argmin(errors))])
    print(precision, "best epsilon", best, "error", min(errors))
    assert low <= best <= high


def test_one_step_from_a_fixed_start_is_the_approximation_of_darts():
    """Equation 8 by hand: - inner_lr (grad_phi L(theta+) - grad_phi L(theta-)) / 2 eps."""
    model = MLP(input_dim=1, output_dim=1, hidden_sizes=(3,), activation="tanh")
    meta, inner = PenaltyStrength(strength=0.3), GradientDescent(inner_lr=0.1)
    problem, batch = BilevelProblem(model=model, meta=meta), smooth_batch()
    phi = initial_phi(problem, inner)
    oracle = AutodiffOracle(problem, phi, batch)
    theta = oracle.start()
    v = oracle.outer_value_and_grad(inner.run(oracle, num_steps=1).end).grad
    epsilon = 0.01 / v.norm(dim=1, keepdim=True)
    linearisation = oracle.linearise(theta, curvature=False)
    above = oracle.both_gradients(linearisation, theta + epsilon * v).phi
    below = oracle.both_gradients(linearisation, theta - epsilon * v).phi
    by_hand = -0.1 * (above - below) / (2 * epsilon)
    found = estimated(DifferenceProduct(epsilon=0.01), oracle, inner).per_task
    torch.testing.assert_close(found, by_hand, rtol=1e-8, atol=1e-12)
