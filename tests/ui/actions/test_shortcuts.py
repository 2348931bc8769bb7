"""The list of shortcuts, with real keys."""

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit

from metalab.ui.actions.palette import CommandPalette, action_entries
from metalab.ui.actions.shortcuts import ShortcutsDialog
from metalab.ui.actions.table import ACTIONS, MENUS, shown_shortcut
from metalab.ui.actions.view_keys import PLACES, VIEW_KEYS, shown_keys
from metalab.ui.widgets.plain_text import plain_label
from metalab.ui.widgets.step_ruler import StepRuler
from metalab.ui.workspaces.live.tile_grid import TileGrid
from tests.support.fake_worker import small_config

pytestmark = pytest.mark.gui


@pytest.fixture
def dialog(qtbot) -> ShortcutsDialog:
    dialog = ShortcutsDialog()
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def type_into(dialog, text: str) -> None:
    field = dialog.findChild(QLineEdit)
    field.clear()
    QTest.keyClicks(field, text)


def test_every_action_is_listed_with_all_of_its_keys(dialog):
    for spec in ACTIONS:
        line = next(line for line in dialog.shown if line[0] == plain_label(spec.text))
        assert line[1] == shown_keys(spec.shortcuts)
        assert shown_shortcut(spec) in line[1]


def test_what_views_take_is_listed(dialog):
    for keys in VIEW_KEYS:
        assert (keys.text, shown_keys(keys.keys)) in dialog.shown
    assert len(dialog.shown) == len(ACTIONS) + len(VIEW_KEYS)
    assert {keys.place for keys in VIEW_KEYS} == set(PLACES)
    assert not set(PLACES) & set(MENUS)


def test_typing_finds_names_groups_and_keys(dialog):
    type_into(dialog, "seed")
    assert [text for text, _ in dialog.shown] == ["Reset, same seed", "Reset, new seed"]
    type_into(dialog, "ctrl+e")
    assert ("Export figure", "Ctrl+E") in dialog.shown
    type_into(dialog, "gallery task")
    assert {text for text, _ in dialog.shown} == {
        "Go to another task",
        "Show the task in every plot",
    }
    type_into(dialog, "no such thing")
    assert dialog.shown == []
    dialog.findChild(QLineEdit).clear()
    assert len(dialog.shown) == len(ACTIONS) + len(VIEW_KEYS)


def test_escape_closes(dialog):
    assert dialog.findChild(QLineEdit).hasFocus()
    QTest.keyClick(dialog.findChild(QLineEdit), Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_it_is_no_larger_than_the_smallest_window(dialog):
    assert dialog.sizeHint().width() <= 1100
    assert dialog.sizeHint().height() <= 700


def accepted(widget, keys: str) -> bool:
    """Return whether a widget, or a watcher of it, takes a key."""
    combination = QKeySequence(keys)[0]
    event = QKeyEvent(
        QEvent.Type.KeyPress, combination.key(), combination.keyboardModifiers()
    )
    return QApplication.sendEvent(widget, event) and event.isAccepted()


@pytest.fixture
def running(lab, workshop):
    lab.session.set_config(small_config())
    lab.session.toggle_run()
    workshop.worker.play(6)
    lab.clock.tick()
    return lab


def targets(lab) -> dict[str, tuple]:
    """Return, for each part, who takes its keys, and what must happen before."""
    live = lab.window.live
    plot = live.adaptation.plot
    form = lab.window.experiment.form
    palette = CommandPalette(lab.window)
    palette.open_with(action_entries(lab.actions))
    search = form.findChild(QLineEdit, "search")
    number = form.row("inner.inner_lr").editor

    def first_point():
        # Tab goes on from a point that is selected, and in the end leaves the plot.
        accepted(plot, "Esc")
        accepted(plot, "Esc")
        assert accepted(plot, "Tab")

    def crosshair():
        live.outer_loss.plot.point_at(live.outer_loss.plot.x_range[0])

    return {
        "plot": (live.outer_loss.plot, crosshair),
        "points": (plot, first_point),
        "slider": (live.adaptation.findChild(StepRuler), list),
        "outer": (lab.window.timeline.outer, list),
        "gallery": (live.gallery.findChild(TileGrid), list),
        "form": ((number, form, search), lambda: search.setText("x")),
        "palette": (palette.findChild(QLineEdit), list),
    }


def test_every_key_of_the_table_is_taken_where_it_says(running):
    found = targets(running)
    in_form = {
        "Change a number by a step": 0,
        "Undo and redo edits": 1,
        "Clear the search": 2,
    }
    for line in VIEW_KEYS:
        widget, prepare = found[line.place]
        if line.place == "form":
            widget = widget[in_form[line.text]]
        for keys in line.keys:
            prepare()
            assert accepted(widget, keys), (line, keys)
