"""The Gaussian process of reduced rank, against exact ones by Cholesky in numpy."""

import math

import numpy as np
import pytest
import torch

from metalab.analysis.checks.models import checks_of_model
from metalab.core.autodiff import AutodiffOracle
from metalab.core.inner.closed_form import ClosedForm
from metalab.core.meta.bayesian_head import LEAST_NOISE, BayesianHead
from metalab.core.meta.ridge_head import RidgeHead
from metalab.core.model.hilbert_basis import HilbertBasis
from metalab.core.oracle import BilevelProblem
from metalab.core.tasks import Samples, TaskBatch
from metalab.experiment.config import preset_config
from metalab.experiment.fields import ConfigError, with_overrides
from tests.support.oracles import FLOAT64, generator

LENGTHS, SIGNAL, NOISE = (0.8, 1.3), 1.7, 0.25
TASKS, SHOTS, QUERIES = 3, 7, 11


def basis(input_dim=1, **changes):
    options = {"num_functions": 64, "boundary": 8.0, **changes}
    return HilbertBasis(input_dim=input_dim, output_dim=1, **options)


def body(input_dim):
    logs = [math.log(value) for value in (*LENGTHS[:input_dim], SIGNAL)]
    return torch.tensor(logs, dtype=FLOAT64).expand(TASKS, -1)


def points(count, input_dim, seed):
    """Return inputs well inside the boundary."""
    drawn = torch.rand(
        TASKS, count, input_dim, generator=generator(seed), dtype=FLOAT64
    )
    return 4 * drawn - 2


def kernel(one, two):
    """Return the squared-exponential kernel, [point, point], by its definition."""
    scaled = (one[:, None] - two[None]) / np.array(LENGTHS[: one.shape[1]])
    return SIGNAL**2 * np.exp(-0.5 * (scaled**2).sum(axis=2))


def regression(x, y, new):
    """Return mean and variance of noisy targets at new inputs.

    Source: Rasmussen & Williams 2006, algorithm 2.1.
    """
    factor = np.linalg.cholesky(kernel(x, x) + NOISE**2 * np.eye(len(x)))
    weights = np.linalg.solve(factor.T, np.linalg.solve(factor, y))
    across = np.linalg.solve(factor, kernel(x, new))
    variance = SIGNAL**2 - (across**2).sum(axis=0) + NOISE**2
    return kernel(new, x) @ weights, variance


@pytest.mark.parametrize(
    ("input_dim", "options"),
    [(1, {}), (2, {"num_functions": 30, "boundary": 7.0})],
)
def test_products_of_features_are_the_kernel(input_dim, options):
    x = points(SHOTS, input_dim, 1)
    features = basis(input_dim, **options).features(body(input_dim), x)
    for task in range(TASKS):
        found = (features[task] @ features[task].T).numpy()
        wanted = kernel(x[task].numpy(), x[task].numpy())
        np.testing.assert_allclose(found, wanted, atol=2e-6)


def test_more_functions_and_a_farther_boundary_come_closer_to_the_kernel():
    x = points(SHOTS, 1, 1)
    wanted = kernel(x[0].numpy(), x[0].numpy())
    sizes = [(6, 3.0), (12, 4.0), (24, 6.0), (64, 10.0)]
    worst = []
    for num_functions, boundary in sizes:
        model = basis(num_functions=num_functions, boundary=boundary)
        features = model.features(body(1), x)[0]
        worst.append(np.abs((features @ features.T).numpy() - wanted).max())
    assert worst == sorted(worst, reverse=True)
    assert worst[-1] < 1e-8


def adapted(model, meta, phi, batch):
    oracle = AutodiffOracle(BilevelProblem(model=model, meta=meta), phi, batch)
    return ClosedForm().run(oracle, num_steps=1).end


def tasks(input_dim):
    support, query = points(SHOTS, input_dim, 1), points(QUERIES, input_dim, 2)

    def target(x):
        noise = torch.randn(x.shape[:2], generator=generator(3), dtype=FLOAT64)
        return (torch.sin(2 * x).sum(dim=2) + 0.2 * noise)[..., None]

    return TaskBatch(
        support=Samples(x=support, y=target(support)),
        query=Samples(x=query, y=target(query)),
        parameters=torch.zeros(TASKS, 1, dtype=FLOAT64),
    )


