"""The dialog of a person's table, with clicks and keys."""

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton, QSpinBox, QTableWidget

from metalab.core.assets import assets_folder
from metalab.experiment.own_table import table_experiment, table_methods
from metalab.tasks.table_view import TableRequest, seen_table
from metalab.ui.data.data_dialog import DataDialog

GAPMINDER = assets_folder() / "data" / "gapminder.csv"


@pytest.fixture
def opened(qtbot):
    """Return a function that opens the dialog of a file, once it is read."""
    shown = []

    def open_it(path):
        dialog = DataDialog(path, table_methods())
        qtbot.addWidget(dialog)
        dialog.show()
        qtbot.waitUntil(lambda: dialog.view is not None, timeout=20_000)
        shown.append(dialog)
        return dialog

    return open_it


def part(dialog, kind, name):
    (found,) = (w for w in dialog.findChildren(kind) if w.accessibleName() == name)
    return found


def button(dialog, text):
    found = dialog.findChildren(QPushButton)
    return next(b for b in found if b.text().replace("&", "") == text)


def words(dialog):
    return "\n".join(label.text() for label in dialog.findChildren(QLabel))


def pick(qtbot, dialog, name, text):
    """Choose an entry with the keyboard, and wait for what it means."""
    box, before = part(dialog, QComboBox, name), dialog.view
    box.setFocus()
    for _ in range(abs(box.findText(text) - box.currentIndex())):
        up = box.findText(text) < box.currentIndex()
        QTest.keyClick(box, Qt.Key.Key_Up if up else Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: dialog.view is not before, timeout=20_000)


def test_columns_are_guessed_and_the_tasks_are_shown(opened):
    dialog = opened(GAPMINDER)
    guessed = [part(dialog, QComboBox, n).currentText() for n in ("Task", "Input")]
    assert guessed == ["country", "year"]
    assert part(dialog, QComboBox, "Target").currentText() == "lifeExp"
    assert "142 tasks: 114 training, 28 held-out" in words(dialog)
    assert part(dialog, QTableWidget, "First rows").item(0, 0).text() == "Afghanistan"
    assert len(dialog.view.tasks) == 12
    assert sum(task.held_out for task in dialog.view.tasks) == 3
    assert button(dialog, "Start").isEnabled()
    assert button(dialog, "Start").hasFocus()


def test_one_key_starts_with_what_was_guessed(opened, qtbot):
    dialog = opened(GAPMINDER)
    with qtbot.waitSignal(dialog.chosen) as chosen:
        QTest.keyClick(button(dialog, "Start"), Qt.Key.Key_Return)
    (choice,) = chosen.args
    assert choice.starts
    config = table_experiment(choice.preset, choice.options, num_shots=choice.num_shots)
    assert config.name == "gapminder, maml"
    assert config.preset == "maml-gapminder"
    assert config.tasks.num_shots == 3


def test_another_target_and_method_are_taken(opened, qtbot):
    dialog = opened(GAPMINDER)
    pick(qtbot, dialog, "Target", "gdpPercap")
    method = part(dialog, QComboBox, "Method")
    assert method.currentText() == "MAML"
    method.setFocus()
    QTest.keyClick(method, Qt.Key.Key_Down)
    part(dialog, QSpinBox, "Shots").stepUp()
    qtbot.waitUntil(lambda: dialog.view.asked.num_shots == 4, timeout=20_000)
    with qtbot.waitSignal(dialog.chosen) as chosen:
        QTest.mouseClick(button(dialog, "Put into the form"), Qt.MouseButton.LeftButton)
    (choice,) = chosen.args
    assert not choice.starts
    assert choice.options["y"] == "gdpPercap"
    assert choice.num_shots == 4
    assert choice.preset != "maml-gapminder"


def test_what_is_wrong_is_said_and_can_be_mended(opened, qtbot):
    dialog = opened(GAPMINDER)
    pick(qtbot, dialog, "Target", "year")
    assert "column 'year' is used twice, as x and y" in words(dialog)
    assert not button(dialog, "Start").isEnabled()
    pick(qtbot, dialog, "Target", "pop")
    assert button(dialog, "Start").isEnabled()


def test_too_many_shots_are_said(opened, qtbot):
    dialog = opened(GAPMINDER)
    part(dialog, QSpinBox, "Shots").setValue(12)
    qtbot.waitUntil(lambda: dialog.view.asked.num_shots == 12, timeout=20_000)
    assert "no training task of the table has 13 rows" in words(dialog)
    assert not button(dialog, "Start").isEnabled()


def test_what_is_no_table_is_said(opened, tmp_path):
    path = tmp_path / "<b>bold.csv"
    path.write_bytes(b"\x00" * 9)
    dialog = opened(path)
    assert "is a binary file" in words(dialog)
    assert not button(dialog, "Start").isEnabled()
    formats = {
        label.textFormat()
        for label in dialog.findChildren(QLabel)
        if "<b>" in label.text()
    }
    assert formats == {Qt.TextFormat.PlainText}


def test_a_dialog_that_is_closed_while_it_reads_is_gone(qtbot):
    dialog = DataDialog(GAPMINDER, table_methods())
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.reject()
    assert dialog.view is None


def test_a_file_that_is_dropped_on_the_window_is_opened(open_lab, qtbot):
    lab = open_lab()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(GAPMINDER))])
    copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    none = Qt.KeyboardModifier.NoModifier
    lab.window.dropEvent(QDropEvent(QPointF(9, 9), copy, data, left, none))
    (dialog,) = lab.window.findChildren(DataDialog)
    qtbot.waitUntil(lambda: dialog.view is not None, timeout=20_000)
    QTest.mouseClick(button(dialog, "Put into the form"), Qt.MouseButton.LeftButton)
    assert lab.session.config.name == "gapminder, maml"
    assert lab.session.config.tasks.family.data.startswith("gapminder.csv@")


def test_a_view_of_a_table_is_plain_values():
    view = seen_table(TableRequest(path=GAPMINDER, x="year, pop", y="lifeExp"))
    assert view.options()["x"] == "year, pop"
    assert not view.problem
