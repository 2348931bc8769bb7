"""The strip of outer and inner time: its buttons, and what it asks of others."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QFont
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton

from metalab.ui.style.theme import DARK, LIGHT
from metalab.ui.style.theming import change_theme
from metalab.ui.timeline.bookmark_dialog import BookmarkDialog
from metalab.ui.timeline.player import INNER, OUTER, SPEEDS
from metalab.ui.timeline.timeline import Timeline
from tests.support.clipping import cut_off
from tests.ui.timeline.models import model

pytestmark = pytest.mark.gui
LEFT = Qt.MouseButton.LeftButton
NO_KEYS = Qt.KeyboardModifier.NoModifier

SIGNALS = (
    "outer_step_chosen",
    "inner_step_chosen",
    "follow_chosen",
    "task_chosen",
    "bookmark_set",
    "bookmark_removed",
    "note_written",
)


@pytest.fixture
def timeline(qtbot):
    made = Timeline()
    qtbot.addWidget(made)
    made.resize(1100, made.sizeHint().height())
    made.show_model(model())
    made.set_position(500, following=False, exact=True)
    made.set_inner(1, 1, 10)
    made.set_task(3, 16)
    made.show()
    qtbot.waitExposed(made)
    made.told = []
    for name in SIGNALS:
        getattr(made, name).connect(
            lambda *given, name=name: made.told.append((name, *given))
        )
    yield made
    made.player.stop()


def test_what_it_is_shown_it_does_not_ask_for(timeline):
    timeline.set_position(20, following=True, exact=True)
    timeline.set_inner(4, 5, 50)
    timeline.set_task(7, 9)
    timeline.show_model(model(last_step=1500))
    assert timeline.told == []
    assert timeline.follow.isChecked()
    assert (timeline.inner.value(), timeline.inner.steps) == (4, (5, 50))
    assert (timeline.picker.task, timeline.picker.num_tasks) == (7, 9)


def test_both_rulers_tell_where_they_are_dragged(timeline):
    for ruler, name in (
        (timeline.outer, "outer_step_chosen"),
        (timeline.inner, "inner_step_chosen"),
    ):
        timeline.told.clear()
        y, width = ruler.height() // 2, ruler.width()
        QTest.mousePress(ruler, LEFT, NO_KEYS, QPoint(round(0.8 * width), y))
        QTest.mouseMove(ruler, QPoint(0, y))
        QTest.mouseRelease(ruler, LEFT, NO_KEYS, QPoint(0, y))
        assert timeline.told[0][0] == name
        assert timeline.told[-1] == (name, 0)


def test_buttons_tell_what_a_person_wants(timeline):
    QTest.mouseClick(timeline.mark, LEFT)
    QTest.mouseClick(timeline.follow, LEFT)
    QTest.mouseClick(timeline.picker.next, LEFT)
    assert timeline.told == [
        ("bookmark_set", 500),
        ("follow_chosen",),
        ("task_chosen", 4),
    ]
    QTest.mouseClick(timeline.picker.dice, LEFT)
    name, task = timeline.told[-1]
    assert name == "task_chosen"
    assert task != 4


def test_follow_live_stays_pressed_until_the_window_goes_elsewhere(timeline):
    timeline.set_position(1000, following=True, exact=True)
    QTest.mouseClick(timeline.follow, LEFT)
    assert timeline.follow.isChecked()
    timeline.set_position(400, following=False, exact=True)
    assert not timeline.follow.isChecked()


def test_it_plays_and_a_hand_on_the_same_ruler_stops_it(timeline):
    QTest.mouseClick(timeline.play, LEFT, NO_KEYS, QPoint(6, 10))
    assert timeline.player.kind == INNER
    timeline.player.advanced.emit(INNER, 6)
    assert timeline.told[-1] == ("inner_step_chosen", 6)
    QTest.keyClick(timeline.outer, Qt.Key.Key_Left)
    assert timeline.player.kind == INNER
    QTest.keyClick(timeline.inner, Qt.Key.Key_Right)
    assert timeline.player.kind == ""
    menu = timeline.play.menu()
    next(a for a in menu.actions() if a.data() == OUTER).trigger()
    assert timeline.player.kind == OUTER
    QTest.keyClick(timeline.outer, Qt.Key.Key_Left)
    assert timeline.player.kind == ""


def test_speed_and_loop_reach_the_player(timeline):
    offered = [timeline.speed.itemText(i) for i in range(timeline.speed.count())]
    assert offered == ["0.5×", "1×", "2×", "4×", "8×"]
    for index, speed in enumerate(SPEEDS):
        timeline.speed.setCurrentIndex(index)
        assert timeline.player.speed == speed
    QTest.mouseClick(timeline.loop, LEFT)
    assert timeline.player.loop
    QTest.mouseClick(timeline.loop, LEFT)
    assert not timeline.player.loop


def test_a_note_is_asked_for_with_the_one_that_is_there(timeline, qtbot):
    timeline.set_position(300, following=False, exact=True)
    timeline.activateWindow()
    QTest.mouseClick(timeline.mark, LEFT)
    dialog = timeline.findChild(BookmarkDialog)
    qtbot.waitUntil(dialog.note.hasFocus, timeout=5000)
    assert dialog.note.selectedText() == "a kink"
    # A run that goes on takes the playhead along meanwhile.
    timeline.set_position(999, following=True, exact=True)
    QTest.keyClicks(dialog.note, "here it falls")
    QTest.keyClick(dialog.note, Qt.Key.Key_Return)
    assert timeline.told == [
        ("bookmark_set", 300),
        ("note_written", 300, "here it falls"),
    ]
    assert not dialog.isVisible()


def test_a_bookmark_can_be_left_without_a_note_and_removed(timeline):
    timeline.set_position(300, following=False, exact=True)
    timeline.ask_bookmark()
    dialog = timeline.findChild(BookmarkDialog)
    QTest.keyClick(dialog.note, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    assert timeline.told == [("bookmark_set", 300)]
    timeline.ask_bookmark()
    dialog = timeline.findChildren(BookmarkDialog)[-1]
    QTest.mouseClick(dialog.remove, LEFT)
    assert timeline.told[-1] == ("bookmark_removed", 300)
    assert not dialog.isVisible()


def test_without_a_run_nothing_can_be_asked_for(timeline):
    timeline.toggle_play(OUTER)
    timeline.show_model(None)
    assert timeline.player.kind == ""
    parts = (timeline.outer, timeline.inner, timeline.picker, timeline.play)
    for part in (*parts, timeline.mark, timeline.follow):
        assert not part.isEnabled()
    QTest.mouseClick(timeline.outer, LEFT)
    QTest.keyClick(timeline.outer, Qt.Key.Key_Right)
    timeline.toggle_play(INNER)
    assert timeline.told == []
    assert timeline.player.kind == ""


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
@pytest.mark.parametrize("scale", [1.0, 1.5])
def test_nothing_is_cut_off_in_the_smallest_window(theme, scale, timeline, qtbot):
    font = QFont(timeline.font())
    font.setPointSizeF(scale * font.pointSizeF())
    timeline.setFont(font)
    change_theme(theme.scaled(scale))
    timeline.set_inner(5, 5, 50)
    qtbot.waitUntil(lambda: timeline.height() >= timeline.sizeHint().height())
    timeline.resize(1100, timeline.sizeHint().height())
    assert timeline.height() == pytest.approx(92 * scale, abs=8 * scale)
    assert timeline.outer.height() == timeline.outer.sizeHint().height()
    assert cut_off(timeline) == []


def test_everything_that_can_be_pressed_has_a_name(timeline):
    for button in timeline.findChildren(QToolButton):
        assert button.accessibleName()
        assert button.focusPolicy() & Qt.FocusPolicy.TabFocus
    for part in (timeline.outer, timeline.inner, timeline.speed, timeline.picker.box):
        assert part.accessibleName()
