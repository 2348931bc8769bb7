"""Outer optimisers against torch's, and the schedules."""

import math

import pytest
import torch

from metalab.core.outer import (
    SCHEDULES,
    SGD,
    Adam,
    NoUpdate,
    schedule_factor,
    warmup_factor,
)
from tests.support.oracles import FLOAT64, generator, relative_error


def slopes(count=20, dim=30):
    """Return gradients of very different sizes, some of them exactly zero."""
    source = generator(3)
    values = torch.randn(count, dim, generator=source, dtype=FLOAT64)
    scales = torch.logspace(-6, 3, dim, dtype=FLOAT64)
    values = values * scales
    values[5] = 0
    values[:, 0] = 0
    return values


def by_torch(optimizer_type, rates, **options):
    point = torch.linspace(-1, 1, 30, dtype=FLOAT64).requires_grad_()
    optimizer = optimizer_type([point], lr=rates[0], **options)
    for slope, rate in zip(slopes(), rates, strict=True):
        optimizer.param_groups[0]["lr"] = rate
        point.grad = slope.clone()
        optimizer.step()
    return point.detach()


def by_metalab(optimizer, rates):
    phi = torch.linspace(-1, 1, 30, dtype=FLOAT64)
    slots = optimizer.init(phi)
    for step, (slope, rate) in enumerate(zip(slopes(), rates, strict=True)):
        phi, slots = optimizer.update(phi, slope, slots, step=step, lr=rate)
    return phi


RATES = [0.01 * (1 - step / 40) for step in range(20)]


@pytest.mark.parametrize(
    ("beta1", "beta2", "epsilon"),
    [(0.9, 0.999, 1e-8), (0.0, 0.99, 1e-3), (0.5, 0.0, 1e-6)],
)
def test_adam_equals_torch(beta1, beta2, epsilon):
    ours = by_metalab(Adam(beta1=beta1, beta2=beta2, epsilon=epsilon), RATES)
    theirs = by_torch(torch.optim.Adam, RATES, betas=(beta1, beta2), eps=epsilon)
    assert relative_error(ours, theirs) < 1e-12


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_sgd_equals_torch(momentum):
    ours = by_metalab(SGD(momentum=momentum), RATES)
    theirs = by_torch(torch.optim.SGD, RATES, momentum=momentum)
    assert relative_error(ours, theirs) < 1e-14


def test_adam_with_weight_decay_equals_torch():
    ours = by_metalab(Adam(weight_decay=0.3), RATES)
    theirs = by_torch(torch.optim.AdamW, RATES, weight_decay=0.3)
    assert relative_error(ours, theirs) < 1e-12
    coupled = by_torch(torch.optim.Adam, RATES, weight_decay=0.3)
    assert relative_error(ours, coupled) > 1e-3


def test_plain_descent_with_weight_decay_equals_torch():
    """Without momentum, decay coupled to the gradient is the same as decoupled."""
    ours = by_metalab(SGD(weight_decay=0.3), RATES)
    theirs = by_torch(torch.optim.SGD, RATES, weight_decay=0.3)
    assert relative_error(ours, theirs) < 1e-14


def test_weight_decay_stays_out_of_the_velocity():
    expected = torch.linspace(-1, 1, 30, dtype=FLOAT64)
    velocity = torch.zeros_like(expected)
    for slope, rate in zip(slopes(), RATES, strict=True):
        velocity = 0.9 * velocity + slope
        expected = (1 - rate * 0.3) * expected - rate * velocity
    ours = by_metalab(SGD(momentum=0.9, weight_decay=0.3), RATES)
    assert relative_error(ours, expected) < 1e-14


def test_adam_equals_torch_in_float32():
    phi = torch.linspace(-1, 1, 30)
    optimizer, slots = Adam(), Adam().init(phi)
    point = phi.clone().requires_grad_()
    theirs = torch.optim.Adam([point], lr=1e-3)
    for step, slope in enumerate(slopes().float()):
        phi, slots = optimizer.update(phi, slope, slots, step=step, lr=1e-3)
        point.grad = slope.clone()
        theirs.step()
    assert relative_error(phi, point.detach()) < 1e-6


