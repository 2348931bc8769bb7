"""Persistent evolution strategies: unbiased over segments, unlike truncated ones."""

import pytest
import torch

from metalab.core.autodiff import AutodiffOracle
from metalab.core.hypergradient.base import EstimateContext
from metalab.core.hypergradient.evolution import EvolutionStrategies
from metalab.core.hypergradient.persistent_evolution import PersistentEvolution
from metalab.core.hypergradient.unrolled import Unrolled
from metalab.core.inner.learned_descent import LearnedDescent
from metalab.core.streams import RandomStreams
from tests.support.oracles import estimated, least_squares, relative_error

pytestmark = pytest.mark.unchecked

KNOWN = least_squares(num_tasks=2)
INNER = LearnedDescent(num_inner_steps=6, inner_lr=0.05, granularity="shared")
PHI = torch.cat([torch.linspace(-1, 1, 4), torch.tensor([0.05])]).double()
WEIGHTS = (0.0, 0.1, 0.1, 0.2, 0.2, 0.2, 0.2)


def asking(weights=None):
    return EstimateContext(weights=weights, streams=RandomStreams(0), step=0)


def oracle_of():
    return AutodiffOracle(KNOWN.problem, PHI, KNOWN.batch)


@pytest.mark.parametrize(("segment_steps", "weights"), [(2, None), (4, WEIGHTS)])
@pytest.mark.sampled(2)
def test_on_average_it_is_exact_whatever_the_segments(segment_steps, weights):
    """phi enters every segment: as the start of the first, as the rate of all."""
    exact = estimated(Unrolled(), oracle_of(), INNER, request=asking(weights)).per_task

    def error(num_pairs):
        estimator = PersistentEvolution(
            num_pairs=num_pairs, sigma=1e-3, segment_steps=segment_steps
        )
        found = estimated(estimator, oracle_of(), INNER, request=asking(weights))
        return relative_error(found.per_task, exact)

    assert error(400) < 0.3


def test_one_segment_is_plain_evolution():
    one = PersistentEvolution(num_pairs=5, sigma=0.01, segment_steps=6)
    plain = EvolutionStrategies(num_pairs=5, sigma=0.01)
    found = estimated(one, oracle_of(), INNER).per_task
    expected = estimated(plain, oracle_of(), INNER).per_task
    assert relative_error(found, expected) < 1e-9
