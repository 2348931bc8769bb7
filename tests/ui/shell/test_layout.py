"""Where the window was, and that it can always be reached."""

import pytest
from PySide6.QtCore import QByteArray, QRect, QSize, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDockWidget, QMainWindow, QStyle

from metalab.ui.shell.layout import (
    DEFAULT_SIZE,
    clamped,
    layout_settings,
    restore_layout,
    save_layout,
)

LEAST = QSize(1100, 700)
SCREEN = QRect(0, 0, 1920, 1080)
LEFT_SCREEN = QRect(-1600, 0, 1600, 900)


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (QRect(100, 50, 1280, 800), QRect(100, 50, 1280, 800)),
        (QRect(5000, 4000, 1280, 800), QRect(640, 280, 1280, 800)),
        (QRect(-300, -40, 1280, 800), QRect(0, 0, 1280, 800)),
        (QRect(10, 10, 4000, 3000), QRect(0, 0, 1920, 1080)),
        (QRect(10, 10, 300, 200), QRect(10, 10, 1100, 700)),
    ],
)
def test_a_window_ends_up_on_the_screen(frame, expected):
    assert clamped(frame, LEAST, [SCREEN]) == expected


def test_the_screen_with_most_of_the_window_is_taken():
    frame = QRect(-1500, 100, 1280, 790)
    assert clamped(frame, LEAST, [SCREEN, LEFT_SCREEN]) == frame
    off = QRect(-1500, 500, 1280, 790)
    assert clamped(off, LEAST, [SCREEN, LEFT_SCREEN]) == QRect(-1500, 110, 1280, 790)


def test_without_a_screen_nothing_is_moved():
    frame = QRect(5000, 5000, 1280, 800)
    assert clamped(frame, LEAST, []) == frame


def make_window(qtbot):
    window = QMainWindow()
    dock = QDockWidget("Dock", window)
    dock.setObjectName("dock")
    window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock)
    qtbot.addWidget(window)
    return window, dock


def test_the_layout_comes_back(qtbot):
    settings = layout_settings()
    window, dock = make_window(qtbot)
    assert not restore_layout(window, settings)
    window.resize(640, 480)
    dock.hide()
    save_layout(window, settings)
    other, other_dock = make_window(qtbot)
    assert restore_layout(other, layout_settings())
    assert other.size() == QSize(640, 480)
    assert other_dock.isHidden()


def test_a_first_window_has_a_size_and_no_place(qtbot):
    window, _ = make_window(qtbot)
    restore_layout(window, layout_settings())
    bar = window.style().pixelMetric(QStyle.PixelMetric.PM_TitleBarHeight)
    room = QGuiApplication.primaryScreen().availableGeometry().adjusted(0, bar, 0, 0)
    assert window.width() <= min(room.width(), DEFAULT_SIZE.width())
    assert window.height() <= min(room.height(), DEFAULT_SIZE.height())
    assert window.width() > 0.9 * min(room.width(), DEFAULT_SIZE.width())
    assert not window.testAttribute(Qt.WidgetAttribute.WA_Moved)


def test_a_title_bar_above_the_screen_comes_back(qtbot):
    settings = layout_settings()
    window, _ = make_window(qtbot)
    window.setGeometry(10, -300, 640, 480)
    save_layout(window, settings)
    other, _ = make_window(qtbot)
    restore_layout(other, layout_settings())
    bar = other.style().pixelMetric(QStyle.PixelMetric.PM_TitleBarHeight)
    assert other.geometry().top() >= bar > 0


@pytest.mark.parametrize("nonsense", ["text", 5, QByteArray(b"no geometry")])
def test_nonsense_is_ignored(qtbot, nonsense):
    settings = layout_settings()
    settings.setValue("window/geometry", nonsense)
    settings.setValue("window/state", nonsense)
    window, _ = make_window(qtbot)
    assert not restore_layout(window, settings)
    assert not window.size().isEmpty()


def test_the_file_is_in_the_folder_of_configuration(tmp_path):
    assert layout_settings().fileName() == str(tmp_path / "home/config/layout.ini")
