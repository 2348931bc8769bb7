"""A change of the theme reaches everything, also what is made after it."""

import ast
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from PySide6.QtGui import QIcon, QImage, QPalette
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QWidget
from shiboken6 import Shiboken

import metalab.ui
from metalab.ui.plot.plot_widget import Plot
from metalab.ui.shell.controller import Controller
from metalab.ui.style import theming
from metalab.ui.style.theme import DARK, LIGHT, Theme
from metalab.ui.style.theming import change_theme
from metalab.ui.workspaces.live.workspace import LiveWorkspace
from metalab.ui.workspaces.registry import WORKSPACES
from metalab.ui.workspaces.tabs import WorkspaceTabs
from tests.support.fake_worker import Workshop, small_config
from tests.support.scenes import SCENES, scene, settle

UI = Path(metalab.ui.__file__).parent
TAKE = "_take_theme"
KEYS = [spec.key for spec in WORKSPACES]
OPENED = (
    *("export", "animate", "differences", "bookmark", "shortcuts", "about"),
    *("term", "diagnostics", "present live with a lesson", "tour, stop 1"),
)


def colours(theme: Theme) -> set[str]:
    return {
        value
        for field in fields(theme)
        if str(value := getattr(theme, field.name)).startswith("#")
    }


def begin(lab: Controller, workshop: Workshop) -> None:
    """Have a run to show, paused."""
    lab.session.set_config(small_config())
    lab.session.toggle_run()
    workshop.worker.play(6)
    workshop.worker.control.pause()
    lab.clock.tick()


def toggle(lab: Controller) -> None:
    """Take the other theme; widgets take a palette of the application's a turn later."""
    lab.actions["toggle_theme"].trigger()
    settle()


ROLES = [role for role in QPalette.ColorRole if role.name != "NColorRoles"]


def drawn(icon: QIcon) -> set[str]:
    """Return the colours of an icon, without the edges of what it shows."""
    image = icon.pixmap(16, 16).toImage()
    points = [(x, y) for x in range(image.width()) for y in range(image.height())]
    pixels = [image.pixelColor(x, y) for x, y in points]
    return {pixel.name() for pixel in pixels if pixel.alpha() == 255}


def shown(widget: QWidget) -> Iterator[tuple[str, set[str]]]:
    """Yield where a widget has colours, and which."""
    for role in ROLES:
        yield role.name, {widget.palette().color(role).name()}
    if isinstance(widget.parent(), QLineEdit):
        # The cross that empties it is Qt's own, in both themes the same.
        return
    if isinstance(widget, QAbstractButton):
        yield "icon", drawn(widget.icon())
    for action in widget.actions():
        yield f"action {action.text()}", drawn(action.icon())
    if isinstance(widget, Plot):
        # A line has a pen; others have a fill.
        pens = [getattr(handle._item, "_pen", None) for handle in widget._handles]
        yield "lines", {pen.color().name() for pen in pens if pen is not None}


def left_over(window: QWidget, other: set[str]) -> list[str]:
    """Name what has a colour of another theme in a window and in its dialogs."""
    return [
        f"{type(widget).__name__} {widget.objectName()!r}: {place}"
        for widget in window.findChildren(QWidget)
        for place, found in shown(widget)
        if found & other
    ]


@pytest.fixture
def all_pages(lab: Controller, workshop: Workshop) -> Controller:
    """Return a window with every page made, in the dark theme."""
    begin(lab, workshop)
    for key in reversed(KEYS):
        lab.window.workspaces.show_page(key)
        lab.clock.tick()
    lab.window.show_diagnostics(shown=True)
    lab.window.show_problems(shown=True)
    lab.window.toasts.say("The run before is kept", "Back to it")
    settle()
    return lab


def test_nothing_of_the_other_theme_is_left(all_pages):
    """The whole window is walked after the change, and again after another one."""
    shared = colours(DARK) & colours(LIGHT)
    assert left_over(all_pages.window, colours(DARK) - shared) != []
    toggle(all_pages)
    assert left_over(all_pages.window, colours(DARK) - shared) == []
    toggle(all_pages)
    assert left_over(all_pages.window, colours(LIGHT) - shared) == []


@pytest.mark.parametrize("name", OPENED)
def test_nothing_of_it_is_left_in_what_stands_over_the_window(name, lab, workshop):
    assert name in SCENES
    begin(lab, workshop)
    other = colours(DARK) - colours(LIGHT)
    with scene(lab, name):
        toggle(lab)
        assert left_over(lab.window, other) == []
    # Opened after the change.
    with scene(lab, name):
        assert left_over(lab.window, other) == []


def test_everything_that_takes_a_theme_follows(all_pages):
    told = [follower() for follower in theming._THEMING._followers]
    followed = {id(take.__self__) for take in told if take is not None}
    within = all_pages.window.findChildren(QWidget)
    takers = [widget for widget in within if hasattr(widget, TAKE)]
    assert len(takers) > 100
    assert [type(taker) for taker in takers if id(taker) not in followed] == []


def test_pages_that_are_gone_are_told_no_more(qapp):
    tabs = WorkspaceTabs(LiveWorkspace())
    pages = [tabs.page(key) for key in KEYS]
    tabs.shut_down()
    Shiboken.delete(tabs)
    # Python still holds them; one that was told would raise.
    change_theme(LIGHT)
    told = [follower() for follower in theming._THEMING._followers]
    held = {id(take.__self__) for take in told if take is not None}
    assert [type(page) for page in pages if id(page) in held] == []


def pictures(lab: Controller) -> dict[str, QImage]:
    """Return each page of a window without a run."""
    lab.window.resize(1280, 800)
    found = {}
    for key in KEYS:
        lab.window.workspaces.show_page(key)
        lab.clock.tick()
        settle()
        found[key] = lab.window.grab().toImage()
    return found


def test_a_window_that_changes_looks_as_one_that_began_so(open_lab):
    lab = open_lab()
    # Made before the change, or they would begin in the new theme, too.
    before = pictures(lab)
    toggle(lab)
    changed = pictures(lab)
    begun = pictures(open_lab())
    assert [key for key in KEYS if changed[key] == before[key]] == []
    assert [key for key in KEYS if changed[key] != begun[key]] == []


def classes() -> Iterator[tuple[Path, ast.ClassDef]]:
    for path in sorted(UI.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                yield path, node


def test_every_class_that_takes_a_theme_follows_it_from_its_constructor():
    found = 0
    for path, made in classes():
        methods = {n.name: n for n in made.body if isinstance(n, ast.FunctionDef)}
        if TAKE in methods:
            found += 1
            follows = f"follow_theme(self.{TAKE})"
            assert follows in ast.unparse(methods["__init__"]), (path, made.name)
    assert found > 40


def test_nobody_hands_a_theme_to_anybody_else():
    for path in sorted(UI.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in {TAKE, "set_theme"}:
                assert ast.unparse(node.value) == "self", (path, node.lineno)
            elif isinstance(node, ast.FunctionDef):
                assert node.name != "set_theme", path
