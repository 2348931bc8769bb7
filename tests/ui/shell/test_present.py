"""Present mode: everything is put back as it was."""

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDockWidget, QLabel, QSplitter, QWidget

from metalab.ui.learn.lesson import own_lessons
from metalab.ui.plot.marks import Stroke
from metalab.ui.plot.painting import Ink
from metalab.ui.shell.present import SCALE, PresentMode, fitting
from metalab.ui.shell.toolbar import PresetMenu
from metalab.ui.style.theme import DARK, LIGHT
from tests.support.clipping import cut_off, under_toasts
from tests.support.fake_worker import small_config

pytestmark = pytest.mark.gui


@pytest.fixture
def shown(lab, workshop):
    """Return a window with a run."""
    lab.session.set_config(small_config())
    lab.session.toggle_run()
    workshop.worker.play(6)
    lab.clock.tick()
    return lab


@pytest.fixture
def present(shown) -> PresentMode:
    return shown.window.present


def arrangement(window) -> dict[str, object]:
    """Return all that present mode changes."""
    docks = window.findChildren(QDockWidget)
    widgets = window.findChildren(QWidget)
    parts = [part for part in widgets if isinstance(part, QSplitter)]
    return {
        "geometry": window.geometry(),
        "window": window.windowState(),
        "docks": [(d.objectName(), d.isHidden(), d.geometry()) for d in docks],
        "splitters": [splitter.sizes() for splitter in parts],
        "fonts": [
            (type(widget).__name__, widget.font().toString()) for widget in widgets
        ],
        "places": [w.geometry() for w in widgets if w.isVisible()],
        "labels": [part.isHidden() for part in window.status.findChildren(QLabel)],
    }


def settled(window, qtbot) -> dict[str, object]:
    """Return the arrangement that stays: parts that give way do so a turn later."""
    turns = [arrangement(window)]

    def stays() -> bool:
        turns.append(arrangement(window))
        return len(turns) > 5 and all(turn == turns[-1] for turn in turns[-5:])

    qtbot.waitUntil(stays, timeout=5000)
    return turns[-1]


def resize(window, *size: int) -> None:
    """Give a window that is presented the size of another screen than that of the tests."""
    window.setWindowState(Qt.WindowState.WindowNoState)
    window.resize(*size)


def assert_near(sizes, others) -> None:
    for mine, theirs in zip(sizes, others, strict=True):
        near = all(abs(a - b) <= 8 for a, b in zip(mine, theirs, strict=True))
        assert near, (sizes, others)


def test_it_hides_fills_the_screen_and_enlarges(shown, present, qtbot):
    window = shown.window
    shown.actions["show_diagnostics"].trigger()
    plain = window.font().pointSizeF()
    present.set_on(True)
    assert window.isFullScreen()
    assert all(dock.isHidden() for dock in window.findChildren(QDockWidget))
    assert window.live.isVisible()
    shown_texts = [p for p in window.status.findChildren(QLabel) if not p.isHidden()]
    assert len(shown_texts) == 2
    resize(window, 1920, 1080)
    qtbot.waitUntil(lambda: present.scale == SCALE)
    assert window.font().pointSizeF() == SCALE * plain
    for part in (window.toolbar.run_button, window.live.outer_loss.plot.area):
        assert part.font().pointSizeF() == SCALE * plain
    menu = window.findChild(PresetMenu)
    assert menu.font().pointSizeF() == SCALE * plain


@pytest.mark.parametrize(
    ("room", "scale"),
    [
        ((1920, 1080), SCALE),
        ((760, 1080), 1.0),
        ((1280, 700), 1.1),
        ((400, 300), 1.0),
        ((10_000, 10_000), SCALE),
    ],
)
def test_it_grows_as_far_as_there_is_room(room, scale):
    assert fitting(QSize(*room)) == pytest.approx(scale)


def test_a_lesson_that_is_opened_or_left_takes_and_gives_room(shown, present, qtbot):
    present.set_on(True)
    resize(shown.window, 1340, 1080)
    qtbot.waitUntil(lambda: present.scale == SCALE)
    shown.teaching._show_lesson(own_lessons()["3-when-it-breaks"])
    qtbot.waitUntil(lambda: 1.0 < present.scale < SCALE)
    qtbot.mouseClick(shown.teaching.panel.close_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: present.scale == SCALE)
    present.set_on(False)
    assert present.scale == 1.0


def test_passing_words_leave_the_plots_alone(shown, present, qtbot):
    shown.window.workspaces.show_page("adapt")
    shown.window.toasts.say("The run before is kept", "Back to it")
    assert under_toasts(shown.window)
    present.set_on(True)
    resize(shown.window, 1280, 720)
    qtbot.wait(1)
    assert under_toasts(shown.window) == []
    present.set_on(False)
    qtbot.waitUntil(lambda: bool(under_toasts(shown.window)))


@pytest.mark.parametrize("size", [(1366, 768), (1920, 1080)])
def test_no_words_are_cut_off_on_usual_screens(size, shown, present, qtbot):
    present.set_on(True)
    shown.window.resize(*size)
    qtbot.wait(1)
    assert cut_off(shown.window) == []


