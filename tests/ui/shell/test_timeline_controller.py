from dataclasses import replace

import pytest

from metalab.runs.record.status import RunStatus
from metalab.ui.session.moment import Moment
from metalab.ui.session.playhead import Playhead
from metalab.ui.shell import timeline_controller as timekeeper_module
from metalab.ui.shell.timeline_controller import FOLLOW_SECONDS, TimelineController
from metalab.ui.timeline.timeline import Timeline
from tests.support.histories import make_history


class Clock:
    def __init__(self):
        self.now = 100.0

    def perf_counter(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(timekeeper_module, "time", made)
    return made


@pytest.fixture
def timeline(qtbot):
    made = Timeline()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def keeper(timeline):
    playhead = Playhead(timeline)
    yield TimelineController(timeline, playhead, parent=timeline)
    playhead.close()
    playhead.join()


def moment_at(history, step, **changes):
    made = {
        "history": replace(history, step=step),
        "shown": history,
        "step": step,
        "phi": None,
        "wanted_step": step,
        "inner_step": 1,
        "task": 0,
        "following": True,
    }
    return Moment(**(made | changes))


def test_a_run_is_followed_ten_times_a_second(keeper, timeline, clock):
    history = replace(make_history(), status=RunStatus.RUNNING)
    keeper.show_moment(moment_at(history, 100))
    assert timeline.outer.value() == 100
    clock.now += FOLLOW_SECONDS / 2
    keeper.show_moment(moment_at(history, 110))
    assert timeline.outer.value() == 100
    clock.now += FOLLOW_SECONDS
    keeper.show_moment(moment_at(history, 120))
    assert timeline.outer.value() == 120


@pytest.mark.parametrize("paused", [True, False])
def test_where_a_person_or_a_pause_stops_it_is_seen_at_once(
    keeper, timeline, clock, paused
):
    history = replace(make_history(), status=RunStatus.RUNNING)
    keeper.show_moment(moment_at(history, 100))
    if paused:
        stopped = replace(history, status=RunStatus.PAUSED)
        keeper.show_moment(moment_at(stopped, 110))
    else:
        keeper.show_moment(moment_at(history, 110, following=False))
    assert timeline.outer.value() == 110
    assert timeline.follow.isChecked() == paused
