"""The Landscape workspace: states, choices, paths, following a run."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from metalab.engine.events import Array, Checkpoint, EvaluationDone, RunStarted
from metalab.engine.providers import AUTODIFF
from metalab.engine.trainer import Trainer
from metalab.experiment.config import ExperimentConfig, preset_config
from metalab.runs.record.checkpoints import GrowingTrail
from metalab.ui.session.moment import Moment
from metalab.ui.style.theme import LIGHT
from metalab.ui.style.theming import change_theme
from metalab.ui.widgets.header import PREPARING
from metalab.ui.workspaces.landscape import asking as landscape_asking
from metalab.ui.workspaces.landscape.choices import Choices
from metalab.ui.workspaces.landscape.workspace import LandscapeWorkspace
from tests.support.experiments import small
from tests.support.histories import make_history

SECONDS_MS = 20_000


def begun(config: ExperimentConfig) -> Moment:
    """Return the moment after a few outer steps, with the path that led there."""
    tasks, curves, trail = None, None, GrowingTrail()
    for event in Trainer(config, provider=AUTODIFF).run(lambda: 20):
        if isinstance(event, RunStarted):
            tasks = event.held_out_tasks
        elif isinstance(event, EvaluationDone):
            curves = event.curves
            trail.append(Checkpoint(step=curves.step, phi=curves.phi, slots=()))
    assert curves is not None
    history = replace(
        make_history(config=config),
        held_out_tasks=tasks,
        curves=curves,
        trail=trail.view(),
    )
    return Moment(
        history=history,
        shown=history,
        step=curves.step,
        phi=curves.phi,
        wanted_step=curves.step,
        inner_step=1,
        task=2,
        following=True,
    )


@pytest.fixture(scope="module")
def moment() -> Moment:
    return begun(small())


@pytest.fixture
def workspace(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LandscapeWorkspace]:
    monkeypatch.setattr(landscape_asking, "SETTLE_MS", 0)
    monkeypatch.setattr(landscape_asking, "_REST", 0.0)
    made = LandscapeWorkspace()
    qtbot.addWidget(made)
    made.resize(970, 640)
    made.show()
    yield made
    made.shut_down()
    made.join()


def finish(qtbot: QtBot, workspace: LandscapeWorkspace) -> None:
    """Wait until everything that was asked is answered."""

    def is_last(_: object) -> bool:
        return not workspace.asking.waiting

    if workspace.asking.waiting:
        with qtbot.waitSignal(
            workspace.asking.arrived, timeout=SECONDS_MS, check_params_cb=is_last
        ):
            pass


def moved(moment: Moment, **changes: object) -> Moment:
    assert moment.phi is not None
    phi: Array = 1.05 * moment.phi
    return replace(moment, phi=phi, **changes)  # pyright: ignore[reportArgumentType] - by name


def test_without_a_run_one_button_offers_it(qtbot, workspace):
    workspace.show_config(preset_config("maml-sine"))
    workspace.show_moment(None)
    assert workspace.empty.isVisible()
    assert not workspace.map.isVisible()
    with qtbot.waitSignal(workspace.run_requested):
        workspace.empty.button.click()
    workspace.set_why_not("Loading torch…")
    assert not workspace.empty.button.isEnabled()
    assert (
        workspace.empty.button.toolTip() == workspace.empty.detail == "Loading torch…"
    )


def test_before_the_first_step_it_says_so(workspace, moment):
    workspace.show_moment(replace(moment, phi=None))
    assert workspace.map.isVisible()
    assert workspace.map.plot.message == PREPARING


def test_a_moment_is_mapped(qtbot, workspace, moment):
    workspace.show_moment(moment)
    assert workspace.map.plot.message
    assert workspace.tools.cancel.isVisible()
    finish(qtbot, workspace)
    shown = workspace.shown
    assert shown is not None
    assert shown.finished
    assert shown.per_side == 61
    assert shown.asked.tasks == (2, 3, 4, 5)
    assert workspace.map.plot.message == ""
    assert not workspace.tools.cancel.isVisible()
    assert "explained variance" in workspace.caption.left
    assert "support loss" in workspace.caption.right
    assert "held-out task 3" in workspace.tools.text.text()
    assert moment.history.name in workspace.map.plot.accessibleName()


def test_circles_are_circles_and_the_square_is_seen(qtbot, workspace, moment):
    workspace.show_moment(moment)
    finish(qtbot, workspace)
    workspace.resize(700, 640)
    area = workspace.map.plot.area
    zero, one, up = (
        area.position_of(x, y) for x, y in ((0.0, 0.0), (0.1, 0.0), (0.0, 0.1))
    )
    assert one.x() - zero.x() == pytest.approx(zero.y() - up.y(), rel=0.02)
    (left, right), (bottom, top) = area.ranges
    plane = workspace.shown.plane
    seen = QRectF(left, bottom, right - left, top - bottom)
    assert seen.contains(QRectF(*plane.corner, plane.side, plane.side))


def test_the_dot_moves_without_computing(qtbot, workspace, moment):
    workspace.show_moment(moment)
    finish(qtbot, workspace)
    before = workspace.shown
    image = workspace.map.grab().toImage()
    workspace.show_moment(replace(moment, inner_step=2))
    assert not workspace.asking.waiting
    assert workspace.shown is before
    assert workspace.map.grab().toImage() != image
    assert "inner step 2" in workspace.tools.text.text()


def test_another_task_is_computed_while_the_old_picture_is_dimmed(
    qtbot, workspace, moment
):
    workspace.show_moment(moment)
    finish(qtbot, workspace)
    workspace.show_moment(replace(moment, task=15))
    assert workspace.map.heat.opacity() < 1
    finish(qtbot, workspace)
    assert workspace.map.heat.opacity() == 1
    # After the last task of the gallery comes the first.
    assert workspace.shown.asked.tasks == (15, 0, 1, 2)


def test_a_run_is_followed_without_dimming(qtbot, workspace, moment):
    workspace.show_moment(moment)
    finish(qtbot, workspace)
    newer = moved(moment, step=moment.step + 20)
    workspace.show_moment(newer)
    assert workspace.asking.waiting
    assert not workspace.asking.busy
    assert workspace.map.heat.opacity() == 1
    # The words are those of the picture, until there is a newer one.
    assert f"after {moment.step} outer" in workspace.header.title
    finish(qtbot, workspace)
    assert workspace.shown.asked.phi is newer.phi
    assert f"after {newer.step} outer" in workspace.header.title


def test_scrubbing_is_waited_for(qtbot, workspace, moment):
    workspace.show_moment(moment)
    finish(qtbot, workspace)
    workspace.show_moment(moved(moment, following=False))
    assert workspace.asking.busy
    finish(qtbot, workspace)


def test_what_is_stopped_can_be_computed_after_all(qtbot, workspace, moment):
    workspace.show_moment(moment)
    workspace.tools.cancel.click()
    assert not workspace.asking.waiting
    assert workspace.map.plot.message.startswith("Stopped")
    assert not workspace.tools.cancel.isVisible()
    workspace.tools.compute.click()
    finish(qtbot, workspace)
    assert workspace.shown is not None
    assert not workspace.tools.compute.isVisible()


def test_the_path_of_the_outer_loop_is_on_its_own_surface(qtbot, workspace, moment):
    workspace.restore_state({"surface": "adapted", "axes": "outer"})
    workspace.show_moment(moment)
    finish(qtbot, workspace)
    # As many states as were kept: the last one is the moment itself.
    assert len(workspace.shown.plane.outer_path) == len(moment.history.trail)
    np.testing.assert_allclose(workspace.shown.plane.outer_path[-1], 0, atol=1e-6)
    assert workspace.shown.plane.outer_explained > 0.99
    assert "outer path" in workspace.caption.left
    assert "Red" in workspace.tools.text.text()


def test_what_a_method_does_not_have_is_said(qtbot, workspace):
    workspace.restore_state({"surface": "adapted"})
    with qtbot.waitSignal(workspace.asking.failed, timeout=SECONDS_MS):
        workspace.show_moment(begun(small("anil-sine", outer__num_steps=2)))
    assert "initialisation of the whole network" in workspace.map.plot.message
    assert workspace.shown is None
    # Another choice mends it.
    workspace.tools.surface.setCurrentIndex(0)
    workspace.tools.surface.activated.emit(0)
    finish(qtbot, workspace)
    assert workspace.map.plot.message == ""


def test_choices_are_kept(qtbot, workspace, moment):
    workspace.show_moment(moment)
    finish(qtbot, workspace)
    before = workspace.shown
    with qtbot.waitSignal(workspace.choices_changed):
        workspace.tools.log.click()
    # Colours cost nothing.
    assert not workspace.asking.waiting
    assert not workspace.map.scale.log
    with qtbot.waitSignal(workspace.choices_changed):
        workspace.tools.extent.setValue(1)
    finish(qtbot, workspace)
    assert workspace.shown.plane.side == pytest.approx(2 * before.plane.side)
    state = workspace.save_state()
    other = LandscapeWorkspace()
    qtbot.addWidget(other)
    other.restore_state(state | {"axes": "nonsense", "num_tasks": True})
    assert other.tools.choices == Choices(zoom=1, log=False)
    other.shut_down()
    other.join()


def test_pointer_and_keys_read_the_loss(qtbot, workspace, moment):
    workspace.show_moment(moment)
    finish(qtbot, workspace)
    plot = workspace.map.plot
    at_start = workspace.caption.right
    plot.setFocus()
    QTest.keyClick(plot, Qt.Key.Key_Right)
    QTest.keyClick(plot, Qt.Key.Key_Up)
    assert plot.place is not None
    assert workspace.caption.right != at_start
    QTest.keyClick(plot, Qt.Key.Key_Escape)
    assert workspace.caption.right == at_start
    place = plot.area.position_of(0.0, 0.0).toPoint()
    QTest.mouseMove(plot.area.viewport, place)
    assert workspace.map.loss_at(plot.place) == pytest.approx(
        workspace.map.loss_at(QPointF(0, 0)), rel=0.2
    )
    plot.point_at_place(QPointF(1e6, 0))
    assert "loss" not in workspace.caption.right


def test_another_run_begins_with_an_empty_map(qtbot, workspace, moment):
    workspace.show_moment(moment)
    finish(qtbot, workspace)
    workspace.show_moment(begun(small("reptile-sine", outer__num_steps=2)))
    assert workspace.map.landscape is None
    finish(qtbot, workspace)
    assert "reptile-sine" in workspace.header.title
    workspace.show_moment(None)
    assert workspace.shown is None


def test_a_picture_in_both_themes(qtbot, workspace, moment):
    workspace.show_moment(moment)
    finish(qtbot, workspace)
    dark = workspace.picture()
    change_theme(LIGHT)
    light = workspace.picture()
    assert dark.size() == light.size()
    assert dark != light
