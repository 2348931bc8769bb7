"""Gradient descent whose rates are part of phi."""

import pytest
import torch

from metalab.core.autodiff import AutodiffOracle
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.inner.learned_descent import PARAMETERISATIONS, LearnedDescent
from metalab.core.inner.rates import GRANULARITIES
from metalab.core.meta.initialisation import Initialisation
from metalab.core.model.mlp import MLP
from metalab.core.oracle import BilevelProblem
from tests.support.oracles import (
    FLOAT64,
    generator,
    initial_phi,
    relative_error,
    smooth_batch,
)

MODEL = MLP(input_dim=1, output_dim=1, hidden_sizes=(4,), activation="tanh")
PROBLEM = BilevelProblem(model=MODEL, meta=Initialisation())
BATCH = smooth_batch()


def oracle_of(inner):
    return AutodiffOracle(PROBLEM, initial_phi(PROBLEM, inner), BATCH)


@pytest.mark.parametrize("parameterisation", PARAMETERISATIONS)
@pytest.mark.parametrize("granularity", GRANULARITIES)
def test_rates_that_start_alike_are_a_fixed_rate(granularity, parameterisation):
    inner = LearnedDescent(
        num_inner_steps=3,
        inner_lr=0.1,
        granularity=granularity,
        parameterisation=parameterisation,
    )
    oracle = oracle_of(inner)
    fixed = GradientDescent(inner_lr=0.1).run(oracle, num_steps=5)
    learned = inner.run(oracle, num_steps=5)
    assert relative_error(learned.end, fixed.end) < 1e-14


@pytest.mark.parametrize("parameterisation", PARAMETERISATIONS)
def test_each_layer_and_step_has_its_own_rate(parameterisation):
    """Steps beyond K go on with the rates of the last."""
    inner = LearnedDescent(
        num_inner_steps=2,
        inner_lr=0.05,
        inner_lr_high=0.3,
        granularity="per-layer-per-step",
        parameterisation=parameterisation,
    )
    oracle = oracle_of(inner)
    rates = oracle.rates()[0]
    rates = rates.exp() if parameterisation == "exponential" else rates
    assert len(set(rates.tolist())) == 4
    layers = torch.tensor(
        [block.layer for block in MODEL.blocks for _ in range(block.size)]
    )
    theta = oracle.start()
    for step in (0, 1, 1):
        slope = oracle.linearise(theta, curvature=False).grad
        theta = theta - rates[2 * step + layers] * slope
    assert relative_error(inner.run(oracle, num_steps=3).end, theta) < 1e-14


def test_rates_start_evenly_in_their_range():
    inner = LearnedDescent(inner_lr=0.005, inner_lr_high=0.1)
    model = MLP(input_dim=1, output_dim=1, hidden_sizes=(40, 40))
    rates = inner.initial_meta(model.blocks, generator=generator(), dtype=FLOAT64)
    assert rates.shape == (model.dim,) == (inner.meta_dim(model.blocks),)
    assert 0.005 <= float(rates.min()) < 0.006
    assert 0.099 < float(rates.max()) <= 0.1
    # The mean of so many uniform numbers is normal to this precision.
    assert float(rates.mean()) == pytest.approx(0.0525, abs=4 * 0.0274 / model.dim**0.5)


def test_an_empty_range_is_refused():
    with pytest.raises(ValueError, match=r"inner_lr_high is 0\.01; .* inner_lr, 0\.02"):
        LearnedDescent(inner_lr=0.02, inner_lr_high=0.01)
    LearnedDescent(inner_lr=0.02, inner_lr_high=0.02)
