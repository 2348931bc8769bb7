"""Every page shows the moment that the window shows, hidden or seen while it changed."""

from dataclasses import replace

import numpy as np
import pytest

from metalab.experiment.config_history import ConfigHistory
from metalab.experiment.edit import Edit
from metalab.experiment.fields import with_overrides
from metalab.experiment.naming import experiment_name
from metalab.runs.record.live import LiveRun
from metalab.runs.running.control import RunControl
from metalab.runs.running.run import run_experiment
from metalab.ui.session.moment import Moment
from metalab.ui.workspaces.adapt.starts import RUN
from metalab.ui.workspaces.live.workspace import LiveWorkspace
from metalab.ui.workspaces.tabs import WorkspaceTabs
from tests.support.comparisons import comparison
from tests.support.experiments import small

pytestmark = pytest.mark.gui

FIRST = small(run__provider="autodiff", evaluation__every=20, outer__num_tasks=3)
RUNS = {
    "first": FIRST,
    "seed": with_overrides(FIRST, [("run.seed", 5)]),
    "family": with_overrides(
        FIRST,
        [("name", "others"), ("tasks.family", {"kind": "polynomial"})],
    ),
    "settings": with_overrides(
        FIRST,
        [("name", "five"), ("inner.num_inner_steps", 2), ("inner.inner_lr", 0.02)],
    ),
}


@pytest.fixture(scope="module")
def histories():
    found = {}
    for name, config in RUNS.items():
        live = LiveRun(config)
        live.request_curves()
        run_experiment(live, RunControl())
        found[name] = live.snapshot()
    # The same states, with another inner lr from the last evaluation but one on.
    first = found["first"]
    edited = ConfigHistory(FIRST, (Edit(step=30, path="inner.inner_lr", value=0.05),))
    found["edited"] = replace(first, configs=edited)
    return found


def moment_of(history, *, step=None, task=0, inner_step=1) -> Moment:
    state = history.trail.nearest(history.step if step is None else step)
    drawn = history.trail.nearest_drawn(state.step)
    curves = drawn[1]
    assert curves.step == state.step
    following = step is None
    return Moment(
        history=history,
        shown=history if following else history.at(state.step, curves=curves),
        step=state.step,
        phi=curves.phi,
        wanted_step=state.step,
        inner_step=inner_step,
        task=task,
        following=following,
    )


def beginning(moment: Moment) -> Moment:
    """Return the run of a moment before its first outer step."""
    history = replace(
        moment.history, curves=None, held_out_tasks=None, step=0, **nothing(moment)
    )
    return replace(moment, history=history, shown=history, phi=None, step=0)


def nothing(moment):
    history = moment.history.at(-1)
    return {
        "steps": history.steps,
        "seconds": history.seconds,
        "metrics": history.metrics,
        "sums": history.sums,
        "evaluations": history.evaluations,
        "diagnostics": history.diagnostics,
    }


def compared_at_once(request, tell):
    """Answer without measuring: what is measured of a request has tests of its own."""
    yield comparison(request)


@pytest.fixture
def tabs(qtbot, monkeypatch):
    monkeypatch.setattr(
        "metalab.analysis.comparison_steps.comparison_steps", compared_at_once
    )
    made = WorkspaceTabs(LiveWorkspace())
    qtbot.addWidget(made)
    made.resize(1000, 640)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.shut_down()
    made.join()


def name_of(moment):
    return experiment_name(moment.config)


# What each page must show: read off the objects that its numbers come from.


def check_live(page, moment, qtbot):
    tasks, curves = moment.shown.held_out_tasks, moment.shown.curves
    assert page.adaptation.shown.held_out_tasks is tasks
    assert page.task == moment.task
    assert page.inner_loss.query.data[1] == pytest.approx(
        curves.query_loss[moment.task]
    )
    evaluations = moment.shown.evaluations
    assert page.inner_loss.mean.data[1] == pytest.approx(evaluations.query_mean[-1])
    assert evaluations.steps[-1] <= moment.step
    playhead = page.outer_loss.drawing.playhead.x
    assert playhead == (moment.step if moment.past else None)
    # The losses of the whole run, in which the playhead stands.
    assert len(page.outer_loss.drawing.held_out_line.data[0]) == len(
        moment.history.evaluations
    )


def check_adapt(page, moment, qtbot):
    def there():
        answer = page.answers.get(RUN)
        if answer is None or answer.start.config is not moment.config:
            return False
        return answer.start.phi is moment.phi and is_of_task(answer)

    def is_of_task(answer):
        # Adapted once more, by the trainer's own evaluation. An edit is seen in later
        # curves only: those here are of before it.
        if moment.history.configs.edits:
            return True
        mine = answer.curves[: moment.config.num_shown_steps + 1]
        own = moment.shown.curves.curves[moment.task]
        return np.allclose(mine, own, rtol=1e-4, atol=1e-5)

    qtbot.waitUntil(there, timeout=60_000)
    tasks = moment.history.held_out_tasks
    assert f"{name_of(moment)} after {moment.step:,} outer" in page.header.title
    np.testing.assert_array_equal(page.scene.x, tasks.support.x[moment.task, :, 0])
    np.testing.assert_array_equal(page.scene.y, tasks.support.y[moment.task, :, 0])
    np.testing.assert_array_equal(page.scene.drawn, tasks.true_curves[moment.task])


