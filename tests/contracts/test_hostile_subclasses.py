"""A subclass that computes something else is never taken for its parent.

For every component and subclasses of it that change what it does: whatever is chosen to
compute a run with it gives the numbers of automatic differentiation, and says what it
could not take.
"""

import itertools
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from metalab.catalog.slots import SLOTS, TASK_FAMILIES
from metalab.core.analytic import AnalyticOracle
from metalab.core.autodiff import AutodiffOracle
from metalab.core.fused.oracle import FusedOracle
from metalab.core.fused.plan import adaptation_unsupported_reason, unsupported_reason
from metalab.core.fused.support import KNOWN, KernelError, oracle_unsupported_reason
from metalab.core.fused.view import can_view
from metalab.core.inner.descent import Descent
from metalab.core.learner import MetaLearner
from metalab.core.loss.as_inner import AsInner
from metalab.core.loss.base import Loss
from metalab.core.meta.initialisation import Initialisation
from metalab.core.model.mlp import MLP
from metalab.core.oracle import BilevelProblem
from metalab.core.streams import RandomStreams
from metalab.core.tasks import Targets, TaskError, TaskFamily, sample_batch
from metalab.engine.build import build_learner
from metalab.engine.events import DiagnosticsTaken, EvaluationDone, StepsDone
from metalab.engine.providers import AUTODIFF, FUSED, chosen_provider, counts_of
from metalab.engine.trainer import Trainer
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.fields import ConfigError, with_overrides
from tests.support.oracles import generator, initial_phi, smooth_batch

NETWORK = {"model.hidden_sizes": [3], "model.activation": "tanh"}
OPTIONS = {
    # Twice its squares explode with a longer step, and a run that does waits for a person.
    "polynomial": {"inner.inner_lr": 1e-4},
    "evolution": {"hypergradient.num_pairs": 2},
    "persistent-evolution": {"hypergradient.num_pairs": 2},
    "forward-gradient": {"hypergradient.num_directions": 2},
    "implicit-neumann": {"hypergradient.num_terms": 2},
}
"""Fewer draws and terms than by default: what is told apart does not depend on them."""

SMALL = {
    "tasks.num_shots": 5,
    "tasks.num_queries": 4,
    "outer.num_steps": 2,
    "outer.num_tasks": 2,
    "evaluation.num_tasks": 16,
    "evaluation.num_queries": 2,
    "evaluation.num_inner_steps": 2,
    "evaluation.every": 2,
    "diagnostics.every": 3,
    "diagnostics.num_power_iterations": 2,
    "run.precision": "float64",
}
COMPANIONS = [
    {"meta.kind": meta, "inner.kind": inner, "hypergradient.kind": estimator}
    for meta, inner, estimator in itertools.product(
        ("initialisation", "anchor", "ridge-head"),
        ("gradient-descent", "closed-form"),
        ("unrolled", "implicit-cg"),
    )
]
"""Other parts for a component to stand beside, those with kernels first."""


def config_with(slot, kind):
    """Return a small experiment that has a component, on kernels where it can be."""
    family = family_of(SLOTS[slot].components[kind])
    for companion in COMPANIONS:
        choice = {"tasks.family.kind": family} | companion | {f"{slot}.kind": kind}
        if slot == "query_loss":
            # Both take the same targets.
            choice |= {"loss.kind": kind}
        network = choice.get("model.kind", "mlp") == "mlp"
        choice |= SMALL | OPTIONS.get(kind, {}) | (NETWORK if network else {})
        if choice["inner.kind"] != "closed-form":
            choice["inner.num_inner_steps"] = 2
        try:
            return with_overrides(ExperimentConfig(), list(choice.items()))
        except ConfigError:
            continue
    raise AssertionError(f"nothing goes with {slot} {kind}")


# What somebody else may have changed. Each takes the parent and returns methods.


def doubled_network(parent):
    return {
        "apply": lambda self, theta, x: 2 * parent.apply(self, theta, x),
        "features": lambda self, body, x: 2 * parent.features(self, body, x),
        "apply_modulated": lambda self, *args: 2 * parent.apply_modulated(self, *args),
    }


