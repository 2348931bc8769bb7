"""The Adapt workspace: points, curve, inner steps, overlays."""

import time
from dataclasses import replace
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from metalab.analysis.adapt_request import AdaptRequest, Start
from metalab.analysis.adaptation import TaskAdapter
from metalab.analysis.starts import joint_start, random_start
from metalab.experiment.changes import difference_note
from metalab.experiment.config_history import ConfigHistory
from metalab.experiment.fields import with_overrides
from metalab.ui.learn.trained_start import trained_start
from metalab.ui.plot.ticks import number_text
from metalab.ui.session.moment import Moment
from metalab.ui.style.theme import DARK, LIGHT
from metalab.ui.style.theming import change_theme
from metalab.ui.workspaces.adapt.starts import JOINT, RUN
from metalab.ui.workspaces.adapt.tools import LabelledSlider
from metalab.ui.workspaces.adapt.workspace import AdaptWorkspace
from tests.support.fake_worker import small_config
from tests.support.stored import run_to

pytestmark = pytest.mark.gui
LEFT = Qt.MouseButton.LeftButton
NO_KEYS = Qt.KeyboardModifier.NoModifier


@pytest.fixture(scope="module")
def history():
    return trained_start()


def moment_of(history, **changes) -> Moment:
    values = {
        "history": history,
        "shown": history,
        "step": history.step,
        "phi": history.curves.phi,
        "wanted_step": history.step,
        "inner_step": 1,
        "task": 0,
        "following": True,
    }
    return Moment(**(values | changes))


@pytest.fixture
def page(qtbot, history):
    made = AdaptWorkspace()
    qtbot.addWidget(made)
    made.resize(1000, 640)
    made.show()
    qtbot.waitExposed(made)
    made.show_moment(moment_of(history))
    qtbot.waitUntil(lambda: RUN in made.answers)
    yield made
    made.shut_down()
    made.join()


def answered(qtbot, page, made=lambda: True):
    qtbot.waitUntil(lambda: not page.asking.waiting and made(), timeout=20_000)


def place(page, shot: int) -> QPointF:
    scene = page.editor.scene
    return page.canvas.area.position_of(float(scene.x[shot]), float(scene.y[shot]))


def drag(page, start: QPointF, by: QPointF) -> None:
    viewport = page.canvas.area.viewport
    QTest.mouseMove(viewport, start.toPoint())
    QTest.mousePress(viewport, LEFT, NO_KEYS, start.toPoint())
    for share in (0.5, 1.0):
        QTest.mouseMove(viewport, (start + by * share).toPoint())
    QTest.mouseRelease(viewport, LEFT, NO_KEYS, (start + by).toPoint())


def test_it_begins_with_the_held_out_task_as_the_run_adapts_to_it(page, history):
    tasks = history.held_out_tasks
    np.testing.assert_array_equal(page.editor.scene.x, tasks.support.x[0, :, 0])
    base = page.answers[RUN]
    known = history.curves.curves[0]
    np.testing.assert_allclose(base.curves[: len(known)], known, atol=1e-5)
    drawn = [c for c in page.canvas.marks.curves if len(c.data[0])]
    assert len(drawn) == len(base.curves)
    assert "1,000" in page.header.title