def check_landscape(page, moment, qtbot):
    def there():
        shown = page.shown
        if shown is None or shown.asked.config is not moment.config:
            return False
        return shown.asked.phi is moment.phi and shown.asked.tasks[0] == moment.task

    qtbot.waitUntil(there, timeout=60_000)
    assert f"{name_of(moment)} after {moment.step:,} outer" in page.header.title


def check_estimators(page, moment, qtbot):
    def there():
        found = page.comparison
        if found is None or found.request.config is not moment.config:
            return False
        return found.request.phi is moment.phi

    qtbot.waitUntil(there, timeout=60_000)
    request = page.comparison.request
    assert request.num_inner_steps == moment.config.num_inner_steps
    assert page.tools.num_steps.text == str(moment.config.num_inner_steps)
    assert float(page.tools.rate.text) == moment.config.inner.inner_lr
    assert f"inner lr {page.tools.rate.text}" in page.state.toolTip()
    assert f"outer step {moment.step:,}" in page.state.toolTip()


def check_structure(page, moment, qtbot):
    del qtbot
    assert page.diagram.numbers.step == moment.step


CHECKS = {
    "live": check_live,
    "adapt": check_adapt,
    "landscape": check_landscape,
    "estimators": check_estimators,
    "structure": check_structure,
}

CHANGES = {
    "run of another seed": ("first", "seed", {}),
    "run of another family": ("first", "family", {}),
    "run of other settings": ("first", "settings", {}),
    "task": ("first", "first", {"task": 3}),
    "outer step": ("first", "first", {"step": 20}),
    "edit": ("first", "edited", {}),
}


@pytest.mark.parametrize("hidden", [True, False], ids=["hidden", "seen"])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("key", CHECKS)
@pytest.mark.sampled(7)
def test_a_page_shows_the_moment(tabs, histories, qtbot, key, change, hidden):
    first, second, where = CHANGES[change]
    before, after = moment_of(histories[first]), moment_of(histories[second], **where)
    tabs.show_page(key)
    tabs.show_config(before.config)
    tabs.show_moment(before)
    CHECKS[key](tabs.current, before, qtbot)
    if hidden:
        tabs.show_page("start")
    if not after.history.is_same_run(before.history):
        # A run has nothing to show at first, and a page may be told so.
        tabs.show_config(after.config)
        tabs.show_moment(beginning(after))
    tabs.show_moment(after)
    tabs.show_page(key)
    CHECKS[key](tabs.current, after, qtbot)
    assert tabs.badge.isVisible() == after.past
    if after.past:
        assert "20" in tabs.badge.text()


def test_points_of_a_person_stay_in_another_run_as_nobodys_task(tabs, histories, qtbot):
    before, after = moment_of(histories["first"]), moment_of(histories["seed"])
    tabs.show_page("adapt")
    tabs.show_moment(before)
    page = tabs.current
    qtbot.waitUntil(lambda: RUN in page.answers)
    page.canvas.point_moved.emit(0, 1.0, 2.0)
    mine = page.scene
    tabs.show_moment(after)
    qtbot.waitUntil(
        lambda: RUN in page.answers and page.answers[RUN].start.phi is after.phi
    )
    np.testing.assert_array_equal(page.scene.x, mine.x)
    assert page.scene.kind == "drawn"
    assert "held-out task" not in page.header.title


def test_points_of_a_person_do_not_follow_to_other_inputs(tabs, histories, qtbot):
    before, after = moment_of(histories["first"]), moment_of(histories["family"])
    tabs.show_page("adapt")
    tabs.show_moment(before)
    page = tabs.current
    qtbot.waitUntil(lambda: RUN in page.answers)
    page.canvas.point_moved.emit(0, 1.0, 2.0)
    grid = after.history.held_out_tasks.grid
    tabs.show_moment(after)
    if np.array_equal(grid, before.history.held_out_tasks.grid):
        assert page.scene.kind == "drawn"
    else:
        assert page.scene.own


def test_an_error_leaves_nothing_of_the_run_before(tabs, histories, qtbot):
    before = moment_of(histories["first"])
    config = small(run__provider="autodiff", tasks__family={"kind": "ridge-regression"})
    live = LiveRun(config)
    live.request_curves()
    run_experiment(live, RunControl())
    tabs.show_page("adapt")
    tabs.show_moment(before)
    page = tabs.current
    qtbot.waitUntil(lambda: RUN in page.answers)
    tabs.show_moment(moment_of(live.snapshot()))
    qtbot.waitUntil(lambda: "inputs" in page.canvas.message)
    assert page.answers == {}
    marks = page.canvas.marks
    assert all(len(line.data[0]) == 0 for line in (*marks.curves, marks.chosen))


def test_the_last_state_is_shown_after_a_stop(histories):
    """Curves that were asked for a moment before the end are those of the end."""
    for history in histories.values():
        assert history.curves.step == history.step
