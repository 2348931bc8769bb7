"""The Compare workspace: basket, measuring, plots, tables, one drag in all canvases."""

import shutil

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from metalab.experiment.config import preset_config
from metalab.experiment.fields import with_overrides
from metalab.runs.batch.batch import PlannedRun, carry_out
from metalab.studies.comparison_words import HEADINGS
from metalab.ui.session.basket import Basket
from metalab.ui.style.theme import LIGHT
from metalab.ui.style.theming import change_theme
from metalab.ui.workspaces.compare.workspace import CompareWorkspace

SMALL = [
    ("outer.num_steps", 3),
    ("evaluation.num_tasks", 16),
    ("run.provider", "autodiff"),
    ("model.hidden_sizes", [8]),
]
SOON = 20_000


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    found = []
    for preset in ("maml-sine", "fomaml-sine"):
        for seed in (0, 1):
            changes = [*SMALL, ("run.seed", seed)]
            path = folder / f"{preset}-{seed}.metalab"
            carry_out(
                PlannedRun(
                    config=with_overrides(preset_config(preset), changes), path=path
                ),
                tell=lambda _: None,
                stopping=lambda: False,
            )
            found.append(path)
    return found


@pytest.fixture
def page(no_leaks, qtbot):
    made = CompareWorkspace()
    qtbot.addWidget(made)
    made.resize(1100, 800)
    made.show()
    yield made
    made.hide()
    made.shut_down()
    made.join()


@pytest.fixture
def full(page, files, qtbot):
    page.basket.set_paths(files)
    qtbot.waitUntil(lambda: page.found is not None, timeout=SOON)
    return page


def test_without_two_runs_it_says_what_to_do(page, files):
    assert page.empty.isVisible()
    assert page.empty.title == "Tick two runs in Runs"
    page.basket.add(files[:1])
    assert page.empty.title == "Tick one more run in Runs"
    assert page.found is None


def test_a_basket_of_the_window_is_compared(page, files, qtbot):
    basket = Basket()
    page.set_basket(basket)
    basket.add([files[0], files[2]])
    qtbot.waitUntil(lambda: page.found is not None, timeout=SOON)
    assert [group.title for group in page.found.groups] == ["maml-sine", "fomaml-sine"]
    assert page.results.rowCount() == 2
    assert not page.empty.isVisible()
    assert not page.tools.stop.isVisible()
    QTest.mouseClick(page.tools.clear, Qt.MouseButton.LeftButton)
    assert basket.paths == ()
    assert page.empty.isVisible()
    assert page.found is None


def test_table_words_and_settings_are_those_of_the_command(full):
    rows = full.results.texts()
    assert [row[0] for row in rows] == ["maml-sine", "fomaml-sine"]
    assert len(rows[0]) == len(HEADINGS)
    assert rows[0][1] == "2"
    assert full.words.found.text() == full.found.differences[0].words
    assert "600 held-out tasks" in full.words.note.text()
    assert ["Hypergradient: Hypergradient", "unrolled", "first-order"] in (
        full.settings.texts()
    )


def test_curves_are_means_with_bands_or_each_seed(full):
    curves = full.curves
    group = full.found.groups[0]
    x, mean = curves._means[0].data
    losses = [run.curve()[1] for run in group.runs]
    np.testing.assert_allclose(mean, np.mean(losses, axis=0))
    assert x[-1] == 3
    assert len(curves._bands[0].data[0]) == len(x)
    assert all(len(item.data[0]) == 0 for item in curves._seeds)
    full.tools.spread.setFocus()
    QTest.keyClick(full.tools.spread, Qt.Key.Key_Down)
    assert len(curves._bands[0].data[0]) == 0
    assert [len(item.data[0]) for item in curves._seeds] == [4, 4, 4, 4]
    QTest.keyClick(full.tools.axis, Qt.Key.Key_End)
    assert full.tools.choices.x == "gradient evaluations"
    assert curves._means[0].data[0][-1] > 100
    QTest.mouseClick(full.tools.log, Qt.MouseButton.LeftButton, pos=QPoint(8, 8))
    assert not curves.plot.log_y
    assert full.save_state() == {
        "x": "gradient evaluations",
        "spread": "seeds",
        "log": False,
    }
    full.restore_state({"x": "outer step", "spread": "band", "log": True})
    assert full.tools.choices.x == "outer step"
    full.restore_state({"x": "hours", "spread": 3, "log": "yes"})
    assert full.tools.choices.spread == "band"


