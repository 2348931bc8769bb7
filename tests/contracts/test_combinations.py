"""The cross product: each valid combination trains, each other one is refused well."""

import itertools
import re
from functools import cache

import numpy as np
import pytest
import torch

from metalab.catalog.slots import (
    HYPERGRADIENTS,
    INNER_LOOPS,
    META_PARAMETERISATIONS,
    SLOTS,
)
from metalab.core.learner import METRIC_NAMES
from metalab.core.objective import OBJECTIVES
from metalab.core.streams import RandomStreams
from metalab.core.tasks import sample_batch
from metalab.engine.build import build_family, build_learner
from metalab.engine.events import StepsDone
from metalab.engine.trainer import Trainer
from metalab.experiment.compatibility import estimator_refusal, refusal
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.fields import ConfigError, with_overrides
from tests.support.findings import check_each

VARIANTS = {
    "evolution": [{"hypergradient.num_pairs": 2}],
    "persistent-evolution": [
        {"hypergradient.num_pairs": 2, "hypergradient.segment_steps": 1}
    ],
    "forward-gradient": [{"hypergradient.num_directions": 2}],
    "implicit-nystrom": [{"hypergradient.rank": 2}],
    "ridge-head": [{}, {"meta.strength_is": "fixed"}],
    "closed-form": [{"inner.num_inner_steps": 1}],
    "proximal-descent": [{"inner.num_inner_steps": 2}],
    "pull-back-descent": [{"inner.num_inner_steps": 2}],
    "modulated": [{"meta.embedding_dim": 2}],
    "bayesian-head": [
        {},
        {"meta.noise_is": "learned", "meta.prior_is": "standard-normal"},
    ],
    "anchor": [{}, {"meta.strength_is": "learned"}],
    "gradient-descent": [
        {"inner.num_inner_steps": 2},
        {
            "inner.num_inner_steps": 2,
            "inner.momentum": 0.5,
            "inner.inner_batch_size": 4,
        },
    ],
    "learned-descent": [
        {"inner.num_inner_steps": 2, "inner.granularity": "per-parameter"},
        {
            "inner.num_inner_steps": 2,
            "inner.granularity": "per-layer-per-step",
            "inner.parameterisation": "exponential",
        },
    ],
}
"""Options that change what phi is, or what a path holds."""

SMALL = {
    "model.hidden_sizes": [3],
    "model.activation": "tanh",
    "tasks.num_shots": 5,
    "tasks.num_queries": 4,
    "outer.num_steps": 2,
    "outer.num_tasks": 2,
    "evaluation.num_tasks": 16,
    "evaluation.num_queries": 2,
    "evaluation.num_inner_steps": 2,
    "evaluation.every": 2,
}


def variants(slot, registry):
    for kind in registry.components:
        for options in VARIANTS.get(kind, [{}]):
            yield {f"{slot}.kind": kind, **options}


CHOICES = [
    meta | inner | estimator | {"outer.loss": loss}
    for meta, inner, estimator, loss in itertools.product(
        variants("meta", META_PARAMETERISATIONS),
        variants("inner", INNER_LOOPS),
        variants("hypergradient", HYPERGRADIENTS),
        OBJECTIVES,
    )
]


def said_about(choice):
    """Return the experiment, or what is said against it."""
    try:
        return with_overrides(ExperimentConfig(), [*(SMALL | choice).items()])
    except ConfigError as error:
        return str(error)


@cache
def all_said():
    """Return every choice with its experiment, or with what is said against it."""
    return [(choice, said_about(choice)) for choice in CHOICES]


def valid():
    return [config for _, config in all_said() if isinstance(config, ExperimentConfig)]


def refused():
    return [(choice, text) for choice, text in all_said() if isinstance(text, str)]


