"""The numbers that lessons quote, measured again.

    python -m tests.ui.learn.lesson_numbers [LESSON ...]

prints each sentence of a lesson that has numbers in it with the numbers as they are
measured now. `test_lesson_figures.py` compares the two.
"""

import math
import re
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from metalab.analysis.estimator_selection import select
from metalab.analysis.estimators import BlockResult, ComparisonPlan, Row, compare
from metalab.core.hypergradient.base import Target
from metalab.engine.build import DTYPES, build_learner, resolve_device
from metalab.engine.events import (
    METRICS,
    Array,
    DiagnosticsTaken,
    Diverged,
    Evaluation,
    EvaluationDone,
    StepsDone,
)
from metalab.engine.trainer import Trainer
from metalab.experiment.config import ExperimentConfig, preset_config
from metalab.experiment.fields import with_overrides
from metalab.ui.learn.experiments import config_of
from metalab.ui.learn.lesson import Lesson, own_lessons

Measures = Mapping[str, float]

LEARNING, FIRST_ORDER, BREAKING, IMPLICIT = own_lessons()
"""Keys, in the order to read them."""

NUM_BATCHES = 100
"""Meta-batches of each comparison of hypergradients."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What a run left behind.

    Attributes:
        evaluations: By outer step.
        phi: Meta-parameters at each of them, [meta].
        norms: Norm of the hypergradient of each outer step.
        curvature: Largest eigenvalue of the inner Hessian at the start, by outer step.
        diverged: What ended it early, if anything did.
    """

    evaluations: Mapping[int, Evaluation]
    phi: Mapping[int, Array]
    norms: list[float]
    curvature: Mapping[int, float]
    diverged: Diverged | None

    def query(self, outer_step: int, inner_step: int) -> float:
        """Return the mean held-out query loss."""
        return float(self.evaluations[outer_step].query_loss[:, inner_step].mean())

    def support(self, outer_step: int, inner_step: int) -> float:
        """Return the mean held-out support loss."""
        return float(self.evaluations[outer_step].support_loss[:, inner_step].mean())


def course(config: ExperimentConfig, **changes: object) -> Course:
    """Run an experiment to its end; `__` in a name stands for the dot of a path."""
    paths = [(name.replace("__", "."), value) for name, value in changes.items()]
    evaluations: dict[int, Evaluation] = {}
    phi: dict[int, Array] = {}
    norms: list[float] = []
    curvature: dict[int, float] = {}
    diverged = None
    at = [info.name for info in METRICS].index("hypergradient_norm")
    for event in Trainer(with_overrides(config, paths)).run():
        if isinstance(event, EvaluationDone):
            evaluations[event.evaluation.step] = event.evaluation
            phi[event.evaluation.step] = event.curves.phi
        elif isinstance(event, StepsDone):
            norms += event.metrics[:, at].tolist()
        elif isinstance(event, DiagnosticsTaken):
            curvature[event.step] = event.values["hessian_eigenvalue_start"]
        elif isinstance(event, Diverged):
            diverged = event
            break
    return Course(
        evaluations=evaluations,
        phi=phi,
        norms=norms,
        curvature=curvature,
        diverged=diverged,
    )


def compared(
    config: ExperimentConfig,
    phi: Array,
    names: tuple[str, ...],
    steps: tuple[int, ...],
    *,
    num_batches: int = NUM_BATCHES,
) -> tuple[BlockResult, dict[tuple[str, int], Row]]:
    """Compare estimators on meta-batches of 25 tasks; return rows by name and K."""
    selection = select(
        config,
        phi,
        names=list(names),
        strength=2.0,
        dtype=DTYPES[config.run.precision],
        device=resolve_device(config),
    )
    plan = ComparisonPlan(
        num_inner_steps=steps, num_tasks=25, num_batches=num_batches, seed=0
    )
    result = compare(selection, plan)[0]
    return result, {(r.estimator.name, r.num_inner_steps): r for r in result.rows}


def start_of(config: ExperimentConfig) -> Array:
    """Return the meta-parameters before the first outer step."""
    return Trainer(config).checkpoint().phi


