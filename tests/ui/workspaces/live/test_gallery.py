import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from metalab.runs.record.status import RunStatus
from metalab.ui.plot.ticks import number_text
from metalab.ui.style.theme import DARK, LIGHT
from metalab.ui.style.theming import change_theme
from metalab.ui.workspaces.live import tile_grid
from metalab.ui.workspaces.live.gallery import GalleryView
from metalab.ui.workspaces.live.tile_painter import loss_colour, tile_layout
from tests.support.histories import (
    NUM_GALLERY,
    banded,
    make_config,
    make_curves,
    make_history,
    starting,
)


def zero_loss(history):
    """Return the mean squared error of predicting zero."""
    return float(np.mean(history.held_out_tasks.true_curves.astype(float) ** 2))


@pytest.fixture
def view(qtbot) -> GalleryView:
    made = GalleryView()
    qtbot.addWidget(made)
    made.resize(560, 320)
    made.show()
    QApplication.processEvents()
    return made


def middle_of(view: GalleryView, place: int) -> QPoint:
    return view.grid.layout_of_tiles.frame(place).center().toPoint()


@pytest.mark.parametrize("place", [0, 5, 15])
def test_a_click_chooses_the_tile(view: GalleryView, qtbot, place):
    view.show_history(make_history())
    with qtbot.waitSignal(view.task_chosen) as chosen:
        QTest.mouseClick(
            view.grid, Qt.MouseButton.LeftButton, pos=middle_of(view, place)
        )
    assert chosen.args == [place]
    assert view.task == place


def test_a_click_between_tiles_chooses_nothing(view: GalleryView, qtbot):
    view.show_history(make_history())
    with qtbot.assertNotEmitted(view.task_chosen):
        QTest.mouseClick(view.grid, Qt.MouseButton.LeftButton, pos=QPoint(1, 1))
        QTest.mouseClick(view.grid, Qt.MouseButton.RightButton, pos=middle_of(view, 3))


def test_without_tasks_there_is_nothing_to_choose(view: GalleryView, qtbot):
    view.show_history(starting())
    with qtbot.assertNotEmitted(view.task_chosen):
        QTest.mouseClick(view.grid, Qt.MouseButton.LeftButton, pos=QPoint(50, 50))
        QTest.keyClick(view.grid, Qt.Key.Key_Right)
        QTest.keyClick(view.grid, Qt.Key.Key_Return)
    assert "Preparing" in view.grid.message


def test_the_keyboard_moves_and_enter_chooses(view: GalleryView, qtbot):
    view.show_history(make_history())
    columns = view.grid.layout_of_tiles.num_columns
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Left):
        QTest.keyClick(view.grid, key)
    assert view.grid.keyboard_place == columns - 1
    assert view.task == 0
    with qtbot.waitSignal(view.task_chosen) as chosen:
        QTest.keyClick(view.grid, Qt.Key.Key_Return)
    assert chosen.args == [columns - 1]


def test_the_keyboard_stops_at_the_edges(view: GalleryView):
    view.show_history(make_history())
    QTest.keyClick(view.grid, Qt.Key.Key_Left)
    QTest.keyClick(view.grid, Qt.Key.Key_Up)
    assert view.grid.keyboard_place == 0
    for _ in range(40):
        QTest.keyClick(view.grid, Qt.Key.Key_Right)
    assert view.grid.keyboard_place == NUM_GALLERY - 1


def test_setting_the_task_is_not_choosing_it(view: GalleryView, qtbot):
    view.show_history(make_history())
    with qtbot.assertNotEmitted(view.task_chosen):
        view.set_task(9)
    assert view.task == 9


@pytest.mark.parametrize("column", [0, 1])
def test_tiles_are_sorted_by_a_number_of_the_task(view: GalleryView, column):
    history = make_history()
    view.show_history(history)
    view.set_sort(history.held_out_tasks.parameter_names[column])
    values = history.held_out_tasks.parameters[list(view.grid.order), column]
    assert (np.diff(values) >= 0).all()


def test_tiles_are_sorted_by_loss_after_k_steps(view: GalleryView, qtbot):
    history = make_history()
    view.show_history(history)
    with qtbot.waitSignal(view.sort_changed) as sort:
        view.set_sort("loss")
    assert sort.args == ["loss"]
    losses = history.curves.query_loss[list(view.grid.order), 1]
    assert (np.diff(losses) >= 0).all()
    view.set_sort("task")
    assert view.grid.order == tuple(range(NUM_GALLERY))


def test_a_sort_that_is_not_offered_changes_nothing(view: GalleryView):
    view.show_history(make_history())
    view.set_sort("colour")
    assert view.sort_by == "task"


def test_an_undefined_loss_comes_last(view: GalleryView):
    history = make_history()
    history.curves.query_loss[2, 1] = np.nan
    view.show_history(history)
    view.set_sort("loss")
    assert view.grid.order[-1] == 2


def test_tiles_rarely_change_places_while_a_run_goes_on(view: GalleryView):
    history = make_history()
    view.show_history(history)
    view.set_sort("loss")
    orders = [view.grid.order]
    for step in range(20):
        history = replace(history, curves=make_curves(history.config_at(), step=step))
        view.show_history(history)
        orders.append(view.grid.order)
    changes = sum(a != b for a, b in pairwise(orders))
    assert 1 <= changes <= 3
    # At rest, the order is right.
    view.show_history(replace(history, status=RunStatus.PAUSED))
    losses = history.curves.query_loss[list(view.grid.order), 1]
    assert (np.diff(losses) >= 0).all()


