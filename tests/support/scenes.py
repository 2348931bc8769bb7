"""Everything that can stand over or beside the pages: docks, strips, dialogs, lists."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from metalab.ui.learn.lesson import own_lessons
from metalab.ui.learn.popover import TermButton
from metalab.ui.learn.tour import Tour
from metalab.ui.shell.controller import Controller
from metalab.ui.style.theme import THEMES
from metalab.ui.style.theming import change_theme
from tests.support.clipping import cut_off, names_cut, overlapping, under_toasts

Open = Callable[[Controller], None]


def _action(key: str) -> Open:
    return lambda lab: lab.actions[key].trigger()


def _on_page(page: str, key: str) -> Open:
    def open_there(lab: Controller) -> None:
        lab.window.workspaces.show_page(page)
        lab.actions[key].trigger()

    return open_there


def _tour_at(index: int) -> Open:
    def begin(lab: Controller) -> None:
        lab.actions["tour"].trigger()
        (tour,) = lab.window.findChildren(Tour)
        tour.stop = index

    return begin


def _term(lab: Controller) -> None:
    button = next(b for b in lab.window.findChildren(TermButton) if b.isVisible())
    button.click()


def _presented_lesson(page: str) -> Open:
    def open_there(lab: Controller) -> None:
        # As a lesson is shown, without its run: each page shows what it can of this one.
        lab.teaching._show_lesson(own_lessons()["1-what-the-outer-loop-learns"])
        lab.window.workspaces.show_page(page)
        lab.actions["present"].trigger()
        lab.window.toasts.say("The run before is kept", "Back to it")

    return open_there


def _question(lab: Controller) -> None:
    lab.window.close()


SCENES: Mapping[str, Open] = MappingProxyType(
    {
        "export": _action("export"),
        "export of a landscape": _on_page("landscape", "export"),
        "animate": _action("animate"),
        "about": _action("about"),
        "shortcuts": _action("shortcuts"),
        "differences": _action("differences"),
        "bookmark": _action("bookmark"),
        "palette": _action("palette"),
        **{
            f"problems under {page}": _on_page(page, "show_problems")
            for page in ("live", "landscape", "estimators")
        },
        "diagnostics": _action("show_diagnostics"),
        "baselines": _action("show_baselines"),
        "search": _action("search"),
        "term": _term,
        "question": _question,
        **{f"present {page}": _on_page(page, "present") for page in ("live", "adapt")},
        **{
            f"present {page} with a lesson": _presented_lesson(page)
            for page in ("live", "adapt", "landscape", "estimators", "structure")
        },
        **{f"tour, stop {index + 1}": _tour_at(index) for index in range(5)},
    }
)


def settle() -> None:
    """Let layouts that follow from each other take place: words that wrap need two."""
    for _ in range(3):
        QTest.qWait(1)


def others(lab: Controller) -> list[QWidget]:
    """Return what is open beside the window."""
    tops = QApplication.topLevelWidgets()
    return [top for top in tops if top.isVisible() and top is not lab.window]


@contextmanager
def scene(lab: Controller, name: str) -> Iterator[list[QWidget]]:
    """Open a scene; yield the window and what stands over it; put all back."""
    before = lab.window.saveState()
    size = lab.window.size()
    SCENES[name](lab)
    # The screen of the tests is small: what would fill it takes the size asked for.
    lab.window.setWindowState(Qt.WindowState.WindowNoState)
    lab.window.resize(size)
    lab.clock.tick()
    settle()
    try:
        yield [lab.window, *others(lab)]
    finally:
        for top in others(lab):
            top.reject() if isinstance(top, QDialog) else top.close()
        for tour in lab.window.findChildren(Tour):
            tour.leave()
        if lab.actions["present"].isChecked():
            lab.actions["present"].trigger()
        lab.teaching.leave_lesson()
        lab.window.toasts.clear()
        lab.window.escaped.emit()
        lab.window.restoreState(before)
        lab.window.resize(size)
        settle()


def faults_of(
    lab: Controller, size: tuple[int, int], name: str, theme: str
) -> list[str]:
    """Return what is cut off, overlaps or is larger than a window of a size."""
    change_theme(THEMES[theme])
    lab.window.resize(*size)
    settle()
    with scene(lab, name) as tops:
        found = [
            fault
            for top in tops
            for fault in (*cut_off(top), *overlapping(top), *names_cut(top))
        ]
        if lab.window.present.on:
            found += under_toasts(lab.window)
        found += [
            f"{type(top).__name__} of {top.size().toTuple()} in {size}"
            for top in tops[1:]
            if top.width() > size[0] or top.height() > size[1]
        ]
    return found
