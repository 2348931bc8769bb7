"""Where a figure goes."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QImage
from PySide6.QtWidgets import (
    QFileDialog,
    QLineEdit,
    QMessageBox,
    QSpinBox,
)

from metalab.figures.formats import FORMATS
from metalab.figures.registry import figures
from metalab.figures.render import encode
from tests.ui.export.driver import (
    CONTROL,
    Key,
    button,
    choose,
    named,
    type_path,
    wait_status,
)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.sampled(3)
def test_return_saves_the_chosen_format(qtbot, open_dialog, folder, suffix):
    dialog = open_dialog()
    choose(qtbot, dialog, "Format", FORMATS[suffix].title)
    name = f"maml-sine-3-changes-losses{suffix}"
    assert named(dialog, "File", QLineEdit).text() == str(folder / name)
    qtbot.keyClick(dialog, Key.Key_Return)
    wait_status(qtbot, dialog, f"Saved {name}")
    written = {path.name for path in folder.iterdir()}
    assert written == {
        name,
        *(["maml-sine-3-changes-losses.csv"] if suffix == ".py" else []),
    }
    assert dialog.isVisible()


def test_the_file_is_the_figure(qtbot, open_dialog, folder, history):
    dialog = open_dialog(suffix=".svg", size="double", figure="inner-loss")
    qtbot.keyClick(dialog, Key.Key_S, CONTROL)
    wait_status(qtbot, dialog, "Saved")
    content = (folder / "maml-sine-3-changes-inner-loss.svg").read_bytes()
    assert content == encode("inner-loss", history, ".svg", size="double")


def test_resolution_is_asked_for_pixels_alone(qtbot, open_dialog, folder):
    dialog = open_dialog()
    resolution = named(dialog, "Resolution", QSpinBox)
    assert not resolution.isVisible()
    choose(qtbot, dialog, "Format", "PNG, pixels")
    assert resolution.isVisible()
    resolution.setValue(100)
    dialog.save()
    wait_status(qtbot, dialog, "Saved")
    image = QImage(str(folder / "maml-sine-3-changes-losses.png"))
    assert image.width() == pytest.approx(89 / 25.4 * 100, abs=1)


def test_the_file_is_named_after_the_figure_until_a_person_names_it(
    qtbot, open_dialog, folder
):
    dialog = open_dialog()
    line = named(dialog, "File", QLineEdit)
    choose(qtbot, dialog, "Figure", figures()["inner-loss"].title)
    assert line.text() == str(folder / "maml-sine-3-changes-inner-loss.pdf")
    choose(qtbot, dialog, "Format", "SVG, vector")
    choose(qtbot, dialog, "Figure", figures()["losses"].title)
    assert line.text() == str(folder / "maml-sine-3-changes-losses.svg")
    type_path(qtbot, dialog, folder / "mine.pdf")
    line.clearFocus()
    assert dialog.target.suffix == ".pdf"  # As typed.
    choose(qtbot, dialog, "Figure", figures()["inner-loss"].title)
    choose(qtbot, dialog, "Format", "PNG, pixels")
    assert line.text() == str(folder / "mine.png")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("here.svg", "{folder}/here.svg"),
        ("  sub/here ", "{folder}/sub/here.pdf"),
        ("~/x.png", "{home}/x.png"),
        ("/a/b.pdf", "/a/b.pdf"),
        ("", None),
        ("{folder}", None),
        ("{folder}/", None),
        ("..", None),
        ("x" * 300, "{folder}/" + "x" * 300 + ".pdf"),
    ],
)
@pytest.mark.sampled(3)
def test_a_path_may_be_short(open_dialog, folder, text, path):
    dialog = open_dialog()
    dialog.target._path.setText(text.format(folder=folder))
    expected = path and Path(path.format(folder=folder, home=Path.home()))
    assert dialog.target.path == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Enter the name of a file"),
        ("no/such/a.pdf", "The folder "),
        ("a.jpg", "The suffix of 'a.jpg' is '.jpg'; allowed: .pdf, .svg"),
        ("x" * 300, "Cannot write "),
    ],
)
def test_an_error_is_told_in_the_dialog_and_nothing_is_written(
    qtbot, open_dialog, folder, text, message
):
    dialog = open_dialog()
    type_path(qtbot, dialog, text)
    qtbot.keyClick(dialog, Key.Key_Return)
    wait_status(qtbot, dialog, message)
    assert list(folder.iterdir()) == []
    assert button(dialog, "Save").isEnabled()
    assert not button(dialog, "Open folder").isVisible()
    # The next edit clears the message.
    type_path(qtbot, dialog, "a.pdf")
    assert dialog.status == ""


def test_what_saving_replaces_is_said_before(qtbot, open_dialog, folder):
    (folder / "maml-sine-3-changes-losses.csv").write_text("old")
    dialog = open_dialog()
    assert dialog.target.note == ""
    choose(qtbot, dialog, "Format", "Python script with its CSV")
    assert dialog.target.note == "maml-sine-3-changes-losses.csv exists already"
    qtbot.keyClick(dialog, Key.Key_Return)
    (question,) = dialog.findChildren(QMessageBox)
    assert question.text() == "Replace maml-sine-3-changes-losses.csv?"
    # The key that saves does not answer the question, which comes unlooked for.
    qtbot.keyClick(question, Key.Key_Return)
    assert (folder / "maml-sine-3-changes-losses.csv").read_text() == "old"
    assert [path.suffix for path in folder.iterdir()] == [".csv"]
    dialog.save()
    question = dialog.findChildren(QMessageBox)[-1]
    (replace,) = [b for b in question.buttons() if "Replace" in b.text()]
    qtbot.mouseClick(replace, Qt.MouseButton.LeftButton)
    wait_status(
        qtbot,
        dialog,
        "Saved maml-sine-3-changes-losses.py and maml-sine-3-changes-losses.csv",
    )
    assert dialog.target.note == ""
    # What was saved from here is replaced unasked.
    dialog.save()
    assert dialog.status == "Saving…"
    wait_status(qtbot, dialog, "Saved")


def test_the_folder_of_a_saved_file_can_be_opened(
    qtbot, open_dialog, folder, monkeypatch
):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    dialog = open_dialog()
    open_folder = button(dialog, "Open folder")
    assert not open_folder.isVisible()
    qtbot.mouseClick(button(dialog, "Save"), Qt.MouseButton.LeftButton)
    wait_status(qtbot, dialog, "Saved")
    qtbot.mouseClick(open_folder, Qt.MouseButton.LeftButton)
    assert opened == [QUrl.fromLocalFile(str(folder))]


def test_browsing_takes_path_and_format(qtbot, open_dialog, folder, monkeypatch):
    asked = []

    def answer(*arguments):
        asked.append(arguments)
        return str(folder / "browsed.svg"), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
    dialog = open_dialog()
    qtbot.mouseClick(button(dialog, "Browse…"), Qt.MouseButton.LeftButton)
    assert asked[0][2] == str(folder / "maml-sine-3-changes-losses.pdf")
    assert asked[0][4] == "PDF, vector (*.pdf)"
    assert dialog.target.path == folder / "browsed.svg"
    assert dialog.target.suffix == ".svg"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    qtbot.mouseClick(button(dialog, "Browse…"), Qt.MouseButton.LeftButton)
    assert dialog.target.path == folder / "browsed.svg"