@pytest.mark.parametrize("input_dim", [1, 2])
@pytest.mark.parametrize("noise_is", ["fixed", "learned"])
def test_mean_and_band_are_those_of_the_exact_gaussian_process(input_dim, noise_is):
    sizes = {} if input_dim == 1 else {"num_functions": 32, "boundary": 7.0}
    model = basis(input_dim, **sizes)
    # Learned noise starts as it is set.
    meta = BayesianHead(noise_std=NOISE, noise_is=noise_is, prior_is="standard-normal")
    batch = tasks(input_dim)
    rest = torch.zeros(TASKS, meta.meta_dim(model) - input_dim - 1, dtype=FLOAT64)
    phi = torch.cat([body(input_dim), rest], dim=1)
    theta = adapted(model, meta, phi[0], batch)
    mean = meta.predict(model, theta, phi, batch.query.x, batch.support)
    band = meta.deviation(model, phi, batch.query.x, batch.support)
    for task in range(TASKS):
        x, y = batch.support.x[task].numpy(), batch.support.y[task, :, 0].numpy()
        wanted, variance = regression(x, y, batch.query.x[task].numpy())
        np.testing.assert_allclose(mean[task, :, 0].numpy(), wanted, atol=2e-6)
        np.testing.assert_allclose(band[task].numpy() ** 2, variance, atol=2e-6)


def test_a_learned_mean_is_a_curve_that_tasks_are_drawn_around():
    model, batch = basis(), tasks(1)
    meta = BayesianHead(noise_std=NOISE, prior_is="unit-covariance")
    weights = torch.randn(64, generator=generator(5), dtype=FLOAT64)
    phi = torch.cat([body(1), weights.expand(TASKS, -1)], dim=1)
    theta = adapted(model, meta, phi[0], batch)
    mean = meta.predict(model, theta, phi, batch.query.x, batch.support)[..., 0]
    curve = [model.apply(phi, x)[..., 0] for x in (batch.support.x, batch.query.x)]
    for task in range(TASKS):
        away = (batch.support.y[task, :, 0] - curve[0][task]).numpy()
        x, new = batch.support.x[task].numpy(), batch.query.x[task].numpy()
        wanted = curve[1][task].numpy() + regression(x, away, new)[0]
        np.testing.assert_allclose(mean[task].numpy(), wanted, atol=2e-6)


def test_a_ridge_head_of_strength_noise_squared_has_the_same_mean():
    model, batch = basis(), tasks(1)
    ridge = RidgeHead(strength=NOISE**2, strength_is="fixed")
    head = BayesianHead(noise_std=NOISE, prior_is="standard-normal")
    found = [adapted(model, meta, body(1)[0], batch) for meta in (ridge, head)]
    torch.testing.assert_close(found[0], found[1], rtol=1e-9, atol=1e-9)


def test_learned_noise_does_not_vanish():
    meta = BayesianHead(noise_std=NOISE, noise_is="learned", prior_is="standard-normal")
    model = basis()
    phi = torch.cat([body(1), torch.full((TASKS, 1), -40.0, dtype=FLOAT64)], dim=1)
    precision = meta.prior(model, phi).precision[0, 0, 0]
    assert float(precision) == pytest.approx((LEAST_NOISE * NOISE) ** 2)


def test_one_kernel_serves_several_outputs():
    model = HilbertBasis(input_dim=1, output_dim=2, num_functions=5)
    theta = model.initial_parameters(generator=generator(), dtype=FLOAT64)
    assert theta.shape == (model.dim,) == (2 + 5 * 2,)
    x = points(SHOTS, 1, 1)
    found = model.apply(theta.expand(TASKS, -1), x)
    assert torch.equal(found, torch.zeros(TASKS, SHOTS, 2, dtype=FLOAT64))


def test_derivatives_by_kernel_and_inputs_are_central_differences():
    model = basis(2, num_functions=5, boundary=4.0)
    head = torch.randn(1, 25, generator=generator(7), dtype=FLOAT64)

    def predictions(kernel_logs, x):
        return model.apply(torch.cat([kernel_logs, head], dim=1), x)

    logs = body(2)[:1].clone().requires_grad_()
    x = points(4, 2, 9)[:1].clone().requires_grad_()
    assert torch.autograd.gradcheck(predictions, (logs, x), atol=1e-8)


def test_too_many_products_are_refused_with_the_most_that_is_allowed():
    config = preset_config("gaussian-process-sine")
    with pytest.raises(ConfigError, match=r"4,096 products.*num_functions up to 32"):
        with_overrides(
            config,
            [
                ("meta", {"kind": "extra-inputs", "num_extra_inputs": 1}),
                ("inner", {"kind": "gradient-descent"}),
                ("model.num_functions", 64),
            ],
        )


NOTHING_IS_DRAWN = {"determinism"}
"""Its start follows from its options alone, so two seeds give the same."""


@pytest.mark.parametrize(
    "name", sorted(checks_of_model(HilbertBasis).keys() - NOTHING_IS_DRAWN)
)
def test_it_owes_what_metalab_check_asks_of_a_model(name):
    checks_of_model(HilbertBasis)[name]()
