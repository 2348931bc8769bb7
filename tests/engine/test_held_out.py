"""The held-out tasks and how they are looked at."""

from operator import attrgetter

import numpy as np
import pytest

from metalab.engine import held_out as probe_module
from metalab.engine.events import EvaluationDone, RunStarted
from metalab.engine.trainer import Trainer
from tests.support.experiments import PRESETS, run, same, small


def started(config):
    return next(e for e in Trainer(config).run() if isinstance(e, RunStarted))


def first_probe(config):
    return next(e for e in Trainer(config).run() if isinstance(e, EvaluationDone))


def test_its_arrays_have_the_documented_shapes():
    config = small(
        evaluation__num_tasks=20,
        evaluation__num_shots=4,
        evaluation__num_queries=7,
        evaluation__num_inner_steps=3,
    )
    tasks = started(config).held_out_tasks
    assert tasks.parameter_names == ("amplitude", "phase")
    assert tasks.parameters.shape == (20, 2)
    assert tasks.support.x.shape == tasks.support.y.shape == (20, 4, 1)
    assert tasks.query.x.shape == tasks.query.y.shape == (20, 7, 1)
    assert tasks.grid.shape == (100,)
    assert tasks.true_curves.shape == (16, 100)
    assert (tasks.num_gallery, tasks.num_inner_steps) == (16, 1)
    probe = first_probe(config)
    assert probe.evaluation.query_loss.shape == (20, 4)
    assert probe.evaluation.support_loss.shape == (20, 4)
    assert probe.curves.curves.shape == (16, 4, 100)
    assert probe.curves.support_loss.shape == probe.curves.query_loss.shape == (16, 4)


def test_the_grid_spans_the_inputs_and_the_curves_are_true():
    tasks = started(small(run__precision="float64")).held_out_tasks
    assert (tasks.grid[0], tasks.grid[-1]) == (-5, 5)
    amplitude, phase = tasks.parameters[:16, :1], tasks.parameters[:16, 1:]
    true = amplitude * np.sin(tasks.grid[None] - phase)
    np.testing.assert_allclose(tasks.true_curves, true, atol=1e-12)


def test_every_method_is_compared_on_the_same_tasks():
    """With the same counts; the task stream does not know the method."""
    counts = {
        "evaluation__num_shots": 5,
        "evaluation__num_tasks": 16,
        "tasks__family__noise_std": 0.0,
    }
    first, *others = [started(small(p, **counts)).held_out_tasks for p in PRESETS]
    for other in others:
        for name in ("parameters", "support.x", "support.y", "query.x", "query.y"):
            assert same(attrgetter(name)(other), attrgetter(name)(first)), name


def test_held_out_tasks_are_not_trained_on():
    config = small()
    held_out = started(config).held_out_tasks.parameters[:, 0]
    trained = Trainer(config).task_stream.batch(0).parameters[:, 0].numpy()
    assert not set(held_out.tolist()) & set(trained.tolist())


def test_losses_start_at_the_meta_parameters_and_go_on_past_training():
    probe = first_probe(small(evaluation__num_inner_steps=6, inner__inner_lr=0.05))
    support = probe.evaluation.support_loss.mean(axis=0)
    assert len(support) == 7
    assert (np.diff(support) < 0).all()


def test_more_training_steps_than_shown_are_shown_all():
    config = small(inner__num_inner_steps=4, evaluation__num_inner_steps=2)
    assert first_probe(config).evaluation.query_loss.shape[1] == 5
    assert config.num_shown_steps == 4


def test_the_gallery_is_the_first_tasks():
    probe = first_probe(small(evaluation__num_tasks=40))
    np.testing.assert_allclose(
        probe.curves.query_loss, probe.evaluation.query_loss[:16], rtol=1e-5
    )


def test_noise_is_in_the_points_and_not_in_the_true_curves():
    quiet = started(small()).held_out_tasks
    noisy = started(small(tasks__family__noise_std=0.5)).held_out_tasks
    assert same(quiet.true_curves, noisy.true_curves)
    residual = noisy.query.y - quiet.query.y
    assert residual.std() == pytest.approx(0.5, rel=0.25)


