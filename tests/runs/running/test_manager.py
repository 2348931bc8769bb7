"""Room for one run at a time."""

import threading

import pytest

from metalab.runs.record.status import RunStatus
from metalab.runs.running.manager import Launch, RunManager, can_go_on
from tests.support.fake_worker import Workshop, small_config


@pytest.fixture
def workshop():
    return Workshop()


@pytest.fixture
def slot(workshop):
    return RunManager(workshop)


def test_is_empty_at_first(slot):
    assert slot.history is None
    assert not slot.active
    assert not slot.busy
    assert not slot.reading
    slot.poll()
    slot.stop()
    slot.pause()
    slot.resume()
    slot.step(1)
    slot.request_curves()
    assert slot.join(0)
    assert slot.history is None


def test_the_newest_view_comes_with_a_poll(slot, workshop):
    slot.launch(Launch(config=small_config()))
    first = slot.history
    assert first.status is RunStatus.STARTING
    slot.poll()
    workshop.worker.play(4)
    slot.poll()
    assert slot.history is not first
    assert slot.history.step == 1
    same = slot.history
    slot.poll()
    assert slot.history is same


def test_a_second_run_waits_until_the_first_is_saved(slot, workshop):
    slot.launch(Launch(config=small_config()))
    slot.launch(Launch(config=small_config(run__seed=2)))
    slot.launch(Launch(config=small_config(run__seed=3)))
    assert len(workshop.workers) == 1
    assert workshop.worker.control.stopping
    assert slot.busy
    assert not slot.active
    slot.poll()
    assert len(workshop.workers) == 1
    workshop.worker.end(RunStatus.STOPPED)
    slot.poll()
    assert len(workshop.workers) == 2
    assert slot.active
    assert slot.history.config_at().run.seed == 3


@pytest.mark.parametrize("status", [s for s in RunStatus if s.ended])
def test_a_run_that_has_ended_takes_no_commands_while_its_thread_lives_on(
    slot, workshop, status
):
    slot.launch(Launch(config=small_config()))
    workshop.worker.play(4)
    workshop.worker.live.set_status(status)
    slot.poll()
    assert slot.busy
    assert not slot.active
    workshop.worker.alive = False
    slot.poll()
    assert not slot.busy


def test_commands_reach_the_run(slot, workshop):
    slot.launch(Launch(config=small_config()))
    control = workshop.worker.control
    slot.pause()
    assert slot.paused
    slot.resume()
    assert not slot.paused
    slot.step(7)
    assert control.turn().num_steps == 7
    slot.stop()
    assert control.stopping
    assert not slot.active
    assert slot.busy
    slot.step(1)
    assert slot.join(0)
    slot.poll()
    assert not slot.busy
    assert slot.history.status is RunStatus.STOPPED


def test_a_launch_with_steps_waits_after_them(slot, workshop):
    slot.launch(Launch(config=small_config(), num_steps=10))
    assert workshop.worker.control.turn().num_steps == 10
    workshop.worker.control.made(10)
    assert slot.paused


def test_stop_forgets_what_was_to_follow(slot, workshop):
    slot.launch(Launch(config=small_config()))
    slot.launch(Launch(config=small_config()))
    slot.stop()
    workshop.worker.end(RunStatus.STOPPED)
    slot.poll()
    assert len(workshop.workers) == 1
    assert not slot.busy


def test_curves_are_asked_for_only_if_they_are_old(slot, workshop):
    slot.launch(Launch(config=small_config()))
    live = workshop.worker.live
    slot.request_curves()
    assert not live.curves_wanted
    workshop.worker.play(2)
    slot.poll()
    slot.request_curves()
    assert not live.curves_wanted
    workshop.worker.play(1)
    slot.poll()
    slot.request_curves()
    assert live.curves_wanted


def history_of(slot, workshop, status=RunStatus.STOPPED):
    slot.launch(Launch(config=small_config()))
    workshop.worker.play(6)
    workshop.worker.end(status)
    slot.poll()
    return slot.history


def test_a_file_is_read_in_the_background(slot, workshop):
    history = history_of(slot, workshop)
    go_on, shown = threading.Event(), []

    def work():
        assert go_on.wait(10)
        return history

    slot.read(work, shown.append, name="read")
    slot.poll()
    assert slot.reading
    assert shown == []
    with pytest.raises(AssertionError, match="another file"):
        slot.read(work, shown.append, name="read")
    go_on.set()
    assert slot.join(10)
    slot.poll()
    assert shown == [history]
    assert not slot.reading
    assert slot.take_error() is None


def test_an_error_of_reading_is_told_once(slot):
    def work():
        raise OSError("unreadable")

    slot.read(work, slot.show, name="read")
    slot.join(10)
    slot.poll()
    assert str(slot.take_error()) == "unreadable"
    assert slot.take_error() is None


def test_stop_forgets_a_file_that_is_being_read(slot, workshop):
    history, shown = history_of(slot, workshop), []
    slot.read(lambda: history, shown.append, name="read")
    slot.stop()
    slot.join(10)
    slot.poll()
    assert shown == []


def test_only_what_has_ended_early_in_a_file_can_go_on(slot, workshop, tmp_path):
    slot.launch(Launch(config=small_config(), path=tmp_path / "run.metalab"))
    workshop.worker.play(6)
    slot.poll()
    assert not can_go_on(slot.history)
    workshop.worker.end(RunStatus.STOPPED)
    slot.poll()
    assert can_go_on(slot.history)
    assert not can_go_on(history_of(slot, workshop))
    assert not can_go_on(history_of(slot, workshop, RunStatus.FINISHED))