def other_start_of_network(parent):
    def initial_parameters(self, *, generator, dtype):
        return 0.5 + parent.initial_parameters(self, generator=generator, dtype=dtype)

    return {"initial_parameters": initial_parameters}


def weight_decay(parent):
    def regulariser(self, model, theta, phi, *, num_shots):
        own = parent.regulariser(self, model, theta, phi, num_shots=num_shots)
        penalty = 5 * theta.square().sum(dim=1)
        return penalty if own is None else own + penalty

    return {"regulariser": regulariser}


def doubled_prediction(parent):
    return {"predict": lambda self, *args: 2 * parent.predict(self, *args)}


def other_outer_loss(parent):
    def own_outer_loss(self, model, theta, phi, batch):
        prediction = self.predict(model, theta, phi, batch.query.x, batch.support)
        return 3 * (prediction - batch.query.y).square().mean(dim=(1, 2))

    return {"own_outer_loss": own_outer_loss}


def tenfold_loss(parent):
    return {"__call__": lambda self, *args: 10 * parent.__call__(self, *args)}


def shifted_start(parent):
    return {"start": lambda self, model, phi: 0.3 + parent.start(self, model, phi)}


def overshooting(parent):
    def run(self, oracle, **options):
        path = parent.run(self, oracle, **options)
        end = replace(path.state, theta=1.5 * path.state.theta)
        points = path.points and (*path.points[:-1], 1.5 * path.points[-1])
        return replace(path, state=end, points=points)

    return {"run": run}


def half_as_fast(parent):
    def rule(self, oracle):
        made = parent.rule(self, oracle)
        return replace(made, rate=lambda step, grad: 0.5 * made.rate(step, grad))

    return {"rule": rule}


def tripled_estimate(parent):
    def estimate(self, *args):
        found = parent.estimate(self, *args)
        return replace(found, per_task=3 * found.per_task)

    return {"estimate": estimate}


def negated_update(parent):
    def update(self, phi, hypergradient, slots, **options):
        phi, slots = parent.update(self, phi, -hypergradient, slots, **options)
        return 0.9 * phi, slots

    return {"update": update}


def doubled_targets(parent):
    return {"target": lambda self, *args: 2 * parent.target(self, *args)}


def squeezed_inputs(parent):
    def sample_inputs(self, num_tasks, num_samples, **options):
        return 0.5 * parent.sample_inputs(self, num_tasks, num_samples, **options)

    return {"sample_inputs": sample_inputs}


def other_points(parent):
    def sample_points(self, parameters, **options):
        drawn = parent.sample_points(self, parameters, **options)
        return replace(drawn, y=2 * drawn.y)

    return {"sample_points": sample_points}


def family_of(component):
    """Return a task family that draws what a component takes; None where none does."""
    if not issubclass(component, Loss) or component.targets is Targets.NUMBERS:
        return "sinusoid"
    families = TASK_FAMILIES.components.values()
    fitting = (kind.name for kind in families if kind.targets is component.targets)
    return next(fitting, None)


CHANGES = {
    "tasks.family": (doubled_targets, squeezed_inputs, other_points),
    "model": (doubled_network, other_start_of_network),
    "loss": (tenfold_loss,),
    "query_loss": (tenfold_loss,),
    "meta": (weight_decay, doubled_prediction, other_outer_loss, shifted_start),
    "inner": (overshooting, half_as_fast),
    "hypergradient": (tripled_estimate,),
    "outer.optimizer": (negated_update,),
}
CASES = [
    pytest.param(slot, kind, change, id=f"{slot}={kind}+{change.__name__}")
    for slot, registry in SLOTS.items()
    for kind, parent in registry.components.items()
    for change in CHANGES[slot]
    if change is not half_as_fast or issubclass(parent, Descent)
    # Observed tasks have no curve to change.
    if change not in (doubled_targets, squeezed_inputs)
    or issubclass(parent, TaskFamily)
    if parent is not AsInner and family_of(parent) is not None
]


