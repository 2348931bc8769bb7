"""Estimators measured beside a run: the same rows as a direct comparison."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import torch

from metalab.analysis import estimators
from metalab.analysis.comparison import (
    CURVE_STEPS,
    Comparison,
    ComparisonRequest,
    Measured,
)
from metalab.analysis.estimator_selection import Selection, select
from metalab.analysis.estimators import ComparisonPlan, compare
from metalab.core.errors import UserError
from metalab.core.hypergradient.base import Target
from metalab.engine.trainer import Trainer
from metalab.experiment.config import ExperimentConfig
from metalab.runs.services.comparison import ComparisonService
from tests.support.experiments import small
from tests.support.services import Waited

SECONDS = 60.0
SAME = [f.name for f in fields(Measured) if f.name != "seconds"]
"""All that does not depend on how busy the machine is."""


@pytest.fixture(scope="module")
def config() -> ExperimentConfig:
    """Too many meta-parameters to go through one by one: that would take long."""
    return small("maml-sine", model__hidden_sizes=[14, 14])


@pytest.fixture(autouse=True)
def _two_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """As few as have a standard error."""
    monkeypatch.setattr("metalab.analysis.comparison_steps.NUM_BATCHES", 2)
    monkeypatch.setattr("metalab.analysis.estimators.TIMED_ROUNDS", 1)


@pytest.fixture
def no_curve(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure at the chosen K alone."""
    monkeypatch.setattr("metalab.analysis.comparison_steps.CURVE_STEPS", ())


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure a few quick estimators, where a test is about something else."""
    names = ("unrolled", "first-order")

    def select_few(*given: Any, **options: Any) -> Selection:
        return select(*given, **(options | {"names": names}))

    monkeypatch.setattr("metalab.analysis.comparison_steps.select", select_few)


@pytest.fixture
def service() -> Iterator[Waited[ComparisonService]]:
    made = Waited(ComparisonService)
    yield made
    assert made.close(SECONDS)


def asked(config: ExperimentConfig, **changes: Any) -> ComparisonRequest:
    request = ComparisonRequest(
        config=config,
        phi=Trainer(config).checkpoint().phi,
        step=0,
        num_inner_steps=3,
        inner_lr=None,
        damping=None,
        num_tasks=1,
        seed=4,
    )
    return replace(request, **changes)


def answered(
    service: Waited[ComparisonService], request: ComparisonRequest
) -> Comparison:
    service.request(request)
    answer = service.take(SECONDS)
    assert answer is not None
    return answer


def progress_of(service: Waited[ComparisonService]) -> tuple[Comparison, str]:
    """Return what is known, and what is being measured."""
    progress = service.progress()
    assert progress is not None
    assert progress.known is not None
    return progress.known, progress.doing


@pytest.mark.parametrize("against", Target)
@pytest.mark.sampled(2)
def test_rows_are_those_of_a_direct_comparison(
    service: Waited[ComparisonService],
    config: ExperimentConfig,
    no_curve: None,
    against: Target,
):
    request = asked(config, against=against)
    found = answered(service, request)
    plan = ComparisonPlan(num_inner_steps=(3,), num_tasks=1, num_batches=2, seed=4)
    selection = select(
        config,
        request.phi,
        names=None,
        strength=2.0,
        dtype=torch.float32,
        device=torch.device("cpu"),
    )
    right = [
        (result.block, row)
        for result in compare(selection, plan)
        for row in result.rows
    ]
    assert found.done
    assert {block.name for block, _ in right} == {"own", "proximal"}
    rows = {(measured.problem, measured.name): measured for measured in found.rows}
    # In the order of the blocks, whatever is measured first.
    planned = [(compared.problem, compared.name) for compared in found.planned]
    assert planned == [(block.name, row.estimator.name) for block, row in right]
    assert len(rows) == len(found.rows) == len(right)
    # Those that take long come last.
    assert found.rows[-1].name == "persistent-evolution"
    for block, row in right:
        measured = rows[block.name, row.estimator.name]
        reference = Target.K_STEP if against is Target.K_STEP else block.reference
        accuracy = row.accuracy[reference]
        assert measured.target.value == row.estimator.target.value
        np.testing.assert_equal(
            (measured.cosine, measured.norm_ratio, measured.relative_error),
            (
                accuracy.cosine.mean,
                accuracy.norm_ratio.mean,
                accuracy.relative_error.mean,
            ),
        )
        assert measured.variance == row.relative_variance
        assert measured.gradients == row.evaluations.gradients
        assert measured.products == row.evaluations.products
        assert measured.peak_bytes == row.peak_bytes


def test_the_exact_one_is_exact_and_the_chosen_k_comes_first(
    service: Waited[ComparisonService],
    config: ExperimentConfig,
    monkeypatch: pytest.MonkeyPatch,
    few: None,
):
    monkeypatch.setattr("metalab.analysis.comparison_steps.CURVE_STEPS", (1, 3))
    rows = answered(service, asked(config)).rows
    assert rows[0].exact
    assert rows[0].cosine == pytest.approx(1, abs=1e-6)
    assert rows[0].relative_error < 1e-5
    steps = [row.num_inner_steps for row in rows]
    assert list(dict.fromkeys(steps)) == [3, 1]
    assert 1 in CURVE_STEPS


def test_the_inner_lr_and_the_seed_change_what_is_measured(
    service: Waited[ComparisonService], no_curve: None, few: None
):
    config = small("cavia-sine")

    def first_order(**changes: Any) -> float:
        rows = answered(service, asked(config, **changes)).rows
        return next(row.relative_error for row in rows if row.name == "first-order")

    plain = first_order()
    assert first_order() == plain
    assert first_order(inner_lr=0.03) != plain
    assert first_order(seed=5) != plain


def test_damping_changes_those_that_have_one(
    service: Waited[ComparisonService], config: ExperimentConfig, no_curve: None
):
    plain, damped = (
        answered(service, asked(config, damping=damping)) for damping in (None, 50.0)
    )
    changed = {
        row.name
        for row, other in zip(plain.rows, damped.rows, strict=True)
        if row.norm_ratio != other.norm_ratio
    }
    assert changed == {"implicit-cg", "implicit-neumann", "implicit-nystrom"}
    assert plain.takes_damping
    left_out = dict(plain.left_out)
    assert "one by one" in left_out["Forward mode (exact)"]


def test_who_does_not_apply_has_a_reason(
    service: Waited[ComparisonService], monkeypatch: pytest.MonkeyPatch, no_curve: None
):
    def compare_one(selection: Selection, plan: ComparisonPlan, **options: Any):
        (block,) = selection.blocks
        one = replace(block, estimators=block.estimators[:1])
        return compare(replace(selection, blocks=(one,)), plan, **options)

    monkeypatch.setattr("metalab.analysis.comparison_steps.compare", compare_one)
    found = answered(service, asked(small("cavia-sine")))
    assert "regulariser" in dict(found.left_out)["Implicit, conjugate gradients"]
    assert not found.takes_damping


class Gate:
    """Holds the thread within an estimate until a test lets it go on."""

    def __init__(self, estimate: Callable[..., Any]) -> None:
        self._estimate = estimate
        self._num_steps: int | None = None
        self.reached, self.go_on = threading.Event(), threading.Event()
        self.num_estimates = 0

    def close(self, num_steps: int) -> None:
        """Hold the next estimate of so many inner steps."""
        self._num_steps = num_steps

    def __call__(self, *given: Any, num_inner_steps: int) -> Any:
        self.num_estimates += 1
        if num_inner_steps == self._num_steps:
            self._num_steps = None
            self.reached.set()
            assert self.go_on.wait(SECONDS)
        return self._estimate(*given, num_inner_steps=num_inner_steps)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch, few: None) -> Gate:
    made = Gate(estimators.estimate)
    monkeypatch.setattr(estimators, "estimate", made)
    monkeypatch.setattr("metalab.analysis.comparison_steps.CURVE_STEPS", (1,))
    return made


def test_rows_can_be_had_while_others_are_measured(
    service: Waited[ComparisonService], gate: Gate
):
    request = asked(small("cavia-sine"))
    gate.close(1)
    service.request(request)
    assert gate.reached.wait(SECONDS)
    known, doing = progress_of(service)
    assert known.request is request
    assert not known.done
    assert {row.num_inner_steps for row in known.rows} == {3}
    assert "K = 1" in doing
    gate.go_on.set()
    answer = service.take(SECONDS)
    assert answer is not None
    assert answer.done
    assert [getattr(r, n) for r in known.rows for n in SAME] == [
        getattr(r, n) for r in answer.rows[: len(known.rows)] for n in SAME
    ]


def test_a_stale_request_ends_within_one_estimator(
    service: Waited[ComparisonService], gate: Gate
):
    gate.close(1)
    service.request(asked(small("cavia-sine")))
    assert gate.reached.wait(SECONDS)
    before = gate.num_estimates
    service.cancel()
    gate.go_on.set()
    assert service.close(SECONDS)
    # The one that was held.
    assert gate.num_estimates <= before + 1


def test_nothing_is_known_of_a_new_request_but_its_own_rows(
    service: Waited[ComparisonService], gate: Gate
):
    first = asked(small("cavia-sine"))
    answered(service, first)
    gate.close(2)
    second = replace(first, num_inner_steps=2)
    service.request(second)
    assert service.progress() is None
    assert gate.reached.wait(SECONDS)
    known, doing = progress_of(service)
    assert known.request is second
    assert known.rows == ()
    assert {(c.name, c.problem) for c in known.planned} >= {("unrolled", "own")}
    assert "K = 2" in doing
    gate.go_on.set()


def test_an_error_is_raised_and_the_next_request_is_answered(
    service: Waited[ComparisonService], no_curve: None, few: None
):
    config = small("cavia-sine")
    service.request(asked(config, phi=np.zeros(3)))
    with pytest.raises(UserError, match="3 meta-parameters"):
        service.take(SECONDS)
    assert answered(service, asked(config)).rows


def test_importing_brings_no_torch():
    code = (
        "import sys, metalab.runs.services.comparison; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
