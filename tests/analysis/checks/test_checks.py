"""Checks find what is wrong, and let pass what is right."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import nn

from metalab.analysis.checks.estimators import checks_of_estimator
from metalab.analysis.checks.inner_loops import checks_of_inner_loop
from metalab.analysis.checks.losses import checks_of_loss
from metalab.analysis.checks.metas import checks_of_meta
from metalab.analysis.checks.models import checks_of_model
from metalab.analysis.checks.others import checks_of_family, checks_of_optimizer
from metalab.analysis.checks.verdict import Outcome, carried_out
from metalab.core.hypergradient.base import Exactness
from metalab.core.hypergradient.evolution import EvolutionStrategies
from metalab.core.hypergradient.first_order import FirstOrder
from metalab.core.hypergradient.unrolled import Unrolled
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.loss.squared_error import SquaredError as Squared
from metalab.core.meta.anchor import ProximalAnchor
from metalab.core.meta.initialisation import Initialisation
from metalab.core.model.mlp import MLP
from metalab.core.module_options import component_of
from metalab.core.outer import Adam
from metalab.core.tasks import Samples
from metalab.tasks.sinusoid import Sinusoid

whole = dataclass(frozen=True, slots=True, kw_only=True)


def outcomes(checks):
    return {v.check: v for v in carried_out("it", checks, __file__)}


def failures(checks):
    return {
        name: verdict.reason
        for name, verdict in outcomes(checks).items()
        if verdict.outcome is Outcome.FAIL
    }


@pytest.mark.parametrize(
    "checks",
    [
        pytest.param(lambda: checks_of_model(MLP), id="model", marks=pytest.mark.slow),
        pytest.param(lambda: checks_of_loss(Squared), id="loss"),
        pytest.param(lambda: checks_of_estimator(Unrolled), id="exact"),
        pytest.param(lambda: checks_of_estimator(EvolutionStrategies), id="drawing"),
        pytest.param(lambda: checks_of_inner_loop(GradientDescent), id="inner loop"),
        pytest.param(lambda: checks_of_meta(Initialisation), id="start"),
        pytest.param(lambda: checks_of_meta(ProximalAnchor), id="anchor"),
        pytest.param(lambda: checks_of_family(Sinusoid), id="tasks"),
        pytest.param(lambda: checks_of_optimizer(Adam), id="optimizer"),
    ],
)
def test_our_own_pass(checks):
    assert failures(checks()) == {}


@whole
class TwiceDivided(Squared):
    def __call__(self, prediction, samples: Samples):
        return samples.mean(self.costs(prediction, samples.y)) / samples.x.shape[1]


@whole
class Unmasked(Squared):
    def __call__(self, prediction, samples: Samples):
        return self.costs(prediction, samples.y).mean(dim=(1, 2))


@whole
class Detached(Squared):
    def costs(self, prediction, target):
        return (prediction - target) * (prediction - target).detach()


def test_a_loss_that_divides_counts_or_learns_wrongly_is_found():
    assert list(failures(checks_of_loss(TwiceDivided))) == [
        "mean taken once",
        "masked points",
    ]
    told = failures(checks_of_loss(Unmasked))
    assert told == {"masked points": "points that fill tasks up are learned from"}
    assert list(failures(checks_of_loss(Detached))) == ["gradient"]


@whole
class Boastful(FirstOrder):
    exactness: ClassVar[Exactness] = Exactness.EXACT


@whole
class Moody(Unrolled):
    def estimate(self, oracle, inner, path, request):
        found = Unrolled.estimate(self, oracle, inner, path, request)
        noise = 1 + 0.1 * torch.rand(())
        return type(found)(per_task=found.per_task * noise, outer_loss=found.outer_loss)


@whole
class Cheap(Unrolled):
    def cost(self, size):
        found = Unrolled.cost(self, size)
        return type(found)(gradients=found.gradients, products=0)


def test_an_estimator_that_promises_too_much_is_found():
    told = failures(checks_of_estimator(Boastful))
    start = told["against the exact one, phi the start"]
    assert start.startswith("it declares itself exact: cosine 0.")
    assert "determinism" in failures(checks_of_estimator(Moody))
    assert failures(checks_of_estimator(Cheap))["cost as declared"].endswith(
        "declared: 1 and 0"
    )
    measured = outcomes(checks_of_estimator(FirstOrder))
    assert "(biased)" in measured["against the exact one, phi the start"].reason


@whole
class Straight(GradientDescent):
    def pullback(self, oracle, step, v):
        return v


@whole
class Breaking(GradientDescent):
    def run(self, oracle, **options):
        raise ZeroDivisionError("by hand")


def test_an_inner_loop_with_wrong_derivatives_is_found():
    told = failures(checks_of_inner_loop(Straight))
    assert set(told) == {
        "pullback against finite differences",
        "pushforward against pullback",
    }
    told = failures(checks_of_inner_loop(Breaking))
    line = Breaking.run.__code__.co_firstlineno + 1
    assert told["path"] == f"line {line}: ZeroDivisionError: by hand"


@whole
class Backwards(Initialisation):
    def start_pullback(self, model, v):
        return -v


@whole
class Unseeded(Sinusoid):
    def sample_parameters(self, num_tasks, *, generator, dtype):
        return torch.rand(num_tasks, 2, dtype=dtype)


@whole
class InPlace(Adam):
    def update(self, phi, hypergradient, slots, *, step, lr):
        return phi.sub_(lr * hypergradient), slots


def test_others_that_are_wrong_are_found():
    assert list(failures(checks_of_meta(Backwards))) == [
        "pullback of the start",
        "hypergradient against finite differences",
    ]
    told = failures(checks_of_family(Unseeded))
    assert "global generator" in told["determinism"]
    assert failures(checks_of_optimizer(InPlace))["update"] in (
        "two runs differ",
        "an argument is modified",
    )


class Mixing(nn.Module):
    def __init__(self, input_dim: int, output_dim: int, width: int = 3):
        super().__init__()
        if width > 100:
            raise ValueError("too wide")
        self.out = nn.Linear(input_dim, output_dim)
        self.norm = nn.BatchNorm1d(output_dim, track_running_stats=False)

    def forward(self, x):
        return self.norm(self.out(x))


def test_a_module_that_is_refused_says_why_in_every_check():
    told = failures(checks_of_model(component_of(Mixing)))
    assert "norm (BatchNorm1d) has batch statistics" in told["shapes"]
    assert told["options at their bounds"].startswith("width = 1: ")
