"""The outer ruler: pointer, wheel, keys, marks, and what a screen reader is told."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QWheelEvent
from PySide6.QtTest import QTest

from metalab.runs.record.bookmarks import Bookmark
from metalab.ui.plot.painting import mixed
from metalab.ui.style.theme import DARK
from metalab.ui.timeline.model import (
    DIVERGED,
    EDITED,
    Flag,
    end_of_ruler,
    timeline_model,
)
from metalab.ui.timeline.ruler import OuterRuler
from tests.support.histories import make_history
from tests.ui.timeline.models import model

pytestmark = pytest.mark.gui
LEFT = Qt.MouseButton.LeftButton
NO_KEYS = Qt.KeyboardModifier.NoModifier


def spot(ruler, step: int) -> QPoint:
    return QPoint(round(ruler.x_of(step)), ruler.height() // 2)


def test_a_click_and_a_drag_choose_steps(ruler):
    QTest.mousePress(ruler, LEFT, NO_KEYS, spot(ruler, 200))
    QTest.mouseMove(ruler, spot(ruler, 400))
    QTest.mouseRelease(ruler, LEFT, NO_KEYS, spot(ruler, 400))
    assert ruler.chosen[0] == pytest.approx(200, abs=3)
    assert ruler.chosen[-1] == pytest.approx(400, abs=3)
    QTest.mouseMove(ruler, spot(ruler, 600))
    assert len(ruler.chosen) == 2


def test_nothing_beyond_what_was_trained_can_be_chosen(ruler):
    QTest.mouseClick(ruler, LEFT, NO_KEYS, spot(ruler, 1900))
    assert ruler.chosen == [1000]
    QTest.mouseClick(ruler, LEFT, NO_KEYS, QPoint(0, 20))
    assert ruler.chosen[-1] == 0


@pytest.mark.parametrize(
    ("key", "modifier", "expected"),
    [
        (Qt.Key.Key_Left, NO_KEYS, 499),
        (Qt.Key.Key_Right, NO_KEYS, 501),
        (Qt.Key.Key_PageUp, NO_KEYS, 1000),
        (Qt.Key.Key_PageDown, NO_KEYS, 100),
        (Qt.Key.Key_Home, NO_KEYS, 0),
        (Qt.Key.Key_End, NO_KEYS, 1000),
        (Qt.Key.Key_Left, Qt.KeyboardModifier.ControlModifier, 300),
        (Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier, 700),
    ],
)
def test_keys_move_the_playhead(ruler, key, modifier, expected):
    ruler.set_position(500, following=False, exact=True)
    QTest.keyClick(ruler, key, modifier)
    assert ruler.chosen == [expected]
    assert ruler.value() == expected


def test_b_asks_for_a_bookmark(ruler, qtbot):
    ruler.set_position(42, following=False, exact=True)
    with qtbot.waitSignal(ruler.bookmark_requested):
        QTest.keyClick(ruler, Qt.Key.Key_B)
    assert ruler.value() == 42


def test_what_a_fork_took_along_hangs_at_its_beginning(ruler):
    marks = (Bookmark(step=100, note="<b>before</b>"),)
    ruler.show_model(model(first_step=400, bookmarks=marks))
    assert ruler.x_of(100) == ruler.x_of(400)
    assert "100: <b>before</b>" in ruler.tip_at(ruler.x_of(400))


@pytest.mark.parametrize(
    ("turn", "modifier", "expected"),
    [
        (120, NO_KEYS, 501),
        (-120, NO_KEYS, 499),
        (120, Qt.KeyboardModifier.ShiftModifier, 1000),
    ],
)
def test_the_wheel_moves_the_playhead(ruler, turn, modifier, expected):
    ruler.set_position(500, following=False, exact=True)
    event = QWheelEvent(
        QPointF(100, 20),
        QPointF(100, 20),
        QPoint(),
        QPoint(0, turn),
        Qt.MouseButton.NoButton,
        modifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    ruler.wheelEvent(event)
    assert ruler.chosen == [expected]


def test_a_screen_reader_is_told_the_value(ruler):
    interface = QAccessible.queryAccessibleInterface(ruler).valueInterface()
    assert interface.currentValue() == 1000
    assert (interface.minimumValue(), interface.maximumValue()) == (0, 1000)
    assert ruler.accessibleName()
    assert "live" in ruler.accessibleDescription()
    ruler.set_position(7, following=False, exact=False)
    assert "recomputing" in ruler.accessibleDescription()


def test_it_is_described_before_it_is_moved(qtbot):
    made = OuterRuler()
    qtbot.addWidget(made)
    assert made.accessibleDescription() == "No run yet"
    made.show_model(model())
    assert made.accessibleDescription() == made.hint() != "No run yet"


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"following": True, "exact": True}, "617 · live"),
        ({"following": False, "exact": True}, "617 · exact"),
        ({"following": False, "exact": False}, "617 · recomputing"),
        (
            {"following": False, "exact": False, "shown": 500},
            "617 · showing 500, recomputing",
        ),
    ],
)
def test_the_label_says_what_is_shown(state, expected, ruler):
    ruler.set_position(617, **state)
    assert ruler.hint() == ruler.accessibleDescription() == expected


def test_marks_tell_what_they_are(ruler):
    flags = (
        Flag(step=200, kind=EDITED, text="outer_lr = 0.1"),
        Flag(step=900, kind=DIVERGED, text="Outer loss became inf"),
    )
    ruler.show_model(model(flags=flags))
    assert "outer_lr = 0.1" in ruler.tip_at(ruler.x_of(200))
    assert "became inf" in ruler.tip_at(ruler.x_of(900))
    assert "a kink" in ruler.tip_at(ruler.x_of(300))
    assert "Outer step" in ruler.tip_at(ruler.x_of(50))


def test_without_a_run_it_says_so(ruler):
    ruler.show_model(None)
    assert ruler.hint() == "No run yet"
    assert not ruler.isEnabled()
    assert ruler.chosen == []


@pytest.mark.parametrize("num_rows", [0, 1, 3, 399, 400, 401, 5000])
def test_the_mini_map_holds_the_extremes_of_the_run(num_rows):
    history = make_history(num_rows)
    made = timeline_model(history, ())
    loss = history.metrics["outer_loss"]
    assert len(made.x) == len(made.low) == len(made.high) <= 400
    if num_rows:
        assert made.low.min() == loss.min()
        assert made.high.max() == loss.max()
        assert (np.diff(made.x) > 0).all()


@pytest.mark.parametrize(
    ("last", "marked", "end"),
    [
        (0, None, 100_000),
        (1_000, None, 3_125),
        (1_562, None, 3_125),
        (1_563, None, 6_250),
        (1, None, 1_562),
        (24_000, None, 50_000),
        (26_000, None, 100_000),
        (100_000, None, 100_000),
        (1_000, 40_000, 50_000),
    ],
)
def test_what_is_done_fills_at_least_a_quarter_of_the_ruler(last, marked, end):
    assert end_of_ruler(0, last, 100_000, marked or 0) == end
    # Of a fork, counted from where it begins.
    assert end_of_ruler(70, last + 70, 100_070, (marked or 0) + 70) == end + 70
    if last >= 100_000 / 256 and marked is None:
        assert last / end >= 0.25
    assert end >= max(last, marked or 0)


def test_a_ruler_that_ends_before_the_run_says_so_and_keeps_its_scale(ruler):
    ruler.show_model(model(last_step=100, num_steps=10_000, end_step=312))
    middle = ruler.x_of(156)
    assert middle == pytest.approx(ruler.area().center().x(), abs=1)
    assert ruler.step_at(ruler.x_of(50)) == 50
    # A run that is ahead of its mini-map stays on it.
    assert ruler.x_of(900) == ruler.area().right()
    image = ruler.grab().toImage()
    area = ruler.area()
    words = [
        image.pixelColor(x, y).name() == DARK.muted
        for x in range(round(area.right()) - 80, round(area.right()))
        for y in range(round(area.top()), round(area.top()) + 16)
    ]
    assert any(words)


def test_the_mini_map_is_a_band_with_a_line_and_no_comb(ruler):
    """Of a loss that falls with noise: no column of pixels is empty between others."""
    steps = np.arange(1, 3001, dtype=float)
    rng = np.random.default_rng(0)
    history = make_history(3000)
    loss = np.exp(-steps / 1500 + 0.4 * rng.standard_normal(3000))
    history = replace(history, metrics=history.metrics | {"outer_loss": loss})
    made = timeline_model(history, ())
    assert (made.low <= made.middle).all()
    assert (made.middle <= made.high).all()
    # The line is the trend: within a few per cent of the curve without noise.
    off = np.log(made.middle) + made.x / 1500
    assert np.abs(off).max() < 0.25
    ruler.show_model(made)
    ruler.set_position(3000, following=False, exact=True)
    image, area = ruler.grab().toImage(), ruler.area()
    band = mixed(DARK.surface, DARK.after, 0.4).name()
    for x in range(round(ruler.x_of(30)), round(ruler.x_of(2900))):
        column = {
            image.pixelColor(x, y).name()
            for y in range(round(area.top()), round(area.bottom()))
        }
        assert band in column, x