@pytest.mark.parametrize("docks", ["as at first", "all", "floating"])
@pytest.mark.sampled(3)
def test_leaving_puts_everything_back(docks, shown, present, qtbot):
    window = shown.window
    if docks != "as at first":
        shown.actions["show_diagnostics"].trigger()
        shown.actions["show_problems"].trigger()
    if docks == "floating":
        window.experiment.setFloating(True)
    before = settled(window, qtbot)
    for _ in range(2):
        present.toggle()
        assert present.on
        qtbot.wait(1)
        assert arrangement(window) != before
        present.toggle()
        assert not present.on
        after = settled(window, qtbot)
        if docks != "as at first":
            # Qt shares out what docks leave over anew, to a pixel or a few.
            assert_near(after.pop("splitters"), before["splitters"])
            del after["places"], after["docks"]
        assert all(before[key] == value for key, value in after.items())


def test_what_a_window_manager_does_late_is_awaited(shown, present, qtbot):
    window = shown.window
    qtbot.wait(1)
    before = arrangement(window)
    present.set_on(True)
    window.resize(1500, 900)
    qtbot.wait(1)
    # A window manager that gives the old size only after a while.
    window.setGeometry = lambda _: None
    present.set_on(False)
    del window.setGeometry
    qtbot.wait(1)
    window.setGeometry(before["geometry"])
    qtbot.waitUntil(lambda: arrangement(window) == before, timeout=5000)


def test_a_picture_before_and_after_is_the_same(shown, present, qtbot):
    shown.window.live.setFocus()
    settled(shown.window, qtbot)
    before = shown.window.grab().toImage()
    present.set_on(True)
    settled(shown.window, qtbot)
    assert shown.window.grab().toImage() != before
    present.set_on(False)
    settled(shown.window, qtbot)
    assert shown.window.grab().toImage() == before


def test_another_theme_meanwhile_leaves_no_trace(shown, present, qtbot):
    qtbot.wait(1)
    before = arrangement(shown.window)
    present.set_on(True)
    for _ in range(2):
        qtbot.wait(1)
        shown.actions["toggle_theme"].trigger()
    qtbot.wait(1)
    present.set_on(False)
    qtbot.wait(1)
    assert arrangement(shown.window) == before


def test_a_maximised_window_is_maximised_again(shown, present):
    shown.window.showMaximized()
    present.set_on(True)
    assert shown.window.isFullScreen()
    present.set_on(False)
    assert shown.window.isMaximized()
    assert not shown.window.isFullScreen()


def test_escape_leaves_where_nobody_else_takes_it(shown, present):
    present.set_on(True)
    plot = shown.window.live.outer_loss.plot
    plot.setFocus()
    plot.point_at(2.0)
    QTest.keyClick(plot, Qt.Key.Key_Escape)
    assert present.on
    assert plot.pointed_at is None
    QTest.keyClick(plot, Qt.Key.Key_Escape)
    assert not present.on


def test_the_key_begins_and_the_menu_tells(shown, qtbot):
    action = shown.actions["present"]
    QTest.keyClick(shown.window, Qt.Key.Key_F11)
    assert shown.window.present.on
    assert action.isChecked()
    QTest.keyClick(shown.window, Qt.Key.Key_Escape)
    assert not action.isChecked()
    QTest.keyClick(shown.window, Qt.Key.Key_F11)
    QTest.keyClick(shown.window, Qt.Key.Key_F11)
    assert not shown.window.present.on


def test_escape_means_nothing_outside_the_mode(shown, present, qtbot):
    with qtbot.assertNotEmitted(present.changed):
        QTest.keyClick(shown.window, Qt.Key.Key_Escape)
    assert not present.on


def test_who_follows_is_told_once(shown, present):
    told = []
    present.changed.connect(told.append)
    for on in (True, True, False, False):
        present.set_on(on)
    assert told == [True, False]


def test_a_window_closed_meanwhile_is_remembered_as_it_was(shown, present, open_lab):
    shown.session.stop()
    present.set_on(True)
    shown.closer.close_unasked(shown.window)
    assert not present.on
    again = open_lab()
    assert not again.window.isFullScreen()
    assert again.window.experiment.isVisible()


def test_lines_and_points_grow_except_long_noisy_ones():
    ink = Ink(role="after")
    large = DARK.scaled(2.0)
    for stroke, width in (
        (Stroke(ink=ink, width=1.5), 3.0),
        (Stroke(ink=ink, smooth=True), 2.0),
        (Stroke(ink=ink, dashes=(4.0, 3.0)), 2.0),
        (Stroke(ink=ink), 1.0),
    ):
        assert stroke.pen(large).widthF() == width
        assert stroke.pen(DARK).widthF() == stroke.width


@pytest.mark.parametrize("theme", [DARK, LIGHT])
def test_a_scaled_theme_has_the_same_colours(theme):
    large = theme.scaled(SCALE)
    assert large.scale == SCALE
    assert large.scaled(1.0) == theme
    assert theme.scaled(1.0) is theme
    assert large.name == theme.name
    assert large.after == theme.after


def test_a_font_of_the_window_s_own_stays(shown, present):
    own = QFont(shown.window.font())
    own.setPointSizeF(11.0)
    shown.window.setFont(own)
    present.toggle()
    present.toggle()
    assert shown.window.font().pointSizeF() == 11.0
    assert shown.window.testAttribute(Qt.WidgetAttribute.WA_SetFont)


def test_a_font_from_the_desktop_goes_on_following_it(shown, present):
    present.toggle()
    present.toggle()
    assert not shown.window.testAttribute(Qt.WidgetAttribute.WA_SetFont)
