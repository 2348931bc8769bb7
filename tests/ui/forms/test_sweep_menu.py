"""*Sweep this…* in the menu of a field, and the values that it begins with."""

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QMenu

from metalab.experiment.config import preset_config
from metalab.experiment.fields import fields_of
from metalab.experiment.sweep_file import axis_of
from metalab.ui.forms.field_row import FieldRow
from metalab.ui.forms.sweep_menu import TEXT, proposed_axis

pytestmark = pytest.mark.gui
FIELDS = {info.path: info for info in fields_of(preset_config("maml-sine"))}


@pytest.mark.parametrize("path", FIELDS)
def test_every_field_has_values_to_begin_with(path):
    info = FIELDS[path]
    assert axis_of(path, proposed_axis(info, info.value) or "x")


@pytest.mark.parametrize("place", ["row", "editor"])
def test_the_menu_of_a_field_asks_for_a_sweep(place, qtbot):
    row = FieldRow(FIELDS["inner.inner_lr"], titled=False)
    qtbot.addWidget(row)
    row.show()
    target = row if place == "row" else row.editor
    reason = QContextMenuEvent.Reason.Mouse
    event = QContextMenuEvent(reason, QPoint(5, 5), row.mapToGlobal(QPoint(5, 5)))
    QApplication.sendEvent(target, event)
    menu = next(m for m in row.findChildren(QMenu) if m.isVisible())
    action = next(a for a in menu.actions() if a.text() == TEXT)
    with qtbot.waitSignal(row.sweep_requested) as told:
        action.trigger()
    assert told.args == ["inner.inner_lr", "log:0.001:0.1:5"]
    menu.close()
