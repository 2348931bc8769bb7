"""What every choice of "what is meta-learned" owes, the test-only one included."""

from functools import partial

import pytest
import torch
from torch.autograd.functional import hessian as hessian_of

from metalab.catalog.slots import META_PARAMETERISATIONS
from metalab.core.meta.anchor import ProximalAnchor
from metalab.core.meta.base import PhiRole
from metalab.core.meta.bayesian_head import BayesianHead
from metalab.core.meta.ridge_head import RidgeHead
from metalab.core.model.mlp import MLP
from metalab.core.oracle import BilevelProblem
from tests.support.oracles import FLOAT64, InputShift, generator, smooth_batch

METAS = {
    **{name: kind() for name, kind in META_PARAMETERISATIONS.components.items()},
    "anchor-learned": ProximalAnchor(strength_is="learned"),
    "ridge-fixed": RidgeHead(strength_is="fixed"),
    "bayesian-mean": BayesianHead(prior_is="unit-covariance"),
    "gaussian-process": BayesianHead(noise_is="learned", prior_is="standard-normal"),
    "input-shift": InputShift(),
}
NUM_TASKS = 3
SUPPORT = smooth_batch(num_tasks=NUM_TASKS, num_shots=4, output_dim=2).support

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
    assert meta.predict(model, theta, stacked, x, SUPPORT).shape == (NUM_TASKS, 5, 2)
    penalty = meta.regulariser(model, theta, stacked, num_shots=4)
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
        return meta.predict(model, theta, phi, x, SUPPORT)

    def inner_loss(phi):
        loss = (prediction(phi) ** 2).mean(dim=(1, 2))
        penalty = meta.regulariser(model, theta, phi, num_shots=4)
        return loss if penalty is None else loss + penalty

    def start(phi):
        return meta.start(model, phi)

    one, two = phi_of(meta, 5), phi_of(meta, 6)
    ways = frozenset().union(*meta.ways)
    for way, function in (
        (PhiRole.START, start),
        (PhiRole.PREDICTION, prediction),
        (PhiRole.INNER_LOSS, inner_loss),
    ):
        assert (way in ways) is not torch.equal(function(one), function(two)), way
    assert (PhiRole.INNER_LOSS in ways) is meta.shapes_inner_loss
    assert PhiRole.RATES not in ways


@each
def test_an_isotropic_regulariser_has_its_strength_as_hessian(meta):
    model = model_of(meta)
    phi, theta = phi_of(meta, 7), rows(inner_dim(meta), 8)
    strength = meta.isotropic_strength(model, phi, num_shots=4)
    assert (strength is not None) is meta.isotropic
    if strength is None:
        return

    def penalty(at):
        return meta.regulariser(model, at[None], phi[:1], num_shots=4)[0]

    hessian = hessian_of(penalty, theta[0])
    torch.testing.assert_close(
        hessian, strength[0, 0] * torch.eye(len(hessian), dtype=FLOAT64)
    )


@each
def test_a_closed_form_solves_with_the_hessian_of_the_inner_loss(meta):
    model = model_of(meta)
    phi, theta = phi_of(meta, 9), rows(inner_dim(meta), 10)
    solve = meta.hessian_solver(model, phi, SUPPORT)
    assert (solve is not None) is meta.closed_form
    if solve is None:
        return
    problem = BilevelProblem(model=model, meta=meta)

    def loss(at, *, task):
        alone = SUPPORT.rows(task, task + 1)
        return problem.inner_loss(at[None], phi[task : task + 1], alone)[0]

    for task in range(NUM_TASKS):
        hessian = hessian_of(partial(loss, task=task), theta[task])
        found = hessian @ solve(theta)[task]
        torch.testing.assert_close(found, theta[task], rtol=1e-8, atol=1e-10)


@each
def test_a_predictive_deviation_is_there_where_it_is_promised(meta):
    model = model_of(meta)
    x = rows(6, 11)[..., None]
    phi = phi_of(meta, 12)
    before = meta.deviation(model, phi, x, None)
    after = meta.deviation(model, phi, x, SUPPORT)
    assert (after is not None) is meta.is_probabilistic
    if before is not None and after is not None:
        assert before.shape == after.shape == (NUM_TASKS, 6)
        assert (after <= before).all(), "points can only tell"
