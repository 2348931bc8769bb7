import json
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from metalab.figures.base import FigureChoices
from metalab.runs.record.status import RunStatus
from metalab.ui.session.moment import Moment
from metalab.ui.style.theme import DARK, LIGHT
from metalab.ui.style.theming import change_theme
from metalab.ui.workspaces.live.workspace import LiveWorkspace
from tests.support.histories import make_curves, make_history, starting


@pytest.fixture
def live(qtbot) -> LiveWorkspace:
    made = LiveWorkspace()
    qtbot.addWidget(made)
    made.resize(940, 640)
    made.show()
    QApplication.processEvents()
    return made


def test_without_a_run_there_is_one_button(live: LiveWorkspace, qtbot):
    live.show_history(None)
    assert live.empty.isVisible()
    assert not live.outer_loss.isVisible()
    with qtbot.waitSignal(live.run_requested):
        QTest.mouseClick(live.empty.button, Qt.MouseButton.LeftButton)


def test_the_button_takes_enter_and_can_wait(live: LiveWorkspace, qtbot):
    live.set_why_not("A setting is not allowed: inner lr")
    with qtbot.assertNotEmitted(live.run_requested):
        QTest.mouseClick(live.empty.button, Qt.MouseButton.LeftButton)
    assert live.empty.detail == "A setting is not allowed: inner lr"
    live.set_why_not("")
    with qtbot.waitSignal(live.run_requested):
        QTest.keyClick(live.empty.button, Qt.Key.Key_Space)


def test_the_empty_page_names_the_preset(live: LiveWorkspace):
    live.set_preset("MAML on sinusoids", "Finn et al. 2017")
    assert live.empty.title == "MAML on sinusoids"
    assert live.empty.detail == "Finn et al. 2017"
    assert "MAML" in live.empty.button.accessibleDescription()


def test_a_long_text_on_the_empty_page_is_wrapped(live: LiveWorkspace):
    live.set_preset("MAML", "Short")
    short = live.empty._detail.size()
    live.set_preset("MAML", "a few more words " * 20)
    assert live.empty._detail.height() > 3 * short.height()
    assert live.empty._detail.width() < live.width() / 2


def test_a_run_replaces_the_empty_page(live: LiveWorkspace):
    live.show_history(starting())
    assert live.outer_loss.isVisible()
    assert not live.empty.isVisible()
    for message in (
        live.outer_loss.plot.message,
        live.adaptation.plot.message,
        live.inner_loss.plot.message,
        live.gallery.grid.message,
    ):
        assert message == "Preparing the first outer step…"
    live.show_history(None)
    assert live.empty.isVisible()


def test_every_view_gets_the_run(live: LiveWorkspace):
    history = make_history(200)
    live.show_history(history)
    assert len(live.outer_loss.drawing.raw_after.data[0]) == 200
    assert len(live.adaptation.drawing.truth.data[0]) > 0
    assert len(live.inner_loss.query.data[0]) == 11
    assert len(live.gallery.grid.order) == 16


def test_a_hidden_workspace_catches_up(live: LiveWorkspace):
    live.hide()
    live.show_history(make_history(200))
    assert len(live.outer_loss.drawing.raw_after.data[0]) == 0
    live.show()
    assert len(live.outer_loss.drawing.raw_after.data[0]) == 200


@pytest.mark.parametrize("chooser", ["gallery", "picker", "set_task"])
def test_one_task_is_common(live: LiveWorkspace, chooser):
    history = make_history()
    live.show_history(history)
    QApplication.processEvents()
    if chooser == "gallery":
        place = live.gallery.grid.layout_of_tiles.frame(6).center().toPoint()
        QTest.mouseClick(live.gallery.grid, Qt.MouseButton.LeftButton, pos=place)
    elif chooser == "picker":
        live.adaptation.picker.box.setValue(7)
    else:
        live.set_task(6)
    assert live.task == live.adaptation.task == live.inner_loss.task == 6
    assert live.gallery.task == 6
    assert live.views_choices().task == 6
    np.testing.assert_array_equal(
        live.inner_loss.query.data[1], history.curves.query_loss[6]
    )
    np.testing.assert_array_equal(
        live.adaptation.drawing.truth.data[1], history.held_out_tasks.true_curves[6]
    )


def test_the_task_stays_while_curves_come(live: LiveWorkspace):
    history = make_history()
    live.show_history(history)
    live.set_task(6)
    live.show_history(
        replace(history, curves=make_curves(history.config_at(), step=500))
    )
    assert live.task == live.gallery.task == 6


def test_the_inner_step_is_common(live: LiveWorkspace):
    live.show_history(make_history())
    assert live.inner_loss.emphasis.x == 1
    live.adaptation.set_inner_step(live.adaptation.inner_step + 3)
    assert live.adaptation.inner_step == 4
    assert live.inner_loss.emphasis.x == 4


