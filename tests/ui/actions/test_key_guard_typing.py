"""Typing into nothing starts nothing: real keys in a real window."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QComboBox, QListWidget

from metalab.runs.record.status import RunStatus
from metalab.ui.actions.key_guard import PAUSE_SECONDS
from metalab.ui.session.phase import Phase
from tests.support.fake_worker import small_config

pytestmark = pytest.mark.gui


@pytest.fixture
def ready(lab, qtbot):
    lab.session.set_config(small_config())
    lab.window.activateWindow()
    qtbot.waitUntil(lab.window.isActiveWindow, timeout=5000)
    lab.now = 100.0
    lab._keys._now = lambda: lab.now
    return lab


def type_keys(lab, qtbot, widget, text: str) -> None:
    """Type a text as a person would, sign by sign, wherever the focus goes."""
    widget.setFocus()
    qtbot.waitUntil(widget.hasFocus, timeout=5000)
    for sign in text:
        qtbot.keyClick(lab.window.windowHandle(), sign)


@pytest.mark.parametrize(
    "text", ["learning rate 0.5", "5. 5", ".5", "alpaca, p; P", "x    .,;"]
)
@pytest.mark.sampled(5)
def test_a_word_into_nothing_begins_no_run(ready, qtbot, workshop, text):
    for page in ("live", "adapt"):
        ready.window.workspaces.show_page(page)
        type_keys(ready, qtbot, ready.window.workspaces.current, text)
        assert workshop.workers == []
    assert ready.session.phase is Phase.IDLE
    (toast,) = ready.window.toasts.toasts
    assert "click one first" in toast.text.text()


def test_nor_does_it_stop_or_step_the_one_there_is(ready, qtbot, workshop):
    ready.session.toggle_run()
    workshop.worker.play(6)
    ready.clock.tick()
    type_keys(ready, qtbot, ready.window.live, "lr = 0.5 or so")
    assert ready.session.phase is Phase.RUNNING
    assert workshop.worker.control.turn().num_steps is None
    # A moment later, the space bar is the space bar.
    ready.now += PAUSE_SECONDS
    type_keys(ready, qtbot, ready.window.live, " ")
    assert ready.session.phase is Phase.PAUSED
    type_keys(ready, qtbot, ready.window.live, ".")
    assert workshop.worker.control.turn().num_steps == 1


def test_a_point_alone_begins_no_run_and_goes_on_with_one(ready, qtbot, workshop):
    type_keys(ready, qtbot, ready.window.live, ".")
    assert workshop.workers == []
    ready.now += PAUSE_SECONDS
    type_keys(ready, qtbot, ready.window.live, " ")
    workshop.worker.play(6)
    workshop.worker.end(RunStatus.FINISHED)
    ready.clock.tick()
    type_keys(ready, qtbot, ready.window.live, ".")
    assert len(workshop.workers) == 1


def test_a_list_and_a_closed_box_look_for_what_is_typed(ready, qtbot, workshop):
    listed = QListWidget(ready.window)
    listed.addItems(["alpha", "p. one", "pi, two"])
    listed.setGeometry(300, 300, 200, 200)
    listed.show()
    type_keys(ready, qtbot, listed, "p. o")
    assert listed.currentItem().text() == "p. one"
    box = ready.window.experiment.form.findChild(QComboBox)
    assert not isinstance(box, QAbstractItemView)
    type_keys(ready, qtbot, box, ".,;pP")
    assert workshop.workers == []
    assert not ready.window.timeline.player.kind


@pytest.mark.slow
def test_keys_with_ctrl_are_commands_whatever_was_typed(ready, qtbot, workshop):
    type_keys(ready, qtbot, ready.window.live, "abc")
    with_control = Qt.KeyboardModifier.ControlModifier
    qtbot.keyClick(ready.window.windowHandle(), Qt.Key.Key_Return, with_control)
    assert len(workshop.workers) == 1


def test_a_card_with_the_focus_is_not_chosen_by_a_space_of_a_word(
    ready, qtbot, workshop
):
    ready.window.workspaces.show_page("start")
    card = ready.window.workspaces.current.cards.cards["maml"]
    type_keys(ready, qtbot, card, "my experiment")
    assert workshop.workers == []
    ready.now += PAUSE_SECONDS
    type_keys(ready, qtbot, card, " ")
    assert len(workshop.workers) == 1
