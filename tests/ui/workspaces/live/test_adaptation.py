from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from metalab.runs.record.status import RunStatus
from metalab.ui.plot.ticks import number_text
from metalab.ui.workspaces.live.adaptation import AdaptationView
from tests.support.histories import (
    NUM_GALLERY,
    banded,
    make_config,
    make_curves,
    make_history,
    starting,
)


@pytest.fixture
def view(qtbot) -> AdaptationView:
    made = AdaptationView()
    qtbot.addWidget(made)
    made.resize(460, 380)
    made.show()
    QApplication.processEvents()
    return made


def shown_curves(view: AdaptationView) -> list[np.ndarray]:
    return [curve.data[1] for curve in view.drawing.curves if len(curve.data[0])]


def test_the_first_task_is_shown_first(view: AdaptationView):
    assert view.task == 0
    view.show_history(make_history())
    assert view.task == 0


def test_it_draws_the_task_and_every_step(view: AdaptationView):
    history = make_history()
    view.show_history(history)
    view.set_task(4)
    tasks, curves = history.held_out_tasks, history.curves
    np.testing.assert_array_equal(view.drawing.truth.data[1], tasks.true_curves[4])
    np.testing.assert_array_equal(
        view.drawing.support.data[0], tasks.support.x[4, :, 0]
    )
    np.testing.assert_array_equal(
        view.drawing.support.data[1], tasks.support.y[4, :, 0]
    )
    np.testing.assert_array_equal(view.drawing.query.data[1], tasks.query.y[4, :, 0])
    assert view.drawing.shown_steps == list(range(11))
    np.testing.assert_array_equal(shown_curves(view), curves.curves[4])


def test_many_steps_are_thinned_and_k_is_kept(view: AdaptationView):
    config = make_config(k=7, last=300)
    view.show_history(make_history(config=config))
    shown = view.drawing.shown_steps
    assert len(shown) <= len(view.drawing.curves)
    assert {0, 7, 300} <= set(shown)


def test_fewer_steps_leave_no_curve_behind(view: AdaptationView):
    view.show_history(make_history(config=make_config(k=1, last=10)))
    view.show_history(make_history(config=make_config(k=2, last=3)))
    assert len(shown_curves(view)) == 4
    assert view.ruler.steps == (2, 3)


def test_k_is_strong_and_what_is_beyond_is_thin(view: AdaptationView):
    view.show_history(make_history(config=make_config(k=3, last=8)))
    widths = [curve.stroke.width for curve in view.drawing.curves[:9]]
    assert widths[3] == max(widths)
    assert max(widths[4:]) < min(widths[:3]) < widths[3]


def test_the_ramp_goes_one_way(view: AdaptationView):
    view.show_history(make_history(config=make_config(k=3, last=8)))
    shares = [curve.stroke.ink.share for curve in view.drawing.curves[:9]]
    assert shares == sorted(set(shares))


def test_new_curves_are_drawn(view: AdaptationView):
    history = make_history()
    view.show_history(history)
    newer = make_curves(history.config_at(), step=200)
    view.show_history(replace(history, curves=newer))
    np.testing.assert_array_equal(shown_curves(view), newer.curves[0])


def test_the_picker_chooses(view: AdaptationView, qtbot):
    view.show_history(make_history())
    for button, expected in (
        (view.picker.next, 1),
        (view.picker.next, 2),
        (view.picker.previous, 1),
    ):
        with qtbot.waitSignal(view.task_chosen) as chosen:
            QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        assert chosen.args == [expected]
        assert view.task == expected
    history = make_history()
    np.testing.assert_array_equal(
        view.drawing.truth.data[1], history.held_out_tasks.true_curves[1]
    )


def test_the_picker_takes_keys_and_wraps(view: AdaptationView):
    view.show_history(make_history())
    QTest.keyClick(view.picker.box, Qt.Key.Key_Down)
    assert view.task == NUM_GALLERY - 1
    QTest.keyClick(view.picker.box, Qt.Key.Key_Up)
    assert view.task == 0
    view.picker.box.selectAll()
    QTest.keyClicks(view.picker.box, "7")
    assert view.task == 6


def test_the_dice_always_finds_another_task(view: AdaptationView):
    view.show_history(make_history())
    seen = {view.task}
    for _ in range(60):
        before = view.task
        QTest.mouseClick(view.picker.dice, Qt.MouseButton.LeftButton)
        assert view.task != before
        seen.add(view.task)
    assert len(seen) > NUM_GALLERY / 2
    assert seen <= set(range(NUM_GALLERY))


def test_setting_the_task_is_not_choosing_it(view: AdaptationView, qtbot):
    view.show_history(make_history())
    with qtbot.assertNotEmitted(view.task_chosen):
        view.set_task(3)
    assert view.task == 3


def test_k_is_emphasised_until_somebody_steps(view: AdaptationView, qtbot):
    history = make_history(config=make_config(k=3, last=8))
    with qtbot.waitSignal(view.inner_step_chosen) as first:
        view.show_history(history)
    assert first.args == [3]
    assert view.inner_step == 3
    with qtbot.waitSignal(view.inner_step_chosen) as stepped:
        view.set_inner_step(view.inner_step + 2)
    assert stepped.args == [5]
    np.testing.assert_array_equal(
        view.drawing.chosen.data[1], history.curves.curves[0, 5]
    )
    view.set_inner_step(view.inner_step + 100)
    assert view.inner_step == 8
    view.set_inner_step(view.inner_step - 100)
    assert view.inner_step == 0


