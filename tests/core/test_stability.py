"""Is an inner step too long: against whole Hessians, and against what steps then do."""

from dataclasses import replace

import pytest
import torch

from metalab.core.inner.closed_form import ClosedForm
from metalab.core.inner.descent import minibatch
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.inner.learned_descent import LearnedDescent
from metalab.core.inner.pull_back import PullBackDescent
from metalab.core.meta.anchor import ProximalAnchor
from metalab.core.meta.initialisation import Initialisation
from metalab.core.oracle import BilevelProblem, LossTerms
from metalab.core.stability import (
    StepCurvature,
    krylov_projection,
    largest_eigenvalue,
    largest_reach,
    step_curvature,
)
from metalab.core.tasks import sample_batch
from metalab.tasks.quadratic_bowl import QuadraticBowl
from tests.core.test_diagnostics import CPU, LEARNER, MODEL, hessians
from tests.support.oracles import FLOAT64, generator, smooth_batch


def start(learner):
    state = learner.initial_state(generator=generator(), dtype=FLOAT64, device=CPU)
    return state.phi, smooth_batch()


def whole(learner, phi, batch, theta, **which):
    oracle = learner.oracle(phi, batch)
    linearisation = oracle.linearise(theta, curvature=True, **which)
    return hessians(linearisation, theta.shape[1], batch.num_tasks)


@pytest.fixture(autouse=True)
def to_the_end(monkeypatch):
    """As many products as parameters, so that Krylov spaces are whole."""
    monkeypatch.setattr("metalab.core.stability.NUM_PRODUCTS", 60)


@pytest.mark.parametrize("momentum", [0.0, 0.5])
@pytest.mark.parametrize("num_steps", [1, 4])
def test_it_is_the_largest_eigenvalue_at_first_and_last_step(num_steps, momentum):
    inner = GradientDescent(num_inner_steps=num_steps, inner_lr=0.3, momentum=momentum)
    learner = replace(LEARNER, inner=inner)
    phi, batch = start(learner)
    oracle = learner.oracle(phi, batch)
    before_last = inner.run(oracle, num_steps=num_steps - 1).end
    spectra = [
        torch.linalg.eigvalsh(whole(learner, phi, batch, theta))[:, -1]
        for theta in (oracle.start(), before_last)
    ]
    # The stability limit of heavy-ball steps is 2 (1 + momentum) / lr.
    expected = 0.3 * torch.maximum(*spectra) / (1 + momentum)
    measured = step_curvature(learner, phi, batch)
    torch.testing.assert_close(measured.largest, expected, rtol=1e-8, atol=0)
    share = (expected > 2).double().mean()
    assert float(measured.unstable_share) == float(share)


def test_a_step_of_a_part_of_the_points_has_the_curvature_of_that_part():
    inner = GradientDescent(num_inner_steps=2, inner_lr=0.3, inner_batch_size=2)
    learner = replace(LEARNER, inner=inner)
    phi, batch = start(learner)
    oracle = learner.oracle(phi, batch)
    parts = [minibatch(k, 2, oracle.num_shots) for k in range(2)]
    points = [oracle.start(), inner.run(oracle, num_steps=1).end]
    spectra = [
        torch.linalg.eigvalsh(whole(learner, phi, batch, theta, minibatch=part))[:, -1]
        for theta, part in zip(points, parts, strict=True)
    ]
    measured = step_curvature(learner, phi, batch)
    expected = 0.3 * torch.maximum(*spectra)
    torch.testing.assert_close(measured.largest, expected, rtol=1e-8, atol=0)


def test_a_pull_back_is_no_step_over_the_network():
    problem = BilevelProblem(model=MODEL, meta=ProximalAnchor(strength=50.0))
    inner = PullBackDescent(num_inner_steps=3, inner_lr=0.3)
    learner = replace(LEARNER, problem=problem, inner=inner)
    phi, batch = start(learner)
    oracle = learner.oracle(phi, batch)
    points = [oracle.start(), inner.run(oracle, num_steps=1).end]
    spectra = [
        torch.linalg.eigvalsh(
            whole(learner, phi, batch, theta, terms=LossTerms.PREDICTION)
        )[:, -1]
        for theta in points
    ]
    measured = step_curvature(learner, phi, batch)
    expected = 0.3 * torch.maximum(*spectra)
    torch.testing.assert_close(measured.largest, expected, rtol=1e-8, atol=0)


