"""The command palette, with real keys."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QListView, QMainWindow, QMenu

from metalab.ui.actions.palette import CommandPalette, action_entries, menu_entries
from metalab.ui.actions.palette_rows import PaletteEntry
from metalab.ui.actions.table import ACTIONS
from metalab.ui.widgets.plain_text import plain_label
from tests.support.fake_worker import small_config

pytestmark = pytest.mark.gui

TITLES = ("Run", "Reset, same seed", "Reset, new seed", "Export figure", "Quit")


@pytest.fixture
def done() -> list[str]:
    return []


@pytest.fixture
def entries(done) -> list[PaletteEntry]:
    def doing(title: str):
        return lambda: done.append(title)

    return [
        PaletteEntry(
            key=title,
            title=title,
            detail="File",
            run=doing(title),
            why_not="There is no run yet" if title.startswith("Export") else "",
        )
        for title in TITLES
    ]


@pytest.fixture
def palette(no_leaks, qtbot, entries) -> CommandPalette:
    window = QMainWindow()
    qtbot.addWidget(window)
    window.resize(1000, 700)
    window.show()
    palette = CommandPalette(window)
    palette.open_with(entries)
    return palette


def edit_of(palette) -> QLineEdit:
    return palette.findChild(QLineEdit)


def press(palette, *keys) -> None:
    for key in keys:
        if isinstance(key, str):
            QTest.keyClicks(edit_of(palette), key)
        else:
            QTest.keyClick(edit_of(palette), key)


def test_it_opens_over_the_top_centre_and_takes_the_keys(palette):
    window = palette.parentWidget()
    centre = window.mapFromGlobal(palette.mapToGlobal(palette.rect().center()))
    assert abs(centre.x() - window.width() // 2) <= 2
    assert centre.y() < window.height() // 2
    assert edit_of(palette).hasFocus()
    assert palette.titles == list(TITLES)


def test_letters_filter_and_enter_does_it(palette, done):
    press(palette, "nes")
    assert palette.titles[0] == "Reset, new seed"
    press(palette, Qt.Key.Key_Return)
    assert done == ["Reset, new seed"]
    assert not palette.isVisible()


def test_arrows_move(palette, done):
    press(palette, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_Enter)
    assert done == ["Reset, same seed"]


def test_a_page_goes_to_the_end(palette, done):
    press(palette, Qt.Key.Key_PageDown, Qt.Key.Key_Return)
    assert done == ["Quit"]


def test_escape_closes_and_does_nothing(palette, done):
    press(palette, "run", Qt.Key.Key_Escape)
    assert not palette.isVisible()
    assert done == []


def test_what_is_off_stays_and_says_why(palette, done):
    press(palette, "exp", Qt.Key.Key_Return)
    assert palette.isVisible()
    assert done == []
    assert "There is no run yet" in edit_of(palette).accessibleDescription()


def test_nothing_found_is_said(palette, done):
    press(palette, "zz", Qt.Key.Key_Return)
    assert palette.titles == []
    assert "“zz”" in edit_of(palette).accessibleDescription()
    assert done == []
    press(palette, Qt.Key.Key_Backspace, Qt.Key.Key_Backspace)
    assert palette.titles == list(TITLES)


def test_what_was_used_comes_first(palette, entries, qtbot):
    press(palette, "quit")
    with qtbot.waitSignal(palette.used) as used:
        press(palette, Qt.Key.Key_Return)
    assert used.args == ["Quit"]
    palette.open_with(entries)
    assert palette.titles == ["Quit", *TITLES[:-1]]
    press(palette, "new", Qt.Key.Key_Return)
    assert palette.recent == ("Reset, new seed", "Quit")
    palette.open_with(entries)
    assert palette.titles[:2] == ["Reset, new seed", "Quit"]
    # The letters decide before the habit does.
    press(palette, "res same")
    assert palette.titles[0] == "Reset, same seed"


def test_a_title_counts_more_than_a_menu(palette, entries):
    entries.append(PaletteEntry(key="f", title="Find", detail="View", run=list))
    palette.open_with(entries)
    press(palette, "fi")
    assert palette.titles[0] == "Find"
    assert len(palette.titles) == len(entries)


def test_a_click_does_it(palette, done):
    view = palette.findChild(QListView)
    place = view.visualRect(view.model().index(4)).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place))
    assert done == ["Quit"]


def test_a_screen_reader_hears_what_is_marked(palette):
    press(palette, Qt.Key.Key_Down)
    interface = QAccessible.queryAccessibleInterface(edit_of(palette))
    assert interface.text(QAccessible.Text.Name) == "Command"
    heard = interface.text(QAccessible.Text.Description)
    assert heard == "Reset, same seed, File"


def test_matched_letters_look_different(palette, entries):
    view = palette.findChild(QListView)
    press(palette, Qt.Key.Key_Down)

    def row_of_run():
        return view.grab(view.visualRect(view.model().index(0))).toImage()

    plain_row = row_of_run()
    press(palette, "r", Qt.Key.Key_Down)
    assert palette.titles[0] == "Run"
    assert row_of_run() != plain_row


def test_every_action_of_the_window_is_an_entry(lab):
    entries = action_entries(lab.actions)
    keys = [spec.key for spec in ACTIONS if spec.key != "palette"]
    assert [entry.key for entry in entries] == keys
    for entry in entries:
        action = lab.actions[entry.key]
        assert entry.title == plain_label(action.text())
        assert entry.enabled is action.isEnabled()
        assert entry.why_not == "" or action.toolTip().endswith(entry.why_not)
        assert entry.shortcut


def test_presets_are_entries_that_open_them(lab):
    entries = menu_entries(lab.window.presets, prefix="preset")
    assert len(entries) > 10
    assert {entry.detail for entry in entries} == {"Preset"}
    assert len({entry.key for entry in entries}) == len(entries)
    other = next(e for e in entries if e.key != f"preset:{lab.session.reference.name}")
    other.run()
    assert other.key == f"preset:{lab.session.reference.name}"


def test_headings_are_no_entries(qtbot):
    menu = QMenu("&Things")
    qtbot.addWidget(menu)
    menu.addSection("Heading")
    menu.addAction("&One…").setObjectName("one")
    (entry,) = menu_entries(menu, prefix="thing")
    assert (entry.key, entry.title, entry.detail) == ("thing:one", "One", "Things")


def test_no_shortcut_of_the_window_acts_on_what_is_typed(lab):
    lab.session.set_config(small_config())
    palette = CommandPalette(lab.window)
    palette.open_with(action_entries(lab.actions))
    phase = lab.session.phase
    press(palette, "a ", ".")
    assert edit_of(palette).text() == "a ."
    assert lab.session.phase is phase
    press(palette, Qt.Key.Key_Escape)


def test_it_fits_into_a_small_window(qtbot, entries):
    window = QMainWindow()
    qtbot.addWidget(window)
    window.resize(300, 200)
    window.show()
    palette = CommandPalette(window)
    palette.open_with(entries * 5)
    assert palette.width() <= 300
    assert palette.height() <= 200
    palette.close()


def test_the_key_opens_it_and_habits_are_remembered(lab, open_lab):
    lab.window.activateWindow()
    keys = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(lab.window, Qt.Key.Key_P, keys)
    palette = lab.window.command_palette
    assert palette.isVisible()
    press(palette, "light dark", Qt.Key.Key_Return)
    assert lab.theme.name == "light"
    assert open_lab().window.command_palette.recent == ("toggle_theme",)


def test_settings_and_presets_are_found_by_what_people_call_them(lab, qtbot):
    lab.window.open_palette()
    palette = lab.window.command_palette
    for words, title in (
        ("learning rate", "Outer lr"),
        ("learning rate", "Inner lr"),
        ("epochs", "Outer steps"),
        ("alpaca", "Meta-learned"),
        ("alpaca", "Bayesian head on noisy sines, 10 shots"),
        ("weight decay", "Weight decay"),
        ("hidden layers", "Hidden sizes"),
        ("number of tasks", "Meta-batch"),
        ("meta-batch size", "Meta-batch"),
        ("fomaml-sine", "First-order MAML on sines, 10 shots, 1 inner step"),
    ):
        edit_of(palette).clear()
        QTest.keyClicks(edit_of(palette), words)
        assert title in palette.titles[:3], words
    edit_of(palette).clear()
    QTest.keyClicks(edit_of(palette), "epochs")
    QTest.keyClick(edit_of(palette), Qt.Key.Key_Return)
    row = lab.window.experiment.form.row("outer.num_steps")
    assert row.isVisible()
    assert not palette.isVisible()


@pytest.mark.parametrize(
    "words",
    ["two runs", "overlay", "compare runs", "lay over", "Overlay run"],
)
def test_who_would_compare_runs_finds_where(words, lab):
    lab.actions["palette"].trigger()
    palette = lab.window.command_palette
    QTest.keyClicks(edit_of(palette), words)
    shown = palette.findChild(QListView).model()
    first = [shown.entry(shown.index(row)) for row in range(min(4, shown.rowCount()))]
    (adapt,) = [entry for entry in first if entry.key == "page_adapt"]
    assert "Add run…" in adapt.detail


def test_the_page_that_compares_is_the_first_for_that_word(lab):
    lab.actions["palette"].trigger()
    palette = lab.window.command_palette
    QTest.keyClicks(edit_of(palette), "compare")
    shown = palette.findChild(QListView).model()
    assert shown.entry(shown.index(0)).key == "page_compare"


def test_a_page_that_is_found_by_what_is_done_there_is_shown(lab):
    lab.actions["palette"].trigger()
    palette = lab.window.command_palette
    QTest.keyClicks(edit_of(palette), "overlay")
    QTest.keyClick(edit_of(palette), Qt.Key.Key_Return)
    assert lab.window.workspaces.current_key == "adapt"


def test_a_synonym_found_is_told_and_must_be_begun(entries):
    entry = replace(entries[0], synonyms=("learning rate", "step size"))
    found = entry.found("learn")
    assert found.entry.detail == "File: learning rate"
    start = found.entry.words.index("learn")
    assert found.match.places == tuple(range(start, start + 5))
    assert entry.found("earning") is None
    assert entry.found("rate learning") is not None
    assert entry.found("learning size") is None