def _of_learning(lesson: Lesson) -> Iterator[tuple[str, float]]:
    config = config_of(lesson)
    run = course(config)
    yield "num_parameters", float(build_learner(config).problem.meta_dim)
    yield "random_support_10", run.support(0, 10)
    for step in (0, 1_000, 5_000):
        for inner_step in (0, 1, 10):
            yield f"query_{step}_{inner_step}", run.query(step, inner_step)
    # Of A sin over a period: half the mean of A², A uniform.
    low, high = 0.1, 5.0
    yield "zero", (high**3 - low**3) / (3 * (high - low)) / 2
    joint = course(
        preset_config("pretrain-sine"), outer__num_steps=3_000, evaluation__every=3_000
    )
    for inner_step in (0, 1, 10):
        yield f"joint_{inner_step}", joint.query(3_000, inner_step)


def _of_first_order(lesson: Lesson) -> Iterator[tuple[str, float]]:
    config = config_of(lesson)
    run = course(config, diagnostics__every=250)
    pair = ("unrolled", "first-order")
    steps = (1, 5, 10, 20, 50)
    _, rows = compared(config, run.phi[0], pair, steps)
    for k in steps:
        yield f"cosine_{k}", _cosine(rows["first-order", k]).mean
    exact, cheap = rows["unrolled", 50], rows["first-order", 50]
    yield "exact_megabytes", exact.peak_bytes / 1e6
    yield "first_order_megabytes", cheap.peak_bytes / 1e6
    yield "exact_gradients", float(exact.evaluations.gradients)
    yield "first_order_gradients", float(cheap.evaluations.gradients)
    yield "exact_products", float(exact.evaluations.products)
    yield "times_as_long", exact.seconds / cheap.seconds
    for step in (0, 250, 1_000, 5_000):
        _, rows = compared(config, run.phi[step], pair, (1,))
        found = _cosine(rows["first-order", 1])
        yield f"later_{step}", found.mean
        yield f"later_{step}_error", found.standard_error
    yield "curvature_start", run.curvature[0]
    yield "curvature_end", run.curvature[5_000]
    yield "rate_times_start", 0.01 * run.curvature[0]
    yield "rate_times_end", 0.01 * run.curvature[5_000]
    maml = with_overrides(preset_config("maml-sine"), list(lesson.overrides.items()))
    for seed in range(3):
        first = run if seed == 0 else course(config, run__seed=seed)
        yield f"first_order_{seed}", first.query(5_000, 1)
        yield f"exact_{seed}", course(maml, run__seed=seed).query(5_000, 1)


def _cosine(row: Row):
    return row.accuracy[Target.K_STEP].cosine


def _of_breaking(lesson: Lesson) -> Iterator[tuple[str, float]]:
    config = config_of(lesson)
    for seed in range(3):
        run = course(config, run__seed=seed)
        yield f"loss_{seed}", run.query(1_000, 50)
        if seed == 0:
            yield "loss_start", run.query(0, 50)
            yield "support_start", run.support(1_000, 0)
            yield "support_end", run.support(1_000, 50)
            yield "norm_median", statistics.median(run.norms)
            yield "norm_largest", max(run.norms)
        small = course(config, run__seed=seed, inner__inner_lr=0.01)
        yield f"small_{seed}", small.query(1_000, 50)
        if seed == 0:
            yield "small_norm_median", statistics.median(small.norms)
            yield "small_norm_largest", max(small.norms)
        clipped = course(config, run__seed=seed, outer__clip_norm=1.0)
        yield f"clipped_{seed}", clipped.query(1_000, 50)
    broken = course(config, inner__inner_lr=0.1)
    yield "diverged_at", math.nan if broken.diverged is None else broken.diverged.step