@pytest.mark.parametrize("mixed", [False, True])
def test_learned_rates_are_unstable_where_the_spectral_radius_exceeds_one(mixed):
    learner = replace(LEARNER, inner=LearnedDescent(num_inner_steps=1, inner_lr=0.3))
    phi, batch = start(learner)
    rates = 1.5 * torch.rand(MODEL.dim, dtype=FLOAT64, generator=generator()) + 0.1
    if mixed:
        rates[::3] *= -1
    phi = torch.cat([phi[: MODEL.dim], rates])
    theta = learner.oracle(phi, batch).start()
    values = torch.linalg.eigvals(rates[:, None] * whole(learner, phi, batch, theta))
    radius = torch.where(values.real > 0, (1 - values).abs(), 0.0).amax(dim=1)
    measured = step_curvature(learner, phi, batch)
    over = radius > 1.05
    assert over.any()
    torch.testing.assert_close(
        measured.largest[over], 1 + radius[over], rtol=1e-6, atol=0
    )
    assert (measured.largest[radius < 1] <= 2).all()


@pytest.mark.parametrize(("factor", "grows"), [(0.99, False), (1.01, True)])
def test_steps_diverge_just_beyond_the_limit(factor, grows):
    """Of a bowl with Hessian diag(1, ..., 9, 2) the limit is 2 / 9."""
    family = QuadraticBowl(num_dimensions=3, curvature_min=1.0, curvature_max=9.0)
    inner = GradientDescent(num_inner_steps=1, inner_lr=factor * 2 / 9)
    linear = replace(MODEL, input_dim=3, hidden_sizes=())
    problem = BilevelProblem(model=linear, meta=Initialisation())
    learner = replace(LEARNER, problem=problem, inner=inner)
    batch = sample_batch(
        family, 4, num_shots=6, num_queries=6, generator=generator(), dtype=FLOAT64
    )
    phi = torch.zeros(linear.dim, dtype=FLOAT64)
    measured = step_curvature(learner, phi, batch)
    torch.testing.assert_close(
        measured.largest, torch.full((4,), 2 * factor, dtype=FLOAT64)
    )
    assert float(measured.unstable_share) == float(grows)
    oracle = learner.oracle(phi, batch)
    losses = [
        oracle.support_loss(inner.run(oracle, num_steps=steps).end)
        for steps in (400, 500)
    ]
    assert ((losses[1] > losses[0]) == grows).all()


def test_a_closed_form_takes_no_steps():
    learner = replace(LEARNER, inner=ClosedForm(num_inner_steps=1))
    phi, batch = start(LEARNER)
    assert step_curvature(learner, phi, batch) is None


def test_what_is_not_finite_counts_as_unstable():
    largest = torch.tensor([1.0, 2.0, 2.1, torch.nan, torch.inf])
    assert float(StepCurvature(largest=largest).unstable_share) == pytest.approx(0.6)
    phi, batch = start(LEARNER)
    measured = step_curvature(LEARNER, phi * torch.nan, batch)
    assert float(measured.unstable_share) == 1.0


def test_a_krylov_space_may_end_early():
    matrix = torch.diag(torch.tensor([3.0, 3.0, 1.0, 0.0], dtype=FLOAT64))
    v = torch.ones(1, 4, dtype=FLOAT64)
    projected = krylov_projection(
        lambda q: q @ matrix, v, num_products=4, symmetric=True
    )
    assert float(largest_eigenvalue(projected)) == pytest.approx(3.0)
    zero = krylov_projection(
        torch.zeros_like, v.float(), num_products=3, symmetric=False
    )
    assert float(largest_reach(zero)) == 0.0
