"""Reading a lesson."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QSize, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QTextDocument
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from metalab.ui.learn.lesson import Lesson, LessonPage
from metalab.ui.learn.lesson_panel import LessonPanel, PageText
from metalab.ui.style.theme import LIGHT
from metalab.ui.style.theming import change_theme

LESSON = Lesson(
    title="A lesson",
    preset="maml-sine",
    pages=tuple(LessonPage(text=f"## Page\n\nNumber *{n}*") for n in range(1, 4)),
)


@pytest.fixture
def panel(shown: Callable[[QWidget], None]) -> LessonPanel:
    made = LessonPanel()
    change_theme(LIGHT)
    shown(made)
    made.show_lesson(LESSON)
    return made


def test_pages_are_turned_by_the_buttons(qtbot: QtBot, panel: LessonPanel):
    assert panel.place == "Page 1 of 3"
    assert panel.text.toPlainText() == "Page\nNumber 1"
    assert not panel.back_button.isEnabled()
    with qtbot.waitSignal(panel.page_shown) as shown:
        qtbot.mouseClick(panel.next_button, Qt.MouseButton.LeftButton)
    assert shown.args == [LESSON.pages[1]]
    assert panel.place == "Page 2 of 3"
    assert "Number 2" in panel.text.toPlainText()
    qtbot.mouseClick(panel.back_button, Qt.MouseButton.LeftButton)
    assert panel.index == 0


def test_pages_are_turned_by_keys(qtbot: QtBot, panel: LessonPanel):
    qtbot.keyClick(panel, Qt.Key.Key_PageDown)
    assert panel.index == 1
    qtbot.keyClick(panel, Qt.Key.Key_PageUp)
    assert panel.index == 0
    qtbot.keyClick(panel, Qt.Key.Key_PageUp)
    assert panel.index == 0


def test_the_last_page_finishes(qtbot: QtBot, panel: LessonPanel):
    panel.show_lesson(LESSON, 99)
    assert panel.place == "Page 3 of 3"
    assert panel.next_button.text() == "&Finish"
    with qtbot.waitSignal(panel.closed):
        qtbot.mouseClick(panel.next_button, Qt.MouseButton.LeftButton)
    assert panel.lesson is None
    assert panel.index == 2


@pytest.mark.parametrize("way", ["button", "escape"])
def test_a_lesson_is_left_once(qtbot: QtBot, panel: LessonPanel, way: str):
    with qtbot.waitSignal(panel.closed):
        if way == "button":
            qtbot.mouseClick(panel.close_button, Qt.MouseButton.LeftButton)
        else:
            qtbot.keyClick(panel, Qt.Key.Key_Escape)
    with qtbot.assertNotEmitted(panel.closed):
        panel.leave()
    with qtbot.assertNotEmitted(panel.page_shown):
        panel.go_on()
        panel.go_back()


_IMAGE = QTextDocument.ResourceType.ImageResource.value


def test_a_page_shows_no_pictures_and_leads_only_to_the_web(qtbot, monkeypatch):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    page = PageText()
    qtbot.addWidget(page)
    page.setMarkdown("![endless](file:///dev/zero) ![local](/etc/hostname)")
    # Told that there is nothing, Qt would read the device itself, to the end of memory.
    page.show()
    page.grab()
    shown = page.document().resource(_IMAGE, QUrl("file:///dev/zero"))
    assert shown.size() == QSize(1, 1)
    for link in ("file:///bin/sh", "smb://host/x", "vscode:run", "javascript:1", "x"):
        page.anchorClicked.emit(QUrl(link))
    assert opened == []
    page.anchorClicked.emit(QUrl("https://arxiv.org/abs/1703.03400"))
    assert opened == [QUrl("https://arxiv.org/abs/1703.03400")]
