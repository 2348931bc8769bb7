"""When the window looks at the run, with time that is made up."""

import pytest

from metalab.ui.session.frame_clock import FRAME_MS, HIDDEN_MS, LONGEST_MS, FrameClock


class Time:
    """A wall clock and a processor's clock, moved by hand."""

    def __init__(self):
        self.wall = 0.0
        self.processor = 0.0

    def pass_frame(self, *, wall: float, processor: float):
        self.wall += wall
        self.processor += processor


@pytest.fixture
def time():
    return Time()


def make_clock(time, draw=lambda: True):
    return FrameClock(draw, now=lambda: time.wall, spent=lambda: time.processor)


def test_thirty_frames_a_second_while_drawing_is_cheap(qapp, time):
    clock = make_clock(time)
    for _ in range(5):
        clock.tick()
        time.pass_frame(wall=0.033, processor=0.010)
    assert clock.interval_ms == FRAME_MS


def test_slow_drawing_leaves_as_much_time_for_others(qapp, time):
    clock = make_clock(time)
    clock.tick()
    time.pass_frame(wall=0.1, processor=0.040)
    clock.tick()
    assert clock.interval_ms == 80
    time.pass_frame(wall=0.1, processor=5.0)
    clock.tick()
    assert clock.interval_ms == LONGEST_MS
    time.pass_frame(wall=0.1, processor=0.001)
    clock.tick()
    assert clock.interval_ms == FRAME_MS


def test_waiting_for_the_interpreter_lock_is_not_drawing(qapp, time):
    clock = make_clock(time)
    clock.tick()
    time.pass_frame(wall=1.0, processor=0.005)
    clock.tick()
    assert clock.interval_ms == FRAME_MS


def test_ten_frames_a_second_while_nothing_can_be_seen(qapp, time):
    clock = make_clock(time)
    clock.set_hidden(hidden=True)
    clock.tick()
    assert clock.interval_ms == HIDDEN_MS
    clock.set_hidden(hidden=False)
    clock.tick()
    assert clock.interval_ms == FRAME_MS


def test_frame_times_are_those_of_frames_in_a_row(qapp, time):
    new = True
    clock = make_clock(time, draw=lambda: new)
    assert clock.times() is None
    clock.tick()
    assert clock.times() is None
    for wall in (0.03, 0.03, 0.06):
        time.pass_frame(wall=wall, processor=0.001)
        clock.tick()
    new = False
    time.pass_frame(wall=10.0, processor=0.001)
    clock.tick()
    new = True
    time.pass_frame(wall=10.0, processor=0.001)
    clock.tick()
    times = clock.times()
    assert times.count == 3
    assert times.p50_ms == pytest.approx(30)
    assert times.p99_ms == pytest.approx(59.4)
    assert times.fps == pytest.approx(25)
    clock.forget()
    assert clock.times() is None


def test_ticks_by_itself_until_it_is_stopped(qtbot):
    ticks = []
    clock = FrameClock(lambda: bool(ticks.append(1)))
    clock.start()
    assert clock.running
    qtbot.waitUntil(lambda: len(ticks) >= 3, timeout=5000)
    clock.stop()
    assert not clock.running


def test_an_error_of_a_view_does_not_stop_the_clock(qtbot):
    ticks = []

    def draw():
        ticks.append(1)
        raise ValueError("a view is broken")

    clock = FrameClock(draw)
    with qtbot.captureExceptions() as caught:
        clock.start()
        qtbot.waitUntil(lambda: len(ticks) >= 3, timeout=5000)
        clock.stop()
    assert len(caught) >= 3
