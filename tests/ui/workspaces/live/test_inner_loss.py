from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from metalab.experiment.fields import with_overrides
from metalab.runs.record.history import EvaluationSeries
from metalab.ui.plot.ticks import number_text
from metalab.ui.workspaces.live.inner_loss import InnerLossView
from tests.support.histories import (
    make_config,
    make_curves,
    make_history,
    starting,
    with_stability,
)


@pytest.fixture
def view(qtbot) -> InnerLossView:
    made = InnerLossView()
    qtbot.addWidget(made)
    made.resize(420, 320)
    made.show()
    QApplication.processEvents()
    return made


def test_it_draws_the_task_and_the_mean(view: InnerLossView):
    history = make_history()
    view.show_history(history)
    view.set_task(3)
    steps = np.arange(11)
    for curve, losses in (
        (view.query, history.curves.query_loss[3]),
        (view.support, history.curves.support_loss[3]),
        (view.mean, history.evaluations.query_mean[-1]),
    ):
        np.testing.assert_array_equal(curve.data[0], steps)
        np.testing.assert_array_equal(curve.data[1], losses)
    _, low, high = view.interval.data
    np.testing.assert_array_equal(low, history.evaluations.query_low[-1])
    np.testing.assert_array_equal(high, history.evaluations.query_high[-1])
    assert view.header.title.endswith("task 4")


def test_the_boundary_is_trainings_k(view: InnerLossView):
    view.show_history(make_history(config=make_config(k=4, last=9)))
    assert view.boundary.x == 4
    assert "K = 4" in view.boundary.text
    assert view.plot.x_range[1] >= 9
    view.show_history(None)
    assert view.boundary.x is None


def test_new_curves_move_the_task_but_not_the_mean(view: InnerLossView):
    history = make_history()
    view.show_history(history)
    newer = make_curves(history.config_at(), step=200)
    view.show_history(replace(history, curves=newer))
    np.testing.assert_array_equal(view.query.data[1], newer.query_loss[0])
    np.testing.assert_array_equal(view.mean.data[1], history.evaluations.query_mean[-1])


def test_the_emphasised_step_is_marked(view: InnerLossView):
    view.show_history(make_history())
    assert view.emphasis.x is None
    view.set_inner_step(7)
    assert view.emphasis.x == 7
    view.set_inner_step(999)
    assert view.emphasis.x is None


def test_many_steps_have_no_dots(view: InnerLossView):
    view.show_history(make_history(config=make_config(k=1, last=200)))
    assert len(view.query_dots.data[0]) == 0
    assert len(view.query.data[0]) == 201
    view.show_history(make_history(config=make_config(k=1, last=10)))
    assert len(view.query_dots.data[0]) == 11


def test_the_log_button_says_so(view: InnerLossView, qtbot):
    view.show_history(make_history())
    assert view.plot.log_y
    with qtbot.waitSignal(view.log_chosen) as chosen:
        QTest.mouseClick(view.log, Qt.MouseButton.LeftButton)
    assert chosen.args == [False]
    assert not view.plot.log_y
    with qtbot.assertNotEmitted(view.log_chosen):
        view.set_log(log=True)
    assert view.plot.log_y
    assert view.log.isChecked()


def test_the_readout_says_the_values_at_a_step(view: InnerLossView):
    history = make_history()
    view.show_history(history)
    view.plot.point_at(3.4)
    text = view.readout.text()
    assert "Inner step 3" in text
    for value in (
        history.curves.query_loss[0, 3],
        history.curves.support_loss[0, 3],
        history.evaluations.query_mean[-1, 3],
        history.evaluations.query_low[-1, 3],
    ):
        assert number_text(float(value)) in text
    view.plot.point_at(1e6)
    assert "Inner step 10" in view.readout.text()


def test_the_readout_says_of_what_the_interval_is_and_why_there_is_none(
    view: InnerLossView,
):
    history = make_history()
    view.show_history(history)
    view.plot.point_at(3)
    text = view.readout.text()
    assert "95 %, this network" in text
    for values in (history.evaluations.query_median, history.evaluations.query_iqm):
        assert number_text(float(values[-1, 3])) in text
    assert "exploded" not in text
    rows = history.evaluations.rows().copy()
    wrecked = EvaluationSeries.from_rows(rows)
    for values in (wrecked.query_low, wrecked.query_high):
        values[-1, 3] = np.nan
    wrecked.query_exploded[-1, 3] = 7
    view.show_history(None)
    view.show_history(replace(history, evaluations=wrecked))
    view.plot.point_at(3)
    text = view.readout.text()
    assert "none: tasks exploded" in text
    assert "7" in text
    _, low, _ = view.interval.data
    assert np.isnan(low[3])


def test_there_is_nothing_to_read_out_without_losses(view: InnerLossView):
    view.show_history(starting())
    view.plot.point_at(0.5)
    assert not view.readout.isVisible()
    assert "Preparing" in view.plot.message


def test_it_says_in_words_what_it_shows(view: InnerLossView):
    history = make_history()
    view.show_history(history)
    text = view.plot.accessibleDescription()
    assert number_text(float(history.curves.query_loss[0, 0])) in text
    assert number_text(float(history.evaluations.query_mean[-1, -1])) in text


def test_copying_puts_a_picture_on_the_clipboard(view: InnerLossView):
    view.show_history(make_history())
    QGuiApplication.clipboard().clear()
    QTest.mouseClick(view.header.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().image().width() >= 2 * view.plot.width()


def test_it_says_how_many_inner_steps_overshoot(view: InnerLossView):
    view.show_history(make_history())
    assert not view.stability.isVisible()
    history = with_stability(make_history(), unstable_share=0.25, step_curvature=2.86)
    view.show_history(history)
    assert view.stability.isVisible()
    assert view.stability.left == (
        "Inner steps overshoot for 25 % of tasks (lr × curvature up to 2.86, limit 2)"
    )
    last = int(history.evaluations.steps[-1])
    assert f"outer step {last:,}" in view.stability.toolTip()
    assert view.stability.tone == "muted"
    view.show_history(None)
    assert not view.stability.isVisible()
    view.show_history(with_stability(history, step_curvature=1.5))
    assert view.stability.left.startswith("Inner steps stable for all tasks (")


def test_a_warning_is_in_the_colour_of_one(view: InnerLossView):
    config = with_overrides(
        make_config(k=4), [("hypergradient", {"kind": "first-order"})]
    )
    history = with_stability(
        make_history(config=config),
        unstable_share=0.25,
        rising_share=0.2,
        step_curvature=2.86,
    )
    view.show_history(history)
    assert view.stability.tone == "warning"
