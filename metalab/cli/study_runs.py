"""The runs of a study or a sweep, with progress on stderr."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from metalab.cli.executors import Executor, local_executor
from metalab.cli.output import console
from metalab.runs.batch.batch import Ending, Outcome, PlannedRun
from metalab.runs.batch.run_queue import RETRIES, RunQueue
from metalab.studies.base import Method
from metalab.studies.plan import StudyPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRuns:
    """What became of a study's runs.

    Attributes:
        stopped: Whether a person stopped them.
        complete: Methods whose runs all made their steps.
        problems: What did not, one sentence each.
    """

    stopped: bool
    complete: tuple[Method, ...]
    problems: tuple[str, ...]


class ProgressWatch:
    """Shows how runs go on: one bar for all their outer steps."""

    def __init__(self, progress: Progress, planned: Sequence[PlannedRun]) -> None:
        self._progress = progress
        self._planned = planned
        self._bars: dict[int, TaskID] = {}
        total = sum(run.num_steps for run in planned)
        self._steps = [0] * len(planned)
        self._all = progress.add_task("all runs", total=total)

    def stepped(self, index: int, step: int) -> None:
        """Move the bar of a run, and that of all."""
        if index not in self._bars:
            total = self._planned[index].num_steps
            self._bars[index] = self._progress.add_task(self._title(index), total=total)
        self._progress.update(self._bars[index], completed=step)
        self._count(index, step)

    def ended(self, index: int, outcome: Outcome) -> None:
        """Say how a run ended, and take its bar away."""
        if index in self._bars:
            self._progress.remove_task(self._bars.pop(index))
        self._count(index, outcome.step)
        why = f": {outcome.message}" if outcome.ending is Ending.FAILED else ""
        self._progress.console.print(
            f"{self._title(index)}: {outcome.ending.value} at outer step "
            f"{outcome.step:,}{why}"
        )
        if outcome.traceback:
            self._progress.console.print(outcome.traceback.rstrip())

    def _title(self, index: int) -> str:
        config = self._planned[index].config
        return f"{config.name}, seed {config.run.seed}"

    def _count(self, index: int, step: int) -> None:
        self._steps[index] = step
        self._progress.update(self._all, completed=sum(self._steps))


def run_study(plan: StudyPlan, *, num_processes: int) -> StudyRuns:
    """Make the runs of a study that are not finished yet.

    Raises:
        BatchError: The processes end before they can begin.
    """
    planned = plan.runs()
    with local_executor(num_processes=num_processes, num_runs=len(planned)) as executor:
        return _summary(plan, planned, run_planned(planned, executor))


def run_planned(
    planned: Sequence[PlannedRun], executor: Executor, *, retries: int = RETRIES
) -> list[Outcome]:
    """Make runs that are not finished yet, with progress on stderr.

    Returns:
        Their outcomes, in order.

    Raises:
        BatchError: The runs cannot be carried out there.
    """
    output = console(json_output=True)
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=output,
        disable=not output.is_terminal,
    ) as progress:
        queue = RunQueue(planned, ProgressWatch(progress, planned), retries=retries)
        executor.run(queue)
    return queue.outcomes()


def _summary(
    plan: StudyPlan, planned: Sequence[PlannedRun], outcomes: Sequence[Outcome]
) -> StudyRuns:
    stopped = any(outcome.ending is Ending.STOPPED for outcome in outcomes)
    ended = {run.path: outcome for run, outcome in zip(planned, outcomes, strict=True)}
    problems = [
        f"{run.config.name}, seed {run.config.run.seed}, {outcome.ending.value}: "
        f"{outcome.message}"
        for run, outcome in zip(planned, outcomes, strict=True)
        if outcome.ending in (Ending.DIVERGED, Ending.FAILED)
    ]
    complete = tuple(
        method
        for method in plan.study.methods
        if not stopped
        and all(ended[plan.run(method, s).path].ending.complete for s in plan.seeds)
    )
    return StudyRuns(stopped=stopped, complete=complete, problems=tuple(problems))
