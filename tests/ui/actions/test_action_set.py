"""The table of actions, and what it promises in each state of the window."""

from collections import Counter

import pytest
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog

from metalab.core.assets import assets_folder
from metalab.runs.record.status import RunStatus
from metalab.ui.actions.table import (
    ACTIONS,
    MENUS,
    SPECS,
    shown_shortcut,
)
from metalab.ui.session.phase import Phase
from metalab.ui.shell.commands import Commands
from metalab.ui.widgets.plain_text import plain_label
from metalab.ui.workspaces.registry import WORKSPACES
from tests.support.fake_worker import small_config
from tests.ui.conftest import until

pytestmark = pytest.mark.gui

KEYS = [spec.key for spec in ACTIONS]
ICONLESS = {
    "add_plugin",
    "save_copy",
    "report",
    "reopen_last",
    "run_back",
    "run_forward",
    "bookmark",
    "ask_first",
    "copy_plot",
    "copy_code",
    "paste_code",
    "open_data",
    "open_experiment",
    "save_experiment",
    "differences",
    "quit",
    "inner_back",
    "inner_forward",
    "search",
    "show_experiment",
    "show_diagnostics",
    "show_baselines",
    "show_problems",
    "reset_layout",
    "about",
    "palette",
    "present",
    "animate",
    "fork",
    "follow",
    "play_inner",
    "play_outer",
    "tour",
    "open_lesson",
    "save_lesson",
    *(f"lesson_{number}" for number in (1, 2, 3, 4)),
    *(f"page_{spec.key}" for spec in WORKSPACES),
}
"""On purpose: these stand in menus only."""


def loading(lab, workshop):
    pass


def idle(lab, workshop):
    lab.session.set_config(small_config())


def running(lab, workshop):
    idle(lab, workshop)
    lab.session.toggle_run()
    workshop.worker.play(6)
    lab.clock.tick()


def paused(lab, workshop):
    running(lab, workshop)
    lab.session.toggle_run()


def diverged(lab, workshop):
    running(lab, workshop)
    workshop.worker.diverge()
    lab.clock.tick()


def stopping(lab, workshop):
    running(lab, workshop)
    lab.session.stop()


def ended(lab, workshop):
    running(lab, workshop)
    workshop.worker.end()
    lab.clock.tick()


def stopped(lab, workshop):
    stopping(lab, workshop)
    workshop.worker.end(RunStatus.STOPPED)
    lab.clock.tick()


def failed(lab, workshop):
    running(lab, workshop)
    workshop.worker.fail()
    lab.clock.tick()


def invalid(lab, workshop):
    lab.session.set_invalid("outer.num_steps is 0; allowed: at least 1")


STATES = {
    state.__name__: state
    for state in (
        loading,
        idle,
        running,
        paused,
        diverged,
        stopping,
        ended,
        stopped,
        failed,
        invalid,
    )
}

LESSONS = {"open_lesson", *(f"lesson_{n}" for n in (1, 2, 3, 4))}
MOMENTS = {"animate", "bookmark", "fork", "follow", "play_inner", "play_outer"}
OTHERS = {"reopen_last", "run_back", "run_forward"}
"""Ways to other runs, of which there are none here."""

OFF = {
    "loading": LESSONS | MOMENTS | OTHERS | {
        "open_file", "save_lesson", "export", "toggle_run", "step_1", "step_10", "step_100", "stop",
        "start", "reset", "reset_new_seed", "inner_back", "inner_forward", "search",
        "copy_plot", "copy_code", "paste_code", "differences", "save_copy", "report",
        "open_data", "open_experiment", "save_experiment",
    },
    "idle": MOMENTS | OTHERS | {
        "export", "copy_plot", "stop", "reset", "reset_new_seed", "inner_back",
        "inner_forward", "save_copy", "report",
    },
    "running": OTHERS,
    "paused": OTHERS,
    "diverged": OTHERS,
    "stopping": OTHERS | {
        "bookmark", "toggle_run", "step_1", "step_10", "step_100", "stop",
    },
    "ended": OTHERS | {"stop"},
    "stopped": OTHERS | {"stop"},
    "failed": OTHERS | {"stop"},
    "invalid": MOMENTS | OTHERS | {
        "save_lesson",
        "export", "copy_plot", "toggle_run", "step_1", "step_10", "step_100", "stop",
        "start", "reset", "reset_new_seed", "inner_back", "inner_forward", "copy_code",
        "differences", "save_copy", "report", "save_experiment",
    },
}  # fmt: skip
"""What cannot be done in each state; all else can."""


