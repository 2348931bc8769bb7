"""Combinations that make no sense, and what is proposed instead."""

import pytest

from metalab.catalog.slots import HYPERGRADIENTS
from metalab.core.hypergradient.target import Target
from metalab.experiment.compatibility import refusal, valid_estimators
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.fields import ConfigError, with_overrides

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
            "it cannot learn meta-parameters that enter only in the steps of the inner "
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


ANCHORED = {"meta__kind": "anchor", "hypergradient__kind": "implicit-cg"}


def test_no_minimum_of_the_absolute_error_is_differentiated():
    assert refused(**ANCHORED, loss__kind="absolute-error") == (
        "hypergradient.kind is 'implicit-cg': it differentiates a minimum of the inner "
        "loss, and the derivative of loss.kind 'absolute-error' jumps where its minima "
        "lie, so that there is no Hessian to invert; nearest valid choice: "
        "hypergradient.kind = 'unrolled'"
    )


@pytest.mark.parametrize(
    "losses",
    [
        {"query_loss.kind": "absolute-error"},
        {"loss.kind": "huber"},
        {"loss.kind": "gaussian", "query_loss.kind": "absolute-error"},
    ],
)
def test_an_implicit_estimator_takes_losses_whose_derivative_does_not_jump(losses):
    parts = {path.replace("__", "."): kind for path, kind in ANCHORED.items()}
    assert refusal(with_overrides(DEFAULT, [*(parts | losses).items()])) is None


@pytest.mark.parametrize("path", ["loss", "query_loss"])
def test_a_loss_of_classes_is_refused_where_tasks_draw_numbers(path):
    nearest = {"loss": "squared-error", "query_loss": "as-inner"}[path]
    assert refused(**{f"{path}__kind": "cross-entropy"}) == (
        f"{path}.kind is 'cross-entropy', which takes probabilities of classes, and "
        "tasks.family.kind 'sinusoid' draws numbers; nearest valid choice: "
        f"{path}.kind = {nearest!r}"
    )


def test_a_posterior_has_no_other_loss_of_queries():
    alpaca = {"meta__kind": "bayesian-head", "inner__kind": "closed-form"}
    assert refused(**alpaca, query_loss__kind="huber") == (
        "query_loss.kind is 'huber', and meta.kind 'bayesian-head' is the posterior of "
        "the squared error; nearest valid choice: query_loss.kind = 'as-inner'"
    )


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


def test_a_start_factor_needs_a_fixed_inner_lr():
    assert (
        "outer.inner_lr_start_factor is 0.1, and inner.kind 'learned-descent' has no "
        "fixed inner lr; nearest valid choice: outer.inner_lr_start_factor = 1"
    ) in refused(
        inner__kind="learned-descent",
        outer__inner_lr_start_factor=0.1,
        outer__inner_ramp_steps=9,
    )


@pytest.mark.parametrize(
    ("inner", "start", "words"),
    [
        (
            {"num_inner_steps": 5},
            6,
            "is 6; allowed: 0, or 1 to K, which is 5; nearest valid choice: "
            "outer.num_inner_steps_start = 5",
        ),
        (
            {"kind": "pull-back-descent", "num_inner_steps": 5},
            1,
            "is 1; allowed: 0, or 2 to K, which is 5; nearest valid choice: "
            "outer.num_inner_steps_start = 2",
        ),
    ],
)
def test_a_start_of_k_lies_within_what_the_loop_takes(inner, start, words):
    meta = {"kind": "anchor"} if "kind" in inner else {}
    assert f"outer.num_inner_steps_start {words}" in refused(
        meta=meta,
        inner=inner,
        outer__inner_ramp_steps=9,
        outer__num_inner_steps_start=start,
    )


@pytest.mark.parametrize(
    ("name", "value", "neutral"),
    [("inner_lr_start_factor", 0.1, 1), ("num_inner_steps_start", 1, 0)],
)
def test_a_start_value_needs_a_ramp(name, value, neutral):
    assert (
        f"outer.{name} is {value}, and outer.inner_ramp_steps is 0, so that nothing "
        f"moves from it; nearest valid choice: outer.{name} = {neutral}, or "
        "outer.inner_ramp_steps above 0"
    ) in refused(**{f"outer__{name}": value})


def test_a_ramp_within_the_bounds_is_not_refused():
    ramped = with_overrides(
        DEFAULT,
        [
            ("outer.inner_ramp_steps", 9),
            ("outer.inner_lr_start_factor", 0.1),
            ("outer.num_inner_steps_start", 1),
        ],
    )
    assert refusal(ramped) is None


def test_valid_estimators_are_those_that_are_not_refused():
    assert set(valid_estimators(DEFAULT)) == {
        *("unrolled", "checkpointed", "truncated", "first-order", "reptile"),
        *("evolution", "persistent-evolution", "finite-differences"),
        *("forward-mode", "forward-gradient", "joint", "difference-product"),
    }


def test_a_floor_goes_with_a_schedule_that_comes_down():
    with pytest.raises(ConfigError, match=r"schedule_floor is 0\.1, and .* 'constant'"):
        with_overrides(ExperimentConfig(), [("outer.schedule_floor", 0.1)])
    changes = [("outer.schedule", "cosine"), ("outer.schedule_floor", 0.1)]
    assert with_overrides(ExperimentConfig(), changes).outer.schedule_floor == 0.1


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ([("tasks.num_shots_min", 11)], "num_shots_min is 11; .* tasks.num_shots, 10"),
        (
            [("tasks.num_shots_min", 4), ("inner.inner_batch_size", 5)],
            "inner_batch_size is 5; allowed: at most tasks.num_shots_min, 4",
        ),
        (
            [("tasks.num_shots_min", 4), ("run.compile", "on")],
            "a compiled step has one number of shots",
        ),
    ],
)
def test_numbers_of_shots_go_with_each_other(changes, says):
    with pytest.raises(ConfigError, match=says):
        with_overrides(ExperimentConfig(), changes)


def test_weight_decay_moves_the_solution_that_implicit_estimators_differentiate():
    decayed = [("inner.inner_weight_decay", 0.1)]
    anchored = [
        ("meta.kind", "anchor"),
        ("hypergradient.kind", "implicit-cg"),
        ("inner.kind", "gradient-descent"),
    ]
    with pytest.raises(ConfigError, match="without weight decay"):
        with_overrides(ExperimentConfig(), anchored + decayed)
    config = with_overrides(ExperimentConfig(), anchored[:1] + decayed)
    targets = {
        HYPERGRADIENTS.components[name].target for name in valid_estimators(config)
    }
    assert targets == {Target.K_STEP}


@pytest.mark.parametrize(
    "meta",
    [
        {"meta__kind": "ridge-head", "inner__kind": "closed-form"},
        {"meta__kind": "modulated"},
    ],
)
@pytest.mark.parametrize("level", ["loss", "query_loss"])
def test_what_joins_outputs_with_targets_has_no_output_for_their_noise(meta, level):
    noise = {f"{level}__kind": "gaussian", f"{level}__noise_is": "learned"}
    if level == "loss" and "inner__kind" in meta:
        meta = {"meta__kind": "ridge-head"}
    kind = meta["meta__kind"]
    assert refused(**meta, **noise) == (
        f"the losses take 2 outputs for 1 target(s), and meta.kind {kind!r} has one "
        "output a target; nearest valid choice: a loss with noise_is = 'fixed'"
    )
