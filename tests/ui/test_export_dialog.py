"""The export dialog, driven as a person would."""

import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication, QImage
from PySide6.QtWidgets import (
    QAbstractButton,
    QCheckBox,
    QComboBox,
    QFileDialog,
    QLineEdit,
    QPushButton,
    QSlider,
    QSpinBox,
)

from metalab.figures.base import FigureChoices, FigureError
from metalab.figures.formats import FORMATS
from metalab.figures.registry import figures
from metalab.figures.render import encode
from metalab.figures.sizes import SIZES
from metalab.ui.export_dialog import ExportDialog
from metalab.ui.export_jobs import ExportJobs, JobKind
from metalab.ui.export_options import position_of, weight_at
from metalab.ui.export_settings import ExportSettings
from metalab.ui.theme import DARK, LIGHT
from tests.figures.histories import make_history

Key = Qt.Key
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture(scope="module")
def history():
    return make_history()


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "figures"
    folder.mkdir()
    return folder


@pytest.fixture
def open_dialog(qtbot, history, folder):
    """Open dialogs, wait for their first preview, close them in the end."""
    opened = []

    def open_one(*, shown=history, choices=None, **settings):
        dialog = ExportDialog(
            shown,
            theme=LIGHT,
            choices=choices,
            settings=ExportSettings(**{"folder": str(folder), **settings}),
        )
        qtbot.addWidget(dialog)
        dialog.show()
        qtbot.waitUntil(lambda: drawn(dialog), timeout=20_000)
        opened.append(dialog)
        return dialog

    yield open_one
    for dialog in opened:
        dialog.reject()
        assert not dialog.isVisible()


def drawn(dialog):
    return dialog.preview.message != "Rendering…" and not dialog._debounce.isActive()


def named(dialog, name, kind):
    """The widget that a screen reader calls so."""
    (found,) = [w for w in dialog.findChildren(kind) if w.accessibleName() == name]
    return found


def button(dialog, text):
    (found,) = [
        w
        for w in dialog.findChildren(QAbstractButton)
        if w.text().replace("&", "") == text
    ]
    return found


def choose(qtbot, dialog, name, text):
    """Choose an entry of a list with the keyboard."""
    box = named(dialog, name, QComboBox)
    box.setFocus()
    qtbot.keyClick(box, Key.Key_Home)
    while box.currentText() != text:
        before = box.currentIndex()
        qtbot.keyClick(box, Key.Key_Down)
        assert box.currentIndex() > before, f"no entry {text!r}"


def type_path(qtbot, dialog, text):
    line = named(dialog, "File", QLineEdit)
    line.setFocus()
    line.selectAll()
    qtbot.keyClick(line, Key.Key_Delete)
    qtbot.keyClicks(line, str(text))
    return line


def redrawn(qtbot, dialog, act):
    """Do something and wait for the preview that follows."""
    key = dialog.preview.picture.cacheKey()
    act()
    qtbot.waitUntil(lambda: dialog.preview.picture.cacheKey() != key, timeout=10_000)


def wait_status(qtbot, dialog, start):
    qtbot.waitUntil(lambda: dialog.status.startswith(start), timeout=10_000)


# ---------------------------------------------------------------- preview


