"""The playhead in the window: scrubbing, forking and editing beside a real run."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from metalab.engine.trainer import Trainer
from metalab.experiment.config_history import ConfigHistory
from metalab.experiment.edit import Edit
from metalab.experiment.fields import with_overrides
from metalab.experiment.naming import experiment_name
from metalab.runs.record.live import LiveRun
from metalab.runs.record.reader import open_run
from metalab.runs.running.control import RunControl
from metalab.runs.running.manager import RunManager
from metalab.runs.running.run import run_experiment
from metalab.ui.session.engine_access import preset
from metalab.ui.timeline.bookmark_dialog import BookmarkDialog
from metalab.ui.timeline.player import INNER
from metalab.ui.workspaces.adapt.starts import RUN
from tests.support.fake_worker import small_config
from tests.ui.conftest import until

pytestmark = pytest.mark.gui
LR = "outer.optimizer.outer_lr"


@pytest.fixture
def real_lab(open_lab):
    return open_lab(slot=RunManager())


def begin(lab, config, step=1):
    lab.session.replace(config)
    lab.session.start()
    return lambda: lab.session.history is not None and lab.session.history.step >= step


def finished(lab):
    """Wait for the thread too: until it is gone, nothing can be marked."""
    return lambda: (
        lab.session.history is not None
        and lab.session.history.status.ended
        and not lab.session.busy
    )


@pytest.mark.parametrize("provider", ["fused", "autodiff"])
@pytest.mark.sampled(2)
def test_scrubbing_and_dragging_leave_the_metrics_as_they_are(
    real_lab, qtbot, provider
):
    lab = real_lab
    num_steps = 6000 if provider == "fused" else 900
    config = small_config(outer__num_steps=num_steps, run__provider=provider)
    until(qtbot, lab, begin(lab, config, step=50))
    lab.window.workspaces.show_page("adapt")
    page = lab.window.workspaces.current
    rng = np.random.default_rng(0)
    visited = set()
    while not finished(lab)():
        lab.playhead.go_to(int(rng.integers(0, lab.session.history.step + 1)))
        lab.playhead.set_inner_step(int(rng.integers(0, 4)))
        if page.editor.scene is not None:
            shot = int(rng.integers(len(page.editor.scene.x)))
            page.canvas.point_moved.emit(shot, 0.5, float(rng.normal()))
        lab.clock.tick()
        qtbot.wait(5)
        visited.add(lab.playhead.moment.step)
    assert len(visited) > 5
    told = lab.session.history
    alone = LiveRun(config)
    run_experiment(alone, RunControl())
    undisturbed = alone.snapshot()
    assert told.step == undisturbed.step == num_steps
    for name, column in undisturbed.metrics.items():
        np.testing.assert_array_equal(told.metrics[name], column, err_msg=name)
    np.testing.assert_array_equal(
        told.evaluations.rows(), undisturbed.evaluations.rows()
    )


def test_the_playhead_shows_the_curves_of_its_step(real_lab, qtbot):
    lab = real_lab
    config = small_config(outer__num_steps=200)
    begin(lab, config)
    until(qtbot, lab, finished(lab))
    assert lab.playhead.following
    lab.window.timeline.outer.setFocus()
    lab.window.timeline.outer.step_chosen.emit(137)
    until(qtbot, lab, lambda: lab.playhead.moment.exact)
    straight = Trainer(config)
    for _ in straight.run(lambda: min(8, max(1, 137 - straight.step))):
        if straight.step == 137:
            break
    np.testing.assert_array_equal(lab.playhead.moment.phi, straight.checkpoint().phi)
    live = lab.window.live
    shown = live.adaptation.shown.curves
    assert shown.step == 137
    np.testing.assert_array_equal(shown.curves, straight.curves().curves)
    assert "137" in lab.window.timeline.outer.hint()
    lab.actions["follow"].trigger()
    assert lab.playhead.following
    assert live.adaptation.shown.curves.step == 200


def test_inner_step_and_task_are_the_same_everywhere(real_lab, qtbot):
    lab = real_lab
    begin(lab, small_config(outer__num_steps=50))
    until(qtbot, lab, finished(lab))
    lab.window.timeline.inner.setValue(3)
    assert lab.window.live.adaptation.inner_step == 3
    lab.window.live.set_task(0)
    lab.window.timeline.picker.box.setValue(3)
    assert lab.window.live.task == 2
    lab.window.live.adaptation.ruler.setValue(0)
    assert lab.playhead.inner_step == 0
    assert lab.window.timeline.inner.value() == 0


def test_a_learning_rate_changes_at_once_is_flagged_and_replays(real_lab, qtbot):
    lab = real_lab
    config = small_config(outer__num_steps=100_000, run__provider="fused")
    until(qtbot, lab, begin(lab, config, step=100))
    form = lab.window.experiment.form
    form.row(LR).editor.value_edited.emit(0.05)
    until(qtbot, lab, lambda: lab.session.history.configs.edits != ())
    lab.session.stop()
    until(qtbot, lab, finished(lab))
    history = lab.session.history
    (edit,) = history.configs.edits
    assert (edit.path, edit.value) == (LR, 0.05)
    assert isinstance(edit, Edit)
    flags = lab.window.timeline.outer.model.flags
    assert [flag.kind for flag in flags] == ["edited"]
    short = with_overrides(config, [("outer.num_steps", edit.step + 50)])
    again = Trainer(ConfigHistory(short, history.configs.edits))
    rows = [e.metrics for e in again.run() if hasattr(e, "metrics")]
    told = history.metrics["outer_loss"][: edit.step + 50]
    np.testing.assert_array_equal(np.concatenate(rows)[: len(told), 0], told)


def test_another_preset_in_the_form_does_not_change_the_run(real_lab, qtbot):
    lab = real_lab
    until(qtbot, lab, begin(lab, small_config(outer__num_steps=100_000), step=10))
    lab.session.open_preset("fomaml-sine")
    lab.window.experiment.form.row(LR).editor.value_edited.emit(0.05)
    step = lab.session.history.step
    until(qtbot, lab, lambda: lab.session.history.step > step + 100)
    assert lab.session.history.configs.edits == ()
    lab.session.stop()
    until(qtbot, lab, finished(lab))


def test_a_fork_begins_at_the_playhead_by_another_method(real_lab, qtbot):
    lab = real_lab
    config = small_config(outer__num_steps=200)
    begin(lab, config)
    until(qtbot, lab, finished(lab))
    lab.playhead.go_to(100)
    until(qtbot, lab, lambda: lab.playhead.moment.exact)
    phi = lab.playhead.moment.phi
    other = with_overrides(
        config, [("name", "mine"), ("hypergradient", {"kind": "first-order"})]
    )
    lab.session.replace(other)
    lab.actions["fork"].trigger()
    until(
        qtbot,
        lab,
        lambda: lab.session.history.config_at().name == "mine" and finished(lab)(),
    )
    history = lab.session.history
    assert (history.origin.parent, history.origin.step) == (
        experiment_name(config),
        100,
    )
    assert history.steps.tolist() == list(range(101, 201))
    np.testing.assert_array_equal(history.trail.at_or_before(100).phi, phi)
    assert [f.kind for f in lab.window.timeline.outer.model.flags] == ["forked"]


def test_a_fork_that_does_not_fit_says_why(real_lab, qtbot):
    lab = real_lab
    begin(lab, small_config(outer__num_steps=50))
    until(qtbot, lab, finished(lab))
    lab.session.replace(preset("cavia-sine"))
    lab.actions["fork"].trigger()
    assert "network" in lab.session.notice.text
    assert lab.window.banners.isVisible()


def test_bookmarks_are_set_from_the_timeline(real_lab, qtbot):
    lab = real_lab
    begin(lab, small_config(outer__num_steps=60))
    until(qtbot, lab, finished(lab))
    lab.playhead.go_to(20)
    lab.window.activateWindow()
    lab.actions["bookmark"].trigger()
    dialog = lab.window.timeline.findChild(BookmarkDialog)
    qtbot.waitUntil(dialog.note.hasFocus, timeout=5000)
    QTest.keyClicks(dialog.note, "look")
    QTest.keyClick(dialog.note, Qt.Key.Key_Return)
    (mark,) = lab.window.timeline.outer.model.bookmarks
    assert (mark.step, mark.note) == (20, "look")
    until(qtbot, lab, lambda: not lab.session.busy)
    assert lab.session.notice is None
    history = lab.session.history
    assert history.bookmarks_kept
    assert open_run(history.path).history.bookmarks == (mark,) == history.bookmarks
    lab.actions["bookmark"].trigger()
    dialog = lab.window.timeline.findChildren(BookmarkDialog)[-1]
    assert dialog.note.text() == "look"
    dialog.remove.click()
    until(qtbot, lab, lambda: not lab.session.busy)
    assert open_run(history.path).history.bookmarks == ()


def test_a_lesson_goes_through_its_pages(real_lab, qtbot):
    lab = real_lab
    lab.teaching.start_own_lesson(1)
    until(qtbot, lab, lambda: lab.session.history is not None)
    assert lab.teaching.lesson.isVisible()
    lesson = lab.teaching.panel.lesson
    assert lab.window.workspaces.current_key == lesson.pages[0].workspace
    for page in lesson.pages[1:]:
        lab.teaching.panel.go_on()
        assert lab.window.workspaces.current_key == page.workspace
    lab.teaching.leave_lesson()
    assert not lab.teaching.lesson.isVisible()
    lab.session.stop()
    until(qtbot, lab, finished(lab))


def test_a_card_starts_its_experiment(real_lab, qtbot):
    lab = real_lab
    lab.window.workspaces.show_page("start")
    cards = lab.window.workspaces.current.cards.cards
    cards["maml"].click()
    until(qtbot, lab, lambda: lab.session.history is not None)
    assert lab.window.workspaces.current_key == "adapt"
    until(qtbot, lab, lambda: lab.session.history.step > 0)
    lab.session.stop()
    until(qtbot, lab, finished(lab))


def test_the_inner_ruler_and_playing_go_as_far_as_adapt_does(open_lab, qtbot):
    """And only while Adapt is seen: other pages have the run's K'."""
    lab = open_lab(slot=RunManager())
    config = with_overrides(small_config(), [("evaluation.num_inner_steps", 4)])
    until(qtbot, lab, begin(lab, config))
    until(qtbot, lab, finished(lab))
    window, timeline = lab.window, lab.window.timeline
    trained, own = config.num_inner_steps, config.num_shown_steps
    window.workspaces.show_page("adapt")
    page = window.workspaces.current
    until(qtbot, lab, lambda: page.answers)
    assert timeline.inner.steps == (trained, own)
    page.tools.last.slider.setFocus()
    qtbot.keyClick(page.tools.last.slider, Qt.Key.Key_End)
    last = trained + 50
    assert timeline.inner.steps == (trained, last)
    until(qtbot, lab, lambda: len(page.answers[RUN].curves) == last + 1)
    assert page.panels.loss.plot.x_range[1] >= last
    # The ruler, the keys and playing all come to the end, and not beyond it.
    timeline.inner.setValue(last - 1)
    for _ in range(3):
        lab.actions["inner_forward"].trigger()
    assert page.caption.right.startswith(f"after {last} inner steps")
    lab.actions["inner_back"].trigger()
    assert lab.playhead.inner_step == last - 1
    timeline.toggle_play(INNER)
    timeline.player.speed = 1000.0
    qtbot.waitUntil(lambda: lab.playhead.inner_step == last)
    qtbot.waitUntil(lambda: not timeline.player.kind)
    window.workspaces.show_page("live")
    assert timeline.inner.steps == (trained, own)
    assert lab.playhead.inner_step == own
    window.workspaces.show_page("adapt")
    assert timeline.inner.steps == (trained, last)
    qtbot.mouseClick(page.tools.last.back, Qt.MouseButton.LeftButton)
    assert timeline.inner.steps == (trained, own)


def test_what_escape_takes_away_the_button_of_a_toast_brings_back(open_lab, qtbot):
    lab = open_lab(slot=RunManager())
    until(qtbot, lab, begin(lab, small_config()))
    until(qtbot, lab, finished(lab))
    window = lab.window
    window.workspaces.show_page("adapt")
    page = window.workspaces.current
    until(qtbot, lab, lambda: page.answers)
    page.editor._on_point_moved(0, 1.0, 2.0)
    mine = page.editor.scene
    qtbot.keyClick(page.canvas, Qt.Key.Key_Escape)
    (toast,) = window.toasts.toasts
    assert (toast.text.text(), toast.button.text()) == ("Points put back", "Undo")
    qtbot.mouseClick(toast.button, Qt.MouseButton.LeftButton)
    assert page.editor.scene is mine
    assert window.toasts.toasts == []