@pytest.mark.parametrize(
    "optimizer",
    [
        *(Adam(), SGD(), SGD(momentum=0.9)),
        *(Adam(weight_decay=0.1), SGD(momentum=0.9, weight_decay=0.1)),
    ],
)
def test_an_update_modifies_none_of_its_arguments(optimizer):
    phi, slope = torch.ones(4), torch.full((4,), 2.0)
    slots = optimizer.init(phi)
    before = [slot.clone() for slot in slots]
    optimizer.update(phi, slope, slots, step=0, lr=0.1)
    assert torch.equal(phi, torch.ones(4))
    assert torch.equal(slope, torch.full((4,), 2.0))
    assert all(map(torch.equal, slots, before))


def test_momentum_needs_a_velocity_and_plain_descent_none():
    assert SGD().init(torch.ones(2)) == ()
    assert len(SGD(momentum=0.5).init(torch.ones(2))) == 1


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_schedule_starts_at_one_and_never_rises(schedule):
    factors = [schedule_factor(schedule, step, 10) for step in range(15)]
    assert factors[0] == 1.0
    assert factors == sorted(factors, reverse=True)
    assert len(set(factors[10:])) == 1


@pytest.mark.parametrize("floor", [0.0, 0.01, 0.3, 1.0])
def test_the_cosine_schedule_with_a_floor_is_torch_s(floor):
    """CosineAnnealingLR, whose eta_min is the floor."""
    parameter = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([parameter], lr=0.1)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(
        optimizer, T_max=40, eta_min=0.1 * floor
    )
    for step in range(41):
        ours = 0.1 * schedule_factor("cosine", step, 40, floor=floor)
        assert ours == pytest.approx(theirs.get_last_lr()[0], rel=1e-9, abs=1e-12)
        optimizer.step()
        theirs.step()
    assert schedule_factor("cosine", 60, 40, floor=floor) == pytest.approx(floor)


def test_a_floor_of_nothing_changes_no_bit():
    for schedule in SCHEDULES:
        for step in range(50):
            plain = {
                "constant": 1.0,
                "linear": 1.0 - min(step / 37, 1.0),
                "cosine": 0.5 * (1.0 + math.cos(math.pi * min(step / 37, 1.0))),
            }[schedule]
            assert schedule_factor(schedule, step, 37) == plain
    assert schedule_factor("linear", 30, 40, floor=0.2) == pytest.approx(0.4)
    assert schedule_factor("constant", 30, 40, floor=0.2) == 1.0


def test_the_decaying_schedules():
    assert schedule_factor("constant", 7, 10) == 1.0
    assert schedule_factor("linear", 3, 10) == pytest.approx(0.7)
    assert schedule_factor("linear", 10, 10) == 0.0
    assert schedule_factor("cosine", 5, 10) == pytest.approx(0.5)
    assert schedule_factor("cosine", 2, 8) == pytest.approx((1 + math.sqrt(0.5)) / 2)
    assert schedule_factor("cosine", 10, 10) == pytest.approx(0.0)


def test_a_warm_up_rises_linearly_to_one_and_never_starts_at_zero():
    factors = [warmup_factor(step, 4) for step in range(6)]
    assert factors == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    assert warmup_factor(0, 0) == 1.0


def test_only_no_update_leaves_phi_where_it_is():
    phi, slope = torch.ones(3), torch.full((3,), 2.0)
    for optimizer in (Adam(), SGD(), NoUpdate()):
        slots = optimizer.init(phi)
        moved, _ = optimizer.update(phi, slope, slots, step=0, lr=0.1)
        assert optimizer.moves is not torch.equal(moved, phi), optimizer.name
