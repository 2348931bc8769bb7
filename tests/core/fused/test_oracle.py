"""Every answer of the kernels against that of automatic differentiation."""

from dataclasses import replace

import pytest
import torch

from metalab.core.autodiff import AutodiffOracle
from metalab.core.fused.oracle import FusedOracle
from metalab.core.fused.support import oracle_unsupported_reason
from metalab.core.oracle import LossTerms
from metalab.engine.build import build_learner
from metalab.experiment.config import preset_config
from metalab.experiment.fields import with_overrides
from tests.core.fused.problems import of_unequal_sizes, oracle_steps, setup

METAS = [
    {"kind": "initialisation"},
    {"kind": "head"},
    {"kind": "body"},
    {"kind": "anchor"},
    {"kind": "anchor", "strength_is": "learned"},
]
RATES = {"kind": "learned-descent", "granularity": "per-layer"}
TERMS = [LossTerms.ALL, LossTerms.PREDICTION, LossTerms.REGULARISER]
CASES = [(meta, terms) for meta in METAS for terms in TERMS[:2]]
CASES += [(meta, LossTerms.REGULARISER) for meta in METAS if meta["kind"] == "anchor"]


HUBER = {"kind": "huber", "delta": 0.7}
SHARP = {"kind": "gaussian", "noise_std": 0.3}
SQUARE = pytest.param({}, id="square")
LOSSES = [
    pytest.param({"loss": HUBER}, id="huber"),
    pytest.param({"loss": SHARP}, id="gaussian"),
    pytest.param({"loss": HUBER, "query_loss": SHARP}, id="huber-gaussian"),
    pytest.param({"query_loss": HUBER}, id="square-huber"),
]
"""Other than the squared error, at either level; residuals are on both sides of delta."""


def both(meta, activation="tanh", *, unequal=False, **losses):
    """Return the two oracles at a phi that is another for every task, and theta."""
    config = with_overrides(
        preset_config("maml-sine"),
        [
            ("meta", meta), ("inner", RATES), ("model.activation", activation),
            ("model.hidden_sizes", (9, 5)), ("outer.num_tasks", 4),
            ("run.precision", "float64"), *losses.items(),
        ],
    )  # fmt: skip
    made = setup(config, 1)
    if unequal:
        made = replace(made, batch=of_unequal_sizes(made.batch))
    generator = torch.Generator().manual_seed(3)
    shift = torch.randn(
        4, len(made.state.phi), generator=generator, dtype=torch.float64
    )
    phi = made.state.phi + 0.1 * shift
    problem = made.learner.problem
    oracles = (
        FusedOracle(problem, phi, made.batch),
        AutodiffOracle(problem, phi, made.batch),
    )
    theta = oracles[0].start() + 0.2 * torch.randn(
        oracles[0].start().shape, generator=generator, dtype=torch.float64
    )
    return oracles, theta, generator


def close(ours, theirs):
    if theirs is None:
        assert ours is None
        return
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("activation", ["relu", "tanh", "sine"])
@pytest.mark.parametrize("meta", METAS)
def test_losses_starts_and_outer_gradients(meta, activation):
    same_answers(*both(meta, activation))


@pytest.mark.parametrize("losses", LOSSES)
@pytest.mark.parametrize("meta", METAS[1::2])
def test_other_losses_starts_and_outer_gradients(meta, losses):
    same_answers(*both(meta, **losses))


@pytest.mark.parametrize("activation", ["relu", "tanh", "sine"])
@pytest.mark.parametrize("losses", [SQUARE, *LOSSES])
@pytest.mark.parametrize("meta", METAS)
def test_sets_of_different_sizes(meta, losses, activation):
    made = both(meta, activation, unequal=True, **losses)
    same_answers(*made)
    # A minibatch of two may hold none of a task's points.
    for part in (slice(None), slice(2, 5), slice(6, 8)):
        same_derivatives(*made, LossTerms.ALL, part)


