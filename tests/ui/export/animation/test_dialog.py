"""The animation dialog: what it offers, shows, writes, and leaves when it is closed."""

from dataclasses import replace

import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QFileDialog,
    QLabel,
    QSlider,
)

from metalab.experiment.config import preset_config
from metalab.experiment.fields import with_overrides
from metalab.figures.base import FigureChoices
from metalab.runs.record.live import LiveRun
from metalab.runs.running.control import RunControl
from metalab.runs.running.run import run_experiment
from metalab.runs.system.background_job import GiveUp
from metalab.ui.export.animation.dialog import AnimationDialog
from metalab.ui.export.animation.work import FrameMaker, FrameRequest, write_file
from metalab.ui.export.jobs import JobKind
from metalab.ui.style.theme import LIGHT
from metalab.ui.style.theming import change_theme
from tests.ui.export.driver import Key, button, choose, ended, named

pytestmark = pytest.mark.usefixtures("no_leaks")


@pytest.fixture(scope="module")
def history():
    config = with_overrides(
        preset_config("maml-sine"),
        [
            ("outer.num_steps", 40),
            ("outer.num_tasks", 4),
            ("model.hidden_sizes", [8]),
            ("evaluation.num_tasks", 16),
            ("evaluation.num_inner_steps", 3),
            ("evaluation.every", 20),
        ],
    )
    live = LiveRun(config)
    run_experiment(live, RunControl())
    return live.snapshot()


@pytest.fixture
def open_dialog(qtbot, history):
    """Open dialogs of small frames, wait for the first, close them in the end."""
    opened = []

    def open_one(*, shown=history, choices=None, wait=True):
        dialog = AnimationDialog(shown, choices or FigureChoices())
        qtbot.addWidget(dialog)
        dialog.dpi.setValue(40)
        dialog.show()
        opened.append(dialog)
        if wait:
            settled(qtbot, dialog)
        return dialog

    yield open_one
    for dialog in opened:
        dialog.reject()
        assert not dialog.isVisible()
        assert ended(dialog)


def settled(qtbot, dialog):
    """Wait until the frame that is wanted is shown, or why there is none."""

    def quiet():
        busy = any(dialog.jobs.is_busy(kind) for kind in JobKind)
        if dialog.debounce.isActive() or busy:
            return False
        return dialog.preview.message != "Rendering…"

    qtbot.waitUntil(quiet, timeout=20_000)


def spin(dialog, name):
    return named(dialog, name, QAbstractSpinBox)


# --------------------------------------------------------------- what is offered


@pytest.mark.slow
def test_it_tells_how_long_and_how_large_a_film_becomes(qtbot, open_dialog):
    dialog = open_dialog()
    assert dialog.facts.startswith("4 frames · 2.2 s · 140 × 98 pixels · about ")
    spin(dialog, "Frames a second").setValue(2)
    assert dialog.facts.startswith("4 frames · 3.5 s · 140 × 98 pixels")
    settled(qtbot, dialog)
    spin(dialog, "Last step").setValue(2)
    assert dialog.facts.startswith("3 frames · 3.0 s")


@pytest.mark.slow
def test_every_sweep_offers_its_figures_and_steps(qtbot, open_dialog):
    dialog = open_dialog()
    box = named(dialog, "Figure", QComboBox)
    assert [box.itemData(i) for i in range(box.count())] == ["adaptation", "inner-loss"]
    assert spin(dialog, "Last step").value() == 3
    choose(qtbot, dialog, "Figure", "Loss against inner step")
    choose(qtbot, dialog, "Sweep", "Outer steps")
    assert box.currentData() == "inner-loss"
    assert not named(dialog, "Task", QComboBox).isVisible()
    choose(qtbot, dialog, "Figure", "Losses over training")
    assert (spin(dialog, "First step").value(), spin(dialog, "Last step").value()) == (
        1,
        40,
    )
    settled(qtbot, dialog)
    assert dialog.preview.where == "Outer step 1"
    choose(qtbot, dialog, "Sweep", "Inner steps")
    assert box.currentData() == "adaptation"


def test_the_task_that_is_looked_at_is_animated(open_dialog):
    dialog = open_dialog(choices=FigureChoices(task=4, log_y=False), wait=False)
    chosen = dialog.options.choices().figure_choices
    assert (chosen.task, chosen.log_y) == (4, False)


@pytest.mark.parametrize("suffix", [".gif", ".mp4"])
@pytest.mark.sampled(2)
def test_what_is_told_of_its_size_is_about_true(open_dialog, history, tmp_path, suffix):
    dialog = open_dialog(wait=False)
    choices = replace(dialog.options.choices(), dpi=60)
    weight = FrameMaker(history).show(FrameRequest(choices, 0, 60, GiveUp())).weight
    path = tmp_path / f"film{suffix}"
    target = write_file(path, history, choices, lambda _done, _count: None, GiveUp())
    files = [target] if target.is_file() else list(target.glob("*.png"))
    size = sum(file.stat().st_size for file in files)
    assert 0.4 < weight.of_file(4, suffix) / size < 2.5


# --------------------------------------------------------------- frames


