"""Every hypergradient estimator against the exact one, at one snapshot of a run."""

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from metalab.analysis.accuracy import Accuracy, accuracy, relative_variance
from metalab.analysis.estimator_selection import Block, Selection
from metalab.analysis.memory import peak_bytes
from metalab.analysis.solution import SolutionHypergradient, solution_hypergradient
from metalab.analysis.solves import Solves
from metalab.core.autodiff import AutodiffOracle
from metalab.core.hypergradient.base import (
    EstimateContext,
    Hypergradient,
    HypergradientEstimator,
    Target,
)
from metalab.core.hypergradient.unrolled import Unrolled
from metalab.core.linear_solve import SolveQuality
from metalab.core.oracle import Evaluations
from metalab.core.streams import RandomStreams
from metalab.core.tasks import TaskBatch, sample_batch
from metalab.engine.build import build_family

TIMED_ROUNDS = 3

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonPlan:
    """How estimators are compared.

    Attributes:
        num_inner_steps: Each K, in the order of the table.
        num_tasks: Tasks of each meta-batch.
        num_batches: Independent meta-batches, at least 2.
        seed: Fixes the tasks, and what estimators draw.
    """

    num_inner_steps: tuple[int, ...]
    num_tasks: int
    num_batches: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One estimator at one K.

    Attributes:
        estimator: Which one.
        num_inner_steps: K.
        accuracy: Against each reference that the problem has.
        relative_variance: Over meta-batches: trace of the covariance over the squared
            norm of the mean.
        evaluations: What inner path and estimate asked of the oracle: counted.
        seconds: Of inner path and estimate, the median of a few.
        peak_bytes: Most memory of theirs at once.
        solves: What became of the linear systems, of all meta-batches; None where there
            are none.
    """

    estimator: HypergradientEstimator
    num_inner_steps: int
    accuracy: Mapping[Target, Accuracy]
    relative_variance: float
    evaluations: Evaluations
    seconds: float
    peak_bytes: int
    solves: Solves | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """How well the inner problems were solved for the reference.

    Attributes:
        num_tasks: How many there are.
        num_solved: How many have a gradient that vanishes.
        gradient_left: Largest gradient left, relative to that before adaptation.
        residual: Largest relative residual of the linear systems.
    """

    num_tasks: int
    num_solved: int
    gradient_left: float
    residual: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockResult:
    """What was found on one problem.

    Attributes:
        block: The problem.
        rows: By K, then as in the block.
        solved: How good the reference is, where that is the solution's.
    """

    block: Block
    rows: tuple[Row, ...]
    solved: Solved | None


Solutions = dict[str, tuple[Tensor, Solved]]
"""References at the inner solution by name of the block, [batch, meta], and their
quality."""


def compare(
    selection: Selection,
    plan: ComparisonPlan,
    *,
    tell: Tell = lambda _text: None,
    solutions: Solutions | None = None,
) -> tuple[BlockResult, ...]:
    """Measure every estimator of every block.

    All see the same meta-batches, and their outer loss is the query loss after the last
    inner step, whatever the run's own is. References are computed in float64 from the
    numbers that the estimators see in the run's precision.

    Args:
        selection: Which estimators, on which problems.
        plan: How.
        tell: Given a few words on what is being measured; what it raises ends it.
        solutions: Those of earlier calls with the same meta-batches; gets those that are
            found now. They take most of the time, and do not depend on K.
    """
    known = {} if solutions is None else solutions
    return tuple(_on_block(block, plan, tell, known) for block in selection.blocks)


def _on_block(
    block: Block, plan: ComparisonPlan, tell: Tell, solutions: Solutions
) -> BlockResult:
    batches = _batches(block, plan)
    exact = _Exact(block, plan.seed)
    solution: Tensor | None = None
    solved = None
    if block.reference is Target.SOLUTION:
        if block.name not in solutions:
            solutions[block.name] = exact.at_solution(batches, tell)
        solution, solved = solutions[block.name]
    rows: list[Row] = []
    for num_steps in plan.num_inner_steps:
        references: dict[Target, Tensor] = {}
        references[Target.K_STEP] = exact.after(num_steps, batches, tell)
        if solution is not None:
            references[Target.SOLUTION] = solution
        rows += _Bench(block, plan, num_steps, tell).rows(batches, references)
    return BlockResult(block=block, rows=tuple(rows), solved=solved)


def _batches(block: Block, plan: ComparisonPlan) -> list[TaskBatch]:
    """Draw the meta-batches; they depend on seed, family and counts alone."""
    tasks = block.config.tasks
    streams = RandomStreams(plan.seed)
    return [
        sample_batch(
            build_family(block.config),
            plan.num_tasks,
            num_shots=tasks.num_shots,
            num_queries=tasks.num_queries,
            generator=streams.generator("estimator comparison", index),
            dtype=block.phi.dtype,
        ).to(block.phi.device)
        for index in range(plan.num_batches)
    ]


def estimate(
    block: Block,
    estimator: HypergradientEstimator,
    batch: TaskBatch,
    request: EstimateContext,
    *,
    num_inner_steps: int,
) -> tuple[Hypergradient, Evaluations]:
    """Adapt and estimate, as one outer step does; return also what that took."""
    oracle = AutodiffOracle(block.learner.problem, block.phi, batch)
    inner = block.learner.inner
    path = inner.run(oracle, num_steps=num_inner_steps, keep=estimator.keep)
    found = estimator.estimate(oracle, inner, path, request)
    return found, oracle.evaluations


class _Exact:
    """The references of a block, in float64."""

    def __init__(self, block: Block, seed: int) -> None:
        device = block.phi.device
        # mps has no float64.
        self._device = torch.device("cpu") if device.type == "mps" else device
        self._block = replace(block, phi=self._double(block.phi))
        self._request = _request(seed, 0)

    def _double(self, values: Tensor) -> Tensor:
        return values.to(self._device, torch.float64)

    def _batch(self, batch: TaskBatch) -> TaskBatch:
        support, query = (
            part.each(self._double) for part in (batch.support, batch.query)
        )
        parameters = self._double(batch.parameters)
        return TaskBatch(parameters=parameters, support=support, query=query)

    def after(self, num_steps: int, batches: Sequence[TaskBatch], tell: Tell) -> Tensor:
        """Return the hypergradient of exactly K inner steps, [batch, meta]."""
        found: list[Tensor] = []
        for batch in batches:
            # Each time: whoever is told may give up.
            tell(f"{self._block.name} problem, K = {num_steps}: reference")
            estimated, _ = estimate(
                self._block,
                Unrolled(),
                self._batch(batch),
                self._request,
                num_inner_steps=num_steps,
            )
            found.append(estimated.per_task.mean(dim=0))
        return torch.stack(found)

    def at_solution(
        self, batches: Sequence[TaskBatch], tell: Tell
    ) -> tuple[Tensor, Solved]:
        """Return the hypergradient of the solution, [batch, meta], and its quality."""
        problem, phi = self._block.learner.problem, self._block.phi
        found: list[SolutionHypergradient] = []
        for index, batch in enumerate(batches, start=1):
            tell(
                f"{self._block.name} problem: inner solutions, meta-batch {index} of "
                f"{len(batches)}"
            )
            oracle = AutodiffOracle(problem, phi, self._batch(batch))
            found.append(solution_hypergradient(oracle))
        return torch.stack([part.per_task.mean(dim=0) for part in found]), Solved(
            num_tasks=sum(batch.num_tasks for batch in batches),
            num_solved=sum(int(part.is_solved.sum()) for part in found),
            gradient_left=max(float(part.gradient_left.max()) for part in found),
            residual=max(float(part.residual.max()) for part in found),
        )


class _Bench:
    """Measures the estimators of a block at one K."""

    def __init__(
        self, block: Block, plan: ComparisonPlan, num_steps: int, tell: Tell
    ) -> None:
        self._block = block
        self._seed = plan.seed
        self._num_steps = num_steps
        self._tell = tell

    def rows(
        self, batches: Sequence[TaskBatch], references: Mapping[Target, Tensor]
    ) -> list[Row]:
        """Return one row an estimator; `references` are [batch, meta]."""
        estimates = [self._estimates(e, batches) for e in self._all]
        seconds = self._seconds(batches[0])
        return [
            Row(
                estimator=estimator,
                num_inner_steps=self._num_steps,
                accuracy={
                    target: accuracy(found, reference)
                    for target, reference in references.items()
                },
                relative_variance=relative_variance(found),
                evaluations=evaluations,
                seconds=seconds[estimator.name],
                peak_bytes=self._peak(estimator, batches[0]),
                solves=solves,
            )
            for estimator, (found, evaluations, solves) in zip(
                self._all, estimates, strict=True
            )
        ]

    @property
    def _all(self) -> tuple[HypergradientEstimator, ...]:
        return self._block.estimators

    def _once(
        self, estimator: HypergradientEstimator, batch: TaskBatch, draw: int = 0
    ) -> tuple[Hypergradient, Evaluations]:
        request = _request(self._seed, draw)
        return estimate(
            self._block, estimator, batch, request, num_inner_steps=self._num_steps
        )

    def _estimates(
        self, estimator: HypergradientEstimator, batches: Sequence[TaskBatch]
    ) -> tuple[Tensor, Evaluations, Solves | None]:
        """Return an estimate a meta-batch, [batch, meta], and what one of them took.

        Each has draws of its own. The third is what became of their linear systems.
        """
        found: list[tuple[Hypergradient, Evaluations]] = []
        for index, batch in enumerate(batches):
            self._tell(
                f"{self._block.name} problem, K = {self._num_steps}: {estimator.name}"
            )
            found.append(self._once(estimator, batch, index))
        means = [estimate.per_task.mean(dim=0) for estimate, _ in found]
        solves = _solves([estimate.solves for estimate, _ in found])
        return torch.stack(means), found[0][1], solves

    def _seconds(self, batch: TaskBatch) -> dict[str, float]:
        """Return the median time of each estimator; they take turns.

        A busy machine then slows all of them, and all have been run before.
        """
        times: dict[str, list[float]] = {e.name: [] for e in self._all}
        for _ in range(TIMED_ROUNDS):
            for estimator in self._all:
                # Each time, and not within it: whoever is told may give up.
                self._tell(f"{self._block.name} problem, K = {self._num_steps}: times")
                _wait_for(batch.support.x.device)
                start = time.perf_counter()
                self._once(estimator, batch)
                _wait_for(batch.support.x.device)
                times[estimator.name].append(time.perf_counter() - start)
        return {name: statistics.median(found) for name, found in times.items()}

    def _peak(self, estimator: HypergradientEstimator, batch: TaskBatch) -> int:
        self._tell(f"{self._block.name} problem, K = {self._num_steps}: memory")
        return peak_bytes(lambda: self._once(estimator, batch), batch.support.x.device)


def _solves(found: Sequence[SolveQuality | None]) -> Solves | None:
    """Return what became of the linear systems of all meta-batches together."""
    known = [quality for quality in found if quality is not None]
    if not known:
        return None
    counts = torch.stack([quality.summary() for quality in known])
    ritz = torch.cat([quality.smallest_ritz_values() for quality in known])
    return Solves(
        num_solves=sum(len(quality.residual) for quality in known),
        not_positive_definite=int(counts[:, 0].sum()),
        unconverged=int(counts[:, 1].sum()),
        largest_residual=float(counts[:, 2].max()),
        # A task whose right-hand side vanishes has none.
        smallest_ritz_value=min(ritz[~ritz.isnan()].tolist(), default=math.nan),
    )


def _request(seed: int, draw: int) -> EstimateContext:
    return EstimateContext(weights=None, streams=RandomStreams(seed), step=draw)


def _wait_for(device: torch.device) -> None:
    """Let the device finish what it was given, lest only the giving is timed."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