def test_a_dragged_point_is_adapted_to_and_the_drag_is_one_edit(page, qtbot):
    before, curves = page.editor.scene, page.answers[RUN].curves
    drag(page, place(page, 2), QPointF(0, -60))
    answered(qtbot, page)
    assert page.editor.scene.y[2] > before.y[2]
    assert page.editor.scene.x[2] == pytest.approx(before.x[2], abs=0.1)
    assert not np.array_equal(page.answers[RUN].curves, curves)
    assert page.editor.undo_stack.count() == 1
    QTest.keyClick(page, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    answered(qtbot, page)
    assert page.editor.scene is before
    np.testing.assert_array_equal(page.answers[RUN].curves, curves)


def test_double_click_adds_and_delete_removes(page, qtbot):
    count = len(page.editor.scene.x)
    empty = page.canvas.area.position_of(0.0, 8.0)
    y = page.canvas.y_range
    spot = page.canvas.area.position_of(0.05, y[1] - 0.1 * (y[1] - y[0]))
    assert empty is not None
    viewport = page.canvas.area.viewport
    QTest.mouseDClick(viewport, LEFT, NO_KEYS, spot.toPoint())
    assert len(page.editor.scene.x) == count + 1
    assert page.editor.scene.x[-1] == pytest.approx(0.05, abs=0.1)
    QTest.mouseClick(viewport, LEFT, NO_KEYS, place(page, count).toPoint())
    page.canvas.setFocus()
    QTest.keyClick(page.canvas, Qt.Key.Key_Delete)
    assert len(page.editor.scene.x) == count
    QTest.keyClick(page.canvas, Qt.Key.Key_Insert)
    assert len(page.editor.scene.x) == count + 1
    answered(qtbot, page)
    assert len(page.answers[RUN].support_loss) == len(page.answers[RUN].curves)


def test_arrow_keys_move_the_selected_point(page, qtbot):
    page.canvas.setFocus()
    QTest.keyClick(page.canvas, Qt.Key.Key_Tab)
    selected = page.canvas.handles.selected
    before = page.editor.scene
    QTest.keyClick(page.canvas, Qt.Key.Key_Up)
    assert page.editor.scene.y[selected] > before.y[selected]
    answered(qtbot, page)


def test_the_handle_of_a_sine_changes_amplitude_and_phase(page, qtbot):
    page.tools.kind_chosen.emit("sine")
    before = page.editor.scene
    x, y = before.handle(page.editor.grid())
    start = page.canvas.area.position_of(x, y)
    drag(page, start, QPointF(20, 25))
    after = page.editor.scene
    assert after.amplitude < before.amplitude
    assert after.phase != before.phase
    answered(qtbot, page)


def test_a_curve_is_drawn_by_hand(page, qtbot):
    page.tools.kind_chosen.emit("drawn")
    assert page.canvas.drawing_mode
    low, high = page.canvas.y_range
    height = low + 0.9 * (high - low)
    start = page.canvas.area.position_of(-3.0, height)
    end = page.canvas.area.position_of(3.0, height)
    drag(page, start, end - start)
    scene = page.editor.scene
    assert scene.kind == "drawn"
    assert np.interp(0.0, page.editor.grid(), scene.drawn) == pytest.approx(
        height, abs=0.3
    )
    answered(qtbot, page)


def test_points_are_pasted_or_refused_in_words(page, qtbot):
    QGuiApplication.clipboard().setText("0, 1\n2, 3")
    page.tools.paste.click()
    assert page.editor.scene.x.tolist() == [0.0, 2.0]
    QGuiApplication.clipboard().setText("nothing")
    page.tools.paste.click()
    assert page.note.text() == (
        "The clipboard: line 1 is 'nothing'; allowed: two numbers, x and y"
    )
    assert page.editor.scene.x.tolist() == [0.0, 2.0]
    answered(qtbot, page)


def test_pasted_points_beyond_the_tasks_stay_and_have_no_true_curve(page, qtbot):
    QGuiApplication.clipboard().setText("x\ty\n10\t0,5\n20\t1\n30\t-1\n40\t0")
    page.tools.paste.click()
    answered(qtbot, page)
    scene, answer = page.editor.scene, page.answers[RUN]
    assert scene.x.tolist() == [10.0, 20.0, 30.0, 40.0]
    assert (answer.grid[0], answer.grid[-1]) == (-5.0, 40.0)
    assert answer.curves.shape[1] == len(answer.grid)
    assert answer.query_loss is None
    assert len(page.canvas.marks.truth.data[0]) == 0
    assert page.canvas.x_range[1] >= 40
    assert page.caption.left == "no true curve; 4 support points"
    assert page.note.text() == (
        "Pasted: 4 points, header 'x y', decimal comma, separated by tabs; "
        "x from 10 to 40, beyond the tasks' -5 to 5"
    )
    assert "true curve" not in page.caption.right
    page.tools.dice.click()
    assert page.note.text() == "There is no true curve to draw points from: choose one"
    page.editor.undo_stack.undo()
    answered(qtbot, page)
    assert page.answers[RUN].grid[-1] == 5.0
    assert "true curve" in page.caption.right


def test_a_refusal_stays_until_the_next_edit(page, qtbot, history):
    QGuiApplication.clipboard().setText("1,5; 2,5")
    page.tools.paste.click()
    told = "The clipboard: can be read in two ways"
    assert page.note.text().startswith(told)
    page.show_moment(moment_of(history, inner_step=2))
    assert page.note.text().startswith(told)
    QGuiApplication.clipboard().setText("1, 5; 2, 5")
    page.tools.paste.click()
    assert page.note.text().startswith("Pasted: 2 points, separated by commas")
    answered(qtbot, page)


def test_ten_thousand_points_are_drawn_and_taken_hold_of(page, qtbot):
    x = np.linspace(-5, 5, 10_000)
    text = "\n".join(f"{a:.4f}, {np.sin(a):.4f}" for a in x)
    QGuiApplication.clipboard().setText(text)
    page.tools.paste.click()
    answered(qtbot, page)
    assert len(page.answers[RUN].support_loss) > 1
    drag(page, place(page, 5_000), QPointF(0, -40))
    moved = np.flatnonzero(page.editor.scene.y != np.round(np.sin(x), 4))
    assert len(moved) == 1
    answered(qtbot, page)


def test_sliders_change_inner_lr_and_steps(page, qtbot, history):
    page.tools.last.slider.setValue(history.num_inner_steps + 50)
    answered(qtbot, page)
    assert len(page.answers[RUN].curves) == history.num_inner_steps + 51
    slow = page.answers[RUN].distance[1]
    page.tools.rate.slider.setValue(page.tools.rate.slider.maximum())
    answered(qtbot, page)
    assert page.answers[RUN].distance[1] == pytest.approx(10 * slow, rel=1e-3)


@pytest.mark.slow
def test_overlays_are_on_the_same_points(page, qtbot, history):
    page.tools.overlay_box("random").click()
    page.tools.overlay_box("joint").click()
    qtbot.waitUntil(lambda: {"random", "joint"} <= set(page.answers), timeout=60_000)
    asked = AdaptRequest(
        task=page.editor.scene.as_task(history.held_out_tasks),
        starts=(),
        num_inner_steps=len(page.answers[RUN].curves) - 1,
    )
    for key, make in (("random", random_start), ("joint", joint_start)):
        phi = make(history.config_at()).phi
        start = Start(key=key, config=history.config_at(), phi=phi, step=0)
        direct = TaskAdapter(history.config_at()).adapt(start, asked)
        np.testing.assert_allclose(page.answers[key].curves, direct.curves, atol=1e-6)
    assert len(set(page.tools.roles().values())) == 2
    page.tools.overlay_box("random").click()
    answered(qtbot, page, lambda: "random" not in page.answers)


def test_the_inner_ruler_only_draws_anew(page, history):
    page.show_moment(moment_of(history, inner_step=3))
    _, drawn = page.canvas.marks.chosen.data
    np.testing.assert_array_equal(drawn, page.answers[RUN].curves[3])
    assert page.editor.undo_stack.count() == 0


def test_other_meta_parameters_are_adapted_from_with_the_same_points(
    page, qtbot, history
):
    drag(page, place(page, 1), QPointF(0, 40))
    answered(qtbot, page)
    moved, curves = page.editor.scene, page.answers[RUN].curves
    page.show_moment(moment_of(history, phi=0.5 * history.curves.phi, step=7))
    answered(qtbot, page)
    assert page.editor.scene is moved
    assert not np.array_equal(page.answers[RUN].curves, curves)


def test_the_example_is_no_other_run(page, history):
    other = with_overrides(history.config_at(), [("inner.inner_lr", 0.02)])
    page.show_moment(moment_of(replace(history, configs=ConfigHistory(other))))
    assert history.path is None
    assert page.starts.runs == []


def test_another_run_leaves_the_one_before_to_be_laid_over(page, qtbot, history):
    page.show_moment(moment_of(replace(history, path=Path("run.metalab"))))
    other = with_overrides(history.config_at(), [("inner.inner_lr", 0.02)])
    page.show_moment(moment_of(replace(history, configs=ConfigHistory(other))))
    (run,) = page.starts.runs
    assert run.is_same_run(history)
    assert page.note.isHidden()
    box = page.tools.overlay_box(f"run {id(run.configs.identity)}")
    box.click()
    answered(qtbot, page, lambda: len(page.answers) == 2)
    # What is compared says what else differs.
    told = difference_note(other, history.config_at())
    assert told.startswith("Inner lr ")
    assert page.note.text() == f"{history.name} has {told}"
    assert told in page.canvas.accessibleDescription()
    assert told in box.toolTip()
    box.click()
    assert page.note.isHidden()


def test_the_fan_shows_other_support_sets(page, qtbot):
    page.tools.fan.click()
    answered(qtbot, page, lambda: len(page.answers[RUN].fan) == 16)


def test_without_a_run_it_says_so(page):
    page.show_moment(None)
    assert "No run yet" in page.canvas.message
    assert not page.tools.isEnabled()
    assert page.editor.scene is None or page.scene is None


def test_what_cannot_be_adapted_to_is_told(page):
    page.asking.failed.emit(ValueError("tasks.family has 20 inputs"))
    assert "20 inputs" in page.canvas.message

    page.asking.busy_changed.emit()
    assert "20 inputs" in page.canvas.message
    page.asking.explored.emit(tuple(page.answers.values()))
    assert page.canvas.message == ""


def test_what_takes_long_is_said_while_it_takes(page, qtbot, monkeypatch):
    """Held back: an answer takes a few milliseconds."""
    gate, original = Event(), TaskAdapter.adapt

    def slow(adapter, asked, *given, **more):
        assert gate.wait(20)
        return original(adapter, asked, *given, **more)

    assert "adapting" not in page.header.title
    monkeypatch.setattr(TaskAdapter, "adapt", slow)
    page.tools.fan.click()
    qtbot.waitUntil(lambda: "adapting" in page.header.title, timeout=5000)
    # What was there stays, and can be worked on.
    assert page.answers[RUN].curves.size
    assert page.tools.isEnabled()
    gate.set()
    qtbot.waitUntil(lambda: "adapting" not in page.header.title, timeout=5000)
    assert len(page.answers[RUN].fan) == 16


def double_click(slider: LabelledSlider) -> None:
    QTest.mouseDClick(slider.slider, LEFT, NO_KEYS, slider.slider.rect().center())


@pytest.mark.parametrize(
    "put_back",
    [
        double_click,
        lambda slider: QTest.mouseDClick(slider._name, LEFT),
        lambda slider: QTest.mouseClick(slider.back, LEFT),
        lambda slider: QTest.keyClick(slider.back, Qt.Key.Key_Space),
        lambda slider: QTest.keyClick(slider.slider, Qt.Key.Key_Backspace),
        lambda slider: QTest.keyClick(slider.slider, Qt.Key.Key_Delete),
    ],
    ids=["slider", "name", "button", "button by key", "Backspace", "Delete"],
)
def test_sliders_are_put_back_to_the_values_of_the_run(page, qtbot, history, put_back):
    config = history.config_at()
    own = {
        page.tools.rate: number_text(config.inner.inner_lr),
        page.tools.last: str(config.num_shown_steps),
    }
    curves = page.answers[RUN].curves
    for slider, text in own.items():
        assert (slider.text, slider.back.isVisible()) == (text, False)
        width = slider.sizeHint().width()
        QTest.keyClick(slider.slider, Qt.Key.Key_Right)
        assert slider.text != text
        assert slider.back.isVisible()
        # Nothing beside it moves when the button comes.
        assert slider.sizeHint().width() == width
        put_back(slider)
        assert (slider.text, slider.back.isVisible()) == (text, False)
    answered(qtbot, page)
    np.testing.assert_array_equal(page.answers[RUN].curves, curves)
    assert page.save_state()["extra"] is None


def test_the_legend_names_what_is_there_and_nothing_else(page, qtbot, history):
    def named(legend) -> list[str]:
        return [entry.text for entry in legend.entries]

    k, last = history.num_inner_steps, history.config_at().num_shown_steps
    assert named(page.legend) == [
        "True curve",
        "Support set",
        "Before adaptation",
        f"After 1 to {last} inner steps",
        f"After {k} inner step (K, training ends)",
    ]
    losses = page.panels.loss.legend
    assert named(losses) == ["Support", "True curve", f"K = {k} in training"]
    page.show_moment(moment_of(history, inner_step=3))
    assert named(page.legend)[-1] == "Emphasised: inner step 3"
    page.tools.fan.click()
    answered(qtbot, page, lambda: len(page.answers[RUN].fan) == 16)
    assert "Other support sets" in named(page.legend)
    QGuiApplication.clipboard().setText("0, 1\n2, 3")
    page.tools.paste.click()
    answered(qtbot, page, lambda: page.answers[RUN].query_loss is None)
    assert "True curve" not in named(page.legend)
    # They are drawn from the true curve.
    assert "Other support sets" not in named(page.legend)
    assert "Your support set" in named(page.legend)
    assert named(losses) == ["Support", f"K = {k} in training"]
    assert page.canvas.area._labels == ("Input x", "Output y")


def test_points_made_by_hand_do_not_go_without_a_word(page, qtbot):
    told, untold = [], []
    page.told.connect(lambda *words: told.append(words))
    page.untold.connect(untold.append)
    # What nobody made by hand is nobody's loss.
    page.tools.dice.click()
    page.tools.reset.click()
    assert told == []
    for lose, text in (
        (lambda: QTest.keyClick(page.canvas, Qt.Key.Key_Escape), "Points put back"),
        (page.tools.reset.click, "Points put back"),
        (page.tools.dice.click, "New points drawn"),
        (page.tools.paste.click, "Points pasted"),
        (lambda: page.tools.kind_chosen.emit("sine"), "Points put onto the curve"),
    ):
        QGuiApplication.clipboard().setText("0, 1\n2, 3")
        drag(page, place(page, 2), QPointF(0, -30))
        mine = page.editor.scene
        lose()
        words, button, undo = told.pop()
        assert (words, button) == (text, "Undo")
        assert page.editor.scene is not mine
        undo()
        assert page.editor.scene is mine
        assert untold.pop() == text
    # One step of the undo stack does the same, and so does any other edit say that the
    # offer does not stand any more.
    QTest.keyClick(page.canvas, Qt.Key.Key_Escape)
    QTest.keyClick(page, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert page.editor.scene is mine
    QTest.keyClick(page.canvas, Qt.Key.Key_Escape)
    untold.clear()
    # The axes are those of the curves from then on.
    answered(qtbot, page)
    drag(page, place(page, 1), QPointF(0, 20))
    assert untold == ["Points put back"]
    answered(qtbot, page)


def test_choices_are_kept(page):
    page.tools.fan.setChecked(True)
    page.tools.last.slider.setValue(20)
    state = page.save_state()
    page.restore_state({"extra": "x", "fan": 3})
    page.restore_state(state)
    assert page.save_state() == state


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
def test_a_picture_of_it_is_not_blank(page, theme):
    change_theme(theme)
    image = page.picture()
    colours = {
        image.pixel(x, y)
        for x in range(0, image.width(), 7)
        for y in range(0, image.height(), 7)
    }
    assert len(colours) > 20


def test_a_run_that_is_added_is_shown_at_once(page, qtbot, tmp_path):
    """It once came unticked, and an export left it out without a word."""
    path = tmp_path / "another.metalab"
    run_to(path, small_config(run__provider="autodiff", outer__num_steps=3))
    with qtbot.waitSignal(page.run_file_requested) as asked:
        qtbot.mouseClick(page.tools.add, Qt.MouseButton.LeftButton)
    asked.args[1](path)
    answered(qtbot, page, lambda: len(page.answers) == 2)
    (key,) = set(page.answers) - {RUN}
    assert page.tools.overlay_box(key).isChecked()
    assert key in page.tools.roles()


def test_an_answer_about_the_run_before_is_not_drawn(page, qtbot, history):
    """It came late, and had fewer inner steps than those that the new run marks."""
    drawn = []
    page.asking.explored.connect(drawn.append)
    page.asking.ask(
        AdaptRequest(
            task=page.scene.as_task(history.held_out_tasks),
            starts=page.starts.starts(),
            num_inner_steps=2,
        )
    )
    service = page.asking._service
    while not service._is_idle():
        # Without a turn of the event loop: the answer is there, and not delivered.
        time.sleep(0.001)
    assert service.waiting
    assert drawn == []
    changes = [("inner.num_inner_steps", 16), ("evaluation.num_inner_steps", 20)]
    config = with_overrides(history.config_at(), changes)
    tasks = replace(history.held_out_tasks, num_inner_steps=16)
    longer = replace(history, configs=ConfigHistory(config), held_out_tasks=tasks)
    page.show_moment(moment_of(longer))
    answered(qtbot, page)
    assert len(page.answers[RUN].curves) == 21
    assert {len(answers[0].curves) for answers in drawn} == {21}


def test_a_start_that_was_made_for_the_run_before_is_not_used(page, qtbot, history):
    """It has the other network's meta-parameters."""
    opened, made = Event(), []
    page.asking.start_made.connect(lambda *told: made.append(told))

    def slow():
        assert opened.wait(20)
        return random_start(history.config_at())

    page.asking.make_start(JOINT, slow)
    given_up = page.asking.give_up
    other = with_overrides(history.config_at(), [("run.seed", 5)])
    page.show_moment(moment_of(replace(history, configs=ConfigHistory(other))))
    assert given_up()
    assert not page.asking.give_up()
    assert not page.asking.making(JOINT)
    opened.set()
    answered(qtbot, page)
    page.shut_down()
    page.join()
    assert made == []
