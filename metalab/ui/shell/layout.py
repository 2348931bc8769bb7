"""Geometry of the window and its docks, kept between starts."""

from PySide6.QtCore import QByteArray, QPoint, QRect, QSettings, QSize
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMainWindow, QStyle

from metalab.runs.system.home import config_home

STATE_VERSION = 3
"""Raise it when docks or toolbars change: an older state would misplace them."""

DEFAULT_SIZE = QSize(1280, 800)

_FRAME = 6
"""Pixels at the sides and below for the frame of a window manager."""


def layout_settings() -> QSettings:
    """Return the store of geometry; nothing else is kept there."""
    path = config_home() / "layout.ini"
    return QSettings(str(path), QSettings.Format.IniFormat)


def save_layout(window: QMainWindow, settings: QSettings) -> None:
    """Remember where the window and its docks are."""
    settings.setValue("window/geometry", window.saveGeometry())
    settings.setValue("window/state", window.saveState(STATE_VERSION))
    settings.sync()


def restore_layout(window: QMainWindow, settings: QSettings) -> bool:
    """Put the window and its docks where they were, as far as that is on a screen.

    At its first start a window only has a size: whoever manages the windows knows where
    its title bar fits, and a place given here is taken literally, the bar above it.

    Returns:
        Whether the docks' state was known and fitting.
    """
    geometry = settings.value("window/geometry")
    bar = window.style().pixelMetric(QStyle.PixelMetric.PM_TitleBarHeight)
    # Where the window itself can be: below its title bar.
    screens = [
        screen.availableGeometry().adjusted(0, bar, 0, 0)
        for screen in QGuiApplication.screens()
    ]
    if not isinstance(geometry, QByteArray) or not window.restoreGeometry(geometry):
        room = [screen.size() - QSize(2 * _FRAME, _FRAME) for screen in screens[:1]]
        size = DEFAULT_SIZE.boundedTo(*room) if room else DEFAULT_SIZE
        window.resize(size.expandedTo(window.minimumSize()))
    elif not window.isMaximized() and not window.isFullScreen():
        place = clamped(window.geometry(), window.minimumSize(), screens)
        if place != window.geometry():
            window.setGeometry(place)
    state = settings.value("window/state")
    return isinstance(state, QByteArray) and window.restoreState(state, STATE_VERSION)


def clamped(frame: QRect, least: QSize, screens: list[QRect]) -> QRect:
    """Return a window's rectangle, moved and shrunk to lie on one screen.

    Args:
        frame: Where the window would be.
        least: Smallest size of the window; kept even on a smaller screen.
        screens: Usable part of each screen; the first is taken if none is touched.
    """
    if not screens:
        return frame

    def shared_area(screen: QRect) -> int:
        shared = screen.intersected(frame)
        return shared.width() * shared.height() if shared.isValid() else 0

    screen = max(screens, key=shared_area)
    size = frame.size().boundedTo(screen.size()).expandedTo(least)
    left = max(screen.left(), min(frame.left(), screen.right() + 1 - size.width()))
    top = max(screen.top(), min(frame.top(), screen.bottom() + 1 - size.height()))
    return QRect(QPoint(left, top), size)