def steps_alone(config):
    """Take two outer steps without a run around them, which costs ten times as much."""
    learner, streams = build_learner(config), RandomStreams(0)
    state = learner.initial_state(
        generator=streams.generator("initial meta-parameters"),
        dtype=torch.float32,
        device=torch.device("cpu"),
    )
    num_steps = 1 if config.hypergradient.kind in SLOW_ONES else 2
    for step in range(num_steps):
        batch = sample_batch(
            build_family(config),
            config.outer.num_tasks,
            num_shots=config.tasks.num_shots,
            num_queries=config.tasks.num_queries,
            generator=streams.generator("training tasks", step),
        )
        result = learner.step(state, batch, streams)
        state = result.state
        assert torch.isfinite(result.metrics).all()
        assert result.evaluations.gradients > 0
    assert state.step == num_steps


def takes_its_steps(config):
    done = [e.metrics for e in Trainer(config).run() if isinstance(e, StepsDone)]
    metrics = np.concatenate(done)
    assert len(metrics) == config.outer.num_steps
    assert np.isfinite(metrics[:, : len(METRIC_NAMES)]).all()


SLOW_ONES = ("finite-differences", "forward-mode")
"""Two paths, or tangents, for each meta-parameter: their multi-step loss is not tried."""

# A prime, so that each portion has something of every component and of both losses.
NUM_PORTIONS = 41


@pytest.mark.parametrize("portion", range(NUM_PORTIONS))
@pytest.mark.sampled(9)
def test_a_valid_combination_takes_two_steps(portion):
    def check(choice):
        config = said_about(choice)
        if isinstance(config, str):
            return
        if config.outer.loss == "final" or config.hypergradient.kind not in SLOW_ONES:
            assert estimator_refusal(config, config.hypergradient.component) is None
            steps_alone(config)

    check_each(CHOICES[portion::NUM_PORTIONS], check)


def mend(choice, text):
    """Return the experiment after taking one proposal after the other."""
    for _ in range(3):
        proposed = re.search(r"nearest valid choice: (\w+)\.kind = '(.+?)'", text)
        assert proposed, (choice, text)
        section, kind = proposed[1], proposed[2]
        assert f"{section}.kind is {choice[f'{section}.kind']!r}" in text or (
            "outer.loss" in text
        )
        others = {k: v for k, v in choice.items() if not k.startswith(f"{section}.")}
        choice = others | {f"{section}.kind": kind}
        text = said_about(choice)
        if isinstance(text, ExperimentConfig):
            return text
    return text


@pytest.mark.parametrize("portion", range(5))
@pytest.mark.sampled(5)
def test_a_refused_one_is_told_the_reason_and_a_choice_that_is_valid(portion):
    for choice, text in refused()[portion::5]:
        mended = mend(choice, text)
        assert isinstance(mended, ExperimentConfig), (choice, mended)
        assert refusal(mended) is None


def test_the_product_is_as_large_as_it_is_said_to_be():
    configs = valid()
    print(f"{len(configs)} valid combinations, {len(refused())} refused")
    assert len(configs) + len(refused()) == len(CHOICES)
    assert len(configs) > 200
    assert len(refused()) > 100
    for registry, section in (
        (META_PARAMETERISATIONS, "meta"),
        (INNER_LOOPS, "inner"),
        (HYPERGRADIENTS, "hypergradient"),
    ):
        kinds = {getattr(config, section).kind for config in configs}
        assert kinds == set(registry.components)


@pytest.mark.parametrize(
    ("slot", "kind"),
    [
        (slot, kind)
        for slot in ("tasks.family", "model", "outer.optimizer")
        for kind in SLOTS[slot].components
    ],
)
def test_every_other_choice_takes_two_steps_too(slot, kind):
    takes_its_steps(said_about({f"{slot}.kind": kind}))


def test_the_first_order_beginning_goes_over_into_every_valid_estimator():
    beginning = {"outer.first_order_steps": 1}
    for kind in HYPERGRADIENTS.components:
        meta = {"meta.kind": "anchor", "hypergradient.kind": kind}
        takes_its_steps(said_about(meta | beginning))