def same_answers(oracles, theta, generator):
    fused, autodiff = oracles
    for name in ("start", "rates", "regulariser_strength"):
        close(getattr(fused, name)(), getattr(autodiff, name)())
    for name in ("support_loss", "query_loss", "outer_loss"):
        close(getattr(fused, name)(theta), getattr(autodiff, name)(theta))
    ours, theirs = (
        fused.outer_value_and_grad(theta),
        autodiff.outer_value_and_grad(theta),
    )
    close(ours.loss, theirs.loss)
    close(ours.grad, theirs.grad)
    close(ours.direct, theirs.direct)
    u = torch.randn(4, fused.meta_dim, generator=generator, dtype=torch.float64)
    close(fused.start_pushforward(u), autodiff.start_pushforward(u))
    close(fused.rates_pushforward(u), autodiff.rates_pushforward(u))
    v = torch.randn(theta.shape, generator=generator, dtype=torch.float64)
    close(fused.start_pullback(v), autodiff.start_pullback(v))
    close(
        fused.at_shifted_phi(u).query_loss(theta),
        autodiff.at_shifted_phi(u).query_loss(theta),
    )


@pytest.mark.parametrize("part", [slice(None), slice(2, 5)])
@pytest.mark.parametrize(("meta", "terms"), CASES)
def test_derivatives_of_the_inner_loss(meta, terms, part):
    same_derivatives(*both(meta), terms, part)


@pytest.mark.parametrize("part", [slice(None), slice(2, 5)])
@pytest.mark.parametrize("losses", LOSSES)
@pytest.mark.parametrize("meta", METAS[1:5:2])
def test_derivatives_of_another_inner_loss(meta, losses, part):
    same_derivatives(*both(meta, **losses), LossTerms.ALL, part)


def same_derivatives(oracles, theta, generator, terms, part):
    fused, autodiff = oracles
    ours, theirs = (
        oracle.linearise(theta, minibatch=part, terms=terms, curvature=True)
        for oracle in (fused, autodiff)
    )
    close(ours.loss, theirs.loss)
    close(ours.grad, theirs.grad)
    v = torch.randn(theta.shape, generator=generator, dtype=torch.float64)
    close(ours.hvp(v), theirs.hvp(v))
    close(ours.hvp(2 * v), 2 * theirs.hvp(v))
    gradients = (
        o.both_gradients(a, theta) for o, a in ((fused, ours), (autodiff, theirs))
    )
    first, second = gradients
    close(first.theta, second.theta)
    close(first.phi, second.phi)
    if not fused.phi_shapes_inner_loss:
        return
    close(ours.mixed_vjp(v), theirs.mixed_vjp(v))
    u = torch.randn(4, fused.meta_dim, generator=generator, dtype=torch.float64)
    close(ours.mixed_jvp(u), theirs.mixed_jvp(u))
    assert fused.evaluations == autodiff.evaluations


def test_what_has_no_kernel_is_named():
    for preset, part in (("cavia-sine", "context"), ("oracle-sine", "sine-basis")):
        problem = build_learner(preset_config(preset)).problem
        assert part in oracle_unsupported_reason(problem)


@pytest.mark.parametrize("level", ["loss", "query_loss"])
def test_learned_noise_has_no_kernel_at_either_level(level):
    likelihood = [(f"{level}.kind", "gaussian"), (f"{level}.noise_std", 0.5)]
    fixed = with_overrides(preset_config("maml-sine"), likelihood)
    learned = with_overrides(fixed, [(f"{level}.noise_is", "learned")])
    assert oracle_unsupported_reason(build_learner(fixed).problem) is None
    assert "noise" in oracle_unsupported_reason(build_learner(learned).problem)


@pytest.mark.parametrize("preset", ["imaml-sine", "imaml-repository-sine"])
def test_estimators_on_the_kernels_find_the_same(preset):
    config = with_overrides(
        preset_config(preset),
        [("run.precision", "float64"), ("model.activation", "tanh")],
    )
    made = setup(config, 1)
    fused = replace(made, learner=replace(made.learner, fused=True))
    ours, theirs = oracle_steps(fused, 1)[1], oracle_steps(made, 1)[1]
    torch.testing.assert_close(ours.phi, theirs.phi, rtol=1e-8, atol=1e-10)
