"""Present mode: the plots alone on the whole screen, large enough for a lecture room."""

from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QByteArray,
    QCoreApplication,
    QEvent,
    QObject,
    QRect,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QFont, QKeyEvent
from PySide6.QtWidgets import QComboBox, QDockWidget, QMenu, QSplitter
from shiboken6 import Shiboken

from metalab.ui.shell.layout import STATE_VERSION
from metalab.ui.style.theming import change_theme, current_theme

if TYPE_CHECKING:
    from metalab.ui.shell.main_window import MainWindow

SCALE = 1.5
"""Largest factor of fonts, lines and points, taken where there is room."""

_ROOM = QSize(760, 624)
"""Of the pages in width and of the window in height, below which an ordinary font leaves
the plots of a page too little; a font that is larger by a factor needs as much more."""

_STEP = 0.05
"""Of the scale: a pixel more or less of room sets no other font."""

LESSON = "lesson"
"""Name of the dock that stays."""

_MOST_TURNS = 10
"""Of putting splitters back; usually two or three are enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arrangement:
    """How a window was arranged before.

    Attributes:
        filling: Whether it filled the screen already.
        place: Where it was, without its frame.
        state: Its docks and toolbars.
        splitters: Each splitter in it, with its state.
        font: Its font.
        menus: Menus that now take the window's font.
    """

    filling: Qt.WindowState
    place: QRect
    state: QByteArray
    splitters: tuple[tuple[QSplitter, QByteArray], ...]
    font: QFont
    menus: tuple[QMenu, ...]


class PresentMode(QObject):
    """Shows a window to a lecture room, and puts everything back afterwards.

    Docks but that of a lesson, and the details of the status bar go; the window fills the
    screen; fonts, lines and points grow as far as the room beside a lesson allows. Escape
    leaves wherever no part of the window has a use for it. What is opened meanwhile is
    closed with the mode, and a window that is closed is put back first, so that it is not
    remembered like this.

    Attributes:
        changed: Present mode has begun or ended.
    """

    changed = Signal(bool)

    def __init__(self, window: "MainWindow") -> None:
        """Make the mode of a window, not begun.

        Args:
            window: Qt's owner, too.
        """
        super().__init__(window)
        self._window = window
        self._before: _Arrangement | None = None
        self._settling: _Arrangement | None = None
        self._later: _Arrangement | None = None
        self._turns_left = 0
        self._scale = 1.0
        self._fit_later = QTimer(self)
        self._fit_later.setSingleShot(True)
        self._fit_later.timeout.connect(self._fit)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._on_settled)
        window.installEventFilter(self)

    @property
    def on(self) -> bool:
        """Whether the window is presented."""
        return self._before is not None

    @property
    def scale(self) -> float:
        """How much larger lines and points are just now."""
        return self._scale

    def set_on(self, on: bool) -> None:  # noqa: FBT001 - a slot
        """Begin or end, unless it is so already."""
        if on and not self.on:
            self._begin()
        elif not on and self.on:
            self._end()

    def toggle(self) -> None:
        """Begin, or end."""
        self.set_on(not self.on)

    def _begin(self) -> None:
        window = self._window
        self._settling = None
        self._before = self._arrangement()
        for menu in self._before.menus:
            menu.setAttribute(Qt.WidgetAttribute.WA_WindowPropagation)
        beside = 0
        for dock in window.findChildren(QDockWidget):
            # A lesson is what the lecture is about.
            if dock.objectName() != LESSON:
                dock.hide()
            elif not (dock.isHidden() or dock.isFloating()):
                beside = dock.width()
        window.status.set_brief(brief=True)
        window.centralWidget().installEventFilter(self)
        window.setWindowState(window.windowState() | Qt.WindowState.WindowFullScreen)
        # A window manager may take its time; what it will give is known.
        screen = window.screen().size()
        self._set_scale(fitting(QSize(screen.width() - beside, screen.height())))
        self.changed.emit(True)  # noqa: FBT003 - Qt's signature

    def _fit(self) -> None:
        """Fit the scale to the room that there is now, beside a lesson."""
        if self.on:
            window = self._window
            room = QSize(window.centralWidget().width(), window.height())
            self._set_scale(fitting(room))

    def _set_scale(self, scale: float) -> None:
        before = self._before
        assert before is not None, "only a window that is presented grows"
        if scale == self._scale:
            return
        self._scale = scale
        larger = QFont(before.font)
        larger.setPointSizeF(scale * larger.pointSizeF())
        self._set_font(larger)
        change_theme(current_theme().scaled(scale))

    def _end(self) -> None:
        before, self._before = self._before, None
        assert before is not None, "only what has begun can end"
        window = self._window
        self._fit_later.stop()
        window.centralWidget().removeEventFilter(self)
        self._scale = 1.0
        self._set_font(before.font)
        for menu in before.menus:
            if Shiboken.isValid(menu):
                menu.setAttribute(Qt.WidgetAttribute.WA_WindowPropagation, on=False)
        window.status.set_brief(brief=False)
        change_theme(current_theme().scaled(1.0))
        window.setWindowState(before.filling)
        if not (window.isMaximized() or window.isFullScreen()):
            window.setGeometry(before.place)
        self._put_back(before)
        # A window manager gives the old size later; then it has to be done again.
        self._turns_left = _MOST_TURNS
        self._settling = None if window.size() == before.place.size() else before
        if self._settling is None:
            # Once more when every part knows the size that its old font needs.
            self._later = before
            self._timer.start()
        self.changed.emit(False)  # noqa: FBT003 - Qt's signature

    def _set_font(self, font: QFont) -> None:
        self._window.setFont(font)
        for box in self._window.findChildren(QComboBox):
            # With another font alone, it keeps its least size (QComboBox::changeEvent).
            QCoreApplication.sendEvent(box, QEvent(QEvent.Type.StyleChange))

    def _arrangement(self) -> _Arrangement:
        window = self._window
        propagated = Qt.WidgetAttribute.WA_WindowPropagation
        menus = window.findChildren(QMenu)
        return _Arrangement(
            filling=window.windowState(),
            place=window.geometry(),
            state=window.saveState(STATE_VERSION),
            splitters=tuple(
                (splitter, splitter.saveState())
                for splitter in window.findChildren(QSplitter)
            ),
            font=QFont(window.font()),
            menus=tuple(menu for menu in menus if not menu.testAttribute(propagated)),
        )

    def _put_back(self, before: _Arrangement) -> None:
        self._window.restoreState(before.state, STATE_VERSION)
        for splitter, state in before.splitters:
            if Shiboken.isValid(splitter):
                splitter.restoreState(state)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Leave with Escape and before the window closes; settle when it has its size."""
        kind = event.type()
        if kind == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if self.on and event.key() == Qt.Key.Key_Escape:
                self.set_on(False)
                return True
        elif kind == QEvent.Type.Close:
            self.set_on(False)
        elif kind == QEvent.Type.Resize:
            self._on_resized()
        return super().eventFilter(watched, event)

    def _on_resized(self) -> None:
        if self.on:
            # Once everything has its place.
            self._fit_later.start()
        self._settle()

    def _settle(self) -> None:
        settling = self._settling
        if settling is not None and self._window.size() == settling.place.size():
            self._settling = None
            # After the window has given its parts their places in the new size.
            self._later = settling
            self._timer.start()

    def _on_settled(self) -> None:
        later, self._later = self._later, None
        if later is None or self.on:
            return
        self._put_back(later)
        self._turns_left -= 1
        if self._turns_left > 0 and not _is_back(later):
            # Parts learn the least sizes of their old font one turn after another.
            self._later = later
            self._timer.start()


def fitting(room: QSize) -> float:
    """Return the largest scale that leaves the plots of a page what they need.

    Args:
        room: Width of the pages, height of the window.
    """
    share = min(room.width() / _ROOM.width(), room.height() / _ROOM.height())
    return min(SCALE, max(1.0, _STEP * floor(share / _STEP)))


def _is_back(before: _Arrangement) -> bool:
    """Return whether every splitter is as it was."""
    return all(
        splitter.saveState() == state
        for splitter, state in before.splitters
        if Shiboken.isValid(splitter)
    )
