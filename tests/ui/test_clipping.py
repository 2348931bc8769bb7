"""Nothing is cut off, at one and at two pixels a point."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel, QWidget

from metalab.ui.plot.plot_widget import Plot
from metalab.ui.style.theme import THEMES
from metalab.ui.workspaces.registry import WORKSPACES
from tests.support.clipping import SIZES, cut_off, faults_at, names_cut, overlapping
from tests.support.fake_worker import small_config
from tests.support.scenes import SCENES, faults_of

pytestmark = pytest.mark.gui

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("width", [1024, 1280, 1600])
def test_no_words_are_cut_off(width, lab, workshop, qtbot):
    lab.window.resize(width, 640 if width == 1024 else 900)
    lab.session.set_config(small_config())
    lab.session.toggle_run()
    workshop.worker.play(6)
    lab.clock.tick()
    qtbot.wait(1)
    assert cut_off(lab.window) == []


@pytest.mark.parametrize("spec", WORKSPACES, ids=[spec.key for spec in WORKSPACES])
@pytest.mark.sampled(3)
def test_in_no_workspace_of_the_smallest_window(spec, lab, workshop, qtbot):
    lab.window.resize(1024, 640)
    lab.session.set_config(small_config())
    lab.session.toggle_run()
    workshop.worker.play(6)
    lab.window.workspaces.show_page(spec.key)
    lab.clock.tick()
    qtbot.wait(1)
    assert cut_off(lab.window) == []


@pytest.mark.parametrize("size", SIZES, ids=[f"{w}x{h}" for w, h in SIZES])
@pytest.mark.parametrize("spec", WORKSPACES, ids=[spec.key for spec in WORKSPACES])
@pytest.mark.sampled(7)
def test_on_no_page_at_any_size(spec, size, lab, workshop):
    lab.session.set_config(small_config())
    lab.session.toggle_run()
    workshop.worker.play(6)
    lab.window.show_diagnostics(shown=spec.key == "live" and size[0] > 1280)
    found = {theme: faults_at(lab, size, spec.key, theme) for theme in THEMES}
    assert not any(found.values()), found


@pytest.mark.parametrize("size", SIZES, ids=[f"{w}x{h}" for w, h in SIZES])
@pytest.mark.parametrize("name", SCENES)
@pytest.mark.sampled(15)
def test_over_no_page_at_any_size(name, size, lab, workshop):
    lab.session.set_config(small_config())
    lab.session.toggle_run()
    workshop.worker.play(6)
    lab.clock.tick()
    found = {theme: faults_of(lab, size, name, theme) for theme in THEMES}
    assert not any(found.values()), found


@pytest.mark.parametrize("page", ["adapt", "landscape"])
def test_a_lesson_that_is_presented_leaves_a_page_whole(page, lab, workshop):
    lab.session.set_config(small_config())
    lab.session.toggle_run()
    workshop.worker.play(6)
    lab.clock.tick()
    name = f"present {page} with a lesson"
    assert faults_of(lab, (1280, 720), name, "dark") == []


def test_what_overlaps_is_found(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(300, 100)
    one, other, apart = (QLabel(name, window) for name in ("one", "two", "three"))
    for place, label in enumerate((one, other, apart)):
        label.adjustSize()
        label.move(4 * place, 0)
    apart.move(0, 60)
    window.show()
    assert overlapping(window) == ["QWidget: 'one' over 'two'"]


def test_without_a_run_neither(lab, qtbot):
    lab.window.resize(1024, 640)
    qtbot.wait(1)
    assert cut_off(lab.window) == []


def test_what_is_cut_off_is_found(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(300, 100)
    squeezed, beyond, whole = (QLabel(name, window) for name in ("one", "two", "three"))
    for label in (squeezed, beyond, whole):
        label.adjustSize()
    squeezed.resize(3, 20)
    beyond.move(290, 0)
    whole.move(0, 50)
    window.show()
    found = cut_off(window)
    assert len(found) == 2
    assert "'one'" in found[0]
    assert "'two'" in found[1]


@pytest.mark.slow
def test_at_two_pixels_a_point_everything_is_sharp_and_whole(tmp_path):
    # A screen that the window at twice the size has room on.
    screen = {
        "name": "large",
        "x": 0,
        "y": 0,
        "width": 3840,
        "height": 2160,
        "logicalDpi": 96,
        "logicalBaseDpi": 96,
        "dpr": 1,
    }
    screens = tmp_path / "screens.json"
    screens.write_text(json.dumps({"screens": [screen]}))
    environment = os.environ | {
        "QT_QPA_PLATFORM": f"offscreen:configfile={screens}",
        "QT_SCALE_FACTOR": "2",
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.clipping"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=170,
        check=True,
    )
    found = json.loads(done.stdout)
    assert found["ratio"] == 2
    assert found["pixels"] == [2 * edge for edge in found["size"]]
    assert found["cut_off"] == []
    assert found["at_sizes"] == {}
    assert found["scenes"] == {}
    assert min(found["colours"].values()) > 5


def test_the_name_of_an_axis_that_is_cut_is_found(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    plot = Plot(x_label="Step", y_label="Share of each layer", parent=window)
    plot.setFixedSize(300, 300)
    window.show()
    assert names_cut(window) == []
    plot.setFixedSize(300, 110)
    qtbot.wait(1)
    assert names_cut(window) == ["axis 'Share of each layer' in (300, 110)"]
