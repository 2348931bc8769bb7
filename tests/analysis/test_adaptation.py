"""Held-out tasks adapted to other support points."""

import numpy as np
import pytest

from metalab.analysis.adaptation import HeldOutAdapter
from metalab.analysis.edited_support import EditedSupport
from metalab.engine.events import EvaluationDone, RunStarted
from metalab.engine.providers import AUTODIFF, FUSED
from metalab.engine.trainer import Trainer
from tests.support.experiments import PRESETS, small

FAMILIES = (
    "linear-regression",
    "quadratic-bowl",
    "ridge-regression",
    "sinusoid-known",
    "sine-or-line",
)


def begun(config):
    """Return what a run says before its first step: its tasks and its first probe."""
    tasks = probe = None
    for event in Trainer(config, provider=AUTODIFF).run():
        if isinstance(event, RunStarted):
            tasks = event.held_out_tasks
        elif isinstance(event, EvaluationDone):
            return tasks, event.curves
    raise AssertionError(probe)


def agrees(config, task=5, provider=AUTODIFF):
    """Adapting to a task's own points gives what the run's gallery shows of it."""
    tasks, curves = begun(config)
    own = EditedSupport.own(tasks, task)
    found = HeldOutAdapter(config, provider=provider).adapt(
        curves.phi, own, step=curves.step
    )
    same = {"rtol": 2e-4, "atol": 2e-4}
    np.testing.assert_allclose(found.curves, curves.curves[task], **same)
    np.testing.assert_allclose(found.support_loss, curves.support_loss[task], **same)
    np.testing.assert_allclose(found.query_loss, curves.query_loss[task], **same)
    if curves.deviation is None:
        assert found.deviation is None
    else:
        np.testing.assert_allclose(found.deviation, curves.deviation[task], **same)
    return tasks, curves, found


def test_compiled_kernels_give_the_same():
    agrees(small(), provider=FUSED)


@pytest.mark.parametrize("preset", PRESETS)
def test_own_points_give_what_the_gallery_shows(preset):
    agrees(small(preset))


@pytest.mark.parametrize("kind", FAMILIES)
def test_whatever_the_network_is_told_of_a_task(kind):
    agrees(small(tasks__family__kind=kind))


def test_it_goes_as_far_as_the_probe():
    config = small(evaluation__num_inner_steps=7, run__precision="float64")
    tasks, _, found = agrees(config)
    assert found.curves.shape == (8, len(tasks.grid))
    assert found.support_loss.shape == found.query_loss.shape == (8,)
    assert found.curves.dtype == np.float64


def test_the_task_adapts_to_the_point_that_was_moved():
    config = small(
        evaluation__num_inner_steps=50,
        inner__inner_lr=0.05,
        model__hidden_sizes=[20],
    )
    tasks, curves = begun(config)
    adapter = HeldOutAdapter(config, provider=AUTODIFF)
    own = EditedSupport.own(tasks, 2)
    moved = own.with_point(3, 1.0, 8.0)
    at = int(np.abs(tasks.grid - 1.0).argmin())
    before, after = (
        adapter.adapt(curves.phi, points, step=0) for points in (own, moved)
    )
    # Nobody has seen the points at step 0; then the curve is drawn up to the point.
    np.testing.assert_array_equal(after.curves[0], before.curves[0])
    assert after.curves[-1, at] > before.curves[-1, at] + 1
    assert after.support_loss[-1] < after.support_loss[0]
    assert after.query_loss[-1] > before.query_loss[-1]
    assert after.points is moved


def test_what_the_network_is_told_stays_told():
    """At a place that the point was not drawn at, the network still knows the task."""
    config = small(tasks__family__kind="sinusoid-known")
    adapter = HeldOutAdapter(config, provider=AUTODIFF)
    tasks, _ = begun(config)
    points = EditedSupport.own(tasks, 4).with_point(0, 2.5, 0.0)
    inputs = adapter._batch(points).support.x[0].numpy()
    assert inputs[0, 0] == 2.5
    told = np.broadcast_to(tasks.parameters[4], (len(inputs), 2))
    np.testing.assert_array_equal(inputs[:, 1:], told)


def test_a_point_beside_the_curve_keeps_its_other_coordinates():
    config = small(tasks__family__kind="quadratic-bowl")
    adapter = HeldOutAdapter(config, provider=AUTODIFF)
    tasks, _ = begun(config)
    own = EditedSupport.own(tasks, 4)
    before, after = (
        adapter._batch(points).support.x[0].numpy()
        for points in (own, own.with_point(1, 0.25, 3.0))
    )
    assert after[1, 0] == 0.25
    np.testing.assert_array_equal(after[:, 1:], before[:, 1:])
    assert (before[:, 1:] != 0).any()


def test_it_does_not_take_part_in_a_run():
    config = small()
    straight = [
        event
        for event in Trainer(config, provider=AUTODIFF).run()
        if hasattr(event, "metrics")
    ]
    trainer = Trainer(config, provider=AUTODIFF)
    tasks, curves = begun(config)
    points, adapter = (
        EditedSupport.own(tasks, 0),
        HeldOutAdapter(config, provider=AUTODIFF),
    )
    disturbed = []
    for event in trainer.run():
        adapter.adapt(curves.phi, points.with_point(1, 0.5, 2.0), step=0)
        if hasattr(event, "metrics"):
            disturbed.append(event)
    for mine, other in zip(straight, disturbed, strict=True):
        np.testing.assert_array_equal(mine.metrics, other.metrics)