def test_opening_shows_a_placeholder_and_loads_no_matplotlib():
    code = """
import sys
from PySide6.QtWidgets import QApplication
app = QApplication([])
from metalab.ui.export_dialog import ExportDialog
from metalab.ui.theme import LIGHT
from tests.figures.histories import make_history
dialog = ExportDialog(make_history(), theme=LIGHT)
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
    dialog._jobs.finished.connect(lambda kind, _result: pictures.append(kind))
    slider = named(dialog, "Smoothing", QSlider)
    for _ in range(10):
        qtbot.keyClick(slider, Key.Key_Left)
    qtbot.waitUntil(lambda: bool(pictures), timeout=10_000)
    assert pictures == [JobKind.PREVIEW]


# ---------------------------------------------------------------- choices


def test_only_what_the_figure_heeds_can_be_chosen(qtbot, open_dialog):
    dialog = open_dialog()
    rows = {
        "task": named(dialog, "Task", QComboBox),
        "x": named(dialog, "X axis", QComboBox),
        "smoothing": named(dialog, "Smoothing", QSlider),
        "legend": named(dialog, "Legend", QComboBox),
        "log_y": button(dialog, "Logarithmic loss axis"),
    }
    for name, spec in figures().items():
        choose(qtbot, dialog, "Figure", spec.title)
        assert dialog.options.figure == name
        visible = {field for field, widget in rows.items() if widget.isVisible()}
        assert visible == spec.heeds


def test_every_choice_reaches_the_figure(qtbot, open_dialog):
    dialog = open_dialog()
    slider = named(dialog, "Smoothing", QSlider)
    for act, field, value in (
        (lambda: choose(qtbot, dialog, "X axis", "Tasks seen"), "x", "tasks seen"),
        (lambda: choose(qtbot, dialog, "Legend", "Right"), "legend", "right"),
        (lambda: qtbot.keyClick(slider, Key.Key_Home), "smoothing", 0),
        (
            lambda: qtbot.keyClick(
                button(dialog, "Logarithmic loss axis"), Key.Key_Space
            ),
            "log_y",
            False,
        ),
    ):
        redrawn(qtbot, dialog, act)
        assert getattr(dialog.choices, field) == value
    redrawn(qtbot, dialog, lambda: choose(qtbot, dialog, "Size", SIZES["square"].title))
    choose(qtbot, dialog, "Figure", figures()["adaptation"].title)
    box = named(dialog, "Task", QComboBox)
    assert box.count() == 16
    redrawn(qtbot, dialog, lambda: box.setCurrentIndex(7))
    assert dialog.choices == FigureChoices(
        task=7, log_y=False, smoothing=0, x="tasks seen", legend="right"
    )


def test_choices_that_are_passed_in_stay_as_they_are(open_dialog):
    choices = FigureChoices(
        task=3, smoothing=0.912345, log_y=False, x="training time", legend="none"
    )
    dialog = open_dialog(choices=choices)
    assert dialog.choices == choices
    assert named(dialog, "Task", QComboBox).currentIndex() == 3
    assert not button(dialog, "Logarithmic loss axis").isChecked()


def test_the_slider_spans_no_to_strong_smoothing():
    weights = [weight_at(position) for position in range(61)]
    assert weights == sorted(set(weights))
    assert (weights[0], weights[-1]) == (0, 0.999)
    assert [position_of(weight) for weight in weights] == list(range(61))
    assert position_of(0.99999) == 60


# ------------------------------------------------------------------- save


@pytest.mark.parametrize("suffix", FORMATS)
def test_return_saves_the_chosen_format(qtbot, open_dialog, folder, suffix):
    dialog = open_dialog()
    choose(qtbot, dialog, "Format", FORMATS[suffix].title)
    name = f"maml-sine-losses{suffix}"
    assert named(dialog, "File", QLineEdit).text() == str(folder / name)
    qtbot.keyClick(dialog, Key.Key_Return)
    wait_status(qtbot, dialog, f"Saved {name}")
    written = {path.name for path in folder.iterdir()}
    assert written == {name, *(["maml-sine-losses.csv"] if suffix == ".py" else [])}
    assert dialog.isVisible()


def test_the_file_is_the_figure(qtbot, open_dialog, folder, history):
    dialog = open_dialog(suffix=".svg", size="double", figure="inner-loss")
    qtbot.keyClick(dialog, Key.Key_S, CONTROL)
    wait_status(qtbot, dialog, "Saved")
    content = (folder / "maml-sine-inner-loss.svg").read_bytes()
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
    image = QImage(str(folder / "maml-sine-losses.png"))
    assert image.width() == pytest.approx(89 / 25.4 * 100, abs=1)


def test_the_file_is_named_after_the_figure_until_a_person_names_it(
    qtbot, open_dialog, folder
):
    dialog = open_dialog()
    line = named(dialog, "File", QLineEdit)
    choose(qtbot, dialog, "Figure", figures()["inner-loss"].title)
    assert line.text() == str(folder / "maml-sine-inner-loss.pdf")
    choose(qtbot, dialog, "Format", "SVG, vector")
    choose(qtbot, dialog, "Figure", figures()["losses"].title)
    assert line.text() == str(folder / "maml-sine-losses.svg")
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
    (folder / "maml-sine-losses.csv").write_text("old")
    dialog = open_dialog()
    assert dialog.target.note == ""
    choose(qtbot, dialog, "Format", "Python script with its CSV")
    assert dialog.target.note == "Saving replaces maml-sine-losses.csv"
    dialog.save()
    wait_status(qtbot, dialog, "Saved maml-sine-losses.py and maml-sine-losses.csv")
    assert dialog.target.note == ""


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
    assert asked[0][2] == str(folder / "maml-sine-losses.pdf")
    assert asked[0][4] == "PDF, vector (*.pdf)"
    assert dialog.target.path == folder / "browsed.svg"
    assert dialog.target.suffix == ".svg"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    qtbot.mouseClick(button(dialog, "Browse…"), Qt.MouseButton.LeftButton)
    assert dialog.target.path == folder / "browsed.svg"


# ------------------------------------------------------------------- copy


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


# ---------------------------------------------------------------- the rest


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
    dialog.set_theme(DARK)
    assert dialog.grab().toImage() != before
    assert dialog.preview.picture.toImage() == picture
    assert picture.pixelColor(0, 0).name() == "#ffffff"


def test_closing_waits_for_the_file(qtbot, open_dialog, folder):
    dialog = open_dialog()
    dialog.save()
    dialog.reject()
    assert (folder / "maml-sine-losses.pdf").stat().st_size > 1000
    assert not dialog.isVisible()


def test_closing_stays_if_the_file_cannot_be_written(qtbot, open_dialog, folder):
    dialog = open_dialog()
    dialog.target._path.setText("no/such/folder.pdf")
    dialog.save()
    dialog.reject()
    assert dialog.isVisible()
    assert dialog.status.startswith("The folder ")


def test_closing_leaves_no_thread(qtbot, open_dialog):
    dialog = open_dialog()
    redraw = named(dialog, "Legend", QComboBox)
    redraw.setCurrentIndex(1)
    dialog._on_debounced()
    dialog.reject()
    names = [thread.name for thread in threading.enumerate()]
    assert not any(name.startswith("export") for name in names)


# ------------------------------------------------------------------- jobs


@pytest.fixture
def jobs(qtbot):
    jobs = ExportJobs()
    jobs.told = []
    jobs.finished.connect(lambda kind, result: jobs.told.append((kind, result)))
    jobs.refused.connect(lambda kind, reason: jobs.told.append((kind, reason)))
    return jobs


def test_of_waiting_jobs_the_newest_is_done_and_saving_goes_first(qtbot, jobs):
    gate = threading.Event()
    jobs.order(JobKind.PREVIEW, lambda: gate.wait(10))
    jobs.order(JobKind.PREVIEW, lambda: "old")
    jobs.order(JobKind.PREVIEW, lambda: "new")
    jobs.order(JobKind.SAVE, lambda: "saved")
    assert jobs.is_busy(JobKind.SAVE)
    gate.set()
    qtbot.waitUntil(lambda: len(jobs.told) == 3, timeout=5000)
    assert jobs.told == [
        (JobKind.PREVIEW, True),
        (JobKind.SAVE, "saved"),
        (JobKind.PREVIEW, "new"),
    ]
    assert not any(jobs.is_busy(kind) for kind in JobKind)


def test_finish_does_the_save_and_forgets_the_rest(jobs):
    gate = threading.Event()
    jobs.order(JobKind.PREVIEW, lambda: gate.wait(10))
    jobs.order(JobKind.COPY, lambda: "copied")
    jobs.order(JobKind.SAVE, lambda: "saved")
    gate.set()
    jobs.finish()
    assert jobs.told == [(JobKind.PREVIEW, True), (JobKind.SAVE, "saved")]
    jobs.finish()


def refuse():
    raise FigureError("size is 'A4'")


def break_down():
    raise RuntimeError("a defect")


def test_refusals_are_told_and_defects_raised(qtbot, jobs):
    jobs.order(JobKind.COPY, refuse)
    qtbot.waitUntil(lambda: bool(jobs.told), timeout=5000)
    assert jobs.told == [(JobKind.COPY, "size is 'A4'")]
    with qtbot.captureExceptions() as raised:
        jobs.order(JobKind.SAVE, break_down)
        qtbot.waitUntil(lambda: len(jobs.told) == 2, timeout=5000)
    assert jobs.told[1] == (JobKind.SAVE, "An unexpected error; see Problems")
    assert [str(error) for _, error, _ in raised] == ["a defect"]
