"""Tests of the Runs page, with clicks and keys."""

import shutil

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QLineEdit

from metalab.runs.library.reading import read_entry
from metalab.runs.library.trash import Trashed
from metalab.ui.session.basket import Basket
from metalab.ui.style.theming import current_theme
from metalab.ui.workspaces.runs import worker as worker_module
from metalab.ui.workspaces.runs.columns import duration_text
from metalab.ui.workspaces.runs.dialogs import NoteDialog, TagDialog
from metalab.ui.workspaces.runs.workspace import RunsWorkspace
from tests.bench.library import make_library

pytestmark = pytest.mark.gui


@pytest.fixture(scope="module")
def made_runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    make_library(folder, 4, ("maml-sine", "fomaml-sine"))
    return folder


@pytest.fixture
def page(made_runs, tmp_path, qtbot, monkeypatch):
    folder = tmp_path / "home" / "runs"
    shutil.copytree(made_runs, folder)
    monkeypatch.setenv("METALAB_HOME", str(tmp_path / "home"))
    page = RunsWorkspace()
    qtbot.addWidget(page)
    page.basket = Basket(page)
    page.set_basket(page.basket)
    page.said = []
    page.told.connect(lambda *words: page.said.append(words))
    page.resize(1200, 600)
    page.show()
    page.sort_by = lambda key: page.table._on_section_clicked(page.model.column_of(key))
    qtbot.waitUntil(lambda: len(page.model.rows) == 4)
    page.sort_by("name")
    yield page
    page.shut_down()
    page.join()


def names(page):
    return [row.entry.name for row in page.model.rows]


def type_filter(page, text):
    page.tools.filter.clear()
    QTest.keyClicks(page.tools.filter, text)


def click_row(page, row, key="name", **more):
    index = page.model.index(row, page.model.column_of(key))
    place = page.table.visualRect(index).center()
    QTest.mouseClick(
        page.table.viewport(), Qt.MouseButton.LeftButton, pos=place, **more
    )


