"""What every loss owes, at either level and under every exact estimator."""

import itertools
import time

import pytest
import torch

from metalab.catalog.slots import HYPERGRADIENTS, LOSSES, META_PARAMETERISATIONS
from metalab.core.autodiff import AutodiffOracle
from metalab.core.hypergradient.base import Exactness
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.loss.base import Loss
from metalab.core.loss.gaussian import LEARNED, GaussianLikelihood
from metalab.core.loss.squared_error import SquaredError
from metalab.core.model.mlp import MLP
from metalab.core.oracle import BilevelProblem
from metalab.core.tasks import Samples, Targets, TaskBatch
from tests.support.findings import check_each
from tests.support.oracles import (
    FLOAT64,
    central_differences,
    estimated,
    generator,
    initial_phi,
    outer_objective,
    relative_error,
    smooth_batch,
)


class LearnedNoise(GaussianLikelihood):
    """The Gaussian likelihood whose noise the network predicts."""

    name = "gaussian, learned noise"
    unit, quantity, twice_differentiable = (
        GaussianLikelihood.unit,
        GaussianLikelihood.quantity,
        True,
    )

    def __init__(self):
        super().__init__(noise_std=0.7, noise_is=LEARNED)


KINDS = (*LOSSES.components.values(), LearnedNoise)
SMOOTH = tuple(kind for kind in KINDS if kind.twice_differentiable)
SMALL = {"embedding_dim": 2, "context_dim": 2, "strength": 2.0}


def configured(kind):
    known = META_PARAMETERISATIONS.models[kind.name].model_fields
    return kind(**{name: value for name, value in SMALL.items() if name in known})


METAS = tuple(map(configured, META_PARAMETERISATIONS.components.values()))
EXACT = tuple(
    kind
    for kind in HYPERGRADIENTS.components.values()
    if kind.exactness is Exactness.EXACT
)


def targets_for(kind, samples):
    """Return points with targets that a loss takes."""
    y = samples.y
    if kind.targets is Targets.PROBABILITIES:
        y = torch.sigmoid(y) if y.shape[2] == 1 else torch.softmax(y, dim=2)
    return Samples(x=samples.x, y=y, mask=samples.mask)


def batch_for(kind, **sizes):
    drawn = smooth_batch(**sizes)
    return TaskBatch(
        parameters=drawn.parameters,
        support=targets_for(kind, drawn.support),
        query=targets_for(kind, drawn.query),
    )


def points_for(kind, outputs):
    samples = batch_for(kind, num_shots=6, output_dim=outputs).support
    shape = (*samples.y.shape[:2], kind().num_outputs(outputs))
    return samples, torch.randn(shape, generator=generator(1), dtype=FLOAT64)


@pytest.mark.parametrize("kind", KINDS)
def test_it_declares_what_is_read_of_it(kind):
    assert issubclass(kind, Loss)
    for name in ("unit", "quantity", "twice_differentiable"):
        assert name in vars(kind), f"{kind.name} does not declare {name}"
    assert isinstance(kind.targets, Targets)
    assert not (kind.twice_differentiable and kind.gradient_jumps)
    if kind is not LearnedNoise:
        assert "Source:" in kind.__doc__ or kind is SquaredError
    assert kind.unit.strip() == kind.unit != ""
    assert kind.quantity.startswith("mean ")


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_the_mean_is_taken_once(kind, outputs):
    """A task of twice the points, each of them twice, costs the same."""
    samples, prediction = points_for(kind, outputs)
    loss = kind()
    once = loss(prediction, samples)
    assert once.shape == (len(prediction),)
    twice = Samples(x=samples.x.repeat(1, 2, 1), y=samples.y.repeat(1, 2, 1))
    torch.testing.assert_close(loss(prediction.repeat(1, 2, 1), twice), once)
    by_hand = loss.costs(prediction, samples.y)
    assert by_hand.shape[:2] == prediction.shape[:2]
    torch.testing.assert_close(once, by_hand.sum((1, 2)) / by_hand[0].numel())


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_points_that_fill_up_cost_nothing_and_pull_nowhere(kind, outputs):
    samples, prediction = points_for(kind, outputs)
    counts = torch.tensor([6, 4, 1])
    mask = (torch.arange(6) < counts[:, None]).to(FLOAT64)
    wild = torch.where(mask[..., None] > 0, prediction, 1e3 * prediction)
    wild.requires_grad_()
    loss = kind()
    found = loss(wild, Samples(x=samples.x, y=samples.y, mask=mask))
    for task, count in enumerate(counts.tolist()):
        alone = samples.rows(task, task + 1).first(count)
        expected = loss(prediction[task : task + 1, :count], alone)
        torch.testing.assert_close(found[task : task + 1], expected)
    (slope,) = torch.autograd.grad(found.sum(), wild)
    assert (slope[mask == 0] == 0).all()
    assert (slope[mask == 1] != 0).any()


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_its_gradient_is_the_slope_of_its_values(kind, outputs):
    samples, prediction = points_for(kind, outputs)
    loss, shape = kind(), prediction.shape
    point = prediction.clone().requires_grad_()
    (found,) = torch.autograd.grad(loss(point, samples).sum(), point)
    slope = central_differences(
        lambda flat: loss(flat.view(shape), samples).sum(), prediction.flatten()
    )
    assert relative_error(found.flatten(), slope) < 1e-9


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("kind", SMOOTH)
def test_its_second_derivative_is_the_slope_of_its_gradient(kind, outputs):
    samples, prediction = points_for(kind, outputs)
    loss = kind()
    along = torch.randn(prediction.shape, generator=generator(2), dtype=FLOAT64)

    def gradient(at):
        point = at.detach().requires_grad_()
        total = loss(point, samples).sum()
        return point, torch.autograd.grad(total, point, create_graph=True)[0]

    point, slope = gradient(prediction)
    (found,) = torch.autograd.grad((slope * along).sum(), point)
    step = 1e-5
    ahead, behind = (gradient(prediction + s * step * along)[1] for s in (1, -1))
    assert relative_error(found, (ahead - behind).detach() / (2 * step)) < 1e-8


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_claims_of_its_second_derivative_is_so(kind):
    """Along a line through every residual: continuous, or with a jump."""
    line = torch.linspace(-3, 3, 6_001, dtype=FLOAT64)[None, :, None] + 1e-7
    point = line.requires_grad_()
    zero = torch.zeros_like(line)
    others = zero.expand(-1, -1, kind().num_outputs(1) - 1)
    costs = kind().costs(torch.cat([point, others], dim=2), zero).sum()
    (slope,) = torch.autograd.grad(costs, point, create_graph=True)
    (bend,) = torch.autograd.grad(
        slope.sum(), point, allow_unused=True, materialize_grads=True
    )
    slope_jumps = bool((slope.detach().diff(dim=1).abs() > 0.1).any())
    bend_jumps = bool((bend.diff(dim=1).abs() > 0.1).any())
    assert slope_jumps == kind.gradient_jumps
    assert (bend_jumps or slope_jumps) != kind.twice_differentiable


