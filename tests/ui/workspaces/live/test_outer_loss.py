from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from metalab.engine.events import Diverged
from metalab.figures.base import FigureChoices
from metalab.figures.registry import figure_named
from metalab.figures.sizes import size_named
from metalab.figures.smooth import smoothed
from metalab.runs.record.history import RunHistory
from metalab.runs.record.status import RunStatus
from metalab.ui.workspaces.live.loss_tools import SMOOTHING, LossChoices
from metalab.ui.workspaces.live.outer_loss import OuterLossView
from tests.support.histories import cut, make_config, make_history, starting


@pytest.fixture
def view(qtbot) -> OuterLossView:
    made = OuterLossView()
    qtbot.addWidget(made)
    made.resize(560, 380)
    made.show()
    QApplication.processEvents()
    return made


def averaged(history: RunHistory, choices: LossChoices) -> np.ndarray:
    return smoothed(
        history.metrics["outer_loss"],
        history.steps,
        choices.smoothing,
        log=choices.log_y,
    )


def choose(view: OuterLossView, **changes: object) -> None:
    view.set_choices(replace(view.choices, **changes))


def test_the_curves_are_the_runs_losses(view: OuterLossView):
    history = make_history(200)
    view.show_history(history)
    for curve, name in (
        (view.drawing.raw_after, "outer_loss"),
        (view.drawing.raw_before, "outer_loss_before"),
    ):
        x, y = curve.data
        np.testing.assert_array_equal(x, history.steps)
        np.testing.assert_array_equal(y, history.metrics[name])
    smooth_x, smooth_y = view.drawing.smooth_after.data
    expected = averaged(history, view.choices)
    np.testing.assert_allclose(smooth_y, expected[smooth_x.astype(int) - 1])


@pytest.mark.parametrize("log_y", [True, False])
@pytest.mark.parametrize("num_rows", [7, 100, 20_000])
def test_the_strong_line_has_the_numbers_of_the_figure(
    view: OuterLossView, num_rows, log_y
):
    history = make_history(num_rows)
    choose(view, log_y=log_y)
    view.show_history(history)
    choices = FigureChoices(log_y=log_y, smoothing=view.choices.smoothing)
    table = figure_named("losses").draw(history, choices, size_named("single")).table
    x, y = view.drawing.smooth_after.data
    drawn = np.isin(table.numbers("outer_step"), x)
    np.testing.assert_allclose(
        table.numbers("outer_loss_smoothed")[drawn], y, rtol=1e-12
    )


def test_the_evaluations_are_those_after_k_steps(view: OuterLossView):
    history = make_history(500)
    view.show_history(history)
    evaluations, k = history.evaluations, history.num_inner_steps
    x, mean = view.drawing.held_out.data
    np.testing.assert_array_equal(x, evaluations.steps)
    np.testing.assert_array_equal(mean, evaluations.query_mean[:, k])
    _, low, high = view.drawing.interval.data
    np.testing.assert_array_equal(low, evaluations.query_low[:, k])
    np.testing.assert_array_equal(high, evaluations.query_high[:, k])
    _, p10, p90 = view.drawing.spread.data
    np.testing.assert_array_equal(p10, evaluations.query_p10[:, k])
    np.testing.assert_array_equal(p90, evaluations.query_p90[:, k])


def test_long_runs_are_thinned_to_the_pixels(view: OuterLossView):
    view.show_history(make_history(100_000))
    x, y = view.drawing.raw_after.data
    assert len(x) <= 2 * view.plot.num_columns
    assert (np.diff(x) > 0).all()
    assert len(view.drawing.smooth_after.data[0]) < len(x)
    assert y.max() > 1


def test_growth_is_followed(view: OuterLossView):
    whole = make_history(300)
    for num_rows in (1, 10, 299, 300):
        view.show_history(cut(whole, num_rows))
        assert len(view.drawing.raw_after.data[0]) == num_rows


