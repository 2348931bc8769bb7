"""Whole runs on the kernels against the same steps by automatic differentiation."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from metalab.catalog.recipes import presets
from metalab.core.fused.plan import unsupported_reason
from metalab.core.outer import SGD
from metalab.engine.build import build_learner
from metalab.engine.events import EvaluationDone, StepsDone
from metalab.engine.providers import FUSED, chosen_provider, fused_obstacle
from metalab.engine.trainer import Trainer
from metalab.experiment.config import preset_config
from metalab.experiment.fields import ConfigError, with_overrides
from tests.core.fused.problems import (
    counts_of,
    distance,
    fused_steps,
    of_unequal_sizes,
    oracle_steps,
    setup,
)

CLOSE = {"float32": 1e-5, "float64": 1e-10}


def runs_natively(name):
    config = preset_config(name)
    if fused_obstacle(config) is not None:
        return False
    return unsupported_reason(build_learner(config), counts_of(config)) is None


NATIVE = [name for name in presets() if runs_natively(name)]
MOVING = [n for n in NATIVE if preset_config(n).outer.optimizer.kind != "none"]


def experiment(preset="maml-sine", **overrides):
    small = {"outer__num_tasks": 3, "tasks__num_shots": 5, "tasks__num_queries": 7}
    values = [(k.replace("__", "."), v) for k, v in (small | overrides).items()]
    return with_overrides(preset_config(preset), values)


def doubled(preset, **overrides):
    """Return a preset in float64, with as many shots as its minibatches take."""
    family = preset_config(preset).tasks.family.build()
    shots = 13 if family.refusal(13) is None else 4
    return experiment(
        preset, run__precision="float64", tasks__num_shots=shots, **overrides
    )


def assert_same_hypergradient(config, *, unequal=False):
    """A step of SGD with rate 1 moves phi by the hypergradient, nothing else."""
    made = setup(config, 1)
    if unequal:
        made = replace(made, batch=of_unequal_sizes(made.batch))
    made = replace(made, learner=replace(made.learner, outer=SGD(outer_lr=1.0)))
    made = replace(made, state=replace(made.state, slots=()))
    (fused, moved), (autodiff, expected) = fused_steps(made, 1), oracle_steps(made, 1)
    precision = CLOSE[config.run.precision]
    start = made.state.phi
    assert distance(moved.phi - start, expected.phi - start) < precision
    np.testing.assert_allclose(fused, autodiff, rtol=10 * precision)


def test_most_presets_run_natively():
    assert set(NATIVE) >= {
        "maml-sine", "fomaml-sine", "reptile-sine", "anil-sine", "boil-sine",
        "meta-sgd-sine", "maml-plus-plus-sine", "pretrain-sine", "maml-multimodal",
    }  # fmt: skip


@pytest.mark.parametrize("precision", sorted(CLOSE))
@pytest.mark.parametrize("preset", MOVING)
def test_a_preset_has_the_hypergradient_of_automatic_differentiation(preset, precision):
    config = with_overrides(preset_config(preset), [("run.precision", precision)])
    assert_same_hypergradient(config)


@pytest.mark.parametrize("preset", NATIVE)
def test_a_preset_makes_the_same_steps(preset):
    """Optimiser, schedules, clipping and multi-step weights included."""
    made = setup(doubled(preset, outer__clip_norm=0.5), 6)
    (fused, moved), (autodiff, expected) = fused_steps(made, 6), oracle_steps(made, 6)
    np.testing.assert_allclose(fused, autodiff, rtol=1e-8, atol=1e-12)
    assert distance(moved.phi, expected.phi) < 1e-10
    assert moved.step == expected.step == 6
    for ours, theirs in zip(moved.slots, expected.slots, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-12)


RECIPES = st.fixed_dictionaries(
    {
        "model__hidden_sizes": st.lists(st.integers(1, 21), max_size=3).map(tuple),
        "model__activation": st.sampled_from(["relu", "tanh", "sine"]),
        "meta": st.sampled_from(
            [
                {"kind": "initialisation"},
                {"kind": "head"},
                {"kind": "body"},
                {"kind": "anchor", "strength": 0.7},
                {"kind": "anchor", "strength_is": "learned"},
            ]
        ),
        "inner": st.one_of(
            st.builds(
                lambda **options: {"kind": "gradient-descent", **options},
                num_inner_steps=st.integers(1, 4),
                inner_lr=st.sampled_from([0.01, 0.1]),
                momentum=st.sampled_from([0.0, 0.9]),
                inner_batch_size=st.sampled_from([0, 2, 3]),
            ),
            st.builds(
                lambda **options: {"kind": "learned-descent", **options},
                num_inner_steps=st.integers(1, 4),
                granularity=st.sampled_from(
                    ["shared", "per-layer", "per-layer-per-step", "per-parameter"]
                ),
                parameterisation=st.sampled_from(["linear", "exponential"]),
            ),
            st.builds(
                lambda **options: {"kind": "proximal-descent", **options},
                num_inner_steps=st.integers(1, 6),
                tolerance=st.sampled_from([1e-3, 2.0]),
            ),
        ),
        "hypergradient": st.sampled_from(
            [
                {"kind": "unrolled"},
                {"kind": "truncated", "num_backprop_steps": 2},
                {"kind": "first-order"},
                {"kind": "reptile"},
                {"kind": "joint"},
            ]
        ),
        "outer__loss": st.sampled_from(["final", "multi-step"]),
        "outer__first_order_steps": st.sampled_from([0, 1]),
        "tasks__family": st.sampled_from(
            [{"kind": "sinusoid"}, {"kind": "linear-regression", "num_features": 3}]
        ),
        "run__precision": st.sampled_from(sorted(CLOSE)),
    }
)


@settings(max_examples=60, deadline=None)
@given(RECIPES, st.booleans())
def test_any_valid_combination_agrees(recipe, unequal):
    """Random networks, recipes and tasks, of one size or not."""
    config = None
    with suppress(ConfigError):
        config = experiment(**recipe)
    assume(config is not None)
    # A first-order beginning that goes over into something else than a sweep.
    assume(unsupported_reason(build_learner(config), counts_of(config)) is None)
    assert_same_hypergradient(config, unequal=unequal)


def test_a_run_in_two_calls_is_the_run_in_one():
    config = experiment(inner__num_inner_steps=2)
    made = setup(config, 6)
    whole, state = fused_steps(made, 6)
    first, between = fused_steps(made, 2)
    count = made.counts.num_tasks
    rest = replace(made, state=between, batch=made.batch.rows(2 * count, 6 * count))
    second, end = fused_steps(rest, 4)
    assert np.array_equal(np.concatenate([first, second]), whole)
    assert np.array_equal(end.phi, state.phi)


def together(jobs):
    with ThreadPoolExecutor(len(jobs)) as pool:
        for done in [pool.submit(job) for job in jobs]:
            done.result()


@pytest.mark.parametrize("chunks", [2, 3])
def test_workers_give_the_numbers_of_one_after_another_bit_for_bit(chunks):
    made = setup(experiment(outer__num_tasks=7), 40)
    alone, state = fused_steps(made, 40, num_chunks=chunks)
    shared, other = fused_steps(made, 40, num_chunks=chunks, team=together)
    assert np.array_equal(alone, shared)
    assert np.array_equal(state.phi, other.phi)


def test_more_chunks_than_tasks_are_as_many_as_tasks():
    made = setup(experiment(outer__num_tasks=1), 3)
    one, _ = fused_steps(made, 3)
    many, _ = fused_steps(made, 3, num_chunks=8, team=together)
    assert np.array_equal(one, many)


LOSSES = [
    pytest.param({"loss.kind": "huber", "loss.delta": 0.7}, id="huber"),
    pytest.param({"loss.kind": "gaussian", "loss.noise_std": 0.8}, id="gaussian"),
    pytest.param(
        {"loss.kind": "gaussian", "query_loss.kind": "huber"}, id="gaussian-huber"
    ),
]


@pytest.mark.parametrize("unequal", [False, True], ids=["equal", "unequal"])
@pytest.mark.parametrize("precision", sorted(CLOSE))
@pytest.mark.parametrize("losses", LOSSES)
@pytest.mark.parametrize(
    "preset", ["maml-sine", "meta-sgd-sine", "maml-plus-plus-sine"]
)
def test_other_losses_have_the_hypergradient_of_automatic_differentiation(
    preset, losses, precision, unequal
):
    changes = [("run.precision", precision), *losses.items()]
    config = with_overrides(preset_config(preset), changes)
    assert_same_hypergradient(config, unequal=unequal)


@pytest.mark.parametrize("preset", MOVING)
def test_tasks_of_different_sizes_make_the_same_steps(preset):
    """Each of the estimators, inner loops and parameterisations that presets have."""
    made = setup(doubled(preset), 4)
    made = replace(made, batch=of_unequal_sizes(made.batch))
    (fused, moved), (autodiff, expected) = fused_steps(made, 4), oracle_steps(made, 4)
    np.testing.assert_allclose(fused, autodiff, rtol=1e-8, atol=1e-12)
    assert distance(moved.phi, expected.phi) < 1e-11


@pytest.mark.parametrize("precision", sorted(CLOSE))
def test_minibatches_of_different_sizes_have_the_same_hypergradient(precision):
    """Of which some hold none of a task's points."""
    for size in (1, 2, 3):
        config = experiment(
            inner__num_inner_steps=5,
            inner__inner_batch_size=size,
            inner__momentum=0.5,
            run__precision=precision,
        )
        assert_same_hypergradient(config, unequal=True)


