"""What a person needs who does not see the window, or has no mouse."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAction, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QMainWindow, QMenu, QWidget

from metalab.ui.shell.tool_buttons import ToolbarButton
from metalab.ui.workspaces.registry import WORKSPACES
from tests.support.fake_worker import small_config

pytestmark = pytest.mark.gui


@pytest.fixture
def full(lab, workshop):
    """Return a window with a run that needs a decision, and every dock."""
    lab.session.set_config(small_config())
    lab.session.toggle_run()
    workshop.worker.play(6)
    workshop.worker.diverge()
    lab.clock.tick()
    lab.faults.add("something went wrong", "with details")
    for key in ("show_diagnostics", "show_baselines", "show_problems"):
        lab.actions[key].trigger()
    lab.clock.tick()
    return lab


def focusable(window: QWidget) -> Iterator[QWidget]:
    """Yield everything in a window that the keyboard can reach, now or in other states.

    Qt's own parts of a widget, such as the line of a box of numbers or the list that a
    choice unfolds to, are called by the widget's name.
    """
    for widget in window.findChildren(QWidget):
        inside = widget.objectName().startswith("qt_") or widget.window() is not window
        focused = widget.focusPolicy() != Qt.FocusPolicy.NoFocus
        if focused and not inside:
            # Whoever hands the focus on, such as tabs to their bar, is never focused.
            yield widget.focusProxy() or widget


def spoken(widget: QWidget) -> str:
    """Return how a screen reader calls a widget."""
    interface = QAccessible.queryAccessibleInterface(widget)
    return interface.text(QAccessible.Text.Name) if interface is not None else ""


def nameless(window: QWidget) -> list[str]:
    return [
        f"{type(widget).__name__} {widget.objectName()!r} in "
        f"{type(widget.parentWidget()).__name__}"
        for widget in focusable(window)
        if not spoken(widget).strip()
    ]


def test_everything_that_the_keyboard_reaches_has_a_name(full):
    assert len(list(focusable(full.window))) > 40
    assert nameless(full.window) == []


@pytest.mark.parametrize("spec", WORKSPACES, ids=[spec.key for spec in WORKSPACES])
@pytest.mark.sampled(3)
def test_so_has_everything_in_every_workspace(spec, full):
    full.window.workspaces.show_page(spec.key)
    full.clock.tick()
    page = full.window.workspaces.page(spec.key)
    assert page.isVisible()
    assert nameless(full.window) == []


@pytest.mark.parametrize("key", ["export", "shortcuts", "about"])
def test_so_has_everything_in_dialogs(key, full):
    full.actions[key].trigger()
    dialogs = [d for d in full.window.findChildren(QDialog) if d.isVisible()]
    assert len(dialogs) == 1
    assert nameless(dialogs[0]) == []
    dialogs[0].reject()


def test_a_widget_without_a_name_is_found(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    QWidget(window).setFocusPolicy(Qt.FocusPolicy.TabFocus)
    assert nameless(window) == ["QWidget '' in QWidget"]


def menus(window: QMainWindow) -> list[QMenu]:
    """Return the menus of the menu bar."""
    # Not by QAction.menu(), which in PySide takes the menu along when it goes.
    titles = window.menuBar().actions()
    return [m for m in window.findChildren(QMenu) if m.menuAction() in titles]


def entries(window: QMainWindow) -> set[QAction]:
    """Return everything in the menus of the menu bar."""
    return {action for menu in menus(window) for action in menu.actions()}


def letter(text: str) -> str:
    """Return the letter that opens or chooses an entry of a menu; "" for none."""
    found = QKeySequence.mnemonic(text)
    return found.toString() if not found.isEmpty() else ""


def test_every_menu_is_opened_by_a_letter_of_its_own(full):
    titles = [action.text() for action in full.window.menuBar().actions()]
    letters = [letter(title) for title in titles]
    assert len(titles) >= 5
    assert all(letters)
    assert len(set(letters)) == len(letters)


def test_every_action_is_reached_by_the_keyboard(full):
    in_menus = entries(full.window)
    for spec, action in full.actions.all():
        assert action in in_menus, spec.key
        assert letter(action.text()), spec.key
        # A shortcut works as long as the window, not a menu, has the action.
        assert action.shortcuts(), spec.key
        assert action in full.window.actions(), spec.key


def test_what_else_stands_in_menus_can_be_walked_to(full):
    for action in entries(full.window):
        assert action.isSeparator() or action.text().strip()


def test_what_the_toolbar_does_is_in_a_menu_too(full):
    in_menus = entries(full.window)
    for button in full.window.toolbar.findChildren(ToolbarButton):
        menu = button.menu()
        offered = [button.defaultAction(), *(menu.actions() if menu else [])]
        assert any(action in in_menus for action in offered), button.text()


def test_letters_open_a_menu_and_choose_from_it(full, qtbot):
    full.window.activateWindow()
    menu = next(m for m in menus(full.window) if m.title() == "&View")
    dock = full.window.experiment
    assert dock.isVisible()
    menu.popup(full.window.pos())
    QTest.keyClick(menu, Qt.Key.Key_X)
    assert dock.isHidden()
    assert not menu.isVisible()


def test_tab_goes_round_the_window_and_gets_lost_nowhere(full):
    window = full.window
    window.activateWindow()
    window.live.setFocus()
    visited: list[QWidget] = []
    for _ in range(400):
        QTest.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
        visited.append(window.focusWidget())
        if visited.count(visited[0]) > 1 and len(set(visited)) > 10:
            break
    parts = [
        window.experiment,
        window.live.outer_loss,
        window.live.adaptation,
        window.live.inner_loss,
        window.live.gallery,
        window.problems,
        window.banners,
    ]
    for part in parts:
        assert any(part.isAncestorOf(widget) for widget in visited), part
    assert all(widget.isVisible() for widget in visited)
    assert all(spoken(widget) for widget in visited), [
        widget for widget in visited if not spoken(widget)
    ]


def test_a_click_into_a_plot_gives_it_the_keys(full):
    plot = full.window.live.outer_loss.plot
    full.window.activateWindow()
    QTest.mouseClick(plot.area.viewport, Qt.MouseButton.LeftButton)
    assert plot.hasFocus()
