"""Commands to a run."""

import pytest

from metalab.runs.running.control import Command, Permit, RunControl


def test_goes_without_limit_at_first():
    assert RunControl().turn() == Permit(Command.GO, None)


def test_prepared_paused():
    control = RunControl(paused=True)
    assert control.turn().order is Command.WAIT
    assert control.paused


def test_steps_are_counted_down_and_add_up():
    control = RunControl()
    control.step(10)
    control.step(5)
    assert control.turn() == Permit(Command.GO, 15)
    control.made(14)
    assert control.turn() == Permit(Command.GO, 1)
    assert not control.paused
    control.made(1)
    assert control.turn().order is Command.WAIT
    assert control.paused


def test_pause_forgets_steps_that_are_left():
    control = RunControl()
    control.step(100)
    control.pause()
    assert control.turn().order is Command.WAIT
    control.resume()
    assert control.turn() == Permit(Command.GO, None)


def test_stop_wins_over_everything():
    control = RunControl()
    control.stop()
    control.resume()
    control.step(3)
    assert control.turn().order is Command.STOP
    assert control.stopping


def test_wait_returns_at_once_with_something_to_do():
    control = RunControl(paused=True)
    control.stop()
    control.wait(timeout=60.0)


@pytest.mark.parametrize("num_steps", [0, -1])
def test_refuses_no_steps(num_steps):
    with pytest.raises(ValueError, match="num_steps is"):
        RunControl().step(num_steps)


def test_a_stop_can_come_from_elsewhere():
    orders = []
    control = RunControl(also_stops=lambda: bool(orders))
    assert not control.stopping
    orders.append("stop")
    assert control.stopping
    assert control.turn().order is Command.STOP
