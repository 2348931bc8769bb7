"""Who gets the space bar: keys are pressed in a real window."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLineEdit, QToolButton, QWidget
from shiboken6 import delete

from metalab.ui.session.phase import Phase
from metalab.ui.shell.tool_buttons import ToolbarButton
from metalab.ui.workspaces.registry import WORKSPACES
from tests.support.fake_worker import small_config

pytestmark = pytest.mark.gui


@pytest.fixture
def ready(lab, qtbot):
    lab.session.set_config(small_config())
    lab.window.activateWindow()
    qtbot.waitUntil(lab.window.isActiveWindow, timeout=5000)
    return lab


def press(lab, qtbot, widget, key=Qt.Key.Key_Space) -> None:
    """Give a widget the focus and press a key as a person would."""
    widget.setFocus()
    qtbot.waitUntil(widget.hasFocus, timeout=5000)
    qtbot.keyClick(lab.window.windowHandle(), key)


def test_space_runs_and_pauses_from_plots_and_toolbar(ready, qtbot):
    press(ready, qtbot, ready.window.live)
    assert ready.session.phase is Phase.RUNNING
    buttons = ready.window.toolbar.findChildren(ToolbarButton)
    stop = next(b for b in buttons if b.defaultAction() is ready.actions["stop"])
    press(ready, qtbot, stop)
    assert ready.session.phase is Phase.PAUSED


def test_space_is_a_space_in_a_text(ready, qtbot):
    form = ready.window.experiment.form
    search = form.findChild(QLineEdit)
    press(ready, qtbot, search)
    assert search.text() == " "
    for key in (Qt.Key.Key_Period, Qt.Key.Key_Comma, Qt.Key.Key_Semicolon):
        qtbot.keyClick(ready.window.windowHandle(), key)
    assert search.text() == " .,;"
    assert ready.session.phase is Phase.IDLE


def tab_to(lab, qtbot, widget) -> None:
    """Go to a widget as a person without a mouse does: with Tab."""
    before = widget.previousInFocusChain()
    while not (
        before.isVisible()
        and before.isEnabled()
        and before.focusPolicy() & Qt.FocusPolicy.TabFocus
    ):
        before = before.previousInFocusChain()
    before.setFocus()
    qtbot.waitUntil(before.hasFocus, timeout=5000)
    qtbot.keyClick(lab.window.windowHandle(), Qt.Key.Key_Tab)
    assert widget.hasFocus()


@pytest.mark.qt_log_ignore("This plugin does not support")
def test_space_opens_a_list_that_tab_led_to(ready, qtbot):
    box = ready.window.experiment.form.findChild(QComboBox)
    tab_to(ready, qtbot, box)
    qtbot.keyClick(ready.window.windowHandle(), Qt.Key.Key_Space)
    assert ready.session.phase is Phase.IDLE
    qtbot.waitUntil(lambda: box.view().isVisible(), timeout=5000)
    box.hidePopup()


def test_space_runs_where_a_list_has_the_focus_for_another_reason(ready, qtbot):
    box = ready.window.timeline.speed
    press(ready, qtbot, box)
    assert ready.session.phase is Phase.RUNNING
    assert not box.view().isVisible()


def test_what_tab_led_to_is_left_with_the_focus(ready, qtbot):
    box = ready.window.timeline.speed
    tab_to(ready, qtbot, box)
    ready.window.live.setFocus()
    press(ready, qtbot, box)
    assert ready.session.phase is Phase.RUNNING


def test_space_presses_a_button_of_a_dock(ready, qtbot):
    closes = ready.window.experiment.titleBarWidget().findChildren(QToolButton)
    tab_to(ready, qtbot, closes[0])
    qtbot.keyClick(ready.window.windowHandle(), Qt.Key.Key_Space)
    assert ready.window.experiment.isHidden()
    assert ready.session.phase is Phase.IDLE


@pytest.mark.parametrize("key", [spec.key for spec in WORKSPACES])
def test_a_page_has_the_keys_that_what_it_hid_had(ready, qtbot, key):
    tabs = ready.window.workspaces
    for other in ("live", "start"):
        tabs.show_page(other)
        focusable = next(
            w
            for w in tabs.current.findChildren(QWidget)
            if w.isVisible() and w.focusPolicy() & Qt.FocusPolicy.TabFocus
        )
        focusable.setFocus()
        qtbot.waitUntil(focusable.hasFocus, timeout=5000)
        tabs.show_page(key)
        if other != key:
            assert tabs.current.hasFocus()
    qtbot.keyClick(ready.window.windowHandle(), Qt.Key.Key_Space)
    assert ready.session.phase is Phase.RUNNING


def test_a_card_that_is_disabled_gives_the_keys_to_the_page(ready, qtbot):
    tabs = ready.window.workspaces
    tabs.show_page("start")
    card = next(iter(tabs.current.cards.cards.values()))
    card.setFocus()
    qtbot.waitUntil(card.hasFocus, timeout=5000)
    card.setEnabled(False)
    assert tabs.current.hasFocus()


def test_other_keys_work_where_there_is_no_text(ready, qtbot, workshop):
    ready.session.toggle_run()
    ready.session.toggle_run()
    press(ready, qtbot, ready.window.live, Qt.Key.Key_Period)
    assert workshop.worker.control.turn().num_steps == 1
    with_control = Qt.KeyboardModifier.ControlModifier
    qtbot.keyClick(ready.window.windowHandle(), Qt.Key.Key_K, with_control)
    assert workshop.worker.control.stopping


def test_what_tab_led_to_may_be_deleted_before_the_focus_is_elsewhere(ready, qtbot):
    window = ready.window
    button = QToolButton(window)
    button.show()
    button.setFocus()
    qtbot.waitUntil(button.hasFocus, timeout=5000)
    window.tabbed.emit(button)
    button.clearFocus()
    delete(button)
    press(ready, qtbot, window.live)
    assert ready.session.phase is Phase.RUNNING
