"""How learned rates spread over parameters and steps."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from metalab.core.inner.rates import GRANULARITIES, RateLayout
from metalab.core.model.mlp import MLP
from tests.support.oracles import FLOAT64, generator

SIZES = st.lists(st.integers(1, 5), max_size=3).map(tuple)


@given(
    granularity=st.sampled_from(GRANULARITIES),
    hidden_sizes=SIZES,
    num_inner_steps=st.integers(1, 4),
    step=st.integers(0, 6),
    num_tasks=st.integers(1, 3),
)
def test_gather_is_the_transpose_of_spread(
    granularity, hidden_sizes, num_inner_steps, step, num_tasks
):
    """<v, spread(r)> = <gather(v), r> for every r and v, broadcasting included."""
    model = MLP(input_dim=2, output_dim=1, hidden_sizes=hidden_sizes)
    layout = RateLayout(
        granularity=granularity, blocks=model.blocks, num_inner_steps=num_inner_steps
    )
    source = generator(step)
    r = torch.randn(num_tasks, layout.dim, generator=source, dtype=FLOAT64)
    v = torch.randn(num_tasks, model.dim, generator=source, dtype=FLOAT64)
    gathered = layout.gather(v, step)
    assert gathered.shape == r.shape
    forth = float((v * layout.spread(r, step)).sum())
    back = float((gathered * r).sum())
    assert forth == pytest.approx(back, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    ("granularity", "dim"),
    [
        ("shared", 1),
        ("per-layer", 3),
        ("per-layer-per-step", 3 * 5),
        ("per-parameter", 4 + 4 + 12 + 3 + 3 + 1),
    ],
)
def test_there_are_as_many_rates_as_the_granularity_says(granularity, dim):
    model = MLP(input_dim=1, output_dim=1, hidden_sizes=(4, 3))
    layout = RateLayout(granularity=granularity, blocks=model.blocks, num_inner_steps=5)
    assert layout.dim == dim


def test_a_part_of_a_network_counts_its_own_layers():
    """A head that is layer 3 of the network is its task's only layer."""
    head = MLP(input_dim=1, output_dim=1, hidden_sizes=(4, 3)).blocks[-2:]
    layout = RateLayout(granularity="per-layer", blocks=head, num_inner_steps=1)
    rates = torch.tensor([[0.5]], dtype=FLOAT64)
    assert layout.spread(rates, 0).tolist() == [[0.5] * 4]