def subclass_of(parent, change):
    return type(f"Hostile{parent.__name__}", (parent,), change(parent))


def numbers(config, provider):
    """Return everything a run says of its numbers, as one flat array."""
    parts = []
    for event in Trainer(config, provider=provider).run(lambda: 2):
        if isinstance(event, StepsDone):
            # What was asked of an oracle is not a number of the run.
            parts.append(event.metrics[:, :-2])
        elif isinstance(event, EvaluationDone):
            losses = event.evaluation
            parts += [losses.support_loss, losses.query_loss, event.curves.curves]
            parts += [event.phi, *event.snapshot.slots]
        elif isinstance(event, DiagnosticsTaken):
            parts.append(np.array(list(event.values.values())))
    return np.concatenate([np.ravel(part) for part in parts])


@cache
def parents_numbers(slot, kind):
    return numbers(config_with(slot, kind), AUTODIFF)


def differ(one, other):
    return one.shape != other.shape or not np.allclose(one, other, equal_nan=True)


@pytest.mark.parametrize(("slot", "kind", "change"), CASES)
@pytest.mark.sampled(3)
def test_kernels_agree_with_autodiff_or_say_why_not(slot, kind, change, monkeypatch):
    config = config_with(slot, kind)
    own = parents_numbers(slot, kind)
    registry = SLOTS[slot]
    hostile = subclass_of(registry.components[kind], change)
    monkeypatch.setattr(registry.models[kind], "component", hostile)
    expected = numbers(config, AUTODIFF)
    assert differ(expected, own), "the change makes no difference: it tests nothing"
    provider, reason = chosen_provider(config)
    learner = build_learner(config)
    told = unsupported_reason(learner, counts_of(config))
    if slot in KNOWN:
        assert told is not None
        assert hostile.__name__ in told or hostile.__base__ not in KNOWN[slot]
    if provider == FUSED:
        found = numbers(config, FUSED)
        np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)
    else:
        assert reason == oracle_unsupported_reason(learner.problem)
        with pytest.raises(KernelError, match="no compiled kernel"):
            numbers(config, FUSED)


def test_every_component_is_covered():
    covered = {(slot, kind) for slot, kind, _ in (case.values for case in CASES)}
    everyone = {
        (slot, kind)
        for slot, reg in SLOTS.items()
        for kind, component in reg.components.items()
        if component is not AsInner and family_of(component) is not None
    }
    print(f"{len(covered)} components, {len(CASES)} hostile subclasses")
    assert covered == everyone
    known = [part for parts in KNOWN.values() for part in parts]
    registered = [c for reg in SLOTS.values() for c in reg.components.values()]
    assert set(known) <= set(registered)


def mlp():
    return MLP(input_dim=1, output_dim=1, hidden_sizes=(4, 3), activation="tanh")


def test_the_penalty_of_the_report_is_not_lost():
    """5 ||theta||^2 in the inner loss: its gradient at theta_0 has 10 theta_0 more."""
    problem = BilevelProblem(
        model=mlp(), meta=subclass_of(Initialisation, weight_decay)()
    )
    plain = BilevelProblem(model=mlp(), meta=Initialisation())
    inner = build_learner(config_with("meta", "initialisation")).inner
    batch, phi = smooth_batch(), initial_phi(plain, inner)
    theta = phi.expand(batch.num_tasks, -1)
    own, parents = (
        AutodiffOracle(p, phi, batch).linearise(theta, curvature=False).grad
        for p in (problem, plain)
    )
    torch.testing.assert_close(own, parents + 10 * theta)
    assert not AnalyticOracle.suits(problem)
    with pytest.raises(KernelError, match="HostileInitialisation"):
        FusedOracle(problem, phi, batch)


