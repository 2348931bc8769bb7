"""What holds for every choice of what is meta-learned and every inner loop."""

import pytest
import torch

from metalab.core.hypergradient.base import EstimateContext
from metalab.core.hypergradient.checkpointed import Checkpointed
from metalab.core.hypergradient.difference_product import DifferenceProduct
from metalab.core.hypergradient.finite_differences import FiniteDifferences
from metalab.core.hypergradient.first_order import FirstOrder
from metalab.core.hypergradient.forward_mode import ForwardMode
from metalab.core.hypergradient.truncated import Truncated
from metalab.core.hypergradient.unrolled import Unrolled
from metalab.core.inner.base import InnerRequirement
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.inner.learned_descent import LearnedDescent
from metalab.core.inner.update_loop import Here, RecordedLoop
from metalab.core.meta.initialisation import Initialisation
from metalab.core.streams import RandomStreams
from tests.support.combinations import (
    INNERS,
    METAS,
    NUM_STEPS,
    PAIRS,
    oracle_of,
    phi_of,
)
from tests.support.oracles import estimated, relative_error

pytestmark = pytest.mark.unchecked

WEIGHTS = {"final": None, "multi-step": (0.1, 0.0, 0.2, 0.3, 0.4)}
"""A weight at the start and one of zero are there on purpose."""

CASES = [
    pytest.param(METAS[what], INNERS[how], loss, id=f"{what}+{how}+{loss}")
    for what, how in PAIRS
    for loss in WEIGHTS
    # The multi-step loss contains the final one; plain loops take that alone as well.
    if loss == "multi-step" or how == "plain"
]
STEP_BY_STEP = [
    pytest.param(METAS[what], INNERS[how], id=f"{what}+{how}")
    for what, how in PAIRS
    if INNERS[how].needs is InnerRequirement.NOTHING and how != "minibatches"
]


def asking(loss):
    return EstimateContext(weights=WEIGHTS[loss], streams=RandomStreams(0), step=0)


@pytest.mark.parametrize(("meta", "inner", "loss"), CASES)
@pytest.mark.sampled(13)
def test_exact_ones_are_exact_and_truncated_ones_have_their_limits(meta, inner, loss):
    """G1, G2, G8."""
    oracle = oracle_of(meta, inner)

    def estimate(estimator):
        return estimated(estimator, oracle, inner, request=asking(loss)).per_task

    exact = estimate(Unrolled())
    assert relative_error(exact, estimate(FiniteDifferences())) < 1e-6
    assert relative_error(estimate(Checkpointed()), exact) < 1e-12
    assert relative_error(estimate(ForwardMode()), exact) < 1e-10
    by_differences = estimate(DifferenceProduct(epsilon=1e-4))
    assert relative_error(by_differences, exact) < 1e-6
    for all_steps in (NUM_STEPS, NUM_STEPS + 3):
        whole = estimate(Truncated(num_backprop_steps=all_steps))
        assert relative_error(whole, exact) < 1e-10
    none = estimate(Truncated(num_backprop_steps=0))
    first_order = estimate(FirstOrder())
    assert float((none - first_order).norm()) <= 1e-10 * float(first_order.norm())


@pytest.mark.parametrize("num_steps", [1, 2, 3, 4, 7, 9, 10])
def test_segments_of_any_length_join(num_steps):
    inner = GradientDescent(num_inner_steps=num_steps, inner_lr=0.1, momentum=0.5)
    oracle = oracle_of(METAS["anchor"], inner)
    exact = estimated(Unrolled(), oracle, inner).per_task
    pieces = estimated(Checkpointed(), oracle, inner).per_task
    assert relative_error(pieces, exact) < 1e-12


def rates_of(inner, phi, meta_dim, adapted):
    """Return alpha_k for each k, as a function of phi that torch differentiates."""
    if not isinstance(inner, LearnedDescent):
        return lambda _: inner.inner_lr
    learned = phi[:, meta_dim:]
    learned = learned.exp() if inner.parameterisation == "exponential" else learned
    layout = inner.layout(adapted)
    return lambda step: layout.spread(learned, step)


def limited(slope, inner):
    """Return a gradient clamped and clipped, by torch's own functions."""
    if getattr(inner, "inner_clamp", 0) > 0:
        slope = slope.clamp(-inner.inner_clamp, inner.inner_clamp)
    if getattr(inner, "inner_clip_norm", 0) > 0:
        most = inner.inner_clip_norm
        slope = torch.stack([s * (most / s.norm()).clamp(max=1.0) for s in slope])
    return slope


