"""What every background service owes to the window that uses it."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal

from metalab.analysis.adapt_request import AdaptRequest, CustomTask, Start
from metalab.analysis.comparison import ComparisonRequest
from metalab.analysis.edited_support import EditedSupport
from metalab.analysis.landscape_request import LandscapeRequest
from metalab.analysis.rivals import BaselinesRequest, Doing
from metalab.core.assets import GAPMINDER
from metalab.engine.events import Checkpoint
from metalab.engine.trainer import Trainer
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.config_history import ConfigHistory
from metalab.runs.services.baselines import BaselinesService
from metalab.runs.services.comparison import ComparisonService
from metalab.runs.services.landscape import LandscapeService
from metalab.runs.services.service import LatestRequestService, Work
from metalab.runs.services.state_replayer import RewindRequest, StateReplayer
from metalab.runs.services.support_edits import SupportEditRequest, SupportEditService
from metalab.runs.services.table_inspection import TableInspectionService
from metalab.runs.services.task_adaptation import TaskAdaptationService
from metalab.tasks.table_view import TableRequest
from metalab.ui.session.thread_signal import ThreadSignal
from tests.support.comparisons import comparison
from tests.support.experiments import small

SECONDS = 60.0
MS = 60_000


@dataclass(frozen=True)
class Made:
    """What requests are made of.

    Attributes:
        config: An experiment that computes at once.
        trainer: At its first step.
    """

    config: ExperimentConfig
    trainer: Trainer

    @property
    def state(self) -> Checkpoint:
        return self.trainer.checkpoint()


def support_edit(made: Made, number: int) -> SupportEditRequest:
    points = EditedSupport.own(made.trainer.held_out(), 1).with_point(0, 0.5, number)
    return SupportEditRequest(
        config=made.config, points=points, phi=made.state.phi, step=0
    )


def replay(made: Made, number: int) -> RewindRequest:
    return RewindRequest(
        configs=ConfigHistory(made.config),
        provider="autodiff",
        state=made.state,
        step=number,
    )


def task_adaptation(made: Made, number: int) -> AdaptRequest:
    tasks = made.trainer.held_out()
    task = CustomTask(
        x=tasks.support.x[0, :, 0],
        y=tasks.support.y[0, :, 0],
        grid=tasks.grid,
        truth=None,
        parameters=None,
    )
    start = Start(key="run", config=made.config, phi=made.state.phi, step=0)
    return AdaptRequest(task=task, starts=(start,), num_inner_steps=1 + number)


def landscape(made: Made, number: int) -> LandscapeRequest:
    return LandscapeRequest(
        config=made.config,
        phi=made.state.phi,
        step=0,
        tasks=(number,),
        num_inner_steps=2,
        resolution=11,
    )


def estimating(made: Made, number: int) -> ComparisonRequest:
    return ComparisonRequest(
        config=made.config,
        phi=made.state.phi,
        step=0,
        num_inner_steps=1,
        inner_lr=None,
        damping=None,
        num_tasks=1,
        seed=number,
    )


def with_baselines(made: Made, number: int) -> BaselinesRequest:
    return BaselinesRequest(config=made.config, phi=made.state.phi, step=number)


def inspecting(made: Made, number: int) -> TableRequest:
    del made
    return TableRequest(data=GAPMINDER, num_shots=1 + number)


CASES: dict[type[LatestRequestService[Any, Any, Any]], Callable[[Made, int], Any]] = {
    SupportEditService: support_edit,
    StateReplayer: replay,
    TaskAdaptationService: task_adaptation,
    LandscapeService: landscape,
    ComparisonService: estimating,
    TableInspectionService: inspecting,
    BaselinesService: with_baselines,
}


class Gate:
    """Stands between a service and what it computes.

    Attributes:
        opened: Until it is set, nothing is computed.
        entered: Set once something would be.
        begun: Requests, in the order in which they came.
        threads: Which computed.
        error: Raised in the place of an answer.
    """

    def __init__(self, service: LatestRequestService[Any, Any, Any]) -> None:
        self._compute = service._compute
        self.opened, self.entered = threading.Event(), threading.Event()
        self.begun: list[Any] = []
        self.threads: set[threading.Thread] = set()
        self.error: Exception | None = None
        service._compute = self

    def __call__(self, request: Any, work: Work[Any]) -> Any:
        self.begun.append(request)
        self.threads.add(threading.current_thread())
        self.entered.set()
        assert self.opened.wait(SECONDS)
        if self.error is not None:
            raise self.error
        return self._compute(request, work)


class Page(QObject):
    """Uses a service as pages do, and keeps what it gave.

    Attributes:
        heard: An answer, or an error, has come.
    """

    heard = Signal()

    def __init__(
        self,
        make: type[LatestRequestService[Any, Any, Any]],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.num_calls = 0
        self.threads: set[threading.Thread] = set()
        self.answers: list[Any] = []
        self.errors: list[Exception] = []
        self.answered = ThreadSignal(self, self.take)
        self.service = self.answered.add_service(make)
        self.gate = Gate(self.service)

    def take(self) -> None:
        self.num_calls += 1
        self.threads.add(threading.current_thread())
        try:
            answer = self.service.take()
        except Exception as error:  # noqa: BLE001 - kept for the test
            self.errors.append(error)
        else:
            if answer is None:
                return
            self.answers.append(answer)
        self.heard.emit()


@pytest.fixture(scope="module")
def made() -> Made:
    config = small(run__provider="autodiff", outer__num_steps=3)
    return Made(config, Trainer(config, provider="autodiff"))


@pytest.fixture(autouse=True)
def _compared_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is measured has tests of its own, and takes long."""

    def steps(request: ComparisonRequest, tell: Callable[[str], None]) -> Iterator[Any]:
        tell("all of it")
        yield comparison(request)

    def rows(*_: Any, tell: Callable[[Doing], None], **__: Any) -> Iterator[Any]:
        tell(Doing(title="The run"))
        yield from ()

    monkeypatch.setattr("metalab.analysis.comparison_steps.comparison_steps", steps)
    monkeypatch.setattr("metalab.analysis.baselines.compare_with_baselines", rows)