def test_one_row_is_a_dot(view: OuterLossView):
    history = make_history(1)
    view.show_history(history)
    x, y = view.drawing.head_after.data
    assert (x.tolist(), y.tolist()) == ([1.0], [history.metrics["outer_loss"][0]])


def test_no_run_clears_everything(view: OuterLossView):
    view.show_history(make_history(300))
    view.show_history(None)
    drawing = view.drawing
    for mark in (drawing.raw_after, drawing.smooth_before, drawing.held_out):
        assert len(mark.data[0]) == 0
    assert len(drawing.spread.data[0]) == 0


def test_the_log_button_changes_the_scale(view: OuterLossView, qtbot):
    view.show_history(make_history(300))
    assert view.plot.log_y
    with qtbot.waitSignal(view.choices_changed):
        QTest.mouseClick(view.tools.log, Qt.MouseButton.LeftButton)
    assert not view.plot.log_y
    assert not view.choices.log_y


def test_ignored_outliers_do_not_stretch_the_axis(view: OuterLossView):
    history = make_history(300)
    history.metrics["outer_loss"][200] = 1e7
    choose(view, trimmed=True)
    view.show_history(history)
    assert view.plot.y_range[1] < 1e3
    QTest.mouseClick(view.tools.trim, Qt.MouseButton.LeftButton)
    assert view.plot.y_range[1] >= 1e7


def test_the_slider_smooths(view: OuterLossView):
    history = make_history(300)
    view.show_history(history)

    def roughness() -> float:
        return float(np.abs(np.diff(view.drawing.smooth_after.data[1])).mean())

    rough: list[float] = []
    for share in (0.0, 0.02, 0.2):
        view.tools.smoothing.slider.setValue(SMOOTHING.index(share))
        assert view.choices.smoothing == share
        rough.append(roughness())
    assert rough[0] > 2 * rough[1] > 2 * rough[2]


def test_the_slider_takes_keys(view: OuterLossView):
    slider = view.tools.smoothing.slider
    before = slider.value()
    QTest.keyClick(slider, Qt.Key.Key_Right)
    assert view.choices.smoothing == SMOOTHING[before + 1]


@pytest.mark.parametrize(
    ("axis", "scale"),
    [("outer step", 1.0), ("tasks seen", 25.0), ("training time", 0.002)],
)
def test_the_axis_button_changes_x(view: OuterLossView, axis, scale):
    history = make_history(200)
    view.show_history(history)
    view.tools.axis.choose(axis)
    assert view.choices.x == axis
    np.testing.assert_allclose(
        view.drawing.raw_after.data[0], scale * np.arange(1, 201)
    )
    np.testing.assert_allclose(view.drawing.held_out.data[0][:2], [0.0, scale * 100])
    assert view.plot.x_range[1] >= scale * 200


def test_the_axis_buttons_menu_chooses(view: OuterLossView, qtbot):
    action = next(
        a for a in view.tools.axis.findChildren(QAction) if a.data() == "tasks seen"
    )
    with qtbot.waitSignal(view.choices_changed):
        action.trigger()
    assert view.choices.x == "tasks seen"
    assert action.isChecked()


def test_the_legend_names_k(view: OuterLossView):
    assert "After adaptation" in [entry.text for entry in view.legend.entries]
    view.show_history(make_history(10, config=make_config(k=3)))
    assert "After K = 3" in [entry.text for entry in view.legend.entries]


def test_a_legend_wraps_where_it_is_narrow(view: OuterLossView):
    assert view.legend.heightForWidth(120) > 3 * view.legend.heightForWidth(2000)


def test_a_divergence_is_marked(view: OuterLossView):
    diverged = Diverged(
        step=310, last_good_step=300, quantity="outer_loss", value=np.inf
    )
    history = make_history(300, status=RunStatus.PAUSED, diverged=diverged)
    view.show_history(history)
    assert view.drawing.divergence.x == 310
    assert "310" in view.drawing.divergence.text
    assert view.plot.x_range[1] > 310
    assert "310" in view.plot.accessibleDescription()
    view.show_history(replace(history, diverged=None))
    assert view.drawing.divergence.x is None


