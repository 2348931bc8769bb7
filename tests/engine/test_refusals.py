"""Combinations that make no sense, and what is proposed instead."""

import pytest

from metalab.engine.config import ExperimentConfig
from metalab.engine.overrides import ConfigError, with_overrides
from metalab.engine.refusals import refusal, valid_estimators

DEFAULT = ExperimentConfig()


def refused(**overrides):
    """Return why, without the name of the section in front."""
    pairs = [(path.replace("__", "."), v) for path, v in overrides.items()]
    with pytest.raises(ConfigError) as caught:
        with_overrides(DEFAULT, pairs)
    return str(caught.value)


def test_the_default_is_not_refused():
    assert refusal(DEFAULT) is None


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        (
            {"hypergradient__kind": "implicit-cg"},
            "it cannot learn meta-parameters that enter only as the start of the inner "
            "loop (meta.kind 'initialisation', inner.kind 'gradient-descent')",
        ),
        (
            {"hypergradient__kind": "reptile", "meta__kind": "head"},
            "it cannot learn meta-parameters that enter only directly in the prediction "
            "and in the inner loss (meta.kind 'head', inner.kind 'gradient-descent')",
        ),
        (
            {"hypergradient__kind": "reptile", "inner__kind": "learned-descent"},
            "it cannot learn meta-parameters that enter only as the rates of the inner "
            "loop (meta.kind 'initialisation', inner.kind 'learned-descent')",
        ),
        (
            {"hypergradient__kind": "first-order", "meta__kind": "penalty"},
            "it cannot learn meta-parameters that enter only in the inner loss "
            "(meta.kind 'penalty', inner.kind 'gradient-descent')",
        ),
        (
            {"hypergradient__kind": "implicit-cg", "meta__kind": "context"},
            "it needs an inner problem with a stationary point, and meta.kind 'context' "
            "has no regulariser",
        ),
    ],
)
def test_an_estimator_that_cannot_learn_is_refused_with_the_reason(overrides, reason):
    kind = overrides["hypergradient__kind"]
    assert (
        f"hypergradient.kind is {kind!r}: {reason}; nearest valid choice: "
        "hypergradient.kind = 'unrolled'"
    ) in refused(**overrides)


def test_a_learned_strength_is_more_than_a_fixed_one():
    fixed = with_overrides(
        DEFAULT, [("meta.kind", "anchor"), ("hypergradient.kind", "reptile")]
    )
    assert refusal(fixed) is None
    assert "enter only in the inner loss" in refused(
        meta__kind="anchor",
        meta__strength_is="learned",
        hypergradient__kind="reptile",
    )


def test_a_multi_step_loss_needs_an_estimator_that_looks_at_the_steps():
    assert (
        "outer.loss is 'multi-step', and hypergradient.kind 'reptile' does not look at "
        "the inner steps on the way; nearest valid choice: hypergradient.kind = "
        "'unrolled'"
    ) in refused(outer__loss="multi-step", hypergradient__kind="reptile")


def test_a_first_order_beginning_needs_a_phi_that_first_order_can_learn():
    assert "outer.first_order_steps is 9, but of the first-order hypergradient" in (
        refused(outer__first_order_steps=9, meta__kind="penalty")
    )


def test_a_minibatch_larger_than_the_support_set_is_refused():
    assert (
        "inner.inner_batch_size is 11; allowed: at most tasks.num_shots, 10"
    ) in refused(inner__inner_batch_size=11)


def test_a_device_without_double_precision_is_refused():
    assert "allowed on run.device 'mps': float32" in refused(
        run__device="mps", run__precision="float64"
    )


def test_valid_estimators_are_those_that_are_not_refused():
    assert set(valid_estimators(DEFAULT)) == {
        *("unrolled", "checkpointed", "truncated", "first-order", "reptile"),
        *("evolution", "finite-differences"),
    }
