"""What every choice of "what is meta-learned" owes, the test-only ones included."""

import pytest
import torch

from metalab.catalog.slots import META_PARAMETERISATIONS
from metalab.core.model import MLP
from tests.oracles import FLOAT64, InputShift, ProximalAnchor, generator

KINDS = [*META_PARAMETERISATIONS.components.values(), ProximalAnchor, InputShift]
MODEL = MLP(input_dim=1, output_dim=2, hidden_sizes=(4,), activation="tanh")
NUM_TASKS = 3


def rows(size, seed):
    return torch.randn(NUM_TASKS, size, generator=generator(seed), dtype=FLOAT64)


@pytest.mark.parametrize("kind", KINDS)
def test_sizes_are_as_announced(kind):
    meta = kind()
    phi = meta.initial(MODEL, generator=generator(), dtype=FLOAT64)
    assert phi.shape == (meta.meta_dim(MODEL),)
    assert phi.dtype is FLOAT64
    stacked = phi.expand(NUM_TASKS, -1)
    theta = meta.start(MODEL, stacked)
    assert theta.shape == (NUM_TASKS, meta.inner_dim(MODEL))
    assert meta.start_pullback(MODEL, theta).shape == stacked.shape
    x = torch.zeros(NUM_TASKS, 5, 1, dtype=FLOAT64)
    assert meta.predict(MODEL, theta, stacked, x).shape == (NUM_TASKS, 5, 2)
    penalty = meta.regulariser(theta, stacked)
    assert penalty is None or penalty.shape == (NUM_TASKS,)


@pytest.mark.parametrize("kind", KINDS)
def test_the_pullback_is_the_adjoint_of_the_start(kind):
    """<v, start(u)> = <pullback(v), u> for every u and v: also, the start is linear."""
    meta = kind()
    u, v = rows(meta.meta_dim(MODEL), 1), rows(meta.inner_dim(MODEL), 2)
    forth = (v * meta.start(MODEL, u)).sum()
    back = (meta.start_pullback(MODEL, v) * u).sum()
    assert float(forth) == pytest.approx(float(back), rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_truly_whether_phi_shapes_the_inner_loss(kind):
    meta = kind()
    theta = rows(meta.inner_dim(MODEL), 3)
    x = rows(5, 4)[..., None]

    def inner_loss(phi):
        loss = (meta.predict(MODEL, theta, phi, x) ** 2).mean(dim=(1, 2))
        penalty = meta.regulariser(theta, phi)
        return loss if penalty is None else loss + penalty

    one, two = (inner_loss(rows(meta.meta_dim(MODEL), seed)) for seed in (5, 6))
    assert torch.equal(one, two) is not meta.shapes_inner_loss