def test_zooming_in_shows_every_row(view: OuterLossView):
    view.show_history(make_history(100_000))
    for _ in range(40):
        QTest.keyClick(view.plot, Qt.Key.Key_Plus)
    x, _ = view.drawing.raw_after.data
    np.testing.assert_array_equal(np.diff(x), 1)
    low, high = view.plot.x_range
    assert x[0] <= low + 1
    assert x[-1] >= high - 1
    assert view.header.fit.isVisible()
    QTest.mouseClick(view.header.fit, Qt.MouseButton.LeftButton)
    assert not view.plot.zoomed
    assert view.drawing.raw_after.data[0][0] < 1000
    assert not view.header.fit.isVisible()


def test_another_run_is_seen_from_its_start(view: OuterLossView):
    view.show_history(make_history(300))
    QTest.keyClick(view.plot, Qt.Key.Key_Plus)
    view.show_history(make_history(100))
    assert not view.plot.zoomed
    assert view.plot.x_range[0] < 1


def test_the_readout_says_raw_and_smoothed(view: OuterLossView):
    history = make_history(300)
    view.show_history(history)
    view.plot.point_at(120.3)
    text = view.readout.text()
    assert view.readout.isVisible()
    assert "Outer step 120" in text
    assert f"{history.metrics['outer_loss'][119]:.3g}" in text
    expected = averaged(history, view.choices)[119]
    assert f"{expected:#.3g}" in text
    assert "Held-out at 100" in text
    view.plot.point_at(None)
    assert not view.readout.isVisible()


def test_the_readout_follows_a_run_under_a_resting_pointer(view: OuterLossView):
    whole = make_history(300)
    view.show_history(cut(whole, 100))
    view.plot.point_at(5_000.0)
    assert "Outer step 100" in view.readout.text()
    view.show_history(cut(whole, 200))
    assert "Outer step 200" in view.readout.text()


def test_it_says_that_it_waits(view: OuterLossView):
    view.show_history(starting())
    assert "Preparing" in view.plot.message
    view.show_history(make_history(1))
    assert view.plot.message == ""
    view.show_history(replace(starting(), status=RunStatus.FAILED))
    assert view.plot.message == ""


def test_the_summary_says_where_the_loss_goes(view: OuterLossView):
    view.show_history(make_history(300))
    assert "falling" in view.plot.accessibleDescription()
    flat = make_history(300)
    for y in flat.metrics.values():
        y[:] = 2.0
    view.show_history(flat)
    assert "outer loss 2.00, steady" in view.plot.accessibleDescription()


def test_choices_round_trip(view: OuterLossView):
    choices = LossChoices(log_y=False, smoothing=0.1, x="tasks seen", trimmed=False)
    view.set_choices(choices)
    assert view.choices == choices


def test_a_weight_that_is_not_offered_becomes_the_nearest(view: OuterLossView):
    choose(view, smoothing=0.053)
    assert view.choices.smoothing == 0.05


def test_copying_puts_a_picture_on_the_clipboard(view: OuterLossView):
    view.show_history(make_history(300))
    QGuiApplication.clipboard().clear()
    QTest.mouseClick(view.header.copy, Qt.MouseButton.LeftButton)
    image = QGuiApplication.clipboard().image()
    assert image.width() >= 2 * view.plot.width()


def test_a_hidden_name_makes_room(view: OuterLossView, qtbot):
    view.resize(900, 300)
    QApplication.processEvents()
    wide = view.tools.smoothing.width()
    view.resize(view.minimumSizeHint())
    qtbot.waitUntil(lambda: view.tools.smoothing.width() < wide - 20)
    assert view.tools.smoothing.slider.isVisible()
