"""What the dialog shows."""

import subprocess
import sys
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import (
    QSlider,
)

from metalab.figures.base import FigureChoices
from metalab.figures.render import encode
from metalab.figures.sizes import SIZES
from metalab.ui.export.jobs import JobKind
from tests.ui.export.driver import (
    Key,
    button,
    choose,
    named,
    redrawn,
)


@pytest.mark.slow
def test_opening_shows_a_placeholder_and_loads_no_matplotlib():
    code = """
import sys
from PySide6.QtWidgets import QApplication
app = QApplication([])
from metalab.ui.export.dialog import ExportDialog
from metalab.ui.style.theme import LIGHT
from tests.figures.histories import make_history
dialog = ExportDialog(make_history())
dialog.show()
app.processEvents()
print(dialog.preview.message, "matplotlib" in sys.modules)
dialog.reject()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "Rendering… False"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.sampled(2)
def test_the_preview_has_its_true_size_on_this_screen(open_dialog, size):
    dialog = open_dialog(size=size)
    dots = dialog.screen().physicalDotsPerInch()
    width, height = SIZES[size].inches
    picture = dialog.preview.picture.deviceIndependentSize()
    assert picture.width() == pytest.approx(width * dots, abs=1.5)
    assert picture.height() == pytest.approx(height * dots, abs=1.5)
    assert f"{SIZES[size].width:g} ×" in dialog.preview.measure


def test_fit_fills_the_space_and_follows_the_window(qtbot, open_dialog):
    dialog = open_dialog()
    fit = button(dialog, "Fit to the window")
    true = dialog.preview.picture.deviceIndependentSize()
    redrawn(qtbot, dialog, lambda: qtbot.mouseClick(fit, Qt.MouseButton.LeftButton))
    large = dialog.preview.picture.deviceIndependentSize()
    assert large.width() > true.width()
    assert large.width() < dialog.preview.width()
    assert "shown at" in dialog.preview.measure
    redrawn(qtbot, dialog, lambda: dialog.resize(800, 560))
    smaller = dialog.preview.picture.deviceIndependentSize()
    assert smaller.width() < large.width()
    redrawn(qtbot, dialog, lambda: qtbot.keyClick(fit, Key.Key_Space))
    assert dialog.preview.picture.deviceIndependentSize() == true


def test_the_preview_is_the_figure_with_its_caption(open_dialog, history):
    dialog = open_dialog(figure="adaptation", choices=FigureChoices(task=4))
    content = encode(
        "adaptation",
        history,
        ".png",
        choices=FigureChoices(task=4),
        dpi=dialog.preview.dpi,
    )
    shown = dialog.preview.picture.toImage().convertToFormat(QImage.Format.Format_RGB32)
    expected = QImage.fromData(content).convertToFormat(QImage.Format.Format_RGB32)
    shown.setDevicePixelRatio(1)
    assert shown == expected
    assert "held-out task 5 (amplitude" in dialog.preview.caption


def test_a_figure_that_cannot_be_drawn_says_why(qtbot, open_dialog, history):
    dialog = open_dialog(shown=replace(history, curves=None), figure="adaptation")
    assert dialog.preview.message.startswith("Figure 'adaptation' needs the curves")
    assert not button(dialog, "Save").isEnabled()
    assert not button(dialog, "Copy").isEnabled()
    dialog.save()
    dialog.copy()
    assert dialog.status == ""
    choose(qtbot, dialog, "Figure", "Losses over training")
    qtbot.waitUntil(lambda: not dialog.preview.message, timeout=10_000)
    assert button(dialog, "Save").isEnabled()


def test_many_changes_make_one_preview(qtbot, open_dialog):
    dialog = open_dialog()
    pictures = []
    dialog.jobs.finished.connect(
        lambda kind, _result: kind is JobKind.PREVIEW and pictures.append(kind)
    )
    slider = named(dialog, "Smoothing", QSlider)
    for _ in range(10):
        qtbot.keyClick(slider, Key.Key_Left)
    qtbot.waitUntil(lambda: bool(pictures), timeout=10_000)
    assert pictures == [JobKind.PREVIEW]
