"""Finds words that are cut off; as a program, in a window at another scale factor.

`python -m tests.support.clipping` is started with `QT_SCALE_FACTOR`, which Qt reads only once.
"""

import json
import sys
from html import unescape
from itertools import combinations

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QComboBox,
    QDockWidget,
    QLabel,
    QLineEdit,
    QToolButton,
    QWidget,
)

from metalab.runs.running.manager import RunManager
from metalab.runs.system.preload import Preload
from metalab.ui.plot.plot_widget import Plot
from metalab.ui.shell.app import application
from metalab.ui.shell.controller import Controller, WindowOptions
from metalab.ui.style.theme import THEMES
from metalab.ui.style.theming import change_theme
from metalab.ui.widgets.painted import ElidedLabel
from metalab.ui.widgets.toasts import ToastArea
from metalab.ui.workspaces.registry import WORKSPACES
from tests.support.fake_worker import Workshop, small_config

SIZES = ((1024, 640), (1280, 720), (1280, 800), (1920, 1080))
_TURNS = 4
"""A row that breaks, because a button has just come, takes a few; a fault stays."""
_WORDY = (QLabel, QAbstractButton, QComboBox, QAbstractSpinBox, QLineEdit)


def cut_off(window: QWidget) -> list[str]:
    """Return what has less room than it needs, or reaches beyond what it stands in.

    What is cut on purpose, with an ellipsis or by scrolling, is left out.
    """
    return [
        f"{type(widget).__name__} {_words(widget)!r} in {widget.size().toTuple()}"
        for widget in window.findChildren(QWidget)
        if isinstance(widget, _WORDY)
        and widget.window() is window
        and widget.isVisible()
        and not isinstance(widget, ElidedLabel)
        and not _shows_its_end(widget)
        and not _behind_a_tab(widget)
        and not (_has_room(widget) and _inside(widget))
    ]


def _shows_its_end(widget: QWidget) -> bool:
    """Whether a line shows the end of what it holds, and all of it in its tip."""
    if not isinstance(widget, QLineEdit) or not widget.text():
        return False
    whole = widget.cursorPosition() == len(widget.text())
    return whole and widget.text() in unescape(widget.toolTip())


def _behind_a_tab(widget: QWidget) -> bool:
    """Whether it belongs to a dock that Qt has set aside for another one."""
    parent = widget.parentWidget()
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parentWidget()
    return parent is not None and parent.geometry().right() < 0


def names_cut(window: QWidget) -> list[str]:
    """Return the names of axes that reach beyond the plot that they stand in."""
    found: list[str] = []
    for plot in window.findChildren(Plot):
        if plot.window() is not window or not plot.isVisible():
            continue
        area = plot.area
        # Ascenders and descenders lie a pixel within the box of a line.
        room = area._view.sceneRect().adjusted(-1, -1, 1, 1)
        for axis, name in zip((area._bottom, area._left), area._labels, strict=True):
            # The text of an axis has the margin of a document about it.
            air = axis.label.document().documentMargin()
            words = axis.label.boundingRect().adjusted(air, air, -air, -air)
            place = axis.label.mapRectToScene(words)
            if name and not room.contains(place):
                found.append(f"axis {name!r} in {plot.size().toTuple()}")
    return found


def under_toasts(window: QWidget) -> list[str]:
    """Return which plots have passing words over their axes or data."""
    toasts = [area for area in window.findChildren(ToastArea) if area.isVisible()]
    return [
        f"{plot.accessibleName()!r} under a toast"
        for plot in window.findChildren(Plot)
        for toast in toasts
        if plot.isVisible() and _on_window(plot).intersects(_on_window(toast))
    ]


def _on_window(widget: QWidget) -> QRect:
    return QRect(widget.mapTo(widget.window(), QPoint(0, 0)), widget.size())


def overlapping(window: QWidget) -> list[str]:
    """Return which words stand over others that have the same parent."""
    found: list[str] = []
    for parent in (window, *window.findChildren(QWidget)):
        there = [
            child
            for child in parent.findChildren(
                QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly
            )
            if isinstance(child, _WORDY) and child.isVisible() and _words(child)
        ]
        found += [
            f"{type(parent).__name__}: {_words(one)!r} over {_words(other)!r}"
            for one, other in combinations(there, 2)
            if one.geometry().intersects(other.geometry())
        ]
    return found