def test_the_scale_of_losses_is_common(live: LiveWorkspace, qtbot):
    live.show_history(make_history())
    with qtbot.waitSignal(live.choices_changed):
        QTest.mouseClick(live.inner_loss.log, Qt.MouseButton.LeftButton)
    assert not live.outer_loss.plot.log_y
    assert not live.views_choices().log_y
    with qtbot.waitSignal(live.choices_changed):
        QTest.mouseClick(live.outer_loss.tools.log, Qt.MouseButton.LeftButton)
    assert live.inner_loss.plot.log_y


def test_choices_are_those_of_figures(live: LiveWorkspace):
    live.show_history(make_history())
    live.outer_loss.tools.axis.choose("training time")
    live.outer_loss.tools.smoothing.slider.setValue(0)
    live.set_task(2)
    assert live.views_choices() == FigureChoices(
        task=2, log_y=True, smoothing=0.0, x="training time"
    )


def test_the_state_round_trips_through_json(live: LiveWorkspace, qtbot):
    live.show_history(make_history())
    live.outer_loss.tools.axis.choose("tasks seen")
    live.outer_loss.tools.smoothing.slider.setValue(2)
    QTest.mouseClick(live.outer_loss.tools.log, Qt.MouseButton.LeftButton)
    live.gallery.set_sort("loss")
    live._rows.setSizes([250, 380])
    live._top.setSizes([400, 530])
    state = json.loads(json.dumps(live.save_state()))
    other = LiveWorkspace()
    qtbot.addWidget(other)
    other.resize(940, 640)
    other.show()
    other.show_history(make_history())
    other.restore_state(state)
    QApplication.processEvents()
    assert other.save_state() == state
    assert not other.inner_loss.plot.log_y


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"rows": "big", "top": [1], "bottom": [-5, 3], "sort": 7},
        {"rows": [0, 0], "top": [True, False], "x": "luck", "smoothing_share": 1.5},
        {
            "log_y": "yes",
            "trimmed": None,
            "smoothing": 0.5,
            "smoothing_share": "much",
            "unknown": 1,
        },
    ],
)
def test_a_state_that_is_not_understood_changes_nothing(live: LiveWorkspace, state):
    live.show_history(make_history())
    before = live.save_state()
    live.restore_state(state)
    assert live.save_state() == before


def test_the_picture_is_of_the_view_in_focus(live: LiveWorkspace):
    live.show_history(make_history())
    QApplication.processEvents()
    outer = live.picture().size()
    live.activateWindow()
    live.gallery.grid.setFocus()
    QApplication.processEvents()
    assert live.gallery.grid.hasFocus()
    assert live.picture().size() == live.gallery.picture().size() != outer


def test_the_theme_reaches_every_view(live: LiveWorkspace):
    live.show_history(make_history())
    change_theme(LIGHT)
    image = live.grab().toImage()
    colours = {
        image.pixelColor(view.mapTo(live, view.rect().topLeft())).name()
        for view in (live.outer_loss, live.adaptation, live.inner_loss, live.gallery)
    }
    assert colours == {LIGHT.surface}
    assert DARK.surface not in colours


def moment_of(history, *, following=True):
    return Moment(
        history=history,
        shown=history,
        step=history.step,
        phi=None,
        wanted_step=history.step,
        inner_step=1,
        task=0,
        following=following,
    )


def drawn_in(live, frames):
    """Return which plots every frame of a run hands something new."""
    drawn = []
    for name in ("outer_loss", "adaptation", "inner_loss", "gallery"):
        view = getattr(live, name)
        original = view.show_history

        def show(*given, _name=name, _original=original, **choices):
            drawn[-1].append(_name)
            _original(*given, **choices)

        view.show_history = show
    for frame in frames:
        drawn.append([])
        live.show_moment(frame)
    return drawn


def test_the_plots_of_a_run_that_goes_on_take_turns(live: LiveWorkspace):
    history = replace(make_history(), status=RunStatus.RUNNING)
    frames = [moment_of(replace(history, step=history.step + i)) for i in range(9)]
    first, *later = drawn_in(live, frames)
    every = ["adaptation", "gallery", "inner_loss", "outer_loss"]
    assert sorted(set(first)) == every
    assert [set(names) - {"inner_loss"} for names in later] == 2 * [
        {"outer_loss"},
        {"adaptation"},
        {"gallery"},
        {"adaptation"},
    ]


def test_a_run_that_waits_is_drawn_whole(live: LiveWorkspace):
    running = replace(make_history(), status=RunStatus.RUNNING)
    paused = replace(running, status=RunStatus.PAUSED)
    frames = [moment_of(running), moment_of(paused)]
    assert set(drawn_in(live, frames)[-1]) == {
        *("adaptation", "gallery", "inner_loss", "outer_loss")
    }


def test_a_playhead_that_is_moved_by_hand_does_not_wait(live: LiveWorkspace):
    running = replace(make_history(), status=RunStatus.RUNNING)
    frames = [moment_of(running)]
    frames += [moment_of(replace(running), following=False) for _ in range(4)]
    for names in drawn_in(live, frames):
        assert {"adaptation", "gallery"} <= set(names)
