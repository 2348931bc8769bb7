"""Export from the window: the figure of the page in view, of what is on the screen."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from metalab.cli.main import run
from metalab.figures.base import FigureChoices
from metalab.figures.registry import figures
from metalab.figures.sizes import size_named
from metalab.ui.export.dialog import ExportDialog
from metalab.ui.export.settings import ExportSettings
from metalab.ui.workspaces.adapt.starts import RUN
from tests.ui.conftest import until

pytestmark = pytest.mark.gui


@pytest.fixture(scope="module")
def run_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("exporting") / "mine.metalab"
    settings = ["outer.num_steps=20", "outer.num_tasks=2", "model.hidden_sizes=[4]"]
    settings += ["evaluation.num_tasks=16", "evaluation.every=10"]
    options = [part for setting in settings for part in ("--set", setting)]
    assert run(["train", *options, "--out", str(path)]) == 0
    return path


@pytest.fixture
def opened(qtbot, lab, run_file):
    lab.session.open_file(run_file)
    until(qtbot, lab, lambda: _shown(lab, run_file))
    return lab


def _shown(lab, path):
    moment = lab.playhead.moment
    return moment is not None and moment.phi is not None and moment.history.path == path


def export(qtbot, lab):
    lab.actions["export"].trigger()
    (dialog,) = lab.window.findChildren(ExportDialog)
    qtbot.waitUntil(lambda: dialog.preview.message != "Rendering…", timeout=20_000)
    qtbot.waitUntil(lambda: dialog.jobs.is_idle, timeout=20_000)
    return dialog


def table_of(dialog):
    request = dialog.figure_request(100)
    spec = figures()[request.figure]
    return spec.draw(request.sight(), FigureChoices(), size_named("single")).table


def close(qtbot, lab, dialog):
    dialog.reject()
    qtbot.waitUntil(lambda: not lab.window.findChildren(ExportDialog), timeout=5000)


def test_adapt_exports_the_points_that_were_dragged(qtbot, opened):
    pages = opened.window.workspaces
    pages.show_page("adapt")
    page = pages.current
    until(qtbot, opened, lambda: RUN in page.answers)
    page.canvas.setFocus()
    x, y = page.scene.x.copy(), page.scene.y.copy()
    page.editor._on_point_moved(0, 0.5, 3.25)
    until(qtbot, opened, lambda: page.answers[RUN].asked.task.y[0] == 3.25)
    dialog = export(qtbot, opened)
    assert dialog.options.figure == "adapt"
    assert dialog.target.path.name == "mine-adapt.pdf"
    assert dialog.preview.message == ""
    table = table_of(dialog)
    points = table.column("part").values == "support"
    assert (table.numbers("x")[points][0], table.numbers("y")[points][0]) == (0.5, 3.25)
    np.testing.assert_array_equal(table.numbers("x")[points][1:], x[1:])
    np.testing.assert_array_equal(table.numbers("y")[points][1:], y[1:])
    curves = table.column("part").values == "prediction"
    shown = page.answers[RUN].curves
    np.testing.assert_array_equal(table.numbers("y")[curves], shown.ravel())
    close(qtbot, opened, dialog)


def test_landscape_is_not_computed_again(qtbot, opened):
    pages = opened.window.workspaces
    # Before anybody has looked at the page, its figure says so.
    dialog = export(qtbot, opened)
    assert dialog.options.figure == "losses"
    assert "open that page first" in _message_of(qtbot, dialog, "landscape")
    close(qtbot, opened, dialog)
    pages.show_page("landscape")
    page = pages.current
    until(qtbot, opened, lambda: page.shown is not None and page.shown.finished)
    dialog = export(qtbot, opened)
    assert dialog.options.figure == "landscape"
    assert dialog.figure_request(100).sight().landscape is page.shown
    close(qtbot, opened, dialog)
    # From another page too.
    pages.show_page("structure")
    until(qtbot, opened, pages.current.sights)
    dialog = export(qtbot, opened)
    assert dialog.options.figure == "structure"
    assert _message_of(qtbot, dialog, "landscape") == ""
    assert dialog.settings().figure == "landscape"
    assert dialog.figure_request(100).sight().landscape is page.shown
    close(qtbot, opened, dialog)


def test_live_opens_on_a_figure_of_its_own_whatever_was_made_last(qtbot, opened):
    opened.preferences.change("export", ExportSettings(figure="structure"))
    dialog = export(qtbot, opened)
    assert dialog.options.figure == "losses"
    close(qtbot, opened, dialog)
    opened.preferences.change("export", ExportSettings(figure="inner-loss"))
    dialog = export(qtbot, opened)
    assert dialog.options.figure == "inner-loss"
    close(qtbot, opened, dialog)


def _message_of(qtbot, dialog, figure):
    box = dialog.options._figure
    box.setCurrentIndex(box.findData(figure))
    qtbot.waitUntil(lambda: not dialog.debounce.isActive(), timeout=5000)
    qtbot.waitUntil(lambda: dialog.jobs.is_idle, timeout=20_000)
    return dialog.preview.message


def test_a_plot_of_live_that_has_the_focus_is_the_figure(qtbot, opened):
    pages = opened.window.workspaces
    pages.show_page("live")
    live = opened.window.live
    live.gallery.grid.setFocus()
    live.gallery.set_sort("loss")
    dialog = export(qtbot, opened)
    assert dialog.options.figure == "gallery"
    assert dialog.choices.sort == "loss"
    order = list(dict.fromkeys(_tasks(dialog)))
    assert tuple(task - 1 for task in order) == live.gallery.grid.order
    close(qtbot, opened, dialog)


def _tasks(dialog):
    request = dialog.figure_request(100)
    spec = figures()[request.figure]
    table = spec.draw(request.sight(), request.choices, request.size).table
    return table.numbers("task").astype(int).tolist()


def test_copied_is_said(qtbot, opened):
    pages = opened.window.workspaces
    pages.show_page("live")
    header = opened.window.live.outer_loss.header
    qtbot.mouseClick(header.copy, Qt.MouseButton.LeftButton)
    assert header.copy.text() == "Copied"
    assert not QGuiApplication.clipboard().image().isNull()
    header._said.timeout.emit()
    assert header.copy.text() == "Copy"
    opened.actions["copy_plot"].trigger()
    assert opened.window.status.said == "Copied the plot"