def test_the_slider_goes_through_the_frames(qtbot, open_dialog):
    dialog = open_dialog()
    assert dialog.preview.where == "Inner step 0 of 3"
    first = dialog.preview.picture.toImage()
    slider = named(dialog, "Frame", QSlider)
    slider.setFocus()
    qtbot.keyClick(slider, Key.Key_End)
    qtbot.waitUntil(lambda: dialog.preview.where == "Inner step 3 of 3", timeout=10_000)
    assert dialog.preview.picture.toImage() != first
    qtbot.keyClick(slider, Key.Key_Home)
    qtbot.waitUntil(lambda: dialog.preview.where == "Inner step 0 of 3", timeout=10_000)
    assert dialog.preview.picture.toImage() == first


def test_a_larger_dialog_has_a_larger_frame(qtbot, open_dialog):
    dialog = open_dialog()
    before = dialog.preview.picture.width()
    dialog.resize(dialog.width() + 300, dialog.height() + 200)
    qtbot.waitUntil(lambda: dialog.preview.picture.width() > before, timeout=10_000)
    room = dialog.preview.width()
    assert before < dialog.preview.picture.width() < room


def test_what_cannot_be_drawn_is_said_and_cannot_be_exported(qtbot, open_dialog):
    dialog = open_dialog()
    export = button(dialog, "Export…")
    spin(dialog, "First step").setValue(3)
    assert dialog.preview.message == "Last is 3; allowed: above the first step, 3"
    assert not export.isEnabled()
    assert dialog.facts == ""
    spin(dialog, "First step").setValue(1)
    settled(qtbot, dialog)
    assert dialog.preview.message == ""
    assert export.isEnabled()
    spin(dialog, "Frames a second").setValue(60)
    assert dialog.preview.message == "Fps is 60; allowed in a GIF: 1 to 50"
    choose(qtbot, dialog, "Format", "WebP")
    settled(qtbot, dialog)
    assert dialog.preview.message == ""


def test_a_run_without_curves_says_so(open_dialog, history):
    dialog = open_dialog(shown=replace(history, curves=None))
    assert dialog.preview.message.endswith("this run has none yet")
    assert not button(dialog, "Export…").isEnabled()


# --------------------------------------------------------------- files


def test_export_asks_for_a_file_and_writes_it(qtbot, open_dialog, tmp_path):
    dialog = open_dialog()
    cancel = button(dialog, "Cancel")
    qtbot.mouseClick(button(dialog, "Export…"), Qt.MouseButton.LeftButton)
    (asked,) = dialog.findChildren(QFileDialog)
    assert asked.defaultSuffix() == "gif"
    path = tmp_path / "film.gif"
    asked.fileSelected.emit(str(path))
    asked.reject()
    assert dialog.running
    assert dialog.status == "Drawing…"
    assert cancel.isVisible()
    assert not dialog.options.isEnabled()
    qtbot.waitUntil(lambda: not dialog.running, timeout=20_000)
    assert dialog.status == "Saved film.gif"
    assert not cancel.isVisible()
    with Image.open(path) as film:
        assert film.n_frames == 4
    settled(qtbot, dialog)
    assert dialog.options.isEnabled()
    assert "about" in dialog.facts


@pytest.mark.parametrize("by", ["button", "closing"])
@pytest.mark.sampled(2)
def test_cancel_leaves_nothing(qtbot, open_dialog, tmp_path, by):
    dialog = open_dialog(wait=False)
    spin(dialog, "Most frames").setValue(600)
    choose(qtbot, dialog, "Sweep", "Outer steps")
    choose(qtbot, dialog, "Figure", "Losses over training")
    dialog.start(tmp_path / "film.gif")
    qtbot.waitUntil(lambda: dialog._progress.fraction[0] > 0, timeout=20_000)
    done, count = dialog._progress.fraction
    assert 0 < done < count == 40
    if by == "button":
        qtbot.mouseClick(button(dialog, "Cancel"), Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: not dialog.running, timeout=10_000)
        assert dialog.status == "Cancelled: nothing was written"
    else:
        dialog.reject()
        assert not dialog.isVisible()
        assert ended(dialog)
    assert list(tmp_path.iterdir()) == []


def test_an_error_is_told_and_another_film_can_be_made(qtbot, open_dialog, tmp_path):
    dialog = open_dialog()
    dialog.start(tmp_path / "no" / "film.gif")
    qtbot.waitUntil(lambda: not dialog.running, timeout=10_000)
    assert dialog.status == f"The folder {tmp_path / 'no'} does not exist"
    dialog.start(tmp_path / "film.png")
    qtbot.waitUntil(lambda: not dialog.running, timeout=10_000)
    assert dialog.status == "Saved film"
    assert len(list((tmp_path / "film").glob("*.png"))) == 4


# --------------------------------------------------------------- for everybody


def test_mnemonics_are_unique_and_everything_has_a_name(open_dialog):
    dialog = open_dialog(wait=False)
    texts = [w.text() for w in dialog.findChildren(QAbstractButton)]
    texts += [w.text() for w in dialog.findChildren(QLabel) if w.buddy()]
    letters = [text[text.index("&") + 1].lower() for text in texts if "&" in text]
    assert len(letters) == 15
    assert len(letters) == len(set(letters))
    for kind in (QComboBox, QAbstractSpinBox, QSlider):
        for widget in dialog.findChildren(kind):
            assert widget.accessibleName(), widget


def test_another_theme_changes_the_dialog_and_not_the_frame(open_dialog):
    dialog = open_dialog()
    picture = dialog.preview.picture.toImage()
    before = dialog.grab().toImage()
    change_theme(LIGHT)
    assert dialog.grab().toImage() != before
    assert dialog.preview.picture.toImage() == picture
    assert picture.pixelColor(0, 0).name() == "#ffffff"