def test_tasks_of_a_table_are_trained_on_and_evaluated_alike():
    config = with_overrides(
        preset_config("maml-pharmacokinetics"),
        [
            ("outer.num_steps", 6), ("outer.num_tasks", 3),
            ("run.precision", "float64"), ("evaluation.every", 3),
        ],
    )  # fmt: skip
    assert chosen_provider(config)[0] == FUSED
    assert sample_masks(config)
    fused, autodiff = rows_of_providers(config)
    np.testing.assert_allclose(fused, autodiff, rtol=1e-8)
    fused, autodiff = (
        np.stack([looked.support_loss, looked.query_loss])
        for looked in evaluations_of_providers(config)
    )
    np.testing.assert_allclose(fused, autodiff, rtol=1e-8)


def sample_masks(config):
    """Return whether the tasks of an experiment have masks, in both sets."""
    batch = setup(config, 1).batch
    return batch.support.mask is not None and batch.query.mask is not None


@pytest.mark.parametrize("losses", LOSSES)
def test_other_losses_train_and_are_evaluated_alike(losses):
    config = experiment(
        **{path.replace(".", "__"): value for path, value in losses.items()},
        inner__num_inner_steps=3,
        inner__inner_batch_size=2,
        outer__num_steps=6,
        evaluation__num_tasks=16,
        run__precision="float64",
    )
    assert unsupported_reason(build_learner(config), counts_of(config)) is None
    fused, autodiff = rows_of_providers(config)
    np.testing.assert_allclose(fused, autodiff, rtol=1e-8)
    fused, autodiff = (
        np.stack([looked.support_loss, looked.query_loss])
        for looked in evaluations_of_providers(config)
    )
    np.testing.assert_allclose(fused, autodiff, rtol=1e-8)