def faults_at(
    lab: Controller, size: tuple[int, int], page: str, theme: str
) -> list[str]:
    """Return what is cut off or overlaps on a page at a size of the window."""
    change_theme(THEMES[theme])
    lab.window.resize(*size)
    lab.window.workspaces.show_page(page)
    lab.clock.tick()
    QTest.qWait(1)
    # Smaller than it may be is no size at all: the page would not fit by itself.
    assert lab.window.size().toTuple() == size
    window = lab.window
    for _ in range(_TURNS):
        found = [*cut_off(window), *overlapping(window), *names_cut(window)]
        if not found:
            break
        QTest.qWait(1)
    return found


def _words(widget: QWidget) -> str:
    if isinstance(widget, QComboBox):
        return widget.currentText()
    return widget.text().replace("&", "")


def _has_room(widget: QWidget) -> bool:
    if isinstance(widget, QLabel):
        if widget.wordWrap():
            return widget.height() >= widget.heightForWidth(widget.width())
        needed = widget.minimumSizeHint()
    elif not _words(widget):
        return True
    elif isinstance(widget, QToolButton):
        # Perhaps an icon stands for its words.
        needed = widget.minimumSizeHint()
    else:
        # Hints of other buttons and of lines count frames, which may well be squeezed.
        needed = widget.fontMetrics().size(0, _words(widget))
    return widget.width() >= needed.width() and widget.height() >= needed.height()


def _inside(widget: QWidget) -> bool:
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent.parentWidget(), QAbstractScrollArea):
            return True
        corner = widget.mapTo(parent, QPoint(0, 0))
        if not parent.rect().contains(QRect(corner, widget.size())):
            return False
        parent = None if parent.isWindow() else parent.parentWidget()
    return True


def num_colours(picture: QImage, part: QRect) -> int:
    """Return how many colours a part of a picture has, up to a few."""
    return len(
        {
            picture.pixel(x, y)
            for x in range(part.left(), part.right(), 7)
            for y in range(part.top(), part.bottom(), 7)
        }
    )


def main() -> None:
    """Print what is cut off in the smallest window, and what it was painted like."""
    from tests.support.scenes import SCENES, faults_of  # noqa: PLC0415 - which imports this

    app = application()
    workshop = Workshop()
    preload = Preload(("torch",), kernels=False)
    options = WindowOptions(keep_runs=False)
    lab = Controller(app, options, slot=RunManager(workshop), preload=preload)
    lab.start()
    lab.clock.stop()
    while not lab.session.loaded:
        lab.clock.tick()
        QTest.qWait(5)
    lab.window.resize(lab.window.minimumSize())
    lab.session.set_config(small_config())
    lab.session.toggle_run()
    workshop.worker.play(6)
    lab.clock.tick()
    QTest.qWait(20)
    picture = lab.window.grab().toImage()
    ratio = picture.devicePixelRatio()
    frames = {
        name: getattr(lab.window.live, name)
        for name in ("outer_loss", "adaptation", "inner_loss", "gallery")
    }
    parts = {}
    for name, view in frames.items():
        corner = view.mapTo(lab.window, QPoint(0, 0))
        scaled = QRect(corner * ratio, view.size() * ratio)
        parts[name] = num_colours(picture, scaled)
    found = {
        "ratio": ratio,
        "size": lab.window.size().toTuple(),
        "pixels": picture.size().toTuple(),
        "colours": parts,
        "cut_off": cut_off(lab.window),
    }
    found["at_sizes"] = {
        f"{size} {spec.key} {theme}": faults
        for size in SIZES
        for spec in WORKSPACES
        for theme in THEMES
        if (faults := faults_at(lab, size, spec.key, theme))
    }
    found["scenes"] = {
        f"{size} {name} {theme}": faults
        for size in SIZES
        for name in SCENES
        for theme in THEMES
        if (faults := faults_of(lab, size, name, theme))
    }
    lab.session.stop()
    lab.close()
    lab.window.close()
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
