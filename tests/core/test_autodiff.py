"""What an oracle answers about one meta-batch."""

import pytest
import torch

from metalab.core.autodiff import AutodiffOracle
from metalab.core.inner.learned_descent import LearnedDescent
from metalab.core.meta.anchor import ProximalAnchor
from metalab.core.meta.body import BodyOnly
from metalab.core.meta.head import HeadOnly
from metalab.core.meta.initialisation import Initialisation
from metalab.core.meta.penalty import PenaltyStrength
from metalab.core.model.mlp import MLP
from metalab.core.oracle import BilevelProblem
from tests.support.oracles import (
    FLOAT64,
    InputShift,
    generator,
    initial_phi,
    relative_error,
    smooth_batch,
)

MODEL = MLP(input_dim=2, output_dim=2, hidden_sizes=(4,), activation="tanh")
BATCH = smooth_batch(input_dim=2, output_dim=2)


def start():
    return MODEL.initial_parameters(generator=generator(), dtype=FLOAT64)


def oracle_of(meta):
    return AutodiffOracle(BilevelProblem(model=MODEL, meta=meta), start(), BATCH)


def somewhere(size):
    return torch.randn(3, size, generator=generator(5), dtype=FLOAT64)


def loss_of_one(theta, x, y):
    """Return the loss of one task, from one row; for torch.func."""
    return ((MODEL.apply(theta[None], x[None])[0] - y) ** 2).mean()


def test_losses_are_means_over_points_and_outputs():
    theta = somewhere(MODEL.dim)
    oracle = oracle_of(Initialisation())
    for loss, samples in (
        (oracle.support_loss(theta), BATCH.support),
        (oracle.query_loss(theta), BATCH.query),
    ):
        for task in range(3):
            prediction = MODEL.apply(theta[task : task + 1], samples.x[task : task + 1])
            reference = torch.nn.functional.mse_loss(prediction[0], samples.y[task])
            assert float(loss[task]) == pytest.approx(float(reference), rel=1e-14)


def test_the_gradient_is_each_task_s_own():
    theta = somewhere(MODEL.dim)
    linearisation = oracle_of(Initialisation()).linearise(theta, curvature=False)
    for task in range(3):
        slope = torch.func.grad(loss_of_one)(
            theta[task], BATCH.support.x[task], BATCH.support.y[task]
        )
        assert relative_error(linearisation.grad[task], slope) < 1e-13


def test_hvp_is_the_dense_hessian_times_v():
    theta, v = somewhere(MODEL.dim), somewhere(MODEL.dim) - 0.5
    product = oracle_of(Initialisation()).linearise(theta, curvature=True).hvp(v)
    for task in range(3):
        hessian = torch.func.jacrev(torch.func.grad(loss_of_one))(
            theta[task], BATCH.support.x[task], BATCH.support.y[task]
        )
        assert relative_error(product[task], hessian @ v[task]) < 1e-12


def test_a_linearisation_answers_more_than_once():
    theta, v = somewhere(MODEL.dim), somewhere(MODEL.dim)
    linearisation = oracle_of(Initialisation()).linearise(theta, curvature=True)
    assert torch.equal(linearisation.hvp(v), linearisation.hvp(v))
    assert torch.allclose(
        linearisation.hvp(2 * v), 2 * linearisation.hvp(v), rtol=1e-12
    )


def test_a_minibatch_is_the_loss_of_these_points_alone():
    theta = somewhere(MODEL.dim)
    linearisation = oracle_of(Initialisation()).linearise(
        theta, minibatch=slice(1, 3), curvature=False
    )
    x, y = BATCH.support.x[0, 1:3], BATCH.support.y[0, 1:3]
    assert float(linearisation.loss[0]) == pytest.approx(
        float(loss_of_one(theta[0], x, y))
    )


def test_mixed_vjp_of_a_proximal_anchor_is_minus_its_strength_times_v():
    theta, v = somewhere(MODEL.dim), somewhere(MODEL.dim)
    linearisation = oracle_of(ProximalAnchor(strength=0.7)).linearise(
        theta, curvature=True
    )
    assert relative_error(linearisation.mixed_vjp(v), -0.7 * v) < 1e-14


def test_hvp_of_a_proximal_anchor_adds_its_strength_times_v():
    theta, v = somewhere(MODEL.dim), somewhere(MODEL.dim)
    plain = oracle_of(Initialisation()).linearise(theta, curvature=True).hvp(v)
    pulled = oracle_of(ProximalAnchor(strength=0.7)).linearise(theta, curvature=True)
    assert relative_error(pulled.hvp(v), plain + 0.7 * v) < 1e-13


