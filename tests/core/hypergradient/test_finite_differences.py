"""Central differences, the oracle of the other estimators, against their own theory."""

import numpy as np
import pytest
import torch

from metalab.core.autodiff import AutodiffOracle
from metalab.core.hypergradient.finite_differences import FiniteDifferences
from metalab.core.hypergradient.unrolled import Unrolled
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.meta.initialisation import Initialisation
from metalab.core.model.mlp import MLP
from metalab.core.oracle import BilevelProblem
from metalab.core.tasks import Samples, TaskBatch
from tests.support.oracles import (
    FLOAT64,
    central_differences,
    estimated,
    generator,
    outer_objective,
    relative_error,
    smooth_batch,
)

MODEL = MLP(input_dim=1, output_dim=1, hidden_sizes=(4,), activation="tanh")
PROBLEM = BilevelProblem(model=MODEL, meta=Initialisation())
INNER = GradientDescent(num_inner_steps=3, inner_lr=0.1)
PHI = MODEL.initial_parameters(generator=generator(), dtype=FLOAT64)


def single(samples):
    return Samples(x=samples.x.float(), y=samples.y.float())


def oracle_in(dtype):
    batch = smooth_batch()
    if dtype is torch.float32:
        batch = TaskBatch(
            parameters=batch.parameters.float(),
            support=single(batch.support),
            query=single(batch.query),
        )
    return AutodiffOracle(PROBLEM, PHI.to(dtype), batch)


def error(epsilon, dtype=FLOAT64):
    """Return the distance from the exact hypergradient in float64."""
    exact = estimated(Unrolled(), oracle_in(FLOAT64), INNER).per_task
    estimator = FiniteDifferences(epsilon=epsilon)
    found = estimated(estimator, oracle_in(dtype), INNER).per_task
    return relative_error(found.to(FLOAT64), exact)


def test_they_are_the_differences_of_forward_evaluations():
    found = estimated(FiniteDifferences(), oracle_in(FLOAT64), INNER).per_task
    objective = outer_objective(PROBLEM, INNER, smooth_batch(), 3)
    reference = central_differences(objective, PHI)
    assert relative_error(found.mean(dim=0), reference) < 1e-9


def test_their_error_is_of_second_order():
    """G10."""
    epsilons = np.geomspace(1e-3, 3e-2, 6)
    errors = [error(float(epsilon)) for epsilon in epsilons]
    slope = np.polyfit(np.log(epsilons), np.log(errors), 1)[0]
    assert slope == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize(
    ("dtype", "best"), [(torch.float64, 1e-5), (torch.float32, 1e-2)]
)
def test_rounding_takes_over_where_the_type_says(dtype, best):
    """G10: the best distance is about 1e-5 in float64 and 1e-2 in float32."""
    errors = {factor: error(best * factor, dtype) for factor in (1e-2, 1, 30)}
    assert errors[1] == min(errors.values())
