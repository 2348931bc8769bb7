import sys

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from metalab.ui.plot.marks import Dots, Stroke
from metalab.ui.plot.painting import Ink
from metalab.ui.plot.plot_widget import Plot
from metalab.ui.style.theme import DARK, LIGHT
from metalab.ui.style.theming import change_theme
from tests.support.clipping import names_cut

AFTER = Stroke(ink=Ink(role="after"), width=3)


@pytest.fixture
def plot(qtbot) -> Plot:
    made = Plot(x_label="Outer step", y_label="Loss")
    qtbot.addWidget(made)
    made.resize(400, 300)
    made.show()
    QApplication.processEvents()
    return made


def pixels(plot: Plot, colour: str) -> np.ndarray:
    """Return where the plot has exactly a colour, [row, column]."""
    QApplication.processEvents()
    image = plot.grab().toImage()
    wanted = int(colour[1:], 16)
    return np.array(
        [
            [image.pixel(x, y) & 0xFFFFFF == wanted for x in range(image.width())]
            for y in range(image.height())
        ]
    )


def test_a_line_is_where_its_data_are(plot: Plot):
    line = plot.line(AFTER)
    line.set_data(np.array([0.0, 10.0]), np.array([2.0, 2.0]))
    plot.set_limits((0.0, 10.0), (0.0, 4.0))
    rows, columns = np.nonzero(pixels(plot, DARK.after))
    middle = (plot.height() - 60) / 2
    assert abs(rows.mean() - middle) < 20
    assert np.ptp(columns) > 250


def test_a_gap_is_not_bridged(plot: Plot):
    line = plot.line(AFTER)
    x = np.linspace(0, 10, 11)
    y = np.full(11, 2.0)
    plot.set_limits((0.0, 10.0), (0.0, 4.0))
    line.set_data(x, y)
    whole = pixels(plot, DARK.after).any(axis=0).sum()
    y[3:8] = np.nan
    line.set_data(x, y)
    assert pixels(plot, DARK.after).any(axis=0).sum() < 0.6 * whole


def test_the_log_axis_leaves_out_what_is_not_positive(plot: Plot):
    line = plot.line(AFTER)
    plot.set_log_y(log=True)
    x = np.linspace(0, 10, 5)
    line.set_data(x, np.array([-1.0, 0.0, np.nan, 1.0, 1.0]))
    plot.set_limits((0.0, 10.0), (0.1, 10.0))
    columns = np.nonzero(pixels(plot, DARK.after).any(axis=0))[0]
    assert columns.min() > plot.width() / 2
    assert plot.y_range[0] < 0.1
    assert plot.y_range[1] > 10
    np.testing.assert_array_equal(line.data[0], x)


def test_the_scale_changes_what_is_drawn_already(plot: Plot):
    line = plot.line(AFTER)
    line.set_data(np.array([0.0, 10.0]), np.array([1.0, 1.0]))
    plot.set_limits((0.0, 10.0), (0.01, 10.0))
    straight = np.nonzero(pixels(plot, DARK.after))[0].mean()
    plot.set_log_y(log=True)
    plot.set_limits((0.0, 10.0), (0.01, 10.0))
    assert np.nonzero(pixels(plot, DARK.after))[0].mean() < straight - 40


def test_points_and_bands_take_the_themes_colours(plot: Plot):
    plot.set_limits((0.0, 10.0), (0.0, 4.0))
    points = plot.points(Dots(fill=Ink(role="support"), size=20))
    points.set_data(np.array([5.0, np.nan]), np.array([3.0, 1.0]))
    band = plot.band(Ink(role="query"))
    band.set_data(np.array([0.0, 10.0]), np.zeros(2), np.ones(2))
    for theme in (DARK, LIGHT):
        change_theme(theme)
        assert 100 < pixels(plot, theme.support).sum() < 500
        assert pixels(plot, theme.query).sum() > 5000


def test_a_band_on_a_log_axis_reaches_the_bottom_of_the_others(plot: Plot):
    plot.set_log_y(log=True)
    band = plot.band(Ink(role="query"))
    x = np.arange(3.0)
    band.set_data(x, np.array([0.1, -1.0, 0.1]), np.array([1.0, 1.0, 1.0]))
    plot.set_limits((0.0, 2.0), (0.1, 1.0))
    ink = pixels(plot, DARK.query)
    middle = (np.nonzero(ink.any(axis=0))[0].mean()).astype(int)
    assert ink[:, middle].sum() > 100


def test_a_vertical_line_shows_and_hides(plot: Plot):
    mark = plot.vertical_line(Stroke(ink=Ink(role="error"), width=3))
    assert not pixels(plot, DARK.error).any()
    mark.show_at(0.5, "here")
    assert pixels(plot, DARK.error).any(axis=1).sum() > 150
    assert (mark.x, mark.text) == (0.5, "here")
    mark.show_at(None)
    assert not pixels(plot, DARK.error).any()


