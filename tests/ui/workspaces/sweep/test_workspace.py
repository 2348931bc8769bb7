"""The Sweep page: axes, a sweep in other processes, brushing, the best as preset."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage

from metalab.experiment.config import preset_config
from metalab.experiment.fields import with_overrides
from metalab.experiment.sweep_file import read_sweep
from metalab.runs.batch.in_turn import run_in_turn
from metalab.runs.batch.run_queue import Silent
from metalab.runs.record.reader import open_run
from metalab.studies.files import prepare_folder
from metalab.ui.session.basket import Basket
from metalab.ui.workspaces.sweep.workspace import SweepWorkspace

pytestmark = pytest.mark.gui
LEFT = Qt.MouseButton.LeftButton
RATE, STEPS = "inner.inner_lr", "inner.num_inner_steps"


@pytest.fixture
def config():
    return with_overrides(
        preset_config("maml-sine"),
        [
            ("outer.num_steps", 6),
            ("outer.num_tasks", 2),
            ("model.hidden_sizes", [4]),
            ("evaluation.num_tasks", 16),
            ("evaluation.every", 3),
            ("run.provider", "autodiff"),
        ],
    )


@pytest.fixture
def page(qtbot, config):
    page = SweepWorkspace()
    qtbot.addWidget(page)
    page.resize(760, 620)
    page.show()
    page.show_config(config)
    yield page
    page.shut_down()
    page.join()


def planned(qtbot, page, count):
    qtbot.waitUntil(lambda: len(page.table.rows.rows) == count, timeout=20_000)


@pytest.fixture
def swept(qtbot, page):
    """The page with a sweep of four runs that have ended."""
    page.add_axis(RATE, "0.001, 0.01")
    page.add_axis(STEPS, "1, 2")
    planned(qtbot, page, 4)
    plan = page._plan
    prepare_folder(plan.folder)
    run_in_turn(plan.runs(), Silent())
    page._replan()
    qtbot.waitUntil(lambda: len(page._losses) == 4, timeout=20_000)
    return page


def test_without_an_axis_nothing_can_be_started(page):
    assert page.count.text() == "No axis yet: nothing to sweep"
    assert not page.start.isEnabled()
    assert not page.use_best.isEnabled()


def test_an_axis_that_cannot_be_read_is_told_and_nothing_starts(qtbot, page):
    page.add_axis(RATE, "log:0.1")
    qtbot.waitUntil(lambda: bool(page.note), timeout=20_000)
    assert RATE in page.note
    assert "allowed: log:0.001:0.1:5" in page.note
    assert not page.start.isEnabled()
    page.axes.line(RATE).setText("log:0.001:0.1:3")
    planned(qtbot, page, 3)
    assert page.note == ""
    remove = page.axes.findChild(object, f"remove {RATE}")
    qtbot.mouseClick(remove, LEFT)
    planned(qtbot, page, 0)


@pytest.mark.timeout(180)
def test_a_sweep_runs_in_other_processes_and_its_files_are_there(qtbot, page):
    page.add_axis(RATE, "0.001, 0.01")
    planned(qtbot, page, 2)
    page.processes.setValue(1)
    qtbot.mouseClick(page.start, LEFT)
    assert page.runs_go_on
    assert not page.axes.isEnabled()
    qtbot.waitUntil(lambda: not page.runs_go_on, timeout=120_000)
    qtbot.waitUntil(lambda: len(page._losses) == 2, timeout=20_000)
    for run in page._plan.runs():
        history = open_run(run.path).history
        assert history.step == 6
        assert history.latest_evaluation in page._losses.values()
    qtbot.waitUntil(page.axes.isEnabled, timeout=5_000)


def test_a_click_in_the_heat_map_selects_the_runs_of_a_cell(qtbot, swept):
    losses = swept.outcomes().losses
    assert np.isfinite(losses).all()
    cell = swept.heat_map.rect_of((1, 0)).center().toPoint()
    qtbot.mouseClick(swept.heat_map, LEFT, pos=cell)
    # Rates rise to the right and steps upwards: the third of (rate, steps) pairs.
    assert swept.table.selected == (2,)
    qtbot.mouseClick(swept.heat_map, LEFT, pos=QPoint(2, 2))
    assert swept.table.selected == ()


def test_a_range_on_an_axis_selects_runs_and_a_click_takes_it_away(qtbot, swept):
    swept.kind.setCurrentIndex(1)
    picture = swept.parallel
    qtbot.waitUntil(picture.isVisible, timeout=5_000)
    x = round(picture.x_of(STEPS))
    qtbot.mousePress(picture, LEFT, pos=QPoint(x, round(picture.y_of(1.0)) - 3))
    qtbot.mouseMove(picture, QPoint(x, round(picture.y_of(0.6))))
    qtbot.mouseRelease(picture, LEFT, pos=QPoint(x, round(picture.y_of(0.6))))
    assert swept.table.selected == (1, 3)
    assert picture.ranges[STEPS] == pytest.approx((0.6, 1.0), abs=0.03)
    qtbot.mouseClick(picture, LEFT, pos=QPoint(x, 60))
    assert swept.table.selected == ()


def test_the_best_goes_into_the_form_and_chosen_runs_into_the_basket(qtbot, swept):
    best = int(np.argmin(swept.outcomes().losses))
    with qtbot.waitSignal(swept.experiment_requested) as told:
        qtbot.mouseClick(swept.use_best, LEFT)
    assert told.args[0] == swept._plan.points[best].config
    basket = Basket()
    swept.set_basket(basket)
    swept.table.selectRow(2)
    qtbot.mouseClick(swept.compare, LEFT)
    assert basket.paths == (swept._plan.runs()[2].path,)


def test_a_sweep_is_written_and_read_again_as_the_same_runs(swept, tmp_path):
    path = tmp_path / "rates.toml"
    swept.save_file(path)
    runs = swept._plan.runs()
    assert read_sweep(path).num_runs == 4
    swept.axes.set_texts({}, 1)
    swept.open_file(path)
    assert [run.config.digest() for run in swept._plan.runs()] == [
        run.config.digest() for run in runs
    ]
    swept.open_file(tmp_path / "none.toml")
    assert "none.toml cannot be read" in swept.note


def test_choices_are_remembered_and_the_picture_is_not_empty(swept, qtbot):
    other = SweepWorkspace()
    qtbot.addWidget(other)
    other.restore_state(swept.save_state())
    assert other.axes.texts == swept.axes.texts
    other.shut_down()
    other.join()
    image = swept.picture()
    assert isinstance(image, QImage)
    assert image.width() > 400
    cell = swept.heat_map.rect_of((0, 0)).center().toPoint()
    under = swept.heat_map.grab().toImage().pixelColor(cell + QPoint(20, 10))
    assert under.saturation() > 60


def test_runs_that_have_ended_before_tell_their_steps_and_how_they_ended(swept):
    rows = swept.table.rows.rows
    assert [(row.step, row.state) for row in rows] == [(6, "finished")] * 4
    texts = [swept.table.rows.index(0, c).data() for c in range(6)]
    assert texts[3] == "6 of 6"
    assert texts[5] == "finished"


def test_a_file_that_cannot_be_read_is_told_as_one(qtbot, page):
    page.add_axis(RATE, "0.001, 0.01")
    planned(qtbot, page, 2)
    prepare_folder(page._plan.folder)
    page._plan.runs()[1].path.write_bytes(b"no run file")
    page._replan()
    qtbot.waitUntil(lambda: bool(page._there), timeout=20_000)
    first, second = page.table.rows.rows
    assert (first.state, first.failed) == ("planned", False)
    assert (second.state, second.failed) == ("cannot be read", True)
