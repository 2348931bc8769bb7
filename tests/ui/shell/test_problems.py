"""The Problems panel."""

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton, QTreeWidget

from metalab.runs.system.faults import FaultLog
from metalab.ui.shell.problems import ProblemsPanel


@pytest.fixture
def faults():
    return FaultLog()


@pytest.fixture
def panel(qtbot, faults):
    panel = ProblemsPanel(faults)
    qtbot.addWidget(panel)
    return panel


def rows(panel) -> list[tuple[str, str]]:
    """Return message and number of times of each row."""
    tree = panel.findChild(QTreeWidget)
    items = [tree.topLevelItem(row) for row in range(tree.topLevelItemCount())]
    return [(item.text(1), item.text(2)) for item in items]


def button(panel, text: str) -> QPushButton:
    return next(b for b in panel.findChildren(QPushButton) if b.text() == text)


def test_says_so_when_there_are_none(panel):
    assert panel.count == 0
    assert not panel.findChild(QTreeWidget).isVisibleTo(panel)
    assert not button(panel, "Copy").isEnabled()
    assert not button(panel, "Clear").isEnabled()
    panel.reveal_newest()


def test_lists_the_newest_first_and_counts_repetitions(panel, faults):
    faults.add("first")
    for _ in range(3):
        faults.add("second", "Traceback")
    assert panel.poll()
    assert rows(panel) == [("second", "3×"), ("first", "")]
    assert panel.count == 2
    assert not panel.poll()


def test_details_unfold_and_stay_so_when_others_come(panel, faults):
    faults.add("old", "Traceback of the old one")
    panel.poll()
    panel.reveal_newest()
    faults.add("new", "Traceback of the new one")
    panel.poll()
    tree = panel.findChild(QTreeWidget)
    new, old = tree.topLevelItem(0), tree.topLevelItem(1)
    assert old.isExpanded()
    assert old.child(0).text(1) == "Traceback of the old one"
    assert not new.isExpanded()
    assert tree.currentItem() is old


def test_copies_the_selected_one_or_all(panel, faults):
    faults.add("first", "its traceback")
    faults.add("second")
    faults.add("second")
    panel.poll()
    button(panel, "Copy").click()
    text = QGuiApplication.clipboard().text()
    assert "first" in text
    assert "its traceback" in text
    assert "(2 times)" in text
    tree = panel.findChild(QTreeWidget)
    tree.setCurrentItem(tree.topLevelItem(1))
    panel.copy()
    text = QGuiApplication.clipboard().text()
    assert "its traceback" in text
    assert "second" not in text


def test_copying_details_copies_their_problem(panel, faults):
    faults.add("first", "its traceback")
    panel.poll()
    panel.reveal_newest()
    tree = panel.findChild(QTreeWidget)
    tree.setCurrentItem(tree.topLevelItem(0).child(0))
    panel.copy()
    assert "first\nits traceback" in QGuiApplication.clipboard().text()


def test_the_copy_button_says_that_it_has_copied(panel, faults, qtbot):
    faults.add("first")
    panel.poll()
    button(panel, "Copy").click()
    assert button(panel, "Copied")
    copies = {b.text() for b in panel.findChildren(QPushButton)}
    assert "Copy" not in copies
    qtbot.waitUntil(
        lambda: "Copy" in {b.text() for b in panel.findChildren(QPushButton)},
        timeout=5000,
    )


def test_clear_forgets(panel, faults):
    faults.add("first")
    panel.poll()
    button(panel, "Clear").click()
    assert panel.count == 0
    assert faults.snapshot() == ()
