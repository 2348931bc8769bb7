"""Support points are moved in the adaptation plot, with real pointer and key events."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from metalab.analysis.edited_support import EditedSupport, SupportEditResult
from metalab.experiment.config_history import ConfigHistory
from metalab.ui.workspaces.live.adaptation import AdaptationView
from metalab.ui.workspaces.live.workspace import LiveWorkspace
from tests.support.histories import (
    banded,
    make_config,
    make_curves,
    make_history,
    starting,
)

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def history():
    """A run whose task 0 has points that stand well apart."""
    history = make_history()
    tasks = history.held_out_tasks
    tasks.support.x[0, :, 0] = np.linspace(-4, 4, 10)
    tasks.support.y[0, :, 0] = 0.8 * np.sin(tasks.support.x[0, :, 0])
    return history


@pytest.fixture
def view(qtbot, history) -> AdaptationView:
    made = AdaptationView()
    qtbot.addWidget(made)
    made.resize(460, 380)
    made.show()
    made.show_history(history)
    QApplication.processEvents()
    return made


def place(view: AdaptationView, shot: int) -> QPoint:
    x, y = (
        view.tasks.support.x[view.task, shot, 0],
        view.tasks.support.y[view.task, shot, 0],
    )
    return view.plot.area.position_of(float(x), float(y)).toPoint()


def drag(view: AdaptationView, shot: int, by: QPoint, *, release: bool = True) -> None:
    viewport, start = view.plot.area.viewport, place(view, shot)
    QTest.mousePress(viewport, LEFT, pos=start)
    QTest.mouseMove(viewport, start + by / 2)
    QTest.mouseMove(viewport, start + by)
    if release:
        QTest.mouseRelease(viewport, LEFT, pos=start + by)


def answer_to(points: EditedSupport, curves, value: float = 2.0) -> SupportEditResult:
    shape = curves.curves.shape[1:]
    return SupportEditResult(
        points=points,
        step=curves.step,
        curves=np.full(shape, value),
        support_loss=np.full(shape[0], 3.0),
        query_loss=np.full(shape[0], 4.0),
        deviation=None,
    )


def drawn(view: AdaptationView) -> list[np.ndarray]:
    return [curve.data[1] for curve in view.drawing.curves if len(curve.data[0])]


def test_a_point_follows_the_pointer(view, history, qtbot):
    own = EditedSupport.own(history.held_out_tasks, 0)
    start = place(view, 4)
    with qtbot.waitSignals([view.points_changed, view.shown_changed]):
        drag(view, 4, QPoint(25, -40))
    per_pixel = view.plot.area.data_at(start + QPoint(25, -40))
    moved = view.moved
    assert moved.task == 0
    # The pointer took hold of it within a pixel of its middle.
    assert moved.x[4] == pytest.approx(per_pixel.x(), abs=0.05)
    assert moved.y[4] == pytest.approx(per_pixel.y(), abs=0.1)
    assert moved.y[4] > own.y[4] + 0.5
    rest = np.arange(10) != 4
    np.testing.assert_array_equal(moved.x[rest], own.x[rest])
    np.testing.assert_array_equal(view.drawing.moved.data[1], moved.y)
    assert len(view.drawing.support.data[0]) == 0
    np.testing.assert_array_equal(view.drawing.own.data, ([own.x[4]], [own.y[4]]))


def test_each_move_asks_for_the_newest_points(view):
    asked = []
    view.points_changed.connect(asked.append)
    drag(view, 4, QPoint(20, -20))
    assert len(asked) == 2
    assert asked[-1] is view.moved
    assert asked[0].y[4] < asked[1].y[4]


def test_x_stays_on_the_axis_and_y_is_free(view, history):
    grid = history.held_out_tasks.grid
    drag(view, 9, QPoint(200, -600))
    assert view.moved.x[9] == grid[-1]
    assert view.moved.y[9] > view.tasks.true_curves[0].max() + 5
    assert view.plot.y_range[1] > view.moved.y[9]


def test_the_axes_stay_while_a_point_is_held(view):
    before = view.plot.y_range
    drag(view, 4, QPoint(0, -300), release=False)
    assert view.plot.y_range == before
    QTest.mouseRelease(view.plot.area.viewport, LEFT, pos=QPoint(5, 5))
    assert view.plot.y_range[1] > before[1]
    assert not view.handles.held


def test_dragging_a_point_does_not_pan(view):
    before = view.plot.x_range
    drag(view, 4, QPoint(40, 0))
    assert view.plot.x_range == before
    assert not view.plot.zoomed


def test_beside_the_points_the_plot_pans_as_ever(view):
    viewport = view.plot.area.viewport
    middle = view.plot.area.position_of(0.0, view.plot.y_range[1] * 0.9).toPoint()
    QTest.mousePress(viewport, LEFT, pos=middle)
    QTest.mouseMove(viewport, middle + QPoint(30, 0))
    QTest.mouseMove(viewport, middle + QPoint(60, 0))
    QTest.mouseRelease(viewport, LEFT, pos=middle + QPoint(60, 0))
    assert view.plot.zoomed
    assert view.moved is None


def test_a_double_click_on_a_point_takes_hold_of_it(view):
    view.plot._area.zoom(0.9, 0.0)
    assert view.plot.zoomed
    QTest.mouseDClick(view.plot.area.viewport, LEFT, pos=place(view, 4))
    assert view.handles.held
    QTest.mouseRelease(view.plot.area.viewport, LEFT, pos=place(view, 4))
    assert view.plot.zoomed
    assert view.moved is None


def test_the_pointer_becomes_a_hand(view):
    viewport, start = view.plot.area.viewport, place(view, 4)
    QTest.mouseMove(viewport, start)
    assert viewport.cursor().shape() == Qt.CursorShape.OpenHandCursor
    assert view.handles.marks == [4]
    np.testing.assert_array_equal(
        view.drawing.halo.data[0], [view.tasks.support.x[0, 4, 0]]
    )
    QTest.mousePress(viewport, LEFT, pos=start)
    assert viewport.cursor().shape() == Qt.CursorShape.ClosedHandCursor
    QTest.mouseRelease(viewport, LEFT, pos=start)
    assert viewport.cursor().shape() == Qt.CursorShape.OpenHandCursor
    QTest.mouseMove(viewport, QPoint(viewport.width() // 2, 12))
    assert viewport.cursor().shape() == Qt.CursorShape.ArrowCursor
    assert view.moved is None


def test_curves_and_losses_follow(view, history, qtbot):
    drag(view, 4, QPoint(10, -10))
    answer = answer_to(view.moved, history.curves)
    with qtbot.waitSignal(view.shown_changed):
        view.show_readaptation(answer)
    assert view.readaptation is answer
    assert all((curve == 2.0).all() for curve in drawn(view))
    assert len(drawn(view)) == 11
    assert view.caption.right == "query loss 4.00 → 4.00 → 4.00"
    # Another task, and the run itself, are as they were.
    assert history.curves.curves[0, 3, 0] != 2.0
    view.set_task(3)
    np.testing.assert_array_equal(drawn(view), history.curves.curves[3])


def test_newer_curves_of_the_run_do_not_take_the_answer_away(view, history):
    drag(view, 4, QPoint(10, -10))
    view.show_readaptation(answer_to(view.moved, history.curves))
    newer = make_curves(history.config_at(), step=200)
    view.show_history(replace(history, curves=newer))
    assert all((curve == 2.0).all() for curve in drawn(view))


def test_it_says_whose_points_they_are(view, history):
    assert view.header.title == "Adaptation"
    assert not view.reset.isVisible()
    assert "Support set" in view.legend.accessibleName()
    drag(view, 4, QPoint(10, -10))
    assert view.header.title == "Your points"
    assert view.reset.isVisible()
    assert "Your support set" in view.legend.accessibleName()
    assert "points of yours" in view.plot.accessibleDescription()
    curves = banded(make_config())
    view.show_history(replace(history, curves=curves))
    assert "predictive" in view.legend.accessibleName()


@pytest.mark.parametrize("way", ["button", "escape"])
def test_reset_returns_to_the_tasks_own_points(view, history, qtbot, way):
    drag(view, 4, QPoint(10, -10))
    view.show_readaptation(answer_to(view.moved, history.curves))
    with qtbot.waitSignal(view.points_changed) as asked:
        if way == "button":
            QTest.mouseClick(view.reset, LEFT)
        else:
            QTest.keyClick(view.plot, Qt.Key.Key_Escape)
    assert asked.args == [None]
    assert view.moved is view.readaptation is None
    assert view.header.title == "Adaptation"
    np.testing.assert_array_equal(drawn(view), history.curves.curves[0])
    own = history.held_out_tasks.support.y[0, :, 0]
    np.testing.assert_array_equal(view.drawing.support.data[1], own)
    assert len(view.drawing.moved.data[0]) == len(view.drawing.own.data[0]) == 0


def test_points_that_are_put_back_can_be_had_again(view, qtbot):
    drag(view, 4, QPoint(10, -10))
    mine = view.moved
    with qtbot.waitSignal(view.told) as told:
        QTest.keyClick(view.plot, Qt.Key.Key_Escape)
    text, choice, undo = told.args
    assert (text, choice) == ("Support points of task 1 put back", "Undo")
    assert view.moved is None
    with qtbot.waitSignals([view.untold, view.points_changed]):
        undo()
    assert view.moved is mine
    assert view.header.title == "Your points"
    undo()
    assert view.moved is mine


def test_points_come_back_to_the_task_they_are_of(view, qtbot):
    drag(view, 4, QPoint(10, -10))
    mine = view.moved
    with qtbot.waitSignal(view.told) as told:
        QTest.mouseClick(view.reset, LEFT)
    view.set_task(1)
    told.args[2]()
    assert view.moved is None
    view.set_task(0)
    assert view.moved is mine


@pytest.mark.parametrize("what", ["move", "other tasks"])
def test_what_was_done_since_is_not_undone(view, history, qtbot, what):
    drag(view, 4, QPoint(10, -10))
    with qtbot.waitSignal(view.told) as told:
        QTest.keyClick(view.plot, Qt.Key.Key_Escape)
    with qtbot.waitSignal(view.untold) as untold:
        if what == "move":
            drag(view, 2, QPoint(10, -10))
        else:
            view.show_history(make_history())
    assert untold.args == told.args[:1]
    newer = view.moved
    told.args[2]()
    assert view.moved is newer


def test_where_nothing_is_put_back_nothing_is_told(view, qtbot):
    with qtbot.assertNotEmitted(view.told):
        view.reset_points()
        QTest.keyClick(view.plot, Qt.Key.Key_Tab)
        QTest.keyClick(view.plot, Qt.Key.Key_Escape)


def test_escape_in_mid_drag_lets_go(view):
    drag(view, 4, QPoint(10, -10), release=False)
    QTest.keyClick(view.plot, Qt.Key.Key_Escape)
    QTest.mouseMove(view.plot.area.viewport, place(view, 4) + QPoint(50, 50))
    assert view.moved is None
    assert not view.handles.held


def test_tab_goes_through_the_points_and_out_of_the_plot(view, qtbot):
    view.activateWindow()
    view.plot.setFocus()
    qtbot.waitUntil(view.plot.hasFocus)
    seen = []
    for _ in range(10):
        QTest.keyClick(view.plot, Qt.Key.Key_Tab)
        seen.append(view.handles.selected)
    assert seen == list(range(10))
    QTest.keyClick(view.plot, Qt.Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
    assert view.handles.selected == 8
    assert "point 9 of 10 is selected" in view.plot.accessibleDescription()
    for _ in range(2):
        QTest.keyClick(view.plot, Qt.Key.Key_Tab)
    assert view.handles.selected is None
    assert not view.plot.hasFocus()


def test_without_a_selection_shift_tab_leaves_at_once(view, qtbot):
    view.activateWindow()
    view.plot.setFocus()
    qtbot.waitUntil(view.plot.hasFocus)
    QTest.keyClick(view.plot, Qt.Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
    assert not view.plot.hasFocus()


@pytest.mark.parametrize(
    ("key", "x", "y"),
    [
        (Qt.Key.Key_Left, -1, 0),
        (Qt.Key.Key_Right, 1, 0),
        (Qt.Key.Key_Up, 0, 1),
        (Qt.Key.Key_Down, 0, -1),
    ],
)
def test_arrows_move_the_selected_point(view, history, key, x, y):
    own = EditedSupport.own(history.held_out_tasks, 0)
    view.plot.set_limits((-5.0, 5.0), (-1.0, 1.0))
    (left, right), (low, high) = view.plot.x_range, view.plot.y_range
    QTest.keyClick(view.plot, Qt.Key.Key_Tab)
    QTest.keyClick(view.plot, key)
    assert view.moved.x[0] - own.x[0] == pytest.approx(0.01 * x * (right - left))
    assert view.moved.y[0] - own.y[0] == pytest.approx(0.01 * y * (high - low))
    coarse = view.moved
    (left, right), (low, high) = view.plot.x_range, view.plot.y_range
    QTest.keyClick(view.plot, key, Qt.KeyboardModifier.ShiftModifier)
    fine = 0.001 * (x * (right - left) + y * (high - low))
    both = (view.moved.x + view.moved.y) - (coarse.x + coarse.y)
    assert both[0] == pytest.approx(fine)


def test_without_a_selection_arrows_move_the_crosshair(view):
    QTest.keyClick(view.plot, Qt.Key.Key_Right)
    assert view.plot.pointed_at is not None
    assert view.moved is None


def test_escape_ends_a_selection(view):
    QTest.keyClick(view.plot, Qt.Key.Key_Tab)
    assert view.handles.selected == 0
    QTest.keyClick(view.plot, Qt.Key.Key_Escape)
    assert view.handles.selected is None


def test_each_task_keeps_its_points(view):
    drag(view, 4, QPoint(10, -10))
    mine = view.moved
    asked = []
    view.points_changed.connect(asked.append)
    view.set_task(2)
    view.set_task(0)
    assert asked == [None, mine]
    assert view.moved is mine
    assert view.handles.selected is None


def test_a_plot_with_a_selection_goes_quietly(history, qtbot):
    view = AdaptationView()
    view.show()
    view.show_history(history)
    view.activateWindow()
    view.plot.setFocus()
    qtbot.waitUntil(view.plot.hasFocus)
    QTest.keyClick(view.plot, Qt.Key.Key_Tab)
    assert view.handles.selected is not None
    view.deleteLater()
    QCoreApplication.sendPostedEvents(view, QEvent.Type.DeferredDelete)


def test_the_same_tasks_in_another_run_keep_the_points(view, history):
    drag(view, 4, QPoint(10, -10))
    mine = view.moved
    view.show_readaptation(answer_to(mine, history.curves))
    config = make_config(last=5)
    configs = ConfigHistory(config)
    view.show_history(replace(starting(), configs=configs))
    assert view.readaptation is None
    again = replace(history.held_out_tasks)
    view.show_history(
        replace(
            history,
            configs=configs,
            held_out_tasks=again,
            curves=make_curves(config),
        )
    )
    assert view.moved is mine
    assert len(drawn(view)) == 6


def test_other_tasks_have_no_moved_points(view, history, qtbot):
    drag(view, 4, QPoint(10, -10))
    support = history.held_out_tasks.support
    others = replace(history.held_out_tasks, support=replace(support, y=support.y + 1))
    with qtbot.waitSignal(view.points_changed) as asked:
        view.show_history(replace(history, held_out_tasks=others))
    assert asked.args == [None]
    assert view.moved is None


def test_without_a_run_nothing_can_be_held(view):
    start = place(view, 4)
    view.show_history(None)
    QTest.mousePress(view.plot.area.viewport, LEFT, pos=start)
    QTest.mouseRelease(view.plot.area.viewport, LEFT, pos=start)
    QTest.keyClick(view.plot, Qt.Key.Key_Right)
    assert view.handles.marks == []
    assert view.moved is None


def test_points_move_before_there_are_curves(view, history):
    view.show_history(replace(history, curves=None))
    drag(view, 4, QPoint(10, -10))
    assert view.moved is not None


def test_the_losses_beside_it_follow(qtbot, history):
    live = LiveWorkspace()
    qtbot.addWidget(live)
    live.resize(1100, 700)
    live.show()
    live.show_history(history)
    QApplication.processEvents()
    drag(live.adaptation, 4, QPoint(5, -10))
    live.adaptation.show_readaptation(answer_to(live.adaptation.moved, history.curves))

    def drawn():
        return (live.inner_loss.query.data[1] == 4.0).all()

    qtbot.waitUntil(drawn)
    assert "your points" in live.inner_loss.header.title
    np.testing.assert_array_equal(live.inner_loss.support.data[1], np.full(11, 3.0))
    live.set_task(1)
    np.testing.assert_array_equal(
        live.inner_loss.query.data[1], history.curves.query_loss[1]
    )
    assert "your points" not in live.inner_loss.header.title
