"""What actions ask and say, in a window with a run."""

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QFileDialog

from metalab.ui.learn.lesson import load_lesson
from tests.support.fake_worker import small_config

pytestmark = pytest.mark.gui


@pytest.fixture
def running(lab, workshop):
    lab.session.set_config(small_config())
    lab.session.toggle_run()
    workshop.worker.play(6)
    lab.clock.tick()
    return lab


def dialog_of(lab, kind: type[QDialog]) -> QDialog:
    return next(d for d in lab.window.findChildren(kind) if d.isVisible())


def test_every_dialog_for_runs_begins_where_the_last_one_was(running, tmp_path, qtbot):
    running.window.workspaces.show_page("adapt")
    tools = running.window.workspaces.current.tools
    running.clock.tick()
    qtbot.mouseClick(tools.add, Qt.MouseButton.LeftButton)
    dialog = dialog_of(running, QFileDialog)
    assert dialog.windowTitle() == "Lay another run over"
    dialog.fileSelected.emit(str(tmp_path / "other.metalab"))
    dialog.close()
    qtbot.waitUntil(lambda: running.window.findChildren(QFileDialog) == [])
    running.actions["open_file"].trigger()
    dialog = dialog_of(running, QFileDialog)
    assert dialog.directory().absolutePath() == str(tmp_path)
    dialog.close()
    qtbot.waitUntil(lambda: running.window.findChildren(QFileDialog) == [])
    running.preferences.change("folder", str(tmp_path.parent))
    qtbot.mouseClick(tools.add, Qt.MouseButton.LeftButton)
    dialog = dialog_of(running, QFileDialog)
    assert dialog.directory().absolutePath() == str(tmp_path.parent)
    dialog.close()


def test_points_that_escape_puts_back_are_offered_again(running, qtbot):
    adaptation = running.window.live.adaptation
    qtbot.keyClick(adaptation.plot, Qt.Key.Key_Tab)
    qtbot.keyClick(adaptation.plot, Qt.Key.Key_Up)
    mine = adaptation.moved
    assert mine is not None
    qtbot.keyClick(adaptation.plot, Qt.Key.Key_Escape)
    assert adaptation.moved is None
    (toast,) = running.window.toasts.toasts
    assert toast.text.text() == "Support points of task 1 put back"
    qtbot.mouseClick(toast.button, Qt.MouseButton.LeftButton)
    assert adaptation.moved is mine


def test_a_lesson_that_is_saved_says_where_its_text_is_written(
    running, qtbot, tmp_path, monkeypatch
):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    path = tmp_path / "mine.lesson.toml"
    running.actions["save_lesson"].trigger()
    dialog = dialog_of(running, QFileDialog)
    dialog.fileSelected.emit(str(path))
    dialog.close()
    assert load_lesson(path).title
    (toast,) = running.window.toasts.toasts
    assert toast.text.text().endswith(f"Its title and text are edited in {path}")
    qtbot.mouseClick(toast.button, Qt.MouseButton.LeftButton)
    assert opened == [QUrl.fromLocalFile(str(tmp_path))]
