"""Who gets the space bar: keys are pressed in a real window."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLineEdit, QToolButton

from metalab.ui.phase import Phase
from metalab.ui.tool_buttons import ToolbarButton
from tests.ui.fake_worker import small_config

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


@pytest.mark.qt_log_ignore("This plugin does not support")
def test_space_opens_a_list(ready, qtbot):
    box = ready.window.experiment.form.findChild(QComboBox)
    press(ready, qtbot, box)
    assert ready.session.phase is Phase.IDLE
    qtbot.waitUntil(lambda: box.view().isVisible(), timeout=5000)
    box.hidePopup()


def test_space_presses_a_button_of_a_dock(ready, qtbot):
    closes = ready.window.experiment.titleBarWidget().findChildren(QToolButton)
    press(ready, qtbot, closes[0])
    assert ready.window.experiment.isHidden()
    assert ready.session.phase is Phase.IDLE


def test_other_keys_work_where_there_is_no_text(ready, qtbot, workshop):
    ready.session.toggle_run()
    ready.session.toggle_run()
    press(ready, qtbot, ready.window.live, Qt.Key.Key_Period)
    assert workshop.worker.control.turn().num_steps == 1
    with_control = Qt.KeyboardModifier.ControlModifier
    qtbot.keyClick(ready.window.windowHandle(), Qt.Key.Key_K, with_control)
    assert workshop.worker.control.stopping