@pytest.mark.parametrize("spec", ACTIONS, ids=KEYS)
def test_every_action_is_described_and_handled(spec):
    assert plain_label(spec.text)
    assert "&" in spec.text
    assert spec.tooltip
    assert not spec.tooltip.endswith(".")
    assert spec.menu in MENUS
    shared = spec.key.startswith(("page_", "lesson_"))
    assert shared or callable(getattr(Commands, spec.key))
    assert bool(spec.icon) is (spec.key not in ICONLESS)
    if spec.icon:
        assert (assets_folder() / "icons" / f"{spec.icon}.svg").is_file()


def test_keys_and_shortcuts_are_unique_and_readable():
    assert len(SPECS) == len(ACTIONS)
    keys = [
        QKeySequence(keys).toString() for spec in ACTIONS for keys in spec.shortcuts
    ]
    assert all(keys)
    assert [key for key, count in Counter(keys).items() if count > 1] == []
    assert all(shown_shortcut(spec) for spec in ACTIONS)


@pytest.mark.parametrize("menu", MENUS)
def test_mnemonics_are_unique_in_their_menu(menu):
    letters = [
        spec.text.split("&")[1][0].lower() for spec in ACTIONS if spec.menu == menu
    ]
    # Steps of ten and a hundred share the nought: Qt goes through them in turn.
    letters = [letter for letter in letters if letter != "0"]
    assert len(letters) == len(set(letters))


@pytest.mark.parametrize("state", STATES)
@pytest.mark.sampled(3)
def test_each_state_allows_what_makes_sense_and_says_why_not(state, open_lab, workshop):
    lab = open_lab(load=state != "loading")
    STATES[state](lab, workshop)
    off = {key for key in KEYS if not lab.actions[key].isEnabled()}
    assert off == OFF[state]
    for spec in ACTIONS:
        tip = lab.actions[spec.key].toolTip()
        first, *reason = tip.splitlines()
        assert first == f"{spec.tooltip} ({shown_shortcut(spec)})"
        assert bool(reason) is (spec.key in off)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.sampled(4)
def test_every_action_can_be_triggered_in_each_state(
    state, open_lab, workshop, monkeypatch
):
    monkeypatch.setattr(
        "metalab.ui.session.engine_access.past_of", lambda history: history
    )
    lab = open_lab(load=state != "loading")
    for key in KEYS:
        if key == "quit":
            continue
        STATES[state](lab, workshop)
        lab.actions[key].trigger()
        lab.clock.tick()
        for dialog in lab.window.findChildren(QDialog):
            dialog.reject()
        lab.session.stop()
        lab.session.join(10)
        lab.session.poll()
    told = {fault.message for fault in lab.faults.snapshot()}
    assert told == ({"RuntimeError: out of luck"} if state == "failed" else set())


def test_the_run_action_says_what_it_will_do(lab, qtbot, workshop, monkeypatch):
    action = lab.actions["toggle_run"]
    assert action.iconText() == "Run"
    action.trigger()
    assert action.iconText() == "Pause"
    assert action.data() == "pause"
    workshop.worker.play(6)
    action.trigger()
    assert action.iconText() == "Resume"
    assert lab.session.phase is Phase.PAUSED
    lab.session.stop()
    workshop.worker.end(RunStatus.STOPPED)
    until(qtbot, lab, lambda: action.iconText() == "Resume")
    assert lab.session.resumable


def test_a_device_that_is_not_here_is_refused_before_anything_runs(lab, workshop):
    lab.session.set_config(small_config(run__device="mps"))
    lab.clock.tick()
    for key in ("toggle_run", "start"):
        assert not lab.actions[key].isEnabled()
        assert (
            "run.device is 'mps'; allowed here: auto, cpu" in lab.actions[key].toolTip()
        )
    assert not lab.faults.snapshot()