@pytest.fixture(params=CASES, ids=lambda make: make.__name__)
def page(qtbot: Any, request: pytest.FixtureRequest) -> Iterator[Page]:
    page = Page(request.param)
    page.gate.opened.set()
    service, gate, answered = page.service, page.gate, page.answered
    yield page
    answered.close()
    gate.opened.set()
    assert service.join(SECONDS)


@pytest.fixture
def ask(page: Page, made: Made) -> Callable[[int], Any]:
    """Return what makes a request of a number, and has it answered."""

    def asked(number: int) -> Any:
        request = CASES[type(page.service)](made, number)
        page.service.request(request)
        return request

    return asked


def hold(page: Page, ask: Callable[[int], Any], number: int) -> Any:
    """Make a request, and hold it where it is being computed."""
    page.gate.opened.clear()
    page.gate.entered.clear()
    request = ask(number)
    assert page.gate.entered.wait(SECONDS)
    return request


def turn() -> None:
    """Let everything be delivered that was posted."""
    QCoreApplication.processEvents()


def let_end(page: Page) -> None:
    """Open the gate, and wait without a turn of the event loop for all to be computed."""
    page.gate.opened.set()
    idle = threading.Event()
    while not page.service._is_idle():
        idle.wait(0.001)


def test_every_service_is_here():
    rooms = "metalab.runs.services."
    kinds = LatestRequestService.__subclasses__()
    assert {kind for kind in kinds if kind.__module__.startswith(rooms)} == set(CASES)


def test_an_answer_arrives_by_a_signal_and_no_timer_looks_for_it(page, ask, qtbot):
    with qtbot.waitSignal(page.heard, timeout=MS):
        ask(1)
        assert page.answers == []
    assert len(page.answers) == 1
    assert not page.service.waiting
    assert page.findChildren(QTimer) == []


def test_nothing_is_called_in_the_wrong_thread(page, ask, qtbot):
    for number in (1, 2):
        with qtbot.waitSignal(page.heard, timeout=MS):
            ask(number)
    assert page.threads == {threading.main_thread()}
    (worker,) = page.gate.threads
    assert worker is not threading.main_thread()
    assert not worker.daemon


def test_overtaken_requests_are_not_computed_and_the_newest_is_answered(
    page, ask, qtbot
):
    first = hold(page, ask, 1)
    _, last = ask(2), ask(3)
    let_end(page)
    turn()
    # One answer, however many requests: that of the last one.
    assert page.gate.begun == [first, last]
    assert len(page.answers) == 1
    page.gate.begun.clear()
    with qtbot.waitSignal(page.heard, timeout=MS):
        again = ask(3)
    assert page.gate.begun == [again]
    assert same(page.answers[0], page.answers[1])


def _number(asked: Any) -> int:
    return asked.num_shots if isinstance(asked, TableRequest) else asked.step


