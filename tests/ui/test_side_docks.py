"""Docks at the right: beside the form where there is room, behind it where there is none."""

import pytest
from PySide6.QtWidgets import QDockWidget

from metalab.ui.forms.field_list import FieldList
from metalab.ui.shell.main_window import BESIDE_FROM

pytestmark = pytest.mark.gui

WIDE, NARROW = BESIDE_FROM + 60, BESIDE_FROM - 100


def dock(lab, name) -> QDockWidget:
    return lab.window.findChild(QDockWidget, name)


def is_cut_off(lab) -> bool:
    rows = lab.window.experiment.form.findChild(FieldList)
    return rows.viewport().width() < rows.widget().minimumSizeHint().width()


@pytest.mark.parametrize("name", ["diagnostics", "baselines", "lesson"])
def test_form_and_page_are_never_cut_off(lab, qtbot, name):
    window = lab.window
    for width in (WIDE, NARROW, WIDE):
        window.resize(width, 700)
        window.show_side_dock(dock(lab, name))
        behind = window.tabifiedDockWidgets(window.experiment)
        assert behind == ([] if width == WIDE else [dock(lab, name)])
        qtbot.waitUntil(lambda: not is_cut_off(lab))
        assert window.width() == width
        dock(lab, name).hide()
    qtbot.waitUntil(lambda: not is_cut_off(lab))


def test_a_window_that_shrinks_puts_a_dock_behind_the_form(lab, qtbot):
    window = lab.window
    window.resize(WIDE, 700)
    window.show_diagnostics(shown=True)
    shown = dock(lab, "diagnostics")
    assert window.tabifiedDockWidgets(window.experiment) == []
    window.resize(NARROW, 700)
    qtbot.waitUntil(lambda: window.tabifiedDockWidgets(window.experiment) == [shown])
    window.resize(WIDE, 700)
    qtbot.waitUntil(lambda: window.tabifiedDockWidgets(window.experiment) == [])
