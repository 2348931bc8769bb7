"""The cross product: each valid combination trains, each other one is refused well."""

import itertools
import re

import numpy as np
import pytest

from metalab.catalog.slots import (
    HYPERGRADIENTS,
    INNER_LOOPS,
    META_PARAMETERISATIONS,
    SLOTS,
)
from metalab.core.objective import OBJECTIVES
from metalab.engine.config import ExperimentConfig
from metalab.engine.events import StepsDone
from metalab.engine.overrides import ConfigError, with_overrides
from metalab.engine.refusals import estimator_refusal, refusal
from metalab.engine.trainer import Trainer

VARIANTS = {
    "evolution": [{"hypergradient.num_pairs": 2}],
    "anchor": [{}, {"meta.strength_is": "learned"}],
    "gradient-descent": [{}, {"inner.momentum": 0.5, "inner.inner_batch_size": 4}],
    "learned-descent": [
        {"inner.granularity": "per-parameter"},
        {
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
    "inner.num_inner_steps": 2,
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


SAID = [(choice, said_about(choice)) for choice in CHOICES]
VALID = [config for _, config in SAID if isinstance(config, ExperimentConfig)]
REFUSED = [(choice, text) for choice, text in SAID if isinstance(text, str)]


def named(config):
    options = [config.meta.options(), config.inner.options()]
    chosen = [value for o in options for value in o.values() if isinstance(value, str)]
    kinds = [config.meta.kind, config.inner.kind, config.hypergradient.kind]
    return "+".join([*kinds, config.outer.loss, *chosen])


def takes_its_steps(config):
    done = [e.metrics for e in Trainer(config).run() if isinstance(e, StepsDone)]
    metrics = np.concatenate(done)
    assert len(metrics) == config.outer.num_steps
    assert np.isfinite(metrics).all()


@pytest.mark.parametrize("config", VALID, ids=named)
def test_a_valid_combination_takes_two_steps(config):
    assert estimator_refusal(config, config.hypergradient.component) is None
    takes_its_steps(config)


def test_a_refused_one_is_told_the_reason_and_a_choice_that_is_valid():
    for choice, text in REFUSED:
        assert "hypergradient.kind" in text, choice
        proposed = re.search(
            r"nearest valid choice: hypergradient\.kind = '(.+?)'", text
        )
        assert proposed, (choice, text)
        others = {k: v for k, v in choice.items() if "hypergradient." not in k}
        mended = said_about(others | {"hypergradient.kind": proposed[1]})
        assert isinstance(mended, ExperimentConfig), (choice, mended)
        assert refusal(mended) is None


def test_the_product_is_as_large_as_it_is_said_to_be():
    print(f"{len(VALID)} valid combinations, {len(REFUSED)} refused")
    assert len(VALID) + len(REFUSED) == len(CHOICES)
    assert len(VALID) > 200
    assert len(REFUSED) > 100
    for registry, section in (
        (META_PARAMETERISATIONS, "meta"),
        (INNER_LOOPS, "inner"),
        (HYPERGRADIENTS, "hypergradient"),
    ):
        kinds = {getattr(config, section).kind for config in VALID}
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