def test_the_emphasis_stays_while_curves_come(view: AdaptationView):
    history = make_history()
    view.show_history(history)
    view.set_inner_step(view.inner_step + 4)
    newer = make_curves(history.config_at(), step=200)
    view.show_history(replace(history, curves=newer))
    assert view.inner_step == 5
    np.testing.assert_array_equal(view.drawing.chosen.data[1], newer.curves[0, 5])


def test_the_ruler_takes_clicks_drags_and_keys(view: AdaptationView):
    view.show_history(make_history())
    ruler = view.ruler
    QTest.mouseClick(ruler, Qt.MouseButton.LeftButton, pos=ruler.place_of(7).toPoint())
    assert view.inner_step == 7
    QTest.mousePress(ruler, Qt.MouseButton.LeftButton, pos=ruler.place_of(7).toPoint())
    QTest.mouseMove(ruler, ruler.place_of(2).toPoint())
    QTest.mouseRelease(ruler, Qt.MouseButton.LeftButton, pos=QPoint(0, 0))
    QTest.keyClick(ruler, Qt.Key.Key_Home)
    assert view.inner_step == 0
    QTest.keyClick(ruler, Qt.Key.Key_Right)
    assert view.inner_step == 1


def test_the_caption_says_the_tasks_values_and_losses(view: AdaptationView):
    history = make_history(config=make_config(k=2, last=6))
    view.show_history(history)
    view.set_task(5)
    tasks, losses = history.held_out_tasks, history.curves.query_loss[5]
    amplitude, phase = (number_text(value) for value in tasks.parameters[5])
    assert view.caption.left == f"amplitude {amplitude}, phase {phase}"
    before, after, last = (number_text(losses[step]) for step in (0, 2, 6))
    assert view.caption.right == f"query loss {before} → {after} → {last}"
    assert f"{after} after K = 2" in view.plot.accessibleDescription()
    assert view.caption.toolTip() == view.plot.accessibleDescription()


def test_the_axis_holds_the_task_but_not_a_wild_curve(view: AdaptationView):
    history = make_history()
    history.curves.curves[0, 5] = 1e6
    view.show_history(history)
    low, high = view.plot.y_range
    tasks = history.held_out_tasks
    assert low <= tasks.true_curves[0].min()
    assert tasks.true_curves[0].max() <= high < 100


def test_the_readout_says_the_values_at_x(view: AdaptationView):
    history = make_history()
    view.show_history(history)
    view.set_inner_step(view.inner_step + 3)
    grid = history.held_out_tasks.grid
    view.plot.point_at(float(grid[10]) + 0.01)
    text = view.readout.text()
    for value in (
        history.held_out_tasks.true_curves[0, 10],
        *history.curves.curves[0, [0, 1, 4], 10],
    ):
        assert number_text(float(value)) in text
    view.plot.point_at(None)
    assert not view.readout.isVisible()


def test_it_says_that_it_waits(view: AdaptationView):
    view.show_history(starting())
    assert "Preparing" in view.plot.message
    assert not view.ruler.isEnabled()
    view.show_history(make_history())
    assert view.plot.message == ""
    assert view.ruler.isEnabled()
    view.show_history(replace(starting(), status=RunStatus.STOPPED))
    assert view.plot.message == ""


def test_no_run_clears_everything(view: AdaptationView):
    view.show_history(make_history())
    view.show_history(None)
    assert shown_curves(view) == []
    assert len(view.drawing.truth.data[0]) == 0
    assert view.caption.left == view.caption.right == ""


def test_copying_puts_a_picture_on_the_clipboard(view: AdaptationView):
    view.show_history(make_history())
    QGuiApplication.clipboard().clear()
    QTest.mouseClick(view.header.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().image().width() >= 2 * view.plot.width()


def test_the_band_is_two_deviations_around_the_chosen_step(view: AdaptationView):
    curves = banded(make_config())
    history = make_history(curves=curves)
    view.show_history(history)
    view.set_task(2)
    for step, half in ((1, 0.5), (0, 6.0), (4, 0.5)):
        view.set_inner_step(step)
        x, low, high = view.drawing.band.data
        np.testing.assert_array_equal(x, history.held_out_tasks.grid)
        np.testing.assert_allclose(low, curves.curves[2, step] - half, rtol=1e-6)
        np.testing.assert_allclose(high, curves.curves[2, step] + half, rtol=1e-6)
    assert "±2 predictive sd" in view.legend.accessibleName()
    view.plot.point_at(0.0)
    assert "±2 sd" in view.readout.text()
    assert "0.5" in view.readout.text()


def test_without_a_distribution_there_is_no_band(view: AdaptationView):
    view.show_history(make_history(curves=banded(make_config())))
    view.show_history(make_history())
    assert all(len(part) == 0 for part in view.drawing.band.data)
    assert "predictive" not in view.legend.accessibleName()
    view.plot.point_at(0.0)
    assert "±2 sd" not in view.readout.text()


def test_a_wide_band_does_not_squeeze_the_task(view: AdaptationView):
    curves = banded(make_config())
    wide = replace(curves, deviation=1e4 * curves.deviation)
    view.show_history(make_history(curves=wide))
    low, high = view.plot.y_range
    assert high - low < 100
