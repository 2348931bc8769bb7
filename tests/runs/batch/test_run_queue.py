"""The queue of a batch: order, pause, cancel, retry, and processes that die."""

import pytest

from metalab.runs.batch.batch import Ending, Outcome, PlannedRun
from metalab.runs.batch.run_queue import Place, RunQueue

FINISHED = Outcome(ending=Ending.FINISHED, step=60)
STOPPED = Outcome(ending=Ending.STOPPED, step=20)


class Watch:
    def __init__(self):
        self.endings = {}

    def stepped(self, index, step):
        pass

    def ended(self, index, outcome):
        self.endings[index] = outcome.ending


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def queue(config, tmp_path, watch):
    planned = [PlannedRun(config=config, path=tmp_path / f"{n}") for n in range(3)]
    return RunQueue(planned, watch, retries=2)


def test_runs_are_taken_in_order_until_all_have_ended(queue, watch):
    taken = [queue.take() for _ in range(4)]
    assert taken == [0, 1, 2, None]
    for index in range(3):
        assert not queue.over
        queue.ended(index, FINISHED)
    assert queue.over
    assert queue.outcomes() == [FINISHED] * 3
    assert set(watch.endings.values()) == {Ending.FINISHED}


def test_a_run_whose_process_dies_comes_back_first_and_fails_at_last(queue, watch):
    for _ in range(2):
        assert queue.take() == 0
        queue.lost(0, "was ended by SIGKILL")
    assert queue.take() == 0
    queue.lost(0, "was ended by SIGKILL")
    assert watch.endings == {0: Ending.FAILED}
    outcome = queue.outcomes()[0]
    assert outcome.message == "its process died 3 times: the last was ended by SIGKILL"
    assert queue.take() == 1
    queue.retry(0)
    assert queue.waiting == (2, 0)


def test_a_defect_is_tried_again_and_a_mistake_is_not(queue, watch):
    queue.take()
    queue.ended(0, Outcome(ending=Ending.FAILED, step=0, message="m", traceback="t"))
    assert watch.endings == {}
    assert queue.take() == 0
    queue.ended(0, Outcome(ending=Ending.FAILED, step=0, message="no such device"))
    assert watch.endings == {0: Ending.FAILED}


def test_a_pause_brings_runs_back_and_a_stop_ends_them(queue, watch):
    queue.take()
    queue.pause()
    assert queue.stops(0)
    queue.ended(0, STOPPED)
    assert queue.take() is None
    assert not queue.over
    queue.resume()
    assert queue.take() == 0
    queue.stop()
    queue.ended(0, STOPPED)
    assert queue.over
    assert watch.endings == {0: Ending.STOPPED}
    queue.resume()
    assert queue.waiting == (0, 1, 2)


def test_a_cancelled_run_is_left_out_wherever_it_stands(queue, watch):
    queue.take()
    queue.cancel(0)
    queue.cancel(2)
    assert queue.stops(0)
    assert watch.endings == {2: Ending.CANCELLED}
    queue.ended(0, STOPPED)
    assert watch.endings[0] is Ending.CANCELLED
    assert queue.waiting == (1,)


def test_what_waits_can_be_moved(queue):
    queue.move(2, -10)
    assert queue.waiting == (2, 0, 1)
    queue.move(2, 1)
    assert queue.waiting == (0, 2, 1)
    assert [run.place for run in queue.snapshot()] == [Place.WAITING] * 3