def _of_implicit(lesson: Lesson) -> Iterator[tuple[str, float]]:
    config = config_of(lesson)
    steps = (1, 5, 16, 50, 200)
    names = ("unrolled", "implicit-cg")
    _, rows = compared(config, start_of(config), names, steps)
    for k in steps:
        found = rows["implicit-cg", k].accuracy[Target.K_STEP]
        yield f"cosine_{k}", found.cosine.mean
        yield f"error_{k}", found.relative_error.mean
    for k in (5, 200):
        for name in names:
            row = rows[name, k]
            yield f"{name}_products_{k}", float(row.evaluations.products)
            yield f"{name}_kilobytes_{k}", row.peak_bytes / 1e3
    run = course(config)
    for step in (0, 50, 300):
        yield f"loss_{step}", run.query(step, 16)
    sines = with_overrides(
        preset_config("imaml-sine"), [("meta.strength", 2.0), ("inner.inner_lr", 0.02)]
    )
    result, rows = compared(
        sines, start_of(sines), ("implicit-cg",), (16,), num_batches=4
    )
    assert result.solved is not None
    yield "num_solved", float(result.solved.num_solved)
    yield "num_problems", float(result.solved.num_tasks)
    found = rows["implicit-cg", 16].accuracy[Target.K_STEP]
    yield "sine_cosine", found.cosine.mean
    yield "sine_error", found.relative_error.mean
    solves = rows["implicit-cg", 16].solves
    assert solves is not None
    yield "sine_indefinite", float(solves.not_positive_definite)
    yield "sine_solves", float(solves.num_solves)


MEASURE: Mapping[str, Callable[[Lesson], Iterator[tuple[str, float]]]] = {
    LEARNING: _of_learning,
    FIRST_ORDER: _of_first_order,
    BREAKING: _of_breaking,
    IMPLICIT: _of_implicit,
}

SENTENCES: Mapping[str, tuple[str, ...]] = {
    LEARNING: (
        "The network has {num_parameters} parameters",
        "the support loss down to about {random_support_10}",
        "goes from {query_0_0} to only {query_0_10}",
        "starts from a query loss of {query_1000_0} on average. One inner step takes it to "
        "{query_1000_1}, and ten take it to {query_1000_10}",
        "the held-out loss is {query_5000_0}; a curve that is zero everywhere has {zero}",
        "after one inner step it is {query_5000_1}, after ten {query_5000_10}",
        "its held-out loss is {joint_0}, slightly better than MAML's {query_5000_0}",
        "makes it worse: {joint_1}. After ten steps it is at {joint_10}",
        "Query loss {query_1000_0} before, {query_1000_1} after one inner step",
        "Query loss {query_5000_0} before, {query_5000_1} after one inner step",
    ),
    FIRST_ORDER: (
        "the first-order and the exact hypergradient is {cosine_1}",
        *(f"| {k} | {{cosine_{k}}} |" for k in (1, 5, 10, 20, 50)),
        "it also holds {exact_megabytes} MB where first-order holds "
        "{first_order_megabytes} MB",
        "falls from {later_0} at outer step 0 to {later_250} at step 250, {later_1000} at "
        "step 1,000 and {later_5000} at step 5,000",
        "the last is {later_5000} ± {later_5000_error}",
        "grows from {curvature_start} at outer step 0 to {curvature_end} at step 5,000",
        "that is {rate_times_start} at first, and {rate_times_end} in the end",
        "A direction at a cosine of {later_5000}",
        *(f"| {s} | {{first_order_{s}}} | {{exact_{s}}} |" for s in range(3)),
        "Cosine to the exact hypergradient {later_0}",
        "Cosine {later_1000}",
        "Cosine {later_5000}, and still it learns",
    ),
    BREAKING: (
        "after adaptation is {loss_0}. It began at {loss_start}. With seeds 1 and 2 it "
        "ends at {loss_1} and {loss_2}",
        "from {support_start} to {support_end} on average",
        "its median is {norm_median}",
        "With `inner_lr` 0.01 the median is {small_norm_median} and the largest "
        "{small_norm_largest}",
        "is {small_0} (seeds 1 and 2: {small_1} and {small_2})",
        "comes down to {clipped_0} ({clipped_1} and {clipped_2})",
        "at outer step {diverged_at} a support loss becomes infinite",
        "Loss after 50 inner steps {loss_start}",
        "Loss after 50 inner steps {loss_0}: nothing learned",
    ),
    IMPLICIT: (
        "{unrolled_products_200} products and {unrolled_kilobytes_200} kB for K = 200, "
        "against {unrolled_products_5} products and {unrolled_kilobytes_5} kB for K = 5",
        "that is {implicit-cg_products_5} products and {implicit-cg_kilobytes_5} kB, for "
        "K = 5 as for K = 200",
        *(f"| {k} | {{cosine_{k}}} | {{error_{k}}} |" for k in (1, 5, 16, 50, 200)),
        "falls from {loss_0} to {loss_50} within 50 outer steps",
        "solved none of {num_problems} inner problems",
        "was {sine_cosine}, and the error {sine_error} times its length; "
        "{sine_indefinite} of {sine_solves} linear systems were not positive definite",
        "Held-out loss {loss_0} after 16 inner steps",
        "{loss_50}: the best that one anchor can do",
    ),
}
"""What lessons say, with the names of what is measured in the place of its numbers."""

