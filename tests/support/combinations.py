"""Every choice of what is meta-learned with every inner loop, at one small problem."""

import torch

from metalab.core.autodiff import AutodiffOracle
from metalab.core.inner.adagrad import InnerAdagrad
from metalab.core.inner.adam import InnerAdam
from metalab.core.inner.closed_form import ClosedForm
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.inner.learned_descent import PARAMETERISATIONS, LearnedDescent
from metalab.core.inner.learned_update import LearnedUpdate
from metalab.core.inner.meta_curvature import MetaCurvature
from metalab.core.inner.proximal_descent import ProximalDescent
from metalab.core.inner.pull_back import PullBackDescent
from metalab.core.inner.rates import GRANULARITIES
from metalab.core.inner.rmsprop import InnerRMSprop
from metalab.core.inner.update_loop import RecordedLoop
from metalab.core.meta.anchor import ProximalAnchor
from metalab.core.meta.bayesian_head import BayesianHead
from metalab.core.meta.body import BodyOnly
from metalab.core.meta.context import Context
from metalab.core.meta.extra_inputs import ExtraInputs
from metalab.core.meta.head import HeadOnly
from metalab.core.meta.initialisation import Initialisation
from metalab.core.meta.modulated import Modulated
from metalab.core.meta.penalty import PenaltyStrength
from metalab.core.meta.ridge_head import RidgeHead
from metalab.core.model.mlp import MLP
from metalab.core.oracle import BilevelProblem
from tests.support.oracles import (
    InputShift,
    generator,
    goes_with,
    initial_phi,
    smooth_batch,
)

NUM_STEPS = 4

METAS = {
    "initialisation": Initialisation(),
    "head": HeadOnly(),
    "body": BodyOnly(),
    "context": Context(context_dim=3),
    "extra-inputs": ExtraInputs(num_extra_inputs=2),
    "modulated": Modulated(embedding_dim=2),
    "anchor": ProximalAnchor(strength=0.5),
    "anchor-learned": ProximalAnchor(strength=0.5, strength_is="learned"),
    "penalty": PenaltyStrength(),
    "ridge": RidgeHead(strength=0.8),
    "ridge-fixed": RidgeHead(strength=0.8, strength_is="fixed"),
    "bayesian": BayesianHead(noise_std=0.7, prior_strength=2.0),
    "bayesian-mean": BayesianHead(noise_std=0.7, prior_is="unit-covariance"),
    "gaussian-process": BayesianHead(
        noise_std=0.7, noise_is="learned", prior_is="standard-normal"
    ),
    "input-shift": InputShift(),
}

INNERS = {
    "plain": GradientDescent(num_inner_steps=NUM_STEPS, inner_lr=0.03),
    "momentum": GradientDescent(num_inner_steps=NUM_STEPS, inner_lr=0.03, momentum=0.7),
    "clamped": GradientDescent(
        num_inner_steps=NUM_STEPS, inner_lr=0.03, momentum=0.5, inner_clamp=0.3
    ),
    "clipped": GradientDescent(
        num_inner_steps=NUM_STEPS,
        inner_lr=0.03,
        momentum=0.5,
        inner_clamp=0.8,
        inner_clip_norm=1.0,
    ),
    "decayed": GradientDescent(
        num_inner_steps=NUM_STEPS,
        inner_lr=0.03,
        momentum=0.5,
        inner_clip_norm=1.0,
        inner_weight_decay=0.7,
    ),
    "minibatches": GradientDescent(
        num_inner_steps=NUM_STEPS, inner_lr=0.03, inner_batch_size=2
    ),
    "to-tolerance": ProximalDescent(
        num_inner_steps=NUM_STEPS, inner_lr=0.1, tolerance=0.8
    ),
    "pull-back": PullBackDescent(num_inner_steps=NUM_STEPS, inner_lr=0.03),
    "closed-form": ClosedForm(num_inner_steps=NUM_STEPS),
    # With an epsilon far below the gradients a step is their sign, which is no test.
    "adam": InnerAdam(
        num_inner_steps=NUM_STEPS,
        inner_lr=0.03,
        inner_epsilon=0.1,
        inner_clip_norm=1.0,
        inner_weight_decay=0.7,
    ),
    "rmsprop": InnerRMSprop(
        num_inner_steps=NUM_STEPS, inner_lr=0.03, inner_epsilon=0.1, inner_decay=0.8
    ),
    "adagrad": InnerAdagrad(
        num_inner_steps=NUM_STEPS, inner_lr=0.03, inner_epsilon=0.1
    ),
    "meta-curvature": MetaCurvature(num_inner_steps=NUM_STEPS, inner_lr=0.03),
    "learned-update": LearnedUpdate(
        num_inner_steps=NUM_STEPS, inner_lr=0.03, num_hidden_units=3
    ),
} | {
    f"{granularity}-{parameterisation}": LearnedDescent(
        num_inner_steps=NUM_STEPS,
        inner_lr=0.03,
        inner_lr_high=0.05,
        granularity=granularity,
        parameterisation=parameterisation,
    )
    for granularity in GRANULARITIES
    for parameterisation in PARAMETERISATIONS
}


def phi_of(problem, inner):
    """Return random meta-parameters; a learned rule away from its start, where it is plain."""
    phi = initial_phi(problem, inner)
    if isinstance(inner, RecordedLoop):
        noise = torch.randn(phi.shape, generator=generator(7), dtype=phi.dtype)
        phi[problem.meta_dim :] += 0.2 * noise[problem.meta_dim :]
    return phi


def oracle_of(meta, inner):
    """Return a meta-batch of three tasks at random meta-parameters."""
    model = MLP(
        input_dim=1 + meta.extra_inputs,
        output_dim=1,
        hidden_sizes=(3, 2),
        activation="tanh",
    )
    problem = BilevelProblem(model=model, meta=meta)
    return AutodiffOracle(problem, phi_of(problem, inner), smooth_batch())


EVERYWHERE = (
    "plain",
    "momentum",
    "to-tolerance",
    "pull-back",
    "closed-form",
    "per-parameter-linear",
)
"""Loops that are tried with every choice of what is meta-learned."""

TYPICAL = ("initialisation", "anchor-learned", "modulated", "input-shift")
"""Choices of what is meta-learned that the other loops are tried with: phi as start, with
a mixed derivative, in the prediction, and all of these."""

PAIRS = [
    (what, how)
    for what, meta in METAS.items()
    for how, inner in INNERS.items()
    if (how in EVERYWHERE or what in TYPICAL) and goes_with(inner, meta)
]
