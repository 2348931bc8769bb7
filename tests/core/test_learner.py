"""One outer step: the four parts together."""

import gc
from dataclasses import replace

import pytest
import torch

from metalab.core.autodiff import AutodiffLinearisation
from metalab.core.hypergradient.first_order import FirstOrder
from metalab.core.hypergradient.reptile import Reptile
from metalab.core.hypergradient.unrolled import Unrolled
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.inner_schedule import InnerSchedule
from metalab.core.learner import METRIC_NAMES, MetaLearner
from metalab.core.meta.anchor import ProximalAnchor
from metalab.core.meta.initialisation import Initialisation
from metalab.core.model.mlp import MLP
from metalab.core.objective import OuterObjective
from metalab.core.oracle import BilevelProblem
from metalab.core.outer import SGD, Adam, schedule_factor
from metalab.core.streams import RandomStreams
from metalab.engine.events import METRICS
from tests.support.oracles import (
    FLOAT64,
    generator,
    least_squares,
    relative_error,
    smooth_batch,
)

CPU = torch.device("cpu")
STREAMS = RandomStreams(0)
LEARNER = MetaLearner(
    problem=BilevelProblem(
        model=MLP(input_dim=1, output_dim=1, hidden_sizes=(5,), activation="tanh"),
        meta=Initialisation(),
    ),
    inner=GradientDescent(num_inner_steps=3, inner_lr=0.1),
    hypergradient=Unrolled(),
    outer=SGD(outer_lr=0.5),
    num_steps=10,
    objective=OuterObjective(),
)


def initial_state(learner):
    return learner.initial_state(generator=generator(), dtype=FLOAT64, device=CPU)


def metrics_of(result):
    return dict(zip(METRIC_NAMES, result.metrics.tolist(), strict=True))


def test_metric_names_agree_with_their_descriptions():
    assert tuple(info.name for info in METRICS[: len(METRIC_NAMES)]) == METRIC_NAMES


def test_a_step_descends_against_the_mean_hypergradient_in_closed_form():
    known = least_squares()
    learner = replace(LEARNER, problem=known.problem)
    state = initial_state(learner)
    exact = known.hypergradient(state.phi, inner_lr=0.1, num_steps=3).mean(dim=0)
    result = learner.step(state, known.batch, STREAMS)
    assert relative_error(result.state.phi, state.phi - 0.5 * exact) < 1e-13
    assert metrics_of(result)["hypergradient_norm"] == pytest.approx(
        float(exact.norm())
    )
    assert result.state.step == 1


def test_metrics_are_measured_before_the_update():
    batch, state = smooth_batch(), initial_state(LEARNER)
    result = LEARNER.step(state, batch, STREAMS)
    path = LEARNER.adapt(state.phi, batch, num_inner_steps=3)
    oracle = LEARNER.oracle(state.phi, batch)
    expected = {
        "outer_loss": oracle.query_loss(path.end).mean(),
        "outer_loss_before": oracle.query_loss(path.start).mean(),
        "support_loss_before": oracle.support_loss(path.start).mean(),
        "support_loss_after": oracle.support_loss(path.end).mean(),
        "adaptation_distance": (path.end - path.start).norm(dim=1).mean(),
        "meta_parameter_norm": result.state.phi.norm(),
    }
    measured = metrics_of(result)
    for name, value in expected.items():
        assert measured[name] == pytest.approx(float(value), rel=1e-12), name


@pytest.mark.parametrize("share", [0.5, 2.0])
def test_clipping_shortens_a_long_hypergradient_and_leaves_a_short_one(share):
    batch, state = smooth_batch(), initial_state(LEARNER)
    free = LEARNER.step(state, batch, STREAMS)
    norm = metrics_of(free)["hypergradient_norm"]
    clipped = replace(LEARNER, clip_norm=share * norm).step(state, batch, STREAMS)
    moved = state.phi - clipped.state.phi
    expected = (state.phi - free.state.phi) * min(share, 1.0)
    assert relative_error(moved, expected) < 1e-12
    assert metrics_of(clipped)["hypergradient_norm"] == pytest.approx(norm)


def test_clipping_survives_a_hypergradient_of_zero():
    batch = smooth_batch()
    still = replace(LEARNER, clip_norm=1.0, hypergradient=Reptile())
    state = initial_state(still)
    prediction = still.problem.model.apply(state.phi.expand(3, -1), batch.support.x)
    solved = replace(batch, support=replace(batch.support, y=prediction))
    assert torch.equal(still.step(state, solved, STREAMS).state.phi, state.phi)


@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine"])
def test_the_schedule_scales_the_step(schedule):
    batch, state = smooth_batch(), replace(initial_state(LEARNER), step=4)
    free = LEARNER.step(state, batch, STREAMS).state.phi - state.phi
    paced = (
        replace(LEARNER, schedule=schedule).step(state, batch, STREAMS).state.phi
        - state.phi
    )
    assert relative_error(paced, schedule_factor(schedule, 4, 10) * free) < 1e-12


