"""Figures are made one at a time, in the background."""

import threading

import pytest
import shiboken6

from metalab.figures.errors import FigureError
from metalab.ui.export.jobs import ExportJobs, JobKind


@pytest.fixture
def jobs(qtbot):
    jobs = ExportJobs()
    jobs.told = []
    jobs.finished.connect(lambda kind, result: jobs.told.append((kind, result)))
    jobs.refused.connect(lambda kind, reason: jobs.told.append((kind, reason)))
    yield jobs
    jobs.close()
    assert jobs._service.join(10)


def test_of_waiting_jobs_the_newest_is_done_and_saving_goes_first(qtbot, jobs):
    gate, begun = threading.Event(), threading.Event()

    def wait():
        begun.set()
        return gate.wait(10)

    jobs.order(JobKind.PREVIEW, wait)
    assert begun.wait(10)
    jobs.order(JobKind.PREVIEW, lambda: "old")
    jobs.order(JobKind.PREVIEW, lambda: "new")
    jobs.order(JobKind.SAVE, lambda: "saved")
    assert jobs.is_busy(JobKind.SAVE)
    gate.set()
    qtbot.waitUntil(lambda: len(jobs.told) == 3, timeout=5000)
    assert jobs.told == [
        (JobKind.PREVIEW, True),
        (JobKind.SAVE, "saved"),
        (JobKind.PREVIEW, "new"),
    ]
    assert not any(jobs.is_busy(kind) for kind in JobKind)


def test_closing_returns_at_once_does_the_save_and_tells_of_nothing(qtbot, jobs):
    gate, begun, saved = threading.Event(), threading.Event(), threading.Event()

    def draw():
        begun.set()
        return gate.wait(10)

    jobs.order(JobKind.PREVIEW, draw)
    assert begun.wait(10)
    jobs.order(JobKind.COPY, lambda: pytest.fail("nobody wants it any more"))
    jobs.order(JobKind.SAVE, saved.set)
    jobs.close()
    assert not saved.is_set()
    with qtbot.assertNotEmitted(jobs.finished, wait=50):
        gate.set()
        assert saved.wait(10)
    assert jobs._service.join(10)
    assert jobs.told == []
    jobs.close()


def test_two_dialogs_never_draw_at_the_same_time(qtbot, jobs):
    """matplotlib's settings belong to the process."""
    gate, begun = threading.Event(), threading.Event()
    other = ExportJobs()

    def draw():
        begun.set()
        return gate.wait(10)

    jobs.order(JobKind.PREVIEW, draw)
    assert begun.wait(10)
    jobs.close()
    other.order(JobKind.PREVIEW, gate.is_set)
    gate.set()
    with qtbot.waitSignal(other.finished) as finished:
        pass
    assert finished.args == [JobKind.PREVIEW, True]
    other.close()
    assert other._service.join(10)


def test_jobs_that_are_destroyed_leave_no_thread(qtbot):
    jobs = ExportJobs()
    gate, begun = threading.Event(), threading.Event()

    def draw():
        begun.set()
        return gate.wait(10)

    jobs.order(JobKind.PREVIEW, draw)
    assert begun.wait(10)
    service = jobs._service
    shiboken6.delete(jobs)
    gate.set()
    assert service.join(10)


def refuse():
    raise FigureError("size is 'A4'")


def break_down():
    raise RuntimeError("a defect")


def test_refusals_are_told_and_defects_raised(qtbot, jobs):
    jobs.order(JobKind.COPY, refuse)
    qtbot.waitUntil(lambda: bool(jobs.told), timeout=5000)
    assert jobs.told == [(JobKind.COPY, "size is 'A4'")]
    with qtbot.captureExceptions() as raised:
        jobs.order(JobKind.SAVE, break_down)
        qtbot.waitUntil(lambda: len(jobs.told) == 2, timeout=5000)
    assert jobs.told[1] == (JobKind.SAVE, "An unexpected error; see Problems")
    assert [str(error) for _, error, _ in raised] == ["a defect"]
