"""One piece of work in a background thread."""

import threading

import pytest

from metalab.runs.system.background_job import BackgroundJob


def test_returns_what_the_work_returned():
    job = BackgroundJob(lambda: threading.current_thread().name, name="errand")
    assert not job.done
    job.start()
    assert job.join(10)
    assert job.done
    assert job.result() == "errand"


def test_raises_what_the_work_raised():
    def work():
        raise ValueError("no luck")

    job = BackgroundJob(work, name="errand")
    job.start()
    assert job.join(10)
    with pytest.raises(ValueError, match="no luck"):
        job.result()


def test_none_is_a_result():
    job = BackgroundJob(lambda: None, name="errand")
    job.start()
    job.join(10)
    assert job.result() is None


def test_is_not_done_while_it_works():
    go_on = threading.Event()
    job = BackgroundJob(lambda: go_on.wait(10), name="errand")
    job.start()
    assert not job.join(0.01)
    assert not job.done
    with pytest.raises(AssertionError, match="not ended"):
        job.result()
    go_on.set()
    assert job.join(10)


def test_one_that_never_started_need_not_be_waited_for():
    assert BackgroundJob(lambda: None, name="errand").join(10)