@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine"])
def test_a_warm_up_multiplies_every_schedule(schedule):
    batch, state = smooth_batch(), replace(initial_state(LEARNER), step=4)
    scheduled = replace(LEARNER, schedule=schedule)
    free = scheduled.step(state, batch, STREAMS).state.phi - state.phi
    warm = replace(scheduled, warmup_steps=20).step(state, batch, STREAMS).state.phi
    assert relative_error(warm - state.phi, 5 / 20 * free) < 1e-12


@pytest.mark.parametrize(("step", "rate", "count"), [(0, 0.025, 1), (4, 0.05, 2)])
@pytest.mark.parametrize("loss", ["final", "multi-step"])
def test_a_step_of_the_inner_ramp_equals_one_of_those_settings(step, rate, count, loss):
    ramp = InnerSchedule(ramp_steps=8, lr_start_factor=0.25, num_steps_start=1)
    objective = OuterObjective(loss=loss, annealing_steps=100)
    ramped = replace(LEARNER, inner_schedule=ramp, objective=objective)
    inner = GradientDescent(num_inner_steps=count, inner_lr=rate)
    as_set = replace(LEARNER, inner=inner, objective=objective)
    batch, state = smooth_batch(), replace(initial_state(LEARNER), step=step)
    one, two = ramped.step(state, batch, STREAMS), as_set.step(state, batch, STREAMS)
    assert relative_error(one.state.phi, two.state.phi) < 1e-14
    assert relative_error(one.metrics, two.metrics) < 1e-14


def test_the_inner_ramp_ends_at_the_settings_and_leaves_adaptation_alone():
    ramp = InnerSchedule(ramp_steps=8, lr_start_factor=0.25, num_steps_start=1)
    ramped = replace(LEARNER, inner_schedule=ramp)
    batch, state = smooth_batch(), replace(initial_state(LEARNER), step=8)
    one, two = ramped.step(state, batch, STREAMS), LEARNER.step(state, batch, STREAMS)
    assert torch.equal(one.state.phi, two.state.phi)
    shown = ramped.adapt(state.phi, batch, num_inner_steps=3)
    assert torch.equal(
        shown.end, LEARNER.adapt(state.phi, batch, num_inner_steps=3).end
    )


@pytest.mark.parametrize("hypergradient", [Unrolled(), FirstOrder(), Reptile()])
@pytest.mark.parametrize("outer", [Adam(), SGD(momentum=0.9)])
def test_a_step_modifies_neither_state_nor_batch(hypergradient, outer):
    learner = replace(LEARNER, hypergradient=hypergradient, outer=outer)
    batch, state = smooth_batch(), initial_state(learner)
    tensors = (state.phi, *state.slots, batch.parameters)
    tensors += (batch.support.x, batch.support.y, batch.query.x, batch.query.y)
    copies = [tensor.clone() for tensor in tensors]
    first = learner.step(state, batch, STREAMS)
    second = learner.step(state, batch, STREAMS)
    assert all(map(torch.equal, tensors, copies))
    assert torch.equal(first.state.phi, second.state.phi)
    assert torch.equal(first.metrics, second.metrics)
    assert not any(t.requires_grad for t in (*first.state.slots, first.state.phi))


def test_phi_that_shapes_the_inner_loss_trains_through_the_same_step():
    problem = replace(LEARNER.problem, meta=ProximalAnchor(strength=0.7))
    learner = replace(LEARNER, problem=problem, outer=Adam(outer_lr=0.05))
    batch, state = smooth_batch(), initial_state(learner)
    losses = []
    for _ in range(60):
        result = learner.step(state, batch, STREAMS)
        state = result.state
        losses.append(metrics_of(result)["outer_loss"])
    assert losses[-1] < 0.9 * losses[0]


def test_every_device_starts_from_the_same_numbers():
    state = LEARNER.initial_state(
        generator=generator(), dtype=FLOAT64, device=torch.device("meta")
    )
    assert state.phi.is_meta
    assert state.phi.shape == initial_state(LEARNER).phi.shape


@pytest.mark.parametrize("hypergradient", [Unrolled(), FirstOrder(), Reptile()])
def test_a_step_leaves_no_graph_behind(hypergradient):
    """Not even until the next garbage collection: graphs are the bulk of the memory."""
    learner = replace(LEARNER, hypergradient=hypergradient)
    batch, state = smooth_batch(), initial_state(learner)
    gc.collect()
    gc.disable()
    try:
        result = learner.step(state, batch, STREAMS)
        path = learner.adapt(state.phi, batch, num_inner_steps=3)
        kept = [o for o in gc.get_objects() if type(o) is AutodiffLinearisation]
    finally:
        gc.enable()
    assert kept == []
    assert all(tensor.grad_fn is None for tensor in (result.state.phi, *path.points))
