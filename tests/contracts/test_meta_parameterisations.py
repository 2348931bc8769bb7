"""What every choice of "what is meta-learned" owes, the test-only one included."""

import pytest
import torch

from metalab.catalog.slots import META_PARAMETERISATIONS
from metalab.core.meta.anchor import ProximalAnchor
from metalab.core.meta.base import Way
from metalab.core.model import MLP
from tests.oracles import FLOAT64, InputShift, generator

METAS = {
    **{name: kind() for name, kind in META_PARAMETERISATIONS.components.items()},
    "anchor-learned": ProximalAnchor(strength_is="learned"),
    "input-shift": InputShift(),
}
NUM_TASKS = 3

each = pytest.mark.parametrize("meta", METAS.values(), ids=METAS)


def model_of(meta):
    return MLP(
        input_dim=1 + meta.extra_inputs,
        output_dim=2,
        hidden_sizes=(4,),
        activation="tanh",
    )


def inner_dim(meta):
    return sum(block.size for block in meta.adapted_blocks(model_of(meta)))


def rows(size, seed):
    return torch.randn(NUM_TASKS, size, generator=generator(seed), dtype=FLOAT64)


def phi_of(meta, seed):
    return rows(meta.meta_dim(model_of(meta)), seed)


@each
def test_sizes_are_as_announced(meta):
    model = model_of(meta)
    phi = meta.initial(model, generator=generator(), dtype=FLOAT64)
    assert phi.shape == (meta.meta_dim(model),)
    assert phi.dtype is FLOAT64
    stacked = phi.expand(NUM_TASKS, -1)
    theta = meta.start(model, stacked)
    assert theta.shape == (NUM_TASKS, inner_dim(meta))
    assert meta.start_pullback(model, theta).shape == stacked.shape
    x = torch.zeros(NUM_TASKS, 5, 1, dtype=FLOAT64)
    assert meta.predict(model, theta, stacked, x).shape == (NUM_TASKS, 5, 2)
    penalty = meta.regulariser(theta, stacked)
    assert penalty is None or penalty.shape == (NUM_TASKS,)
    assert meta.regularised is (penalty is not None)


@each
def test_adapted_arrays_lie_one_after_the_other_from_zero(meta):
    end = 0
    for block in meta.adapted_blocks(model_of(meta)):
        assert block.start == end
        end += block.size
    assert end > 0


@each
def test_the_pullback_is_the_adjoint_of_the_start(meta):
    """<v, start(u) - start(0)> = <pullback(v), u> for every u and v: it is affine."""
    model = model_of(meta)
    u, v = phi_of(meta, 1), rows(inner_dim(meta), 2)
    linear = meta.start(model, u) - meta.start(model, torch.zeros_like(u))
    forth = (v * linear).sum()
    back = (meta.start_pullback(model, v) * u).sum()
    assert float(forth) == pytest.approx(float(back), rel=1e-12)


@each
def test_it_says_truly_in_which_ways_phi_enters(meta):
    model = model_of(meta)
    theta = rows(inner_dim(meta), 3)
    x = rows(5, 4)[..., None]

    def prediction(phi):
        return meta.predict(model, theta, phi, x)

    def inner_loss(phi):
        loss = (prediction(phi) ** 2).mean(dim=(1, 2))
        penalty = meta.regulariser(theta, phi)
        return loss if penalty is None else loss + penalty

    def start(phi):
        return meta.start(model, phi)

    one, two = phi_of(meta, 5), phi_of(meta, 6)
    ways = frozenset().union(*meta.ways)
    for way, function in (
        (Way.START, start),
        (Way.PREDICTION, prediction),
        (Way.INNER_LOSS, inner_loss),
    ):
        assert (way in ways) is not torch.equal(function(one), function(two)), way
    assert (Way.INNER_LOSS in ways) is meta.shapes_inner_loss
    assert Way.RATES not in ways