def test_neither_is_a_subclass_of_what_holds_the_parts():
    class OtherProblem(BilevelProblem):
        """Somebody else's inner loss."""

    class OtherLearner(MetaLearner):
        """Somebody else's outer step."""

    learner = build_learner(config_with("meta", "initialisation"))
    counts = counts_of(config_with("meta", "initialisation"))
    assert unsupported_reason(learner, counts) is None
    parts = {name: getattr(learner, name) for name in MetaLearner.__slots__}
    assert "OtherLearner" in unsupported_reason(OtherLearner(**parts), counts)
    problem = OtherProblem(model=learner.problem.model, meta=learner.problem.meta)
    assert not AnalyticOracle.suits(problem)
    assert "OtherProblem" in oracle_unsupported_reason(problem)
    assert "OtherProblem" in unsupported_reason(
        replace(learner, problem=problem), counts
    )


def test_a_gallery_is_not_drawn_by_kernels_that_do_not_know_its_loop():
    learner = build_learner(config_with("inner", "gradient-descent"))
    batch = smooth_batch()
    assert can_view(learner, batch, 2)
    hostile = subclass_of(type(learner.inner), half_as_fast)()
    other = replace(learner, inner=hostile)
    assert not can_view(other, batch, 2)
    assert "HostileGradientDescent" in adaptation_unsupported_reason(other)


def test_support_loss_is_without_a_regulariser_that_is_not_declared(monkeypatch):
    """Whatever the path keeps: it is the mean squared error at the start."""
    config = config_with("meta", "initialisation")
    hostile = subclass_of(Initialisation, weight_decay)
    monkeypatch.setattr(type(config.meta), "component", hostile)
    learner = build_learner(config)
    batch, problem = smooth_batch(), learner.problem
    phi = initial_phi(problem, learner.inner)
    oracle = AutodiffOracle(problem, phi, batch)
    answer = learner.outer_gradient(0)(oracle, RandomStreams(0), 0)
    expected = oracle.support_loss(oracle.start()).mean()
    torch.testing.assert_close(answer.support_loss_before, expected)


def other_sizes(parent):
    def target(self, parameters, x):
        return parent.target(self, parameters, x).repeat(1, 1, 2)

    return {"target": target}


def other_precision(parent):
    return {"target": lambda self, *args: parent.target(self, *args).to(torch.float32)}


@pytest.mark.parametrize("change", [other_sizes, other_precision])
@pytest.mark.parametrize("provider", [FUSED, AUTODIFF])
def test_a_family_that_draws_other_than_it_declares_is_refused(
    change, provider, monkeypatch
):
    config = config_with("tasks.family", "sinusoid")
    hostile = subclass_of(SLOTS["tasks.family"].components["sinusoid"], change)
    monkeypatch.setattr(type(config.tasks.family), "component", hostile)
    with pytest.raises(TaskError, match="'sinusoid' draws targets of shape"):
        Trainer(config, provider=provider)


def test_kernels_look_at_the_sizes_of_points():
    learner = build_learner(config_with("meta", "initialisation"))
    batch = smooth_batch(input_dim=2)
    phi = learner.problem.model.initial_parameters(
        generator=generator(), dtype=torch.float64
    )
    with pytest.raises(RuntimeError, match="2 inputs"):
        FusedOracle(learner.problem, phi, batch)


def short_mask(samples):
    """Return points with a mask that lacks one: kernels would read past its end."""
    return replace(samples, mask=torch.ones_like(samples.x[:, 1:, 0]))


def test_kernels_look_at_the_size_of_a_mask():
    learner = build_learner(config_with("meta", "initialisation"))
    batch = smooth_batch()
    batch = replace(batch, support=short_mask(batch.support))
    phi = learner.problem.model.initial_parameters(
        generator=generator(), dtype=torch.float64
    )
    with pytest.raises(RuntimeError, match="a mask of shape"):
        FusedOracle(learner.problem, phi, batch)


def test_a_family_that_draws_a_mask_of_another_size_is_refused():
    parent = SLOTS["tasks.family"].components["sinusoid"]

    def sample_points(self, parameters, **options):
        return short_mask(parent.sample_points(self, parameters, **options))

    hostile = type("HostileMask", (parent,), {"sample_points": sample_points})()
    with pytest.raises(TaskError, match="'sinusoid' draws a mask of shape"):
        sample_batch(hostile, 2, num_shots=3, num_queries=2, generator=generator())
