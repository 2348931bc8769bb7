"""Adapt on a task that was observed and has no true curve: a country of gapminder."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from metalab.analysis.adaptation import TaskAdapter
from metalab.experiment.config import preset_config
from metalab.experiment.fields import with_overrides
from metalab.figures.base import FigureChoices
from metalab.figures.registry import figure_named
from metalab.figures.sizes import size_named
from metalab.ui.session.moment import Moment
from metalab.ui.workspaces.adapt.points_dialog import PointsDialog
from metalab.ui.workspaces.adapt.scene import UNKNOWN
from metalab.ui.workspaces.adapt.starts import RUN
from metalab.ui.workspaces.adapt.words import task_name
from metalab.ui.workspaces.adapt.workspace import AdaptWorkspace
from tests.support.stored import run_to

pytestmark = pytest.mark.gui
LEFT = Qt.MouseButton.LeftButton
NO_KEYS = Qt.KeyboardModifier.NoModifier


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    config = with_overrides(
        preset_config("maml-gapminder"),
        [("outer.num_steps", 20), ("run.provider", "autodiff")],
    )
    live = run_to(tmp_path_factory.mktemp("runs") / "run.metalab", config)
    return live.snapshot()


@pytest.fixture
def page(qtbot, history):
    made = AdaptWorkspace()
    qtbot.addWidget(made)
    made.resize(1000, 640)
    made.show()
    qtbot.waitExposed(made)
    state = history.trail.nearest(history.step)
    made.show_moment(
        Moment(
            history=history,
            shown=history,
            step=history.step,
            phi=state.phi,
            wanted_step=history.step,
            inner_step=history.num_inner_steps,
            task=0,
            following=True,
        )
    )
    qtbot.waitUntil(lambda: RUN in made.answers)
    yield made
    made.shut_down()
    made.join()


def answered(qtbot, page):
    qtbot.waitUntil(lambda: not page.asking.waiting, timeout=20_000)


def click(page, x, y):
    place = page.canvas.area.position_of(float(x), float(y)).toPoint()
    viewport = page.canvas.area.viewport
    QTest.mouseMove(viewport, place)
    QTest.mouseClick(viewport, LEFT, NO_KEYS, place)


def rows(scene):
    both = [*zip(scene.x, scene.y, strict=True)]
    return sorted([*both, *zip(scene.other_x, scene.other_y, strict=True)])


def test_it_begins_with_the_countrys_observations(page, history):
    scene, tasks = page.editor.scene, history.held_out_tasks
    assert (len(scene.x), len(scene.other_x)) == (3, 9)
    assert scene.observed == (True,) * 3
    assert scene.name == tasks.names[0]
    words = f"{tasks.names[0]}; 3 support points, 9 others"
    assert page.caption.left == words
    texts = [entry.text for entry in page.legend.entries]
    assert "Other observations: click one to take it in" in texts


def test_the_query_loss_is_that_on_the_other_observations(page, history):
    """Against the run's own prediction, in the loss's unit."""
    base, scene = page.answers[RUN], page.editor.scene
    assert base.asked.task.measured_on == "other observations"
    family = TaskAdapter(base.start.config)._family
    predicted = np.interp(scene.other_x, base.grid, base.curves[-1])
    ours, theirs = (
        family.given_targets(torch.tensor(y)).numpy()
        for y in (predicted, scene.other_y)
    )
    by_hand = np.mean((ours - theirs) ** 2)
    assert base.query_loss[-1] == pytest.approx(by_hand, rel=0.02)


def test_a_click_takes_an_observation_in_and_another_one_out(page, qtbot):
    before, loss = page.editor.scene, page.answers[RUN].support_loss
    x, y = before.other_x[4], before.other_y[4]
    click(page, x, y)
    scene = page.editor.scene
    assert (len(scene.x), len(scene.other_x)) == (4, 8)
    assert (scene.x[-1], scene.y[-1]) == (x, y)
    assert rows(scene) == rows(before)
    answered(qtbot, page)
    assert not np.array_equal(page.answers[RUN].support_loss, loss)
    assert task_name(scene) == f"{before.name} with other points"
    click(page, x, y)
    scene = page.editor.scene
    assert (len(scene.x), len(scene.other_x)) == (3, 9)
    assert rows(scene) == rows(before)
    answered(qtbot, page)
    assert page.editor.undo_stack.count() == 2
    page.editor.undo_stack.undo()
    page.editor.undo_stack.undo()
    assert page.editor.scene is before
    answered(qtbot, page)


def test_a_drag_moves_a_point_which_is_no_observation_any_more(page, qtbot):
    before = page.editor.scene
    place = page.canvas.area.position_of(float(before.x[0]), float(before.y[0]))
    viewport = page.canvas.area.viewport
    QTest.mouseMove(viewport, place.toPoint())
    QTest.mousePress(viewport, LEFT, NO_KEYS, place.toPoint())
    for rise in (20, 40):
        QTest.mouseMove(viewport, (place - QPointF(0, rise)).toPoint())
    QTest.mouseRelease(viewport, LEFT, NO_KEYS, (place - QPointF(0, 40)).toPoint())
    scene = page.editor.scene
    assert len(scene.x) == 3
    assert scene.y[0] > before.y[0]
    assert scene.observed == (False, True, True)
    click(page, scene.x[0], scene.y[0])  # no drag, but no observation either
    assert len(page.editor.scene.x) == 3
    answered(qtbot, page)


def test_a_double_click_on_an_observation_adds_no_point_of_its_own(page, qtbot):
    before = page.editor.scene
    x, y = before.other_x[2], before.other_y[2]
    place = page.canvas.area.position_of(float(x), float(y)).toPoint()
    viewport = page.canvas.area.viewport
    QTest.mouseClick(viewport, LEFT, NO_KEYS, place)
    QTest.mouseDClick(viewport, LEFT, NO_KEYS, place)
    assert rows(page.editor.scene) == rows(before)
    answered(qtbot, page)


def test_the_keyboard_takes_observations_in_and_out(page, qtbot):
    before = page.editor.scene
    page.canvas.setFocus()
    QTest.keyClick(page.canvas, Qt.Key.Key_Insert)
    assert (len(page.editor.scene.x), len(page.editor.scene.other_x)) == (4, 8)
    QTest.keyClick(page.canvas, Qt.Key.Key_Tab)
    QTest.keyClick(page.canvas, Qt.Key.Key_Delete)
    assert (len(page.editor.scene.x), len(page.editor.scene.other_x)) == (3, 9)
    assert rows(page.editor.scene) == rows(before)
    answered(qtbot, page)


def test_new_points_are_other_observations(page, qtbot):
    before = page.editor.scene
    page.editor.draw_points()
    scene = page.editor.scene
    assert len(scene.x) == 3
    assert rows(scene) == rows(before)
    assert not np.array_equal(np.sort(scene.x), np.sort(before.x))
    answered(qtbot, page)


def test_a_new_task_begins_empty_and_is_filled_by_double_clicks(page, qtbot):
    page.tools.new.click()
    scene = page.editor.scene
    assert (len(scene.x), len(scene.other_x), scene.kind) == (0, 0, UNKNOWN)
    assert page.caption.left.startswith("no points yet: double-click")
    assert page.canvas.message == ""
    assert not page.answers
    low, high = page.canvas.y_range
    place = page.canvas.area.position_of(1980.0, (low + high) / 2).toPoint()
    QTest.mouseDClick(page.canvas.area.viewport, LEFT, NO_KEYS, place)
    assert len(page.editor.scene.x) == 1
    answered(qtbot, page)
    assert page.answers[RUN].query_loss is None
    page.editor.undo_stack.undo()
    page.editor.undo_stack.undo()
    assert len(page.editor.scene.x) == 3
    answered(qtbot, page)


def test_points_are_typed(page, qtbot):
    page.tools.type.click()
    (dialog,) = [w for w in QApplication.topLevelWidgets() if type(w) is PointsDialog]
    assert len(dialog.text.toPlainText().splitlines()) == 3
    dialog.text.setPlainText("1960, 50\n1990")
    assert not dialog.use.isEnabled()
    assert "1990" in dialog.words.text()
    dialog.text.setPlainText("1960, 50\n1990, 70.5")
    assert dialog.words.text().startswith("Understood: 2 points")
    dialog.use.click()
    scene = page.editor.scene
    assert (scene.x.tolist(), scene.y.tolist()) == ([1960, 1990], [50, 70.5])
    answered(qtbot, page)
    QGuiApplication.processEvents()


def test_the_figure_shows_the_other_observations(page):
    sight = page.sights()["adapt"]
    drawing = figure_named("adapt").draw(sight, FigureChoices(), size_named("single"))
    parts = drawing.table.columns[0].values
    assert int((parts == "other observations").sum()) == 9
    assert "on its other observations" in drawing.caption
    assert sight.task == page.editor.scene.name
    alone = replace(sight.explored.asked.task, other_x=np.empty(0))
    assert alone.measured_on == ""