def test_a_click_on_a_task_opens_it_in_every_canvas(full, qtbot):
    full.tabs.setCurrentIndex(1)
    scatter, side = full.scatter, full.side_by_side
    viewport = scatter.plot.area.viewport
    task = 17
    place = scatter.plot.area.position_of(
        float(scatter._x[task]), float(scatter._y[task])
    )
    shown = scatter.task_at(place)
    assert shown is not None
    QTest.mouseMove(viewport, place.toPoint())
    QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=place.toPoint())
    assert side.task.value() == shown + 1
    expected = full.found.tasks.support.plotted(shown)
    for panel in side.panels[:2]:
        assert panel.isVisible()
        np.testing.assert_array_equal(panel.canvas.handles._places[0][:10], expected[0])
    assert not side.panels[2].isVisible()
    qtbot.waitUntil(lambda: side.panels[1].loss.text() != "", timeout=SOON)
    assert scatter.task_at(QPointF(-500, -500)) is None


def test_one_drag_moves_the_point_in_all_canvases(full, qtbot):
    full.tabs.setCurrentIndex(1)
    side = full.side_by_side
    qtbot.waitUntil(lambda: side.panels[1].loss.text() != "", timeout=SOON)
    before, losses = side.scene, [p.loss.text() for p in side.panels[:2]]
    canvas = side.panels[0].canvas
    start = canvas.area.position_of(float(before.x[2]), float(before.y[2])).toPoint()
    end = start + QPoint(0, 40)
    viewport = canvas.area.viewport
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(viewport, end)
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=end)
    after = side.scene
    moved = np.flatnonzero(after.y != before.y)
    assert len(moved) == 1
    for panel in side.panels[:2]:
        np.testing.assert_array_equal(panel.canvas.handles._places[1][:10], after.y)
    qtbot.waitUntil(
        lambda: all(
            p.loss.text() != old for p, old in zip(side.panels, losses, strict=False)
        ),
        timeout=SOON,
    )
    side.task.setValue(side.task.value() + 1)
    assert side.scene.own


def test_other_reference_and_pair(full, qtbot):
    full.tools.reference.setFocus()
    QTest.keyClick(full.tools.reference, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: full.found.groups[0].title == "fomaml-sine", timeout=SOON)
    assert full.found.differences[0].one == "maml-sine"
    full.tools.one.setCurrentText("fomaml-sine")
    QTest.keyClick(full.tools.other, Qt.Key.Key_End)
    assert full.tools.pair is not None


def test_runs_that_cannot_be_compared_say_why(page, files, tmp_path, qtbot):
    twin = tmp_path / "twin.metalab"
    shutil.copy(files[0], twin)
    page.basket.set_paths([files[0], twin])
    qtbot.waitUntil(lambda: "each seed once" in page.tools.state.text(), timeout=SOON)
    assert page.found is None
    assert page.curves.plot.message == "These runs cannot be compared"
    page.basket.set_paths([tmp_path / "none.metalab", files[0]])
    qtbot.waitUntil(lambda: "none.metalab" in page.tools.state.text(), timeout=SOON)


def test_measuring_can_be_stopped_and_begins_again(page, files, qtbot):
    page.basket.set_paths(files)
    assert page.tools.stop.isVisible()
    QTest.mouseClick(page.tools.stop, Qt.MouseButton.LeftButton)
    assert page.tools.state.text() == "Stopped before all runs were measured"
    page.hide()
    page.show()
    qtbot.waitUntil(lambda: page.found is not None, timeout=SOON)


def test_both_themes_have_their_colours_and_a_picture(full):
    dark = full.picture()
    change_theme(LIGHT)
    light = full.picture()
    assert light.size() == dark.size()
    middle = light.width() // 2
    assert light.pixelColor(middle, 4).lightness() > 200
    assert dark.pixelColor(middle, 4).lightness() < 60


def test_a_report_is_on_what_is_compared(full, files, qtbot):
    assert full.report_paths() == tuple(files)
    with qtbot.waitSignal(full.report_requested, timeout=SOON):
        QTest.mouseClick(full.tools.report, Qt.MouseButton.LeftButton)
    full.basket.set_paths(())
    assert full.report_paths() == ()
