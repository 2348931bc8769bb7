"""Moved points, answered beside a run."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from metalab.analysis import adaptation
from metalab.analysis.edited_support import EditedSupport
from metalab.engine.events import METRICS
from metalab.engine.trainer import Trainer
from metalab.experiment.fields import with_overrides
from metalab.runs.record.status import RunStatus
from metalab.runs.running.worker import RunWorker
from metalab.runs.services.support_edits import SupportEditRequest, SupportEditService
from tests.support.services import Waited

TIMEOUT = 60.0


@pytest.fixture
def service():
    made = Waited(SupportEditService)
    yield made
    assert made.close(TIMEOUT)
    assert not [t for t in threading.enumerate() if t.name == "support edits"]


@pytest.fixture
def request_at(config):
    """Return what makes a request with the first point of task 1 at some height."""
    trainer = Trainer(config)
    tasks = next(trainer.run()).held_out_tasks
    curves = trainer.curves()
    own = EditedSupport.own(tasks, 1)

    def make(y: float) -> SupportEditRequest:
        points = own.with_point(0, 0.5, y)
        return SupportEditRequest(
            config=config, points=points, phi=curves.phi, step=curves.step
        )

    return make


class Gate:
    """Holds every answer back until it is opened."""

    def __init__(self, monkeypatch) -> None:
        self.begun: list[float] = []
        self.opened = threading.Event()
        self.entered = threading.Event()
        original = adaptation.HeldOutAdapter.adapt

        def adapt(adapter, phi, points, *, step):
            self.begun.append(float(points.y[0]))
            self.entered.set()
            assert self.opened.wait(TIMEOUT)
            return original(adapter, phi, points, step=step)

        monkeypatch.setattr(adaptation.HeldOutAdapter, "adapt", adapt)


def test_an_answer_is_given_once(service, request_at):
    request = request_at(4.0)
    service.request(request)
    assert service.waiting
    answer = service.take(TIMEOUT)
    assert answer.points is request.points
    assert answer.step == request.step
    assert answer.curves.shape == (4, 100)
    assert service.take() is None
    assert not service.waiting


def test_the_newest_request_wins(service, request_at, monkeypatch):
    gate = Gate(monkeypatch)
    service.request(request_at(1.0))
    assert gate.entered.wait(TIMEOUT)
    for y in (2.0, 3.0, 4.0):
        service.request(request_at(y))
    assert service.take() is None
    gate.opened.set()
    assert service.take(TIMEOUT).points.y[0] == 4.0
    assert gate.begun == [1.0, 4.0]


def test_waiting_has_an_end(service, request_at, monkeypatch):
    gate = Gate(monkeypatch)
    service.request(request_at(1.0))
    assert service.take(0.01) is None
    assert service.waiting
    gate.opened.set()
    assert service.take(TIMEOUT) is not None


def test_what_was_cancelled_is_never_answered(service, request_at, monkeypatch):
    gate = Gate(monkeypatch)
    service.request(request_at(1.0))
    assert gate.entered.wait(TIMEOUT)
    service.cancel()
    assert not service.waiting
    gate.opened.set()
    service.request(request_at(2.0))
    assert service.take(TIMEOUT).points.y[0] == 2.0
    assert service.take() is None


def test_an_error_is_raised_where_the_answer_is_taken(service, request_at):
    request = request_at(1.0)
    service.request(replace(request, phi=request.phi[:3]))
    with pytest.raises((RuntimeError, ValueError)):
        service.take(TIMEOUT)
    assert not service.waiting
    service.request(request)
    assert service.take(TIMEOUT) is not None


def test_closing_without_a_request_is_nothing(service):
    assert service.close()


@pytest.mark.parametrize("provider", ["auto", "autodiff"])
def test_a_run_beside_it_makes_the_same_numbers(service, request_at, config, provider):
    """Bit for bit, while points move all the time."""
    config = with_overrides(
        config, [("outer.num_steps", 400), ("run.provider", provider)]
    )
    columns = []
    for moving in (False, True):
        worker = RunWorker(config)
        worker.start()
        answers = 0
        while moving and worker.alive:
            service.request(request_at(float(answers)))
            answers += service.take(TIMEOUT) is not None
        assert worker.join(TIMEOUT)
        history = worker.live.snapshot()
        assert history.status is RunStatus.FINISHED
        assert answers > 0 or not moving
        columns.append([history.metrics[info.name] for info in METRICS])
    for straight, beside in zip(*columns, strict=True):
        np.testing.assert_array_equal(straight, beside)