def test_tiles_stay_under_the_pointer(view: GalleryView):
    history = make_history()
    view.show_history(history)
    view.set_sort("loss")
    before = view.grid.order
    QTest.mouseMove(view.grid, middle_of(view, 3))
    assert view.grid.hovered == before[3]
    for step in range(30):
        view.show_history(
            replace(history, curves=make_curves(history.config_at(), step=step))
        )
    assert view.grid.order == before


def test_the_tooltip_says_the_tasks_values_and_losses(view, monkeypatch):
    history = make_history()
    view.show_history(history)
    tips: list[str] = []

    class Tip:
        @staticmethod
        def showText(place: QPoint, text: str, widget: object) -> None:
            del place, widget
            tips.append(text)

        @staticmethod
        def hideText() -> None:
            tips.append("")

    monkeypatch.setattr(tile_grid, "QToolTip", Tip)
    for place in (middle_of(view, 6), QPoint(1, 1)):
        event = QHelpEvent(QEvent.Type.ToolTip, place, view.grid.mapToGlobal(place))
        QApplication.sendEvent(view.grid, event)
    text, nothing = tips
    assert nothing == ""
    assert text.startswith("Task 7: amplitude")
    for step in (0, 1):
        assert number_text(float(history.curves.query_loss[6, step])) in text


def test_a_new_curve_changes_its_tile_only(view: GalleryView):
    history = make_history()
    view.show_history(history)
    before = view.grid.grab().toImage()
    curves = history.curves.curves.copy()
    curves[5, 1] = 0.0
    view.show_history(replace(history, curves=replace(history.curves, curves=curves)))
    after = view.grid.grab().toImage()
    layout = view.grid.layout_of_tiles
    for place in (4, 5, 6):
        frame = layout.frame(place).toRect()
        assert (before.copy(frame) != after.copy(frame)) == (place == 5)


def test_the_border_says_the_loss(view: GalleryView):
    history = make_history()
    reference = zero_loss(history)
    history.curves.query_loss[8, 1] = reference / 1000
    history.curves.query_loss[10, 1] = 50 * reference
    view.show_history(history)
    image = view.grid.grab().toImage()
    bluer: list[bool] = []
    for place in (8, 10):
        frame = view.grid.layout_of_tiles.frame(place)
        pixel = image.pixelColor(int(frame.left()) + 1, int(frame.center().y()))
        bluer.append(pixel.blue() > pixel.red() + 40)
    assert bluer == [True, False]
    assert loss_colour(0.0, DARK).name() == DARK.after
    assert loss_colour(1.0, DARK).name() == DARK.error


def test_the_key_names_the_losses_at_its_ends(view: GalleryView):
    history = make_history()
    view.show_history(history)
    worst = zero_loss(history)
    assert view.key.ends == (number_text(worst / 100), number_text(worst))


def test_the_key_says_the_unit_and_the_ends_of_another_loss(view: GalleryView):
    config = make_config(("loss.kind", "gaussian"), ("loss.noise_std", 0.1))
    view.show_history(make_history(config=config))
    best, worst = view.key.ends
    assert best == number_text(math.log(0.1) + 0.5 * math.log(2 * math.pi))
    assert worst != best
    assert "straight scale" in view.key.accessibleName()


@pytest.mark.parametrize("count", [1, 2, 7, 16, 25])
@pytest.mark.parametrize("size", [(560, 280), (280, 560), (900, 120), (30, 30)])
def test_tiles_are_apart_and_inside(count, size):
    layout = tile_layout(count, *size)
    frames = [layout.frame(place) for place in range(count)]
    for index, frame in enumerate(frames):
        assert not any(frame.intersects(other) for other in frames[index + 1 :])
    if min(size) > 100:
        assert all(f.right() <= size[0] and f.bottom() <= size[1] for f in frames)


def test_sixteen_tiles_fill_an_ordinary_panel():
    assert tile_layout(16, 560, 280).num_columns == 4


def test_another_theme_repaints_the_tiles(view: GalleryView):
    view.show_history(make_history())
    assert view.grid.task_at(QPointF(middle_of(view, 0))) == 0
    dark = view.grid.grab().toImage()
    change_theme(LIGHT)
    assert view.grid.grab().toImage() != dark


def test_copying_puts_a_sharp_picture_on_the_clipboard(view: GalleryView):
    view.show_history(make_history())
    QGuiApplication.clipboard().clear()
    QTest.mouseClick(view.header.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().image().width() >= 2 * view.grid.width()


def test_a_predictive_band_is_painted_around_the_adapted_curve(view: GalleryView):
    config = make_config()
    view.show_history(make_history(config=config))
    plain = view.grab().toImage()
    view.show_history(make_history(config=config, curves=banded(config)))
    assert view.grab().toImage() != plain
    unknown = banded(config)
    nowhere = replace(unknown, deviation=np.full_like(unknown.curves, np.nan))
    view.show_history(make_history(config=config, curves=nowhere))
    assert view.grab().toImage() == plain
