"""A random walk over a window: everything in sight is clicked, dragged, typed into."""

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QAction, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QMenu,
    QTabBar,
    QWidget,
)

from metalab.runs.running.worker import RunWorker

if TYPE_CHECKING:
    from metalab.ui.shell.controller import Controller

_NEVER = frozenset({"quit"})
"""Actions that would end the walk."""

_KEYS = (
    *(Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Escape, Qt.Key.Key_Tab),
    *(Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down),
    *(Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown),
    *(Qt.Key.Key_Period, Qt.Key.Key_Comma, Qt.Key.Key_Semicolon, Qt.Key.Key_Delete),
    *(Qt.Key.Key_F1, Qt.Key.Key_F11, Qt.Key.Key_Backspace),
)
_MODIFIERS = (
    *[Qt.KeyboardModifier.NoModifier] * 4,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)
_TEXTS = ("3", "0", "off", "0.01", "1e-3", "-1", "", "word", "1; 2", "8, 8", "1,5", "µ")
_SIZES = ((1024, 640), (1280, 720), (1280, 800), (1600, 900))
_PAUSE_MS = 1


class StartedRuns:
    """Makes workers as `RunWorker` would, and remembers them."""

    def __init__(self) -> None:
        self.workers: list[RunWorker] = []

    def __call__(self, *arguments: object, **options: object) -> RunWorker:
        """Return a worker that has not been started."""
        self.workers.append(RunWorker(*arguments, **options))
        return self.workers[-1]

    @property
    def steps(self) -> dict[Path, int]:
        """Outer steps of every run that was to be kept, by its file.

        A run that made none may have been stopped before it had a file.
        """
        found: dict[Path, int] = {}
        for worker in self.workers:
            history = worker.live.snapshot()
            if history.path is not None:
                found[history.path] = max(history.step, found.get(history.path, 0))
        return found


