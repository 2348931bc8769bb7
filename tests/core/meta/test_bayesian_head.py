"""Bayesian linear regression on features, against the textbook and torch."""

import torch
from torch.distributions import MultivariateNormal

from metalab.core.autodiff import AutodiffOracle
from metalab.core.inner.closed_form import ClosedForm
from metalab.core.meta.bayesian_head import BayesianHead
from metalab.core.model.mlp import MLP
from metalab.core.oracle import BilevelProblem
from tests.support.oracles import FLOAT64, generator, relative_error, smooth_batch

NOISE = 0.6
META = BayesianHead(noise_std=NOISE, prior_strength=2.0)
MODEL = MLP(input_dim=1, output_dim=1, hidden_sizes=(5, 3), activation="tanh")
PROBLEM = BilevelProblem(model=MODEL, meta=META)
BATCH = smooth_batch()
PHI = META.initial(MODEL, generator=generator(), dtype=FLOAT64)
PHI = PHI + 0.1 * torch.randn(PHI.shape, generator=generator(1), dtype=FLOAT64)
STACKED = PHI.expand(BATCH.num_tasks, -1)


def joint(task, x):
    """Return the prior distribution of noisy targets at x, W integrated out."""
    features = META.features(MODEL, STACKED, x)[task]
    prior = META.prior(MODEL, STACKED)
    spread = torch.linalg.inv(prior.precision[task])
    cover = features @ spread @ features.T + torch.eye(len(features))
    return MultivariateNormal((features @ prior.mean[task])[:, 0], NOISE**2 * cover)


def conditioned(task):
    """Return mean and variance of each query target given the support targets."""
    support, query = BATCH.support, BATCH.query
    count = support.x.shape[1]
    whole = joint(task, torch.cat([support.x, query.x], dim=1))
    mean, cover = whole.mean, whole.covariance_matrix
    gain = cover[count:, :count] @ torch.linalg.inv(cover[:count, :count])
    posterior = mean[count:] + gain @ (support.y[task, :, 0] - mean[:count])
    left = cover[count:, count:] - gain @ cover[:count, count:]
    return posterior, left.diagonal()


def test_the_solution_predicts_as_a_gaussian_process_does():
    oracle = AutodiffOracle(PROBLEM, PHI, BATCH)
    theta = ClosedForm().run(oracle, num_steps=1).end
    found = META.predict(MODEL, theta, STACKED, BATCH.query.x, BATCH.support)
    spread = META.deviation(MODEL, STACKED, BATCH.query.x, BATCH.support)
    for task in range(BATCH.num_tasks):
        mean, variance = conditioned(task)
        assert relative_error(found[task, :, 0], mean) < 1e-10
        assert relative_error(spread[task] ** 2, variance) < 1e-10


def test_the_outer_loss_is_the_negative_log_likelihood_of_a_target():
    oracle = AutodiffOracle(PROBLEM, PHI, BATCH)
    theta = ClosedForm().run(oracle, num_steps=1).end
    loss = oracle.outer_loss(theta)
    for task in range(BATCH.num_tasks):
        mean, variance = conditioned(task)
        normal = torch.distributions.Normal(mean, variance.sqrt())
        expected = -normal.log_prob(BATCH.query.y[task, :, 0]).mean()
        torch.testing.assert_close(loss[task], expected, rtol=1e-10, atol=0.0)


def test_before_adaptation_the_band_is_that_of_the_prior():
    before = META.deviation(MODEL, STACKED, BATCH.query.x, None)
    for task in range(BATCH.num_tasks):
        prior = joint(task, BATCH.query.x)
        assert relative_error(before[task], prior.stddev) < 1e-10