def same(one: Any, other: Any) -> bool:
    """Return whether two answers are to the same question."""

    def number(answer: Any) -> Any:
        if isinstance(answer, tuple):
            return len(answer[0].curves)
        asked = getattr(answer, "asked", None) or getattr(answer, "request", None)
        if asked is None:
            return answer.points.y[0]
        return getattr(asked, "tasks", None) or (
            asked.seed if isinstance(asked, ComparisonRequest) else _number(asked)
        )

    return number(one) == number(other)


def test_what_was_cancelled_is_not_delivered_even_if_it_was_on_its_way(page, ask):
    """A run has been replaced: what is known of it by now is nobody's answer."""
    hold(page, ask, 1)
    page.service.cancel()
    let_end(page)
    turn()
    assert page.answers == []
    ask(2)
    let_end(page)
    # Posted, and not delivered.
    page.service.cancel()
    turn()
    assert page.answers == page.errors == []


def test_an_error_reaches_the_page_and_the_thread_goes_on(page, ask, qtbot):
    page.gate.error = ValueError("phi has 3 numbers")
    with qtbot.waitSignal(page.heard, timeout=MS):
        ask(1)
    assert [str(error) for error in page.errors] == ["phi has 3 numbers"]
    assert not page.service.waiting
    page.gate.error = None
    with qtbot.waitSignal(page.heard, timeout=MS):
        ask(2)
    assert len(page.answers) == len(page.errors) == len(page.gate.threads) == 1


def test_closing_during_work_returns_at_once_and_nothing_is_delivered(page, ask):
    hold(page, ask, 1)
    page.answered.close()
    (worker,) = page.gate.threads
    # It is held in the middle of its work: nobody waited for it.
    assert worker.is_alive()
    calls = page.num_calls
    page.gate.opened.set()
    assert page.service.join(SECONDS)
    turn()
    assert page.answers == []
    assert page.num_calls == calls
    page.answered.close()


def test_what_was_posted_before_closing_is_not_delivered_after_it(page, ask):
    ask(1)
    let_end(page)
    page.answered.close()
    turn()
    assert page.num_calls == 0


@pytest.mark.parametrize("by", ["Qt", "Python"])
def test_a_page_that_is_destroyed_during_work_ends_its_thread(
    qtbot, made, page, ask, by
):
    parent = QObject()
    gone = Page(type(page.service), parent if by == "Qt" else None)
    gone.service.request(CASES[type(page.service)](made, 1))
    assert gone.gate.entered.wait(SECONDS)
    service, gate, answers = gone.service, gone.gate, gone.answers
    if by == "Qt":
        shiboken6.delete(parent)
    else:
        del gone
    gate.opened.set()
    assert service.join(SECONDS)
    turn()
    assert answers == []


class Counter(QObject):
    """Counts what it hears."""

    def __init__(self) -> None:
        super().__init__()
        self.num_calls = 0
        self.answered = ThreadSignal(self, self.hear)

    def hear(self) -> None:
        self.num_calls += 1


def test_what_is_told_often_is_heard_once_a_turn(qtbot):
    """No queue grows while the window is busy."""
    counter = Counter()

    def count(number: int, work: Work[int]) -> int:
        for done in range(number):
            work.tell(done)
        return number

    def make(notify: Callable[[], None]) -> LatestRequestService[int, int, int]:
        return LatestRequestService(count, name="counting", notify=notify)

    service = counter.answered.add_service(make)
    for turns in (1, 2):
        service.request(10_000)
        while not service._is_idle():
            threading.Event().wait(0.001)
        turn()
        assert counter.num_calls == turns
        assert (service.take(), service.progress()) == (10_000, 9_999)
    counter.answered.close()
    assert service.join(SECONDS)


def test_progress_of_an_overtaken_request_is_not_told():
    told: list[int] = []
    begun, opened = threading.Event(), threading.Event()

    def compute(number: int, work: Work[int]) -> int | None:
        begun.set()
        assert opened.wait(SECONDS)
        work.tell(number)
        return None if work.stale() else number

    service = LatestRequestService(
        compute, name="telling", notify=lambda: told.append(1)
    )
    service.request(1)
    assert begun.wait(SECONDS)
    service.request(2)
    opened.set()
    while not service._is_idle():
        threading.Event().wait(0.001)
    assert service.progress() == service.take() == 2
    # Progress and answer of the second alone.
    assert told == [1, 1]
    service.close()
    assert service.join(SECONDS)