class Walk(QObject):
    """So many random events, one after another, through whatever has the screen.

    Menus and some dialogs run an event loop of their own: each event therefore puts the
    next one on the clock before it happens.

    Attributes:
        done: How many events of each kind there were.
        clicked: Names of the kinds of widgets that were clicked.
        triggered: Keys of the actions that were triggered.
        faults: What the Problems panel was told, also what was cleared there.
        untried: Actions, presets among them, that could be triggered in the end and
            never were.
    """

    def __init__(self, lab: "Controller", *, seed: int, num_events: int) -> None:
        super().__init__()
        self._lab = lab
        self._random = random.Random(seed)
        self._left = num_events
        self._at_work = 0
        self.done: Counter[str] = Counter()
        self.clicked: Counter[str] = Counter()
        self.triggered: Counter[str] = Counter()
        self.faults: set[str] = set()
        self.untried: set[str] = set()
        self._kinds: dict[str, tuple[int, Callable[[QWidget], None]]] = {
            "click": (40, self._click),
            "action": (12, self._trigger),
            "key": (16, self._press),
            "page": (5, self._switch_page),
            "drag": (12, self._drag),
            "type": (6, self._type),
            "wheel": (5, self._turn),
            "resize": (2, self._resize),
            "double": (2, self._double_click),
        }

    @property
    def finished(self) -> bool:
        """Whether every event has happened and nothing waits for an answer."""
        return self._left == 0 and self._at_work == 0 and _on_top() is None

    def start(self) -> None:
        """Begin; the caller runs the event loop."""
        self._next()

    def _next(self) -> None:
        QTimer.singleShot(_PAUSE_MS, self, self._step)

    def _step(self) -> None:
        if self._left == 0:
            self.untried = {key for key in self._there() if self.triggered[key] == 0}
            self._leave()
            return
        self._left -= 1
        self._next()
        self._at_work += 1
        try:
            self._happen()
        finally:
            self._at_work -= 1
            self.faults |= {str(fault) for fault in self._lab.faults.snapshot()}

    def _leave(self) -> None:
        """Close what still waits for an answer."""
        top = _on_top()
        if top is not None:
            self._next()
            QTest.keyClick(top, Qt.Key.Key_Escape)
            if top is _on_top():
                top.close()

    def _happen(self) -> None:
        top = _on_top()
        if top is not None and self._random.random() < 0.25:
            self.done["answer"] += 1
            # Escape more often than Enter: a file dialog accepts nothing.
            key = self._random.choice((Qt.Key.Key_Escape, Qt.Key.Key_Return))
            QTest.keyClick(_with_focus(top), key)
            return
        weights = [weight for weight, _ in self._kinds.values()]
        (kind,) = self._random.choices(list(self._kinds), weights)
        self.done[kind] += 1
        self._kinds[kind][1](self._lab.window if top is None else top)

    def _visible(self, top: QWidget) -> list[QWidget]:
        """Return what can be clicked, in an order that does not change between runs."""
        inside = [w for w in top.findChildren(QWidget) if w.isVisible()]
        return [w for w in (top, *inside) if w.window() is top and w.isEnabled()]

    def _choose(self, top: QWidget) -> QWidget:
        """Return a control half of the time, else anything at all."""
        there = self._visible(top)
        kinds = (QAbstractButton, QComboBox, QAbstractSpinBox, QTabBar, QLineEdit)
        controls = [w for w in there if isinstance(w, kinds)]
        if controls and self._random.random() < 0.5:
            return self._random.choice(controls)
        return self._random.choice(there)

    def _place(self, widget: QWidget) -> QPoint:
        """Return a place in a widget, and on its window, as a mouse has it."""
        size = widget.size()
        return QPoint(
            self._random.randrange(max(1, size.width())),
            self._random.randrange(max(1, size.height())),
        )

    def _click(self, top: QWidget) -> None:
        widget = self._choose(top)
        self.clicked[type(widget).__name__] += 1
        (button,) = self._random.choices(
            (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton), (9, 1)
        )
        QTest.mouseClick(
            widget, button, self._random.choice(_MODIFIERS), self._place(widget)
        )

    def _double_click(self, top: QWidget) -> None:
        widget = self._choose(top)
        QTest.mouseDClick(
            widget,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
            self._place(widget),
        )

    def _trigger(self, top: QWidget) -> None:
        if top is not self._lab.window:
            self._press(top)
            return
        there = self._there()
        # What was triggered least comes first, so that in the end all were.
        least = min(self.triggered[key] for key in there)
        key = self._random.choice([k for k in there if self.triggered[k] == least])
        self.triggered[key] += 1
        there[key].trigger()

    def _there(self) -> dict[str, QAction]:
        there = {
            spec.key: action
            for spec, action in self._lab.actions.all()
            if action.isEnabled() and spec.key not in _NEVER
        }
        return there | {a.objectName(): a for a in self._lab.window.presets.presets}

    def _press(self, top: QWidget) -> None:
        key = self._random.choice(_KEYS)
        QTest.keyClick(_with_focus(top), key, self._random.choice(_MODIFIERS))

    def _type(self, top: QWidget) -> None:
        lines = [w for w in self._visible(top) if isinstance(w, QLineEdit)]
        if not lines:
            self._press(top)
            return
        line = self._random.choice(lines)
        line.setFocus()
        line.selectAll()
        QTest.keyClicks(line, self._random.choice(_TEXTS))
        if self._random.random() < 0.5:
            QTest.keyClick(_with_focus(top), Qt.Key.Key_Return)

    def _switch_page(self, top: QWidget) -> None:
        digit = Qt.Key(Qt.Key.Key_1 + self._random.randrange(6))
        QTest.keyClick(_with_focus(top), digit, Qt.KeyboardModifier.ControlModifier)

    def _drag(self, top: QWidget) -> None:
        widget = self._choose(top)
        left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        QTest.mousePress(widget, left, none, self._place(widget))
        for _ in range(3):
            # Not QTest's, which complains of widgets that have no use for it.
            place = QPointF(self._place(widget))
            there = QPointF(widget.mapToGlobal(place))
            move = QEvent.Type.MouseMove
            QApplication.sendEvent(
                widget, QMouseEvent(move, place, there, left, left, none)
            )
        QTest.mouseRelease(widget, left, none, self._place(widget))

    def _turn(self, top: QWidget) -> None:
        widget = self._choose(top)
        at = QPointF(self._place(widget))
        notches = self._random.choice((-120, 120))
        event = QWheelEvent(
            at,
            QPointF(widget.mapToGlobal(at)),
            QPoint(),
            QPoint(0, notches),
            Qt.MouseButton.NoButton,
            self._random.choice(_MODIFIERS),
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(widget, event)

    def _resize(self, top: QWidget) -> None:
        del top
        self._lab.window.resize(*self._random.choice(_SIZES))


def _on_top() -> QWidget | None:
    """Return the menu, list or dialog that everything goes to; None for the window."""
    return QApplication.activePopupWidget() or QApplication.activeModalWidget()


def _with_focus(top: QWidget) -> QWidget:
    if isinstance(top, QMenu):
        return top
    return top.focusWidget() or top
