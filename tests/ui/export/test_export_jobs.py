"""Figures are made one at a time, in the background."""

import threading

import pytest

from metalab.figures.errors import FigureError
from metalab.ui.export.jobs import ExportJobs, JobKind


@pytest.fixture
def jobs(qtbot):
    jobs = ExportJobs()
    jobs.told = []
    jobs.finished.connect(lambda kind, result: jobs.told.append((kind, result)))
    jobs.refused.connect(lambda kind, reason: jobs.told.append((kind, reason)))
    return jobs


def test_of_waiting_jobs_the_newest_is_done_and_saving_goes_first(qtbot, jobs):
    gate = threading.Event()
    jobs.order(JobKind.PREVIEW, lambda: gate.wait(10))
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


def test_finish_does_the_save_and_forgets_the_rest(jobs):
    gate = threading.Event()
    jobs.order(JobKind.PREVIEW, lambda: gate.wait(10))
    jobs.order(JobKind.COPY, lambda: "copied")
    jobs.order(JobKind.SAVE, lambda: "saved")
    gate.set()
    jobs.finish()
    assert jobs.told == [(JobKind.PREVIEW, True), (JobKind.SAVE, "saved")]
    jobs.finish()


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
