"""Evolution strategies: right on average, and the same numbers for the same step."""

import pytest
import torch

from metalab.core.autodiff import AutodiffOracle
from metalab.core.hypergradient.base import EstimateContext
from metalab.core.hypergradient.evolution import EvolutionStrategies
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.streams import RandomStreams
from tests.support.oracles import FLOAT64, estimated, least_squares, relative_error

pytestmark = pytest.mark.unchecked

KNOWN = least_squares()
PHI = torch.linspace(-1, 1, 4, dtype=FLOAT64)
INNER = GradientDescent(num_inner_steps=2, inner_lr=0.05)
EXACT = KNOWN.hypergradient(PHI, inner_lr=0.05, num_steps=2)
NUM_PAIRS = 25


def estimate(step, *, seed=0, num_pairs=NUM_PAIRS, sigma=0.1):
    request = EstimateContext(weights=None, streams=RandomStreams(seed), step=step)
    estimator = EvolutionStrategies(num_pairs=num_pairs, sigma=sigma)
    oracle = AutodiffOracle(KNOWN.problem, PHI, KNOWN.batch)
    return estimated(estimator, oracle, INNER, request=request).per_task


@pytest.mark.slow
def test_on_a_quadratic_it_is_unbiased_with_the_variance_of_theory():
    """Antithetic pairs are exact in every direction of a quadratic: E e e^T = I."""
    found = torch.stack([estimate(step) for step in range(60)])
    mean_error = relative_error(found.mean(dim=0), EXACT)
    expected = (PHI.numel() + 1) / NUM_PAIRS
    # Three standard deviations of the mean of 60 estimates.
    assert mean_error < 3 * (expected / 60) ** 0.5
    squares = (found - EXACT).square().sum(dim=2) / EXACT.square().sum(dim=1)
    assert float(squares.mean()) == pytest.approx(expected, rel=0.3)


def test_one_pair_is_the_slope_along_its_direction():
    noise = torch.randn(
        (1, 1, 4),
        generator=RandomStreams(0).generator("hypergradient", 3),
        dtype=FLOAT64,
    )[0]
    slope = (EXACT * noise).sum(dim=1, keepdim=True)
    assert relative_error(estimate(3, num_pairs=1), slope * noise) < 1e-9


def test_the_same_step_gives_the_same_estimate_and_another_does_not():
    assert torch.equal(estimate(5), estimate(5))
    assert not torch.equal(estimate(5), estimate(6))
    assert not torch.equal(estimate(5), estimate(5, seed=1))