SETTINGS: Mapping[str, str] = {
    LEARNING: "0.1 5 0 0.01 25 100 1,000 5,000 3,000 0.02 10",
    FIRST_ORDER: "0 0.01 1 2 5 10 20 50 250 1,000 5,000 25 100 0.36",
    BREAKING: "50 0.03 0.01 1 2 3 0.1 1,000 2 0 5",
    IMPLICIT: "0.5 2 5 16 50 200 0.02 0 100 4 25 1",
}
"""Numbers that are chosen, not measured: settings, seeds, steps."""

_NUMBER = r"\d[\d,]*(?:\.\d+)?"


def texts_of(lesson: Lesson) -> list[str]:
    """Return the texts of pages and bookmarks on one line each, without emphasis."""
    texts = [page.text for page in lesson.pages]
    texts += [bookmark.note for bookmark in lesson.bookmarks]
    plain = (re.sub(r"\*", "", text) for text in texts)
    return [re.sub(r"\s+", " ", re.sub(r"(?m)^\s*\d\. ", "", text)) for text in plain]


def quoted(key: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each sentence of `SENTENCES`, and its numbers as the lesson writes them.

    Raises:
        AssertionError: The lesson has no such sentence.
    """
    texts = texts_of(own_lessons()[key])
    seen: Counter[str] = Counter()
    for sentence in SENTENCES[key]:
        parts = re.split(r"\{([\w-]+)\}", sentence)
        names = parts[1::2]
        pattern = re.escape(parts[0]) + "".join(
            f"({_NUMBER}){re.escape(after)}" for after in parts[2::2]
        )
        found = [m for text in texts for m in re.finditer(pattern, text)]
        # Two bookmarks may say the same of two steps: in the order of the lesson.
        index = seen[pattern]
        seen[pattern] += 1
        assert index < len(found), f"{key} does not say {sentence!r}"
        yield sentence, dict(zip(names, found[index].groups(), strict=True))


def unexplained(key: str) -> list[str]:
    """Return the numbers of a lesson that are neither measured nor settings."""
    known = set(SETTINGS[key].split())
    for _, numbers in quoted(key):
        known |= set(numbers.values())
    words = [
        re.sub(r"[.,]$", "", n)
        for t in texts_of(own_lessons()[key])
        for n in re.findall(_NUMBER, t)
    ]
    return [word for word in words if word not in known]


def value_of(text: str) -> float:
    """Return a number as a lesson writes it."""
    return float(text.replace(",", ""))


def print_numbers(keys: list[str]) -> None:
    """Print every sentence, with its numbers and what is measured."""
    for key in keys or list(MEASURE):
        found = dict(MEASURE[key](own_lessons()[key]))
        print(f"\n{key}")
        for name, value in found.items():
            print(f"  {name:24} {value:.6g}", flush=True)
        for sentence, numbers in quoted(key):
            print(f"  {sentence}")
            for name, text in numbers.items():
                value = np.float64(found[name])
                print(f"    {name:24} {text:>8}  {value:.5g}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    print_numbers(sys.argv[1:])
