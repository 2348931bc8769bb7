"""The Estimators workspace: what is asked, what is shown meanwhile, its states."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QPoint, QRectF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractItemView
from pytestqt.qtbot import QtBot

from metalab.analysis.comparison import Comparison, ComparisonRequest
from metalab.analysis.solves import Solves
from metalab.catalog.slots import HYPERGRADIENTS
from metalab.core.errors import UserError
from metalab.core.hypergradient.target import Target
from metalab.engine.trainer import Trainer
from metalab.experiment.config import ExperimentConfig
from metalab.figures.estimator_looks import look_of
from metalab.runs.services.comparison import ComparisonProgress
from metalab.ui.session.moment import Moment
from metalab.ui.style.theme import DARK, LIGHT
from metalab.ui.style.theming import change_theme
from metalab.ui.widgets.header import PREPARING
from metalab.ui.workspaces.estimators import workspace as estimators
from metalab.ui.workspaces.estimators.polar import PolarPlot
from metalab.ui.workspaces.estimators.table import NOT_YET
from metalab.ui.workspaces.estimators.workspace import EstimatorsWorkspace
from tests.support.comparisons import comparison, measured
from tests.support.experiments import small
from tests.support.histories import make_history


class Service:
    """Stands for the service: a test says what is known, and when."""

    def __init__(self, notify: Callable[[], None]) -> None:
        self.notify = notify
        self.requests: list[ComparisonRequest] = []
        self.answer: Comparison | Exception | None = None
        self.known: Comparison | None = None
        self.doing = ""
        self.num_cancelled = 0
        self.closed = False

    def request(self, request: ComparisonRequest) -> None:
        self.requests.append(request)
        self.answer = self.known = None

    def progress(self) -> ComparisonProgress:
        return ComparisonProgress(known=self.known, doing=self.doing)

    def take(self) -> Comparison | None:
        answer, self.answer = self.answer, None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def cancel(self) -> None:
        self.num_cancelled += 1

    def close(self) -> None:
        self.closed = True

    def join(self) -> bool:
        return self.closed


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> list[Service]:
    """Collect what pages make in the place of their service."""
    made: list[Service] = []

    def make(notify: Callable[[], None]) -> Service:
        made.append(Service(notify))
        return made[-1]

    monkeypatch.setattr(estimators, "ComparisonService", make)
    return made


@pytest.fixture
def workspace(qtbot: QtBot, services: list[Service]) -> Iterator[EstimatorsWorkspace]:
    made = EstimatorsWorkspace()
    qtbot.addWidget(made)
    made.resize(970, 640)
    made.show()
    yield made
    made.shut_down()
    assert services[0].closed


@pytest.fixture
def service(workspace: EstimatorsWorkspace, services: list[Service]) -> Service:
    return services[0]


@pytest.fixture(scope="module")
def config() -> ExperimentConfig:
    return small("maml-sine", inner__num_inner_steps=2)


def moment(config: ExperimentConfig, step: int = 40, **changes: Any) -> Moment:
    history = make_history(50, config=config)
    made = Moment(
        history=history,
        shown=history,
        step=step,
        phi=Trainer(config).checkpoint().phi,
        wanted_step=step,
        inner_step=0,
        task=0,
        following=False,
    )
    return replace(made, **changes)


def settle(workspace: EstimatorsWorkspace) -> None:
    """Let the pause after a change be over."""
    assert workspace.debounce.isActive()
    workspace.debounce.stop()
    workspace.debounce.timeout.emit()


def told(service: Service) -> None:
    """Let the page hear that there is something new."""
    service.notify()
    QCoreApplication.processEvents()


def answer(service: Service, **changes: Any) -> None:
    service.answer = comparison(service.requests[-1], **changes)
    told(service)


def cells(workspace: EstimatorsWorkspace, column: int) -> list[str]:
    table = workspace.table
    return [table.item(row, column).text() for row in range(table.rowCount())]


def message(workspace: EstimatorsWorkspace) -> str:
    return workspace._message.text() if workspace._message.isVisible() else ""


def test_without_a_run_it_says_so(workspace: EstimatorsWorkspace, service: Service):
    workspace.show_moment(None)
    assert message(workspace).startswith("No run yet")
    assert workspace.tools.stop.isHidden()
    assert not workspace.debounce.isActive()
    assert service.requests == []


def test_before_there_are_meta_parameters_it_waits(
    workspace: EstimatorsWorkspace, service: Service, config: ExperimentConfig
):
    workspace.show_moment(moment(config, phi=None))
    assert message(workspace) == PREPARING
    assert not workspace.debounce.isActive()


def test_the_request_is_the_runs_own(
    workspace: EstimatorsWorkspace, service: Service, config: ExperimentConfig
):
    shown = moment(config)
    workspace.show_moment(shown)
    assert service.requests == []
    assert workspace.debounce.interval() == 300
    settle(workspace)
    (request,) = service.requests
    assert request.config is config
    assert request.phi is shown.phi
    assert (request.step, request.num_inner_steps) == (40, 2)
    assert (request.inner_lr, request.damping) == (None, None)
    assert workspace.tools.damping.slider.value() == 0


def test_a_runs_own_damping_is_where_the_slider_starts(
    workspace: EstimatorsWorkspace, service: Service
):
    own = {"kind": "implicit-cg", "damping": 10.0}
    workspace.show_moment(moment(small("imaml-sine", hypergradient=own)))
    slider = workspace.tools.damping.slider
    assert slider.minimum() < slider.value() < slider.maximum()
    settle(workspace)
    assert service.requests[-1].damping is None
    before = slider.value()
    slider.setValue(before + 1)
    settle(workspace)
    assert service.requests[-1].damping == pytest.approx(10 ** (1 + 1 / 10))
    workspace.tools.own.click()
    settle(workspace)
    assert service.requests[-1].damping is None
    assert slider.value() == before


def test_sliders_and_dice_change_the_request(
    workspace: EstimatorsWorkspace, service: Service, config: ExperimentConfig
):
    workspace.show_moment(moment(config))
    settle(workspace)
    tools = workspace.tools
    tools.num_steps.slider.setValue(7)
    tools.rate.slider.setValue(tools.rate.slider.maximum())
    tools.damping.slider.setValue(tools.damping.slider.maximum())
    tools.dice.click()
    assert len(service.requests) == 1
    settle(workspace)
    before, now = service.requests
    assert now.num_inner_steps == 7
    assert now.inner_lr == pytest.approx(0.1)
    assert now.damping == pytest.approx(1000)
    assert now.seed == before.seed + 1


def test_rows_appear_while_others_are_measured(
    workspace: EstimatorsWorkspace, service: Service, config: ExperimentConfig
):
    workspace.show_moment(moment(config))
    settle(workspace)
    service.doing = "own problem, K = 2: truncated"
    told(service)
    assert message(workspace) == "Measuring…"
    assert "K = 2: truncated" in workspace.state.text()
    assert workspace.tools.stop.isVisible()
    service.known = comparison(service.requests[0], done=False)
    told(service)
    assert message(workspace) == ""
    assert cells(workspace, 0) == ["Unrolled", "Reptile", "Truncated"]
    assert cells(workspace, 2)[0] == "1.000 ± 0.010"
    assert cells(workspace, 8)[0] == "1,500"
    answer(service)
    assert workspace.tools.stop.isHidden()
    assert "T1-T2: it has no regulariser" in workspace.state.text()
    assert not workspace.tools.damping.isEnabled()


def test_columns_are_sorted_as_numbers(
    workspace: EstimatorsWorkspace, service: Service, config: ExperimentConfig
):
    workspace.show_moment(moment(config))
    settle(workspace)
    times = (0.01, 0.002, 0.3)
    rows = [measured(f"e{i}", 2, 0.1, seconds=s) for i, s in enumerate(times)]
    unknown = measured("diverged", 2, float("nan"))
    answer(service, rows=(*rows, unknown))
    workspace.table.sortItems(4)
    assert cells(workspace, 0)[-1] == "Diverged"
    workspace.table.sortItems(6)
    assert [t for t in cells(workspace, 0) if t != "Diverged"] == ["E1", "E0", "E2"]
    assert (
        workspace.table.selectionBehavior()
        is QAbstractItemView.SelectionBehavior.SelectRows
    )


def test_old_rows_are_dimmed_and_keep_their_step(
    workspace: EstimatorsWorkspace, service: Service, config: ExperimentConfig
):
    workspace.show_moment(moment(config))
    settle(workspace)
    answer(service)
    bright = workspace.table.item(0, 2).foreground().color().name()
    assert bright == DARK.text
    workspace.show_moment(moment(config, step=80))
    settle(workspace)
    assert workspace.table.item(0, 2).foreground().color().name() == DARK.muted
    assert "outer step 40" in workspace.state.text()
    answer(service)
    assert workspace.table.item(0, 2).foreground().color().name() == bright
    assert "outer step 80" in workspace.state.text()


def test_another_run_shows_nothing_of_the_one_before(
    workspace: EstimatorsWorkspace, service: Service, config: ExperimentConfig
):
    workspace.show_moment(moment(config))
    settle(workspace)
    answer(service)
    workspace.show_moment(moment(small("maml-sine")))
    assert workspace.comparison is None
    assert message(workspace) == "Nothing measured yet"
    assert not workspace.measuring
    settle(workspace)
    assert message(workspace) == "Measuring…"


def test_an_error_is_said(
    workspace: EstimatorsWorkspace, service: Service, config: ExperimentConfig
):
    workspace.show_moment(moment(config))
    settle(workspace)
    service.answer = UserError("the run holds 3 meta-parameters")
    told(service)
    assert "the run holds 3 meta-parameters" in message(workspace)
    assert workspace.tools.stop.isHidden()
    workspace.tools.dice.click()
    settle(workspace)
    answer(service)
    assert message(workspace) == ""


def test_a_run_that_goes_on_is_measured_again_after_each_answer(
    workspace: EstimatorsWorkspace, service: Service, config: ExperimentConfig
):
    workspace.show_moment(moment(config, step=10, following=True))
    settle(workspace)
    for step in (20, 30):
        workspace.show_moment(moment(config, step=step, following=True))
    assert not workspace.debounce.isActive()
    answer(service)
    settle(workspace)
    assert [request.step for request in service.requests] == [10, 30]


def test_cancelling_lasts_until_something_is_chosen(
    workspace: EstimatorsWorkspace, service: Service, config: ExperimentConfig
):
    workspace.show_moment(moment(config, step=10, following=True))
    settle(workspace)
    service.known = comparison(service.requests[0], done=False)
    told(service)
    before = service.num_cancelled
    workspace.tools.stop.click()
    assert service.num_cancelled == before + 1
    assert not workspace.measuring
    assert "Cancelled" in workspace.state.text()
    assert workspace.table.rowCount() == 3
    workspace.show_moment(moment(config, step=20, following=True))
    assert not workspace.debounce.isActive()
    workspace.tools.dice.click()
    settle(workspace)
    assert len(service.requests) == 2


def test_a_hidden_page_measures_nothing(
    workspace: EstimatorsWorkspace, service: Service, config: ExperimentConfig
):
    workspace.show_moment(moment(config))
    settle(workspace)
    before = service.num_cancelled
    workspace.hide()
    assert service.num_cancelled == before + 1
    assert not workspace.measuring
    workspace.show_moment(moment(config, step=50))
    assert not workspace.debounce.isActive()
    workspace.show()
    settle(workspace)
    assert [request.step for request in service.requests] == [40, 50]


def test_everything_has_a_name_and_takes_a_theme(
    workspace: EstimatorsWorkspace, service: Service, config: ExperimentConfig
):
    workspace.show_moment(moment(config))
    settle(workspace)
    answer(service)
    tools = workspace.tools
    for part in (
        workspace.table,
        workspace.polar,
        workspace.curve.plot,
        tools.num_steps.slider,
        tools.rate.slider,
        tools.damping.slider,
        tools.against,
        tools.dice,
        tools.own,
        tools.stop,
    ):
        assert part.accessibleName(), part
    assert "Reptile" in workspace.polar.accessibleDescription()
    dark = workspace.picture()
    change_theme(LIGHT)
    assert workspace.picture() != dark
    assert workspace.table.item(0, 2).foreground().color().name() == LIGHT.text


def test_the_meta_batch_is_remembered(
    workspace: EstimatorsWorkspace, service: Service, config: ExperimentConfig
):
    workspace.show_moment(moment(config))
    workspace.tools.dice.click()
    state = workspace.save_state()
    assert state == {"seed": 1, "against": "K-step"}
    workspace.restore_state({"seed": "all", "against": ["solution"]})
    assert workspace.save_state() == state
    workspace.restore_state({"seed": 5})
    settle(workspace)
    assert service.requests[-1].seed == 5


def test_all_rows_are_there_from_the_start_and_stay_in_one_order(
    workspace: EstimatorsWorkspace, service: Service, config: ExperimentConfig
):
    workspace.show_moment(moment(config))
    settle(workspace)
    whole = comparison(service.requests[0])
    for count in range(4):
        service.known = replace(whole, rows=whole.rows[:count], done=False)
        told(service)
        assert message(workspace) == ""
        assert cells(workspace, 0) == ["Unrolled", "Reptile", "Truncated"]
        cosines = cells(workspace, 2)
        assert NOT_YET not in cosines[:count]
        assert cosines[count:] == [NOT_YET] * (3 - count)
    # A person sorts them, and has them back in their order with the third click.
    header = workspace.table.horizontalHeader()
    place = QPoint(header.sectionViewportPosition(4) + 5, header.height() // 2)
    for order in (
        ["Unrolled", "Truncated", "Reptile"],
        ["Reptile", "Truncated", "Unrolled"],
    ):
        QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=place)
        assert cells(workspace, 0) == order
    QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=place)
    answer(service)
    assert cells(workspace, 0) == ["Unrolled", "Reptile", "Truncated"]


def test_a_plan_does_not_take_the_place_of_what_was_measured(
    workspace: EstimatorsWorkspace, service: Service, config: ExperimentConfig
):
    workspace.show_moment(moment(config))
    settle(workspace)
    answer(service)
    measured_before = cells(workspace, 2)
    workspace.show_moment(moment(config, step=80))
    settle(workspace)
    service.known = comparison(service.requests[-1], rows=(), done=False)
    told(service)
    assert cells(workspace, 2) == measured_before
    assert workspace.table.item(0, 2).foreground().color().name() == DARK.muted
    assert "outer step 40" in workspace.state.text()


CROWD = [n for n, c in HYPERGRADIENTS.components.items() if c.target is Target.K_STEP]
"""All that can be arrows at once."""


@pytest.mark.parametrize(
    ("size", "points"), [((357, 150), 10.0), ((470, 260), 10.0), ((631, 225), 15.0)]
)
@pytest.mark.parametrize("apart", [0.0, 0.02, 0.1])
def test_no_name_stands_over_another_or_over_a_mark(
    qtbot: QtBot, size: tuple[int, int], points: float, apart: float
):
    polar = PolarPlot()
    qtbot.addWidget(polar)
    font = polar.font()
    font.setPointSizeF(points)
    polar.setFont(font)
    change_theme(DARK.scaled(points / 10))
    polar.resize(*size)
    titles = {n: HYPERGRADIENTS.components[n].title for n in CROWD}
    rows = [
        measured(n, 2, 0.0, cosine=1 - apart * i, norm_ratio=1.0, title=titles[n])
        for i, n in enumerate(CROWD)
    ]
    polar.show_rows(tuple(rows), dimmed=False)
    found = polar.name_places()
    assert found.keys() == set(CROWD)
    boxes = [place for _, place in found.values()]
    for one, other in combinations(boxes, 2):
        assert not one.intersects(other)
    for end, _ in found.values():
        assert not any(box.contains(end) for box in boxes)
    for box in boxes:
        assert QRectF(polar.rect()).contains(box)
    # Each is as wide as its words, so none is cut.
    width = polar.fontMetrics().horizontalAdvance("Persistent evolution strategies")
    assert found["persistent-evolution"][1].width() >= 0.7 * width


def test_an_estimator_looks_alike_in_table_plots_and_figure(
    workspace: EstimatorsWorkspace, service: Service, config: ExperimentConfig
):
    """Whatever else is measured beside it."""
    workspace.show_moment(moment(config))
    settle(workspace)
    seen = []
    for names in (("unrolled", "reptile"), ("joint", "reptile", "unrolled")):
        rows = tuple(measured(n, 2, 0.3 * (1 + i)) for i, n in enumerate(names))
        answer(service, rows=rows)
        place = names.index("reptile")
        icon = workspace.table.item(place, 0).icon().pixmap(12, 12).toImage()
        end, _ = workspace.polar.name_places()["reptile"]
        inked = workspace.polar.grab().toImage().pixelColor(end.toPoint()).name()
        line, dots = workspace.curve.marks["reptile"]
        assert list(dots.data[1]) == [rows[place].relative_error]
        assert list(line.data[1]) == list(dots.data[1])
        seen.append((icon.pixelColor(6, 6).name(), inked))
        workspace.tools.dice.click()
        settle(workspace)
    colour = look_of("reptile").colour
    assert seen == [(colour, colour)] * 2
    # What is not measured any more is not drawn any more.
    answer(service, rows=(measured("joint", 2, 0.1),))
    assert [len(m.data[0]) for m in workspace.curve.marks["reptile"]] == [0, 0]


def test_linear_systems_are_told_of_in_table_and_line(
    qtbot: QtBot,
    workspace: EstimatorsWorkspace,
    service: Service,
    config: ExperimentConfig,
) -> None:
    workspace.show_moment(moment(config))
    settle(workspace)
    bad = Solves(
        num_solves=50,
        not_positive_definite=41,
        unconverged=45,
        largest_residual=1.5,
        smallest_ritz_value=-19.5,
    )
    fine = Solves(
        num_solves=50, not_positive_definite=0, unconverged=0, largest_residual=1e-7
    )
    answer(
        service,
        rows=(
            measured("unrolled", 2, 0.0),
            measured("implicit", 2, 0.2, solves=bad),
            measured("neumann", 2, 0.1, solves=fine),
        ),
    )
    heads = [
        workspace.table.horizontalHeaderItem(column).text()
        for column in range(workspace.table.columnCount())
    ]
    place = heads.index("Solved")
    assert cells(workspace, place) == ["", "! 10 %", "100 %"]
    tip = workspace.table.item(1, place).toolTip()
    assert "41 of 50 not positive definite (smallest Ritz value -19.5)" in tip
    assert "Not positive definite: Implicit 41/50" in workspace.state.text()
    assert "Neumann" not in workspace.state.text()
    assert "Implicit 41/50" in workspace.accessibleDescription()


def test_what_estimates_are_compared_with_is_chosen_and_said(
    qtbot: QtBot, workspace: EstimatorsWorkspace, service: Service
):
    workspace.show_moment(moment(small("imaml-sine")))
    settle(workspace)
    assert service.requests[-1].against is Target.K_STEP
    answer(service)
    assert "against the exact hypergradient of K inner steps" in workspace.state.text()
    assert "8 meta-batches" not in workspace.state.text()
    box = workspace.tools.against
    assert box.isEnabled()
    box.setFocus()
    qtbot.keyClick(box, Qt.Key.Key_Down)
    settle(workspace)
    assert service.requests[-1].against is Target.SOLUTION
    # What is shown is of the request before, and goes on saying so.
    assert "of K inner steps" in workspace.state.text()
    answer(service, solved=(3, 1200))
    assert (
        "2 meta-batches of 25 tasks against the hypergradient of the inner solution "
        "(3 of 1,200 inner problems solved)" in workspace.state.text()
    )
    assert workspace.save_state()["against"] == "solution"


def test_without_a_regulariser_there_is_no_solution_to_compare_with(
    workspace: EstimatorsWorkspace, service: Service, config: ExperimentConfig
):
    workspace.restore_state({"against": "solution"})
    workspace.show_moment(moment(config))
    settle(workspace)
    assert service.requests[-1].against is Target.K_STEP
    assert not workspace.tools.against.isEnabled()
    assert "no regulariser" in workspace.tools.against.toolTip()
    assert workspace.save_state()["against"] == "solution"
    workspace.show_moment(moment(small("imaml-sine")))
    settle(workspace)
    assert service.requests[-1].against is Target.SOLUTION


@pytest.mark.parametrize(
    "order", [Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder]
)
def test_estimators_of_one_derivative_stay_together(
    workspace: EstimatorsWorkspace,
    service: Service,
    config: ExperimentConfig,
    order: Qt.SortOrder,
):
    workspace.show_moment(moment(config))
    settle(workspace)
    solution = Target.SOLUTION
    rows = (
        measured("anchored", 2, 0.05, problem="proximal"),
        measured("neumann", 2, 0.02, target=solution),
        measured("unrolled", 2, 0.0),
        measured("implicit", 2, 0.3, target=solution),
        measured("reptile", 2, 0.9),
    )
    answer(service, rows=rows)
    for column in range(workspace.table.columnCount()):
        workspace.table.sortItems(column, order)
        aims = list(zip(cells(workspace, 1), cells(workspace, 0), strict=True))
        assert [aim for aim, _ in aims] == [
            "K steps",
            "K steps",
            "Solution",
            "Solution",
            "K steps",
        ]
        assert aims[-1][1] == "Anchored · proximal"
    workspace.table.sortItems(4, order)
    found = cells(workspace, 0)[:4]
    ascending = ["Unrolled", "Reptile", "Neumann", "Implicit"]
    if order is Qt.SortOrder.DescendingOrder:
        ascending = ["Reptile", "Unrolled", "Implicit", "Neumann"]
    assert found == ascending