def test_mixed_vjp_is_the_dense_mixed_derivative():
    theta, v = somewhere(2), somewhere(2)
    meta = InputShift(input_dim=2)
    product = oracle_of(meta).linearise(theta, curvature=True).mixed_vjp(v)

    def loss(shift, phi, x, y):
        return loss_of_one(phi, x + shift, y)

    for task in range(3):
        mixed = torch.func.jacrev(torch.func.grad(loss), argnums=1)(
            theta[task], start(), BATCH.support.x[task], BATCH.support.y[task]
        )
        assert relative_error(product[task], mixed.T @ v[task]) < 1e-12


@pytest.mark.parametrize(
    "meta",
    [
        *(InputShift(input_dim=2), HeadOnly(), BodyOnly(), PenaltyStrength()),
        *(ProximalAnchor(strength=0.7), ProximalAnchor(strength_is="learned")),
    ],
)
def test_mixed_jvp_is_the_transpose_of_mixed_vjp(meta):
    """<w, B u> = <B^T w, u> for every u and w, phi's rates included."""
    problem = BilevelProblem(model=MODEL, meta=meta)
    inner = LearnedDescent(granularity="shared")
    oracle = AutodiffOracle(problem, initial_phi(problem, inner), BATCH)
    theta = oracle.start() + 0.3
    u, w = somewhere(oracle.meta_dim), somewhere(theta.shape[1]) - 0.2
    linearisation = oracle.linearise(theta, curvature=True)
    forth = (w * linearisation.mixed_jvp(u)).sum(dim=1)
    back = (linearisation.mixed_vjp(w) * u).sum(dim=1)
    assert relative_error(forth, back) < 1e-12
    assert float(back.norm()) > 1e-3
    assert not linearisation.mixed_jvp(u).requires_grad


def test_rates_stand_behind_what_shapes_the_problem():
    problem = BilevelProblem(model=MODEL, meta=Initialisation())
    phi = torch.cat([start(), torch.tensor([7.0, 8.0], dtype=FLOAT64)])
    oracle = AutodiffOracle(problem, phi, BATCH)
    assert oracle.meta_dim == MODEL.dim + 2
    assert oracle.rates().tolist() == [[7.0, 8.0]] * 3
    v = somewhere(2)
    back = oracle.rates_pullback(v)
    assert torch.equal(back[:, MODEL.dim :], v)
    assert not back[:, : MODEL.dim].any()
    assert torch.equal(oracle.start(), start().expand(3, -1))
    of_start = oracle.start_pullback(somewhere(MODEL.dim))
    assert torch.equal(of_start[:, : MODEL.dim], somewhere(MODEL.dim))
    assert not of_start[:, MODEL.dim :].any()


def test_moving_phi_leaves_the_first_oracle_where_it_was():
    oracle = oracle_of(Initialisation())
    moved = oracle.at_shifted_phi(torch.ones(1, MODEL.dim, dtype=FLOAT64))
    assert torch.equal(moved.start(), oracle.start() + 1)
    assert torch.equal(oracle.start(), start().expand(3, -1))
    each = torch.arange(3, dtype=FLOAT64)[:, None].expand(-1, MODEL.dim)
    assert torch.equal(oracle.at_shifted_phi(each).start(), oracle.start() + each)


def test_the_direct_term_exists_only_where_phi_enters_otherwise():
    theta = somewhere(MODEL.dim)
    assert oracle_of(Initialisation()).outer_value_and_grad(theta).direct is None
    pulled = oracle_of(ProximalAnchor(strength=0.7)).outer_value_and_grad(theta)
    assert torch.equal(pulled.direct, torch.zeros_like(theta))


def test_products_need_curvature_and_mixed_products_need_a_phi():
    theta, v = somewhere(MODEL.dim), somewhere(MODEL.dim)
    oracle = oracle_of(Initialisation())
    with pytest.raises(AssertionError, match="without curvature"):
        oracle.linearise(theta, curvature=False).hvp(v)
    with pytest.raises(AssertionError, match="no mixed derivative"):
        oracle.linearise(theta, curvature=True).mixed_vjp(v)


def test_what_comes_out_carries_no_graph():
    oracle = oracle_of(ProximalAnchor(strength=0.7))
    linearisation = oracle.linearise(oracle.start(), curvature=True)
    outer = oracle.outer_value_and_grad(oracle.start())
    v = linearisation.grad
    for tensor in (
        *(oracle.start(), linearisation.loss, linearisation.grad, linearisation.hvp(v)),
        *(linearisation.mixed_vjp(v), outer.loss, outer.grad, outer.direct),
        *(oracle.support_loss(v), oracle.query_loss(v), oracle.start_pullback(v)),
    ):
        assert not tensor.requires_grad


def test_it_answers_under_no_grad_as_well():
    with torch.no_grad():
        linearisation = oracle_of(Initialisation()).linearise(
            somewhere(MODEL.dim), curvature=True
        )
        assert torch.isfinite(linearisation.hvp(somewhere(MODEL.dim))).all()