def click_box(page, index):
    """Click where the box is seen: it is looked for in what is painted."""
    rect = page.table.visualRect(index)
    image = page.table.viewport().grab(rect).toImage()
    box = QColor(current_theme().box).rgb()
    row = image.height() // 2
    seen = [x for x in range(image.width()) if image.pixel(x, row) == box]
    assert seen, "no box is painted"
    place = rect.topLeft() + QPoint((seen[0] + seen[-1]) // 2, row)
    QTest.mouseClick(page.table.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_the_model_keeps_qts_rules(page):
    tester = QAbstractItemModelTester(
        page.model, QAbstractItemModelTester.FailureReportingMode.Fatal
    )
    type_filter(page, "method:maml")
    page.tools.group.click()
    assert tester.model() is page.model


def test_runs_are_listed_with_settings_that_differ(page):
    assert names(page) == ["run 0", "run 1", "run 2", "run 3"]
    keys = [column.key for column in page.model.columns]
    assert "inner.inner_lr" not in keys or keys.index("inner.inner_lr") > 0
    assert "hypergradient.kind" in keys
    assert page.tools.status.accessibleName() == "4 runs"


def test_the_filter_narrows_and_a_slip_leaves_the_list(page):
    type_filter(page, "method:fomaml")
    assert names(page) == ["run 1", "run 3"]
    assert page.tools.status.accessibleName() == "2 of 4 runs"
    QTest.keyClicks(page.tools.filter, " loss<x")
    assert "'x' is no number" in page.tools.error.text()
    assert page.tools.error.isVisible()
    assert names(page) == ["run 1", "run 3"]
    type_filter(page, "no such run")
    assert page.empty.title.text() == "No run fits the filter"
    page.empty.button.click()
    assert len(page.model.rows) == 4
    assert not page.tools.error.isVisible()


def test_a_click_on_a_head_sorts_and_another_turns_it_round(page):
    page.sort_by("name")
    assert names(page) == ["run 3", "run 2", "run 1", "run 0"]
    assert page.save_state()["sort"] == "name"
    assert page.save_state()["descending"] is True


def test_a_box_puts_a_run_into_the_basket(page):
    index = page.model.index(1, page.model.column_of("name"))
    click_box(page, index)
    assert page.basket.paths == (page.model.rows[1].entry.path,)
    assert index.data(Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Checked
    click_row(page, 1, "state")
    assert page.tools.buttons["compare"].text() == "Don't compare"
    page.tools.buttons["compare"].click()
    assert page.basket.paths == ()


def test_a_name_is_edited_in_place(page, qtbot):
    click_row(page, 0, "state")
    QTest.keyClick(page.table, Qt.Key.Key_F2)
    editor = page.table.viewport().findChild(QLineEdit)
    editor.setText("another name")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "another name" in names(page))
    row = next(r for r in page.model.rows if r.entry.name == "another name")
    assert read_entry(row.entry.path).name == "another name"
    text, button, undo = page.said[-1]
    assert (text, button) == ("Changed 1 run", "Undo")
    undo()
    qtbot.waitUntil(lambda: "run 0" in names(page))


def test_tags_are_added_and_taken_away(page, qtbot):
    click_row(page, 0, "state")
    page.tools.buttons["tags"].click()
    dialog = page.findChild(TagDialog)
    dialog.field.setText("!")
    assert "tag is '!'" in dialog.error.text()
    dialog.field.setText("thesis b")
    dialog.accept()
    qtbot.waitUntil(lambda: page.model.rows[0].entry.labels.tags == ("b", "thesis"))
    type_filter(page, "tag:thesis")
    assert names(page) == ["run 0"]


def test_a_note_is_written(page, qtbot):
    click_row(page, 2, "state")
    page.tools.buttons["note"].click()
    dialog = page.findChild(NoteDialog)
    dialog.field.setPlainText("good\nrun")
    dialog.accept()
    qtbot.waitUntil(lambda: page.model.rows[2].entry.labels.note == "good\nrun")


def test_an_archived_run_leaves_the_list_and_undo_brings_it_back(page, qtbot):
    click_row(page, 3, "state")
    page.tools.buttons["archive"].click()
    qtbot.waitUntil(lambda: names(page) == ["run 0", "run 1", "run 2"])
    page.said[-1][2]()
    qtbot.waitUntil(lambda: len(page.model.rows) == 4)


def test_delete_moves_a_run_to_the_trash_and_undo_brings_it_back(
    page, qtbot, monkeypatch, tmp_path
):
    def moved(path):
        place = tmp_path / path.name
        path.rename(place)
        return Trashed(path=path, place=place)

    monkeypatch.setattr(worker_module, "move_to_trash", moved)
    click_row(page, 0, "state")
    path = page.model.rows[0].entry.path
    page.basket.add([path])
    QTest.keyClick(page.table, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: len(page.model.rows) == 3)
    assert not path.exists()
    assert page.basket.paths == ()
    assert page.said[-1][:2] == ("Moved 1 run to the trash", "Undo")
    page.said[-1][2]()
    qtbot.waitUntil(lambda: len(page.model.rows) == 4)
    assert path.exists()


def test_a_double_click_and_enter_open_a_run(page):
    wanted = []
    page.run_wanted.connect(wanted.append)
    index = page.model.index(1, page.model.column_of("state"))
    place = page.table.visualRect(index).center()
    click_row(page, 1, "state")
    QTest.mouseDClick(page.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    QTest.keyClick(page.table, Qt.Key.Key_Return)
    assert wanted == [page.model.rows[1].entry.path] * 2


def test_files_of_others_are_followed_and_the_choice_stays(page, qtbot):
    click_row(page, 1, "state")
    path = page.model.rows[1].entry.path
    shutil.copy(path, path.with_name("another.metalab"))
    page.worker.look()
    qtbot.waitUntil(lambda: len(page.model.rows) == 5)
    assert [entry.path for entry in page.table.chosen] == [path]


def test_another_folder_is_a_library_too_and_is_remembered(page, qtbot, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    page.set_folder(other)
    qtbot.waitUntil(lambda: page.empty.title.text() == "No runs here yet")
    assert str(other) in page.empty.detail.text()
    again = RunsWorkspace()
    qtbot.addWidget(again)
    again.restore_state(page.save_state())
    assert again.folder == other
    again.shut_down()
    again.join()


def test_thumbnails_are_made_of_what_is_seen_and_kept(page, qtbot):
    path = page.model.rows[0].entry.path
    qtbot.waitUntil(lambda: page.model.has_picture(path), timeout=20_000)
    arrays = page.model.picture(
        page.model.rows[0], page.model.columns[page.model.column_of("adaptation")]
    )
    assert arrays["before"].shape == arrays["after"].shape == arrays["truth"].shape
    assert not page.grab().toImage().isNull()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (1.25, "1.2 s"),
        (125, "2 min 05 s"),
        (7260, "2 h 01 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds, text):
    assert duration_text(seconds) == text