def test_a_snapshot_of_phi_goes_with_each_probe():
    config = small()
    for step, probe in run(config).probes.items():
        assert probe.phi.shape == (1 * 6 + 6 + 6 * 5 + 5 + 5 + 1,)
        assert np.isfinite(probe.phi).all(), step


def test_many_tasks_are_evaluated_in_slices(monkeypatch):
    config = small(evaluation__num_tasks=50)
    whole = first_probe(config)
    monkeypatch.setattr(probe_module, "NUMBERS_AT_ONCE", 1)
    sliced = first_probe(config)
    assert sliced.evaluation.query_loss.shape == (50, 3)
    np.testing.assert_allclose(
        sliced.evaluation.query_loss, whole.evaluation.query_loss, rtol=1e-5
    )
    np.testing.assert_allclose(
        sliced.evaluation.support_loss, whole.evaluation.support_loss, rtol=1e-5
    )
    np.testing.assert_allclose(sliced.curves.curves, whole.curves.curves, rtol=1e-4)


def test_a_bayesian_head_says_how_sure_it_is():
    config = small(
        "alpaca-sine", evaluation__num_inner_steps=3, run__precision="float64"
    )
    curves = first_probe(config).curves
    deviation = curves.deviation
    assert deviation.shape == curves.curves.shape == (16, 4, 100)
    assert (deviation >= config.meta.build().noise_std).all()
    # The support set can only make it surer; further steps see no more of it.
    assert (deviation[:, 1] < deviation[:, 0]).all()
    assert (deviation[:, 1:] == deviation[:, 1:2]).all()
    assert (deviation[:, 0] == deviation[:1, 0]).all()
    assert len(np.unique(deviation[:, 1], axis=0)) == 16


@pytest.mark.parametrize("level", ["loss", "query_loss"])
def test_a_likelihood_of_learned_noise_says_how_sure_each_network_is(level):
    """At either level: the other one, which has no noise, takes the predictions alone."""
    settings = {f"{level}__kind": "gaussian", f"{level}__noise_is": "learned"}
    curves = first_probe(small(**settings)).curves
    assert curves.deviation.shape == curves.curves.shape == (16, 3, 100)
    # A task adapts it, as it adapts the prediction; at K' it is another than at first.
    assert (curves.deviation[:, 0] == curves.deviation[:1, 0]).all()
    assert (curves.deviation[:, 2] != curves.deviation[:, 0]).any()
    assert (curves.deviation >= 0.01).all()
    assert np.isfinite(curves.query_loss).all()


def test_other_methods_predict_no_distribution():
    assert first_probe(small()).curves.deviation is None


def test_the_query_sets_are_made_as_set_and_the_support_sets_stay():
    noisy = {"tasks__family__noise_std": 0.5, "run__precision": "float64"}
    usual = started(small(**noisy)).held_out_tasks
    tasks = started(
        small(
            evaluation__query_inputs="grid",
            evaluation__query_targets="noise-free",
            **noisy,
        )
    ).held_out_tasks
    for name in ("parameters", "support.x", "support.y", "true_curves"):
        assert same(attrgetter(name)(tasks), attrgetter(name)(usual)), name
    np.testing.assert_allclose(
        tasks.query.x[..., 0], np.tile(np.linspace(-5, 5, 5), (16, 1)), atol=1e-12
    )
    amplitude, phase = tasks.parameters[:, :1], tasks.parameters[:, 1:]
    true = amplitude * np.sin(tasks.query.x[..., 0] - phase)
    np.testing.assert_allclose(tasks.query.y[..., 0], true, atol=1e-12)


def test_a_family_of_several_inputs_is_plotted_by_the_first():
    plain = started(small()).held_out_tasks
    known = started(small(tasks__family={"kind": "sinusoid-known"})).held_out_tasks
    for name in ("support.y", "query.y", "grid", "true_curves"):
        assert same(attrgetter(name)(known), attrgetter(name)(plain)), name
    assert known.support.x.shape[-1] == known.query.x.shape[-1] == 3
    for name in ("support", "query"):
        ours, theirs = getattr(known, name), getattr(plain, name)
        for task in range(16):
            assert same(ours.plotted(task)[0], theirs.plotted(task)[0])