def evaluations_of_providers(config):
    """Return the last evaluation, by kernels and by autodiff."""
    for name in ("fused", "autodiff"):
        events = Trainer(config, provider=name).run()
        done = [e.evaluation for e in events if isinstance(e, EvaluationDone)]
        yield done[-1]


def test_what_has_no_kernel_is_named():
    for preset, part in (
        ("cavia-sine", "context"),
        ("oracle-sine", "sine-basis"),
        ("imaml-sine", "implicit-cg"),
        ("imaml-repository-sine", "pull-back-descent"),
    ):
        config = preset_config(preset)
        found = unsupported_reason(build_learner(config), counts_of(config))
        assert part in found
    absolute = experiment(query_loss__kind="absolute-error")
    found = unsupported_reason(build_learner(absolute), counts_of(absolute))
    assert found == "there is no compiled kernel for query_loss 'absolute-error'"
    for limit in ("inner_clamp", "inner_clip_norm", "inner_weight_decay"):
        limited = experiment(**{f"inner__{limit}": 1.0})
        assert limit in unsupported_reason(build_learner(limited), counts_of(limited))


def rows_of_providers(config):
    """Return the metrics of every outer step, by kernels and by autodiff."""
    return [
        np.concatenate(
            [
                event.metrics
                for event in Trainer(config, provider=name).run()
                if isinstance(event, StepsDone)
            ]
        )
        for name in ("fused", "autodiff")
    ]


@pytest.mark.parametrize("kind", ["reptile", "joint"])
def test_a_first_order_beginning_goes_over_into_sweeps_alone(kind):
    """The kernels know one method a run: they once left the beginning out, silently."""
    config = experiment(
        hypergradient={"kind": kind},
        outer__first_order_steps=2,
        outer__num_steps=4,
        evaluation__num_tasks=16,
        run__precision="float64",
    )
    assert "first_order_steps" in unsupported_reason(
        build_learner(config), counts_of(config)
    )
    fused, autodiff = rows_of_providers(config)
    np.testing.assert_allclose(fused, autodiff, rtol=1e-8)


@pytest.mark.parametrize(
    "changes",
    [
        {"tasks__num_shots_min": 3},
        {"tasks__num_training_tasks": 2},
        {"inner__inner_weight_decay": 0.2},
    ],
)
def test_what_is_seldom_set_trains_alike_with_kernels_and_without(changes):
    config = experiment(
        **changes,
        outer__num_steps=6,
        evaluation__num_tasks=16,
        run__precision="float64",
    )
    fused, autodiff = rows_of_providers(config)
    assert len(fused) == 6
    np.testing.assert_allclose(fused, autodiff, rtol=1e-8)


def test_a_network_that_fills_the_memory_is_left_to_others():
    config = experiment(model__hidden_sizes=(4096, 4096), inner__num_inner_steps=20)
    assert "memory" in unsupported_reason(build_learner(config), counts_of(config))