def test_limits_stand_still_while_they_suit(plot: Plot):
    plot.set_limits((0.0, 1.0), (0.0, 1.0))
    before = plot.y_range
    plot.set_limits((0.0, 1.0), (0.1, 0.9))
    assert plot.y_range == before
    plot.forget_limits()
    plot.set_limits((0.0, 1.0), (0.1, 0.9))
    assert plot.y_range != before


def test_no_limits_keep_the_axis(plot: Plot):
    plot.set_limits((0.0, 1.0), (3.0, 4.0))
    before = plot.y_range
    plot.set_limits((0.0, 2.0), None)
    assert plot.y_range == before
    assert plot.x_range[1] >= 2.0


def test_a_person_who_zooms_is_left_alone_until_fit(plot: Plot, qtbot):
    plot.set_limits((0.0, 100.0), (0.0, 1.0))
    with qtbot.waitSignal(plot.zoom_changed) as zoomed:
        QTest.keyClick(plot, Qt.Key.Key_Plus)
    assert zoomed.args == [True]
    shown = plot.x_range
    assert shown[1] - shown[0] < 90
    plot.set_limits((0.0, 200.0), (0.0, 1.0))
    assert plot.x_range == shown
    with qtbot.waitSignal(plot.zoom_changed) as fitted:
        QTest.keyClick(plot, Qt.Key.Key_0)
    assert fitted.args == [False]
    assert plot.x_range[1] >= 200


def test_the_wheel_zooms_and_a_double_click_fits(plot: Plot):
    plot.set_limits((0.0, 100.0), (0.0, 1.0))
    QApplication.processEvents()
    viewport = plot._area.viewport
    centre = QPointF(viewport.rect().center())
    wheel = QWheelEvent(
        centre,
        viewport.mapToGlobal(centre),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(viewport, wheel)
    assert plot.zoomed
    QTest.mouseDClick(viewport, Qt.MouseButton.LeftButton, pos=centre.toPoint())
    assert not plot.zoomed


def test_the_pointer_is_followed_over_the_data_only(plot: Plot):
    plot.set_limits((0.0, 100.0), (0.0, 1.0))
    QApplication.processEvents()
    seen: list[float | None] = []
    plot.pointed.connect(seen.append)
    viewport = plot._area.viewport
    for x in (viewport.width() // 2, 3):
        position = QPointF(x, viewport.height() / 2)
        move = QMouseEvent(
            QEvent.Type.MouseMove,
            position,
            viewport.mapToGlobal(position),
            Qt.MouseButton.NoButton,
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(viewport, move)
    assert seen[0] == pytest.approx(45, abs=12)
    assert seen[1] is None


def test_the_keyboard_moves_the_crosshair(plot: Plot):
    plot.set_limits((0.0, 100.0), (0.0, 1.0))
    QTest.keyClick(plot, Qt.Key.Key_Right)
    first = plot.pointed_at
    QTest.keyClick(plot, Qt.Key.Key_Right)
    assert first is not None
    assert plot.pointed_at > first
    for _ in range(200):
        QTest.keyClick(plot, Qt.Key.Key_Left)
    assert plot.pointed_at == plot.x_range[0]
    QTest.keyClick(plot, Qt.Key.Key_Escape)
    assert plot.pointed_at is None


def test_keys_of_the_window_pass_through(plot: Plot):
    for key in (Qt.Key.Key_Space, Qt.Key.Key_Comma, Qt.Key.Key_Escape):
        QTest.keyClick(plot, key)
    assert plot.pointed_at is None
    assert not plot.zoomed


def test_a_message_takes_the_place_of_numbers(plot: Plot):
    numbers = pixels(plot, DARK.muted).sum()
    plot.set_message("Preparing")
    assert plot.message == "Preparing"
    plot.set_message("")
    assert pixels(plot, DARK.muted).sum() == numbers


def test_frames_lose_no_references(plot: Plot):
    line = plot.line(AFTER)
    counts = [sys.getrefcount(None), sys.getrefcount(True)]
    for frame in range(300):
        line.set_data(np.arange(50.0), np.random.default_rng(frame).normal(size=50))
        plot.repaint()
        QApplication.processEvents()
    # Python 3.11 counts references to None; a binding that loses them aborts in the end.
    assert sys.getrefcount(None) > counts[0] - 50
    assert sys.getrefcount(True) > counts[1] - 50


@pytest.mark.parametrize("height", [110, 130, 400])
def test_a_name_longer_than_its_axis_reaches_down_and_not_out(qtbot, height):
    window = QWidget()
    qtbot.addWidget(window)
    plot = Plot(x_label="Outer step", y_label="Query loss (y²)", parent=window)
    plot.setFixedSize(400, height)
    window.show()
    assert names_cut(window) == []
    label = plot.area._left.label
    middle = label.mapRectToScene(label.boundingRect()).center().y()
    axis = plot.area._left.sceneBoundingRect().center().y()
    assert (middle > axis + 20) is (height == 110)
