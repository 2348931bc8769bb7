"""The figures in the lessons' texts are those of their experiments."""

import statistics

import pytest

from metalab.analysis.accuracy import Accuracy
from metalab.analysis.estimator_selection import select
from metalab.analysis.estimators import ComparisonPlan, compare
from metalab.engine.build import DTYPES, resolve_device
from metalab.engine.events import METRICS, Evaluation, EvaluationDone, StepsDone
from metalab.engine.trainer import Trainer
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.fields import with_overrides
from metalab.ui.learn.experiments import config_of
from metalab.ui.learn.lesson import Lesson, own_lessons

LESSONS = own_lessons()


def page_with(lesson: Lesson, *figures: str) -> None:
    """Check that one page of the lesson names all these figures."""
    assert any(all(f in page.text for f in figures) for page in lesson.pages)


def evaluations(config: ExperimentConfig, *, until: int) -> dict[int, Evaluation]:
    """Run the beginning of an experiment; return its evaluations by outer step.

    The planned number of outer steps stays, and with it every schedule.
    """
    found: dict[int, Evaluation] = {}
    for event in Trainer(config).run():
        if isinstance(event, EvaluationDone):
            found[event.evaluation.step] = event.evaluation
            if event.evaluation.step >= until:
                break
    return found


def test_what_the_outer_loop_learns():
    lesson = LESSONS["1-what-the-outer-loop-learns"]
    found = evaluations(config_of(lesson), until=1_000)
    before, after = found[0], found[1_000]
    page_with(lesson, "about 3.3", "4.62", "4.42")
    assert before.support_loss[:, 10].mean() == pytest.approx(3.3, abs=0.1)
    assert before.query_loss[:, 0].mean() == pytest.approx(4.62, abs=0.02)
    assert before.query_loss[:, 10].mean() == pytest.approx(4.42, abs=0.05)
    page_with(lesson, "3.28", "1.64", "0.78")
    for step, figure in ((0, 3.28), (1, 1.64), (10, 0.78)):
        assert after.query_loss[:, step].mean() == pytest.approx(figure, rel=0.05)


def cosines(
    config: ExperimentConfig, name: str, steps: tuple[int, ...]
) -> list[Accuracy]:
    """Return the accuracy against the K-step hypergradient, by K."""
    selection = select(
        config,
        Trainer(config).checkpoint().phi,
        names=[name],
        strength=2.0,
        dtype=DTYPES[config.run.precision],
        device=resolve_device(config),
    )
    plan = ComparisonPlan(num_inner_steps=steps, num_tasks=25, num_batches=8, seed=0)
    (block,) = compare(selection, plan)
    return [next(iter(row.accuracy.values())) for row in block.rows]


def test_why_first_order_works():
    lesson = LESSONS["2-why-first-order-works"]
    figures = {1: 0.99, 5: 0.91, 10: 0.77, 20: 0.58}
    page_with(lesson, "0.991", *(f"| {k} | {c:.2f} |" for k, c in figures.items()))
    found = cosines(config_of(lesson), "first-order", tuple(figures))
    for one, figure in zip(found, figures.values(), strict=True):
        # The text is a mean over 100 meta-batches, this one over 8.
        error = 3 * one.cosine.standard_error + 0.005
        assert one.cosine.mean == pytest.approx(figure, abs=error)


def test_when_it_breaks():
    lesson = LESSONS["3-when-it-breaks"]
    page_with(lesson, "its median is 48", "`inner_lr` 0.01 the median is 0.93")

    def median_norm(inner_lr: float) -> float:
        changes = [("inner.inner_lr", inner_lr), ("outer.num_steps", 100)]
        config = with_overrides(config_of(lesson), changes)
        rows = [e.metrics for e in Trainer(config).run() if isinstance(e, StepsDone)]
        at = [m.name for m in METRICS].index("hypergradient_norm")
        return statistics.median(row[at] for block in rows for row in block.tolist())

    # A tenth of the run: enough to tell an explosion from its absence.
    assert median_norm(0.03) > 10
    assert median_norm(0.01) < 3


def test_implicit_against_unrolled():
    lesson = LESSONS["4-implicit-against-unrolled"]
    figures = {1: (0.973, 0.77), 5: (0.979, 0.65), 16: (1.0, 0.31), 50: (0.999, 0.05)}
    rows = [f"| {k} | {c:.3f} | {e:.2f} |" for k, (c, e) in figures.items()]
    page_with(lesson, *rows)
    config = config_of(lesson)
    found = cosines(config, "implicit-cg", tuple(figures))
    for one, figure in zip(found, figures.values(), strict=True):
        assert one.cosine.mean == pytest.approx(figure[0], abs=0.01)
        assert one.relative_error.mean == pytest.approx(figure[1], abs=0.05)
    page_with(lesson, "0.70 to 0.23 within 50 outer steps")
    learned = evaluations(config, until=50)
    assert learned[0].query_loss[:, 16].mean() == pytest.approx(0.70, abs=0.02)
    assert learned[50].query_loss[:, 16].mean() == pytest.approx(0.23, abs=0.02)