def stepping(inner, phi, problem, theta):
    """Return (theta, slope, step) -> theta, with a memory of its own."""
    if isinstance(inner, RecordedLoop):
        return recorded(inner, phi, problem, theta)
    rate = rates_of(inner, phi, problem.meta_dim, problem.adapted)
    velocity = torch.zeros_like(theta)

    def after(theta, slope, step):
        nonlocal velocity
        slope = limited(slope, inner)
        if isinstance(inner, GradientDescent):
            # As constants the gradients: momentum and weight decay are no derivatives.
            slope = slope + inner.inner_weight_decay * theta
            velocity = slope = slope + inner.momentum * velocity
        return theta - rate(step) * slope

    return after


def recorded(inner, phi, problem, theta):
    memory = theta.new_zeros(len(theta), inner.memory_width(theta.shape[1]))

    def after(theta, slope, step):
        nonlocal memory
        here = Here(
            theta=theta,
            grad=slope,
            memory=memory,
            learned=phi[:, problem.meta_dim :],
            step=step,
            blocks=problem.adapted,
        )
        theta, memory = inner.advance(here)
        return theta

    return after


def by_definition(meta, inner, num_exact):
    """Differentiate the K steps by torch, early gradients taken as constants."""
    oracle = oracle_of(meta, inner)
    problem, batch = oracle._problem, oracle._batch
    phi = phi_of(problem, inner).expand(batch.num_tasks, -1).clone()
    phi.requires_grad_()
    own = phi[:, : problem.meta_dim]
    theta = meta.start(problem.model, own)
    step_from = stepping(inner, phi, problem, theta)
    for step in range(NUM_STEPS):
        through = step >= NUM_STEPS - num_exact
        at = theta if through else theta.detach().requires_grad_()
        shaping = own if through else own.detach()
        if not at.requires_grad:
            at.requires_grad_()
        loss = problem.inner_loss(at, shaping, batch.support).sum()
        (slope,) = torch.autograd.grad(loss, at, create_graph=through)
        theta = step_from(theta, slope, step)
    # Plus nothing: so that phi is always there to differentiate by.
    outer = problem.outer_loss(theta, own, batch).sum() + 0.0 * phi.sum()
    (reference,) = torch.autograd.grad(outer, phi)
    return oracle, reference


@pytest.mark.parametrize("num_exact", [0, 2, NUM_STEPS])
@pytest.mark.parametrize(("meta", "inner"), STEP_BY_STEP)
def test_a_truncated_sweep_takes_early_gradients_as_constants(meta, inner, num_exact):
    """With 0 exact steps: first order, learned rates and direct terms included."""
    oracle, reference = by_definition(meta, inner, num_exact)
    found = estimated(Truncated(num_backprop_steps=num_exact), oracle, inner).per_task
    assert float((found - reference).norm()) <= 1e-12 * float(reference.norm())


def test_the_error_of_truncation_falls_with_the_steps_that_are_exact():
    inner = INNERS["plain"]
    oracle = oracle_of(METAS["initialisation"], inner)
    exact = estimated(Unrolled(), oracle, inner).per_task
    errors = [
        relative_error(
            estimated(Truncated(num_backprop_steps=k), oracle, inner).per_task, exact
        )
        for k in range(NUM_STEPS)
    ]
    assert errors == sorted(errors, reverse=True)


def test_the_multi_step_loss_is_the_weighted_sum_of_final_ones():
    """Each inner step's query loss is the final loss of a shorter inner loop."""
    oracle = oracle_of(Initialisation(), INNERS["plain"])
    total = torch.zeros(oracle.num_tasks, oracle.meta_dim, dtype=torch.float64)
    weights = WEIGHTS["multi-step"]
    for count, weight in enumerate(weights[1:], start=1):
        shorter = GradientDescent(num_inner_steps=count, inner_lr=0.03)
        total += weight * estimated(Unrolled(), oracle, shorter).per_task
    total += weights[0] * oracle.outer_value_and_grad(oracle.start()).grad
    found = estimated(Unrolled(), oracle, INNERS["plain"], request=asking("multi-step"))
    assert relative_error(found.per_task, total) < 1e-13


def test_the_outer_loss_that_is_told_is_the_final_one():
    inner = INNERS["plain"]
    oracle = oracle_of(Initialisation(), inner)
    for estimator in (Unrolled(), Checkpointed(), FirstOrder(), FiniteDifferences()):
        told = estimated(estimator, oracle, inner, request=asking("multi-step"))
        end = inner.run(oracle, num_steps=NUM_STEPS).end
        assert torch.equal(told.outer_loss, oracle.query_loss(end))