def goes_with(meta, inner_loss, outer_loss):
    """Return whether the catalog would let what is learned have these losses."""
    squares = inner_loss is outer_loss is SquaredError
    learns_noise = LearnedNoise in (inner_loss, outer_loss)
    if learns_noise and meta.one_output_a_target:
        return False
    return squares or not meta.is_probabilistic


def pairs():
    """Yield the losses of both levels: each alone, and beside another."""
    for kind in SMOOTH:
        yield kind, kind
    yield from ((SquaredError, kind) for kind in SMOOTH if kind is not SquaredError)


CASES = [
    (f"{kind.name}+{meta.name}+{inner.name}+{outer.name}", kind, meta, inner, outer)
    for kind, meta, (inner, outer) in itertools.product(EXACT, METAS, pairs())
    if goes_with(meta, inner, outer)
]


NUM_PARTS = 4
"""`make test` takes the first, `make slow` all."""


def hypergradient_error(kind, meta, inner_loss, outer_loss):
    """Return how far an estimate is from the slope of the outer loss after two steps."""
    model = MLP(
        input_dim=1 + meta.extra_inputs,
        output_dim=max(inner_loss().num_outputs(1), outer_loss().num_outputs(1)),
        hidden_sizes=(3, 2),
        activation="tanh",
    )
    problem = BilevelProblem(
        model=model, meta=meta, loss=inner_loss(), query_loss=outer_loss()
    )
    inner = GradientDescent(num_inner_steps=2, inner_lr=0.1)
    drawn = smooth_batch(num_tasks=2)
    batch = TaskBatch(
        parameters=drawn.parameters,
        support=targets_for(inner_loss, drawn.support),
        query=targets_for(outer_loss, drawn.query),
    )
    phi = initial_phi(problem, inner)
    slope = central_differences(outer_objective(problem, inner, batch, 2), phi)
    found = estimated(kind(), AutodiffOracle(problem, phi, batch), inner)
    return relative_error(found.per_task.mean(dim=0), slope)


@pytest.mark.sampled(NUM_PARTS)
@pytest.mark.parametrize("part", range(NUM_PARTS))
def test_exact_estimators_are_exact_under_every_smooth_loss(part):
    cases, errors = CASES[part::NUM_PARTS], {}
    begun = time.perf_counter()

    def check(name, *parts):
        errors[name] = hypergradient_error(*parts)
        assert errors[name] < 1e-6, f"{name}: {errors[name]:.1e}"

    check_each(cases, check)
    worst = max(errors, key=errors.get)
    print(
        f"{len(errors)} combinations in {time.perf_counter() - begun:.0f} s; worst "
        f"relative error {errors[worst]:.1e} ({worst})"
    )
    assert len(errors) == len(cases) > 20
