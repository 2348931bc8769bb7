"""The dialog as a whole: copying, closing, what is remembered."""

import threading
from xml.etree import ElementTree

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractButton,
    QCheckBox,
    QComboBox,
    QPushButton,
    QSlider,
    QSpinBox,
)

from metalab.figures.registry import figures
from metalab.figures.render import encode
from metalab.figures.sizes import SIZES
from metalab.ui.export.settings import ExportSettings
from metalab.ui.style.theme import LIGHT
from metalab.ui.style.theming import change_theme
from tests.ui.export.driver import (
    CONTROL,
    Key,
    button,
    choose,
    ended,
    named,
    type_path,
    wait_status,
)


@pytest.mark.parametrize("by_key", [True, False])
def test_copy_puts_pixels_and_vectors_on_the_clipboard(
    qtbot, open_dialog, history, by_key
):
    QGuiApplication.clipboard().clear()
    dialog = open_dialog()
    if by_key:
        qtbot.keyClick(dialog, Key.Key_C, CONTROL)
    else:
        qtbot.mouseClick(button(dialog, "Copy"), Qt.MouseButton.LeftButton)
    wait_status(qtbot, dialog, "Copied as PNG and SVG")
    content = QGuiApplication.clipboard().mimeData()
    image = content.imageData()
    assert image.width() == pytest.approx(89 / 25.4 * 300, abs=1)
    svg = bytes(content.data("image/svg+xml").data())
    assert svg == encode("losses", history, ".svg")
    ElementTree.fromstring(svg)


def test_settings_are_given_back(qtbot, open_dialog, folder):
    settings = ExportSettings(
        figure="inner-loss",
        size="square",
        suffix=".png",
        dpi=450,
        folder=str(folder),
        fit=True,
    )
    dialog = open_dialog(**{name: getattr(settings, name) for name in FIELDS})
    assert dialog.settings() == settings
    type_path(qtbot, dialog, folder.parent / "other.svg")
    choose(qtbot, dialog, "Size", SIZES["slide"].title)
    changed = dialog.settings()
    assert (changed.size, changed.suffix) == ("slide", ".svg")
    assert changed.folder == str(folder.parent)


FIELDS = tuple(ExportSettings.__dataclass_fields__)


def test_unknown_settings_fall_back(open_dialog):
    dialog = open_dialog(figure="gone", size="A4", suffix=".eps", dpi=5)
    settings = dialog.settings()
    assert settings.figure in figures()
    assert (settings.size, settings.suffix, settings.dpi) == ("single", ".pdf", 30)


def test_without_a_folder_the_documents_are_meant(open_dialog):
    dialog = open_dialog(folder="")
    assert dialog.target.path.parent.is_dir()


def test_everything_has_a_name_for_screen_readers(open_dialog):
    dialog = open_dialog()
    kinds = (QComboBox, QSlider, QSpinBox, QCheckBox, QPushButton)
    widgets = [w for kind in kinds for w in dialog.findChildren(kind)]
    widgets.append(dialog.target._path)
    for widget in widgets:
        text = widget.text() if isinstance(widget, QAbstractButton) else ""
        assert widget.accessibleName() or text, widget


def test_mnemonics_are_unique(open_dialog):
    dialog = open_dialog()
    texts = [w.text() for w in dialog.findChildren(QAbstractButton)]
    texts += [
        label.text()
        for label in dialog.findChildren(type(dialog._status))
        if label.buddy()
    ]
    letters = [text[text.index("&") + 1].lower() for text in texts if "&" in text]
    assert len(letters) > 10
    assert len(letters) == len(set(letters))


def test_escape_closes(qtbot, open_dialog):
    dialog = open_dialog()
    qtbot.keyClick(dialog, Key.Key_Escape)
    assert not dialog.isVisible()


def test_another_theme_changes_the_dialog_and_not_the_figure(open_dialog):
    dialog = open_dialog()
    picture = dialog.preview.picture.toImage()
    before = dialog.grab().toImage()
    change_theme(LIGHT)
    assert dialog.grab().toImage() != before
    assert dialog.preview.picture.toImage() == picture
    assert picture.pixelColor(0, 0).name() == "#ffffff"


def test_closing_waits_for_the_file(qtbot, open_dialog, folder):
    dialog = open_dialog()
    dialog.save()
    dialog.reject()
    assert dialog.isVisible()
    qtbot.waitUntil(lambda: not dialog.isVisible(), timeout=10_000)
    assert (folder / "maml-sine-3-changes-losses.pdf").stat().st_size > 1000


def test_closing_stays_if_the_file_cannot_be_written(qtbot, open_dialog, folder):
    dialog = open_dialog()
    dialog.target._path.setText("no/such/folder.pdf")
    dialog.save()
    dialog.reject()
    wait_status(qtbot, dialog, "The folder ")
    assert dialog.isVisible()
    # It stays until somebody closes it again.
    dialog.reject()
    assert not dialog.isVisible()


def test_closing_leaves_no_thread(qtbot, open_dialog):
    dialog = open_dialog()
    redraw = named(dialog, "Legend", QComboBox)
    redraw.setCurrentIndex(1)
    dialog._on_debounced()
    dialog.reject()
    assert not dialog.isVisible()
    assert ended(dialog)
    names = [thread.name for thread in threading.enumerate()]
    assert not any(name.startswith("export") for name in names)
