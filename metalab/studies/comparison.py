"""Several methods, each with some training seeds, compared on the same held-out tasks."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from metalab.analysis.crossed import (
    Test,
    difference_of,
    holm,
    interquartile_mean_of,
    mean_of,
    test_of_difference,
)
from metalab.analysis.evaluate import evaluate_fresh, fresh_tasks
from metalab.analysis.learning_curves import (
    Reach,
    TimeToThreshold,
    mean_over_training,
    reach_of,
    time_to_threshold,
)
from metalab.core.errors import UserError
from metalab.engine.events import Array, HeldOutTasks, frozen
from metalab.engine.statistics import Interval, seed_interval
from metalab.experiment.changes import SettingRow, differing_settings
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.naming import (
    experiment_name,
    has_own_name,
    reference_of,
    setting_text,
    told_changes,
)
from metalab.figures.training_axis import TRAINING_AXES, training_x
from metalab.runs.record.checkpoints import no_trail
from metalab.runs.record.history import RunHistory
from metalab.runs.record.reader import StoredRun, open_run
from metalab.runs.record.status import RunStatus


class ComparisonError(UserError):
    """Runs that cannot be compared."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeasuredRun:
    """One run, and what its tasks cost after adaptation.

    Attributes:
        history: The run, without the rows of its outer steps: many runs are held at once.
        path: Its file.
        seed: Its training seed.
        losses: Query loss of each held-out task after K' inner steps, [task]; None where
            the run diverged or was never trained.
        phi: Its newest meta-parameters, [meta]; None where it was never trained.
        x: How far training had come at each of its evaluations, by name of
            `figures.training_axis.TRAINING_AXES`, [evaluation] each.
    """

    history: RunHistory
    path: Path
    seed: int
    losses: Array | None
    phi: Array | None
    x: Mapping[str, Array]

    @property
    def diverged(self) -> bool:
        """Whether its loss exploded."""
        return self.history.diverged is not None

    @property
    def failure(self) -> str:
        """Why there are no losses; "" where there are."""
        if self.losses is not None:
            return ""
        if self.diverged:
            return f"diverged after {self.history.step:,} outer steps"
        failed = self.history.failure
        if failed is not None:
            step = f"failed after {self.history.step:,} outer steps"
            return f"{step}: {failed.message}"
        return "was never trained"

    @property
    def unfinished(self) -> bool:
        """Whether it has made fewer outer steps than were planned, and did not fail."""
        return not self.failure and self.history.step < self.history.num_steps

    def curve(self) -> tuple[Array, Array]:
        """Return its own held-out loss over training.

        Returns:
            Outer steps, and the mean query loss after K inner steps, [evaluation] each.
        """
        series = self.history.evaluations
        return series.steps, series.query_mean[:, self.history.num_inner_steps]

    def reach(self, threshold: float) -> Reach:
        """Return when its own held-out loss first was at or below a threshold."""
        return reach_of(*self.curve(), threshold, diverged=self.diverged)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Group:
    """The runs of one method.

    Attributes:
        title: What the method is called, another one than that of every other group.
        runs: By seed; the failed ones, too.
    """

    title: str
    runs: tuple[MeasuredRun, ...]

    @property
    def measured(self) -> tuple[MeasuredRun, ...]:
        """The runs that have losses."""
        return tuple(run for run in self.runs if run.losses is not None)

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of the runs that have losses, ascending."""
        return tuple(run.seed for run in self.measured)

    @property
    def losses(self) -> Array:
        """Losses, [seed, task]; no rows where every run failed."""
        rows = [run.losses for run in self.measured if run.losses is not None]
        return np.stack(rows) if rows else np.empty((0, 0))

    @property
    def num_diverged(self) -> int:
        """Runs that diverged: they count in no mean, and are told beside it."""
        return sum(run.diverged for run in self.runs)

    @property
    def num_failed(self) -> int:
        """Runs without losses for another reason; told beside the means, too."""
        return len(self.runs) - len(self.measured) - self.num_diverged

    def mean(self) -> Interval:
        """Return the mean over seeds and tasks."""
        return mean_of(self.losses) if self.measured else _unknown()

    def interquartile_mean(self) -> Interval:
        """Return the mean of the middle half of all losses."""
        return interquartile_mean_of(self.losses) if self.measured else _unknown()

    def median(self) -> float:
        """Return the median of all losses."""
        return float(np.median(self.losses)) if self.measured else math.nan

    def best(self) -> float:
        """Return the mean of the best seed."""
        return float(self.losses.mean(axis=1).min()) if self.measured else math.nan

    def time_to(self, threshold: float) -> TimeToThreshold:
        """Return the outer steps to a held-out loss; every run counts."""
        return time_to_threshold([run.reach(threshold) for run in self.runs])

    def area(self, end: int) -> Interval:
        """Return the area under the curve per outer step, with its interval over seeds.

        Args:
            end: Outer step that every run was evaluated at.
        """
        if not self.measured:
            return _unknown()
        areas = [mean_over_training(*run.curve(), end) for run in self.measured]
        return seed_interval(areas)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Difference:
    """Difference of one method to the reference, on the same tasks.

    Attributes:
        one: Title of the method.
        reference: Title of the other one.
        interval: Difference of the means.
        paired: Whether the seeds were paired, too.
        p: Of a test of no difference.
        p_holm: The same, corrected for the number of tests.
        test: What kind of test it was.
        share_better: Share of the tasks on which `one` costs less, means over its seeds.
        relative: The difference as a share of the reference's mean.
    """

    one: str
    reference: str
    interval: Interval
    paired: bool
    p: float
    p_holm: float
    test: str
    share_better: float
    relative: float

    @property
    def words(self) -> str:
        """Finding as a sentence."""
        if not self.interval.given:
            return f"{self.one} and {self.reference}: no interval, for tasks exploded."
        share = f"{abs(self.relative):.0%}"
        on = f"lower loss on {self.share_better:.0%} of the tasks"
        if self.interval.low > 0:
            return f"{self.one} costs {share} more than {self.reference}; {on}."
        if self.interval.high < 0:
            return f"{self.one} costs {share} less than {self.reference}; {on}."
        return (
            f"No difference between {self.one} and {self.reference} was shown: the "
            f"interval holds 0; {on}."
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """Methods beside each other.

    Attributes:
        groups: The methods, in the order in which their runs were named.
        differences: Of every further method to the first one that has losses.
        num_tasks: Held-out tasks, the same for every run.
        num_shots: Support points of each.
        unit: Of the losses.
        seed: What fixed the tasks.
        threshold: Held-out loss that steps are counted to; NaN where nobody knows one.
        end: Last outer step at which every measured run was evaluated, where areas end;
            0 where there is none.
        tasks: The held-out tasks.
    """

    groups: tuple[Group, ...]
    differences: tuple[Difference, ...]
    num_tasks: int
    num_shots: int
    unit: str
    seed: int
    threshold: float
    end: int
    tasks: HeldOutTasks

    def settings(self) -> list[SettingRow]:
        """Return the settings in which the methods differ, those of each first run."""
        starts = [group.runs[0].history.config_at(0) for group in self.groups]
        return differing_settings(starts)

    def failures(self) -> list[str]:
        """Return what became of each run without losses, a sentence each."""
        runs = [run for group in self.groups for run in group.runs]
        return [f"{run.path}: {run.failure}" for run in runs if run.failure]


def compare_files(  # noqa: PLR0913 - the counts of one comparison
    paths: Sequence[Path],
    *,
    num_tasks: int = 600,
    num_queries: int = 100,
    num_inner_steps: int | None = None,
    seed: int = 0,
    reference: str | None = None,
    threshold: float | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Comparison:
    """Measure runs on the same held-out tasks, and compare their methods.

    Runs that differ in their seed alone are one method.

    Args:
        paths: Run files.
        num_tasks: Tasks that no run has seen; of a table, its held-out ones.
        num_queries: Query points of each.
        num_inner_steps: K'; None takes each run's own K.
        seed: Fixes the tasks.
        reference: Method that the others are compared with; None for the first.
        threshold: Held-out loss that steps are counted to; None for the one that the
            reference ends at, its mean over seeds.
        tell: Told which run is read, and which is measured.

    Raises:
        ComparisonError: The runs are of different tasks, losses or precisions, or two are
            of one method and one seed.
        RunFileError: A file cannot be used.
    """
    opened: list[tuple[StoredRun, Mapping[str, Array]]] = []
    for path in paths:
        tell(f"reading {path.name}")
        opened.append(_opened(path))
    configs = [run.history.config_at(run.history.step) for run, _ in opened]
    _check_comparable(paths, configs)
    counts = Counts(
        num_tasks=num_tasks,
        num_queries=num_queries,
        num_inner_steps=num_inner_steps,
        seed=seed,
    )
    measured: list[tuple[str, MeasuredRun]] = []
    for path, config, (run, x) in zip(paths, configs, opened, strict=True):
        tell(f"measuring {path.name}")
        made = MeasuredRun(
            history=run.history,
            path=path,
            seed=config.run.seed,
            losses=_losses(run, config, counts),
            phi=None if run.checkpoint is None else run.checkpoint.phi,
            x=x,
        )
        measured.append((_method_of(run.history, config), made))
    groups = _with_first(_grouped(measured), reference)
    tasks = fresh_tasks(
        configs[0],
        num_tasks=num_tasks,
        num_shots=configs[0].eval_shots,
        num_queries=num_queries,
        seed=seed,
        query=configs[0].held_out_query,
    )
    return Comparison(
        groups=groups,
        differences=_differences(groups),
        num_tasks=len(tasks.support),
        num_shots=configs[0].eval_shots,
        unit=configs[0].loss_words.query_unit,
        seed=seed,
        threshold=_final_loss(groups) if threshold is None else threshold,
        end=_common_end(groups),
        tasks=tasks,
    )


def _opened(path: Path) -> tuple[StoredRun, Mapping[str, Array]]:
    """Return a run without its rows, and how far training was at its evaluations."""
    run = open_run(path)
    at = run.history.evaluations.steps
    x = {axis: training_x(run.history, axis, at) for axis in TRAINING_AXES}
    return replace(run, history=_without_rows(run.history)), x


def _without_rows(history: RunHistory) -> RunHistory:
    """Return a run without what stands in its rows: 14 numbers an outer step."""
    none = frozen(np.empty(0))
    return replace(
        history,
        steps=none,
        seconds=none,
        metrics=dict.fromkeys(history.metrics, none),
        sums={},
        trail=no_trail(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How much is measured of every run.

    Attributes:
        num_tasks: Held-out tasks.
        num_queries: Query points of each.
        num_inner_steps: K'; None takes each run's own K.
        seed: Fixes the tasks.
    """

    num_tasks: int
    num_queries: int
    num_inner_steps: int | None
    seed: int


def _losses(run: StoredRun, config: ExperimentConfig, counts: Counts) -> Array | None:
    """Return what held-out tasks cost a run, [task]; None where it has failed."""
    history = run.history
    failed = history.status in (RunStatus.DIVERGED, RunStatus.FAILED)
    if failed or history.diverged is not None or run.checkpoint is None:
        return None
    own, wanted = config.num_inner_steps, counts.num_inner_steps
    found = evaluate_fresh(
        config,
        run.checkpoint,
        num_tasks=counts.num_tasks,
        num_shots=config.eval_shots,
        num_queries=counts.num_queries,
        num_inner_steps=own if wanted is None else wanted,
        seed=counts.seed,
        query=config.held_out_query,
    )
    return found.query_loss[:, -1]


def _final_loss(groups: Sequence[Group]) -> float:
    """Return the held-out loss that the first method with losses ends at."""
    for group in groups:
        curves = [run.curve()[1] for run in group.measured]
        last = [float(losses[-1]) for losses in curves if len(losses)]
        if last:
            return float(np.mean(last))
    return math.nan


def _common_end(groups: Sequence[Group]) -> int:
    """Return the last outer step at which every measured run was evaluated."""
    runs = [run for group in groups for run in group.measured]
    steps = [set(run.history.evaluations.steps.tolist()) for run in runs]
    return int(max(set.intersection(*steps), default=0)) if steps else 0


def _with_first(groups: tuple[Group, ...], title: str | None) -> tuple[Group, ...]:
    """Return the groups with one of them in front.

    Raises:
        ComparisonError: There is none of that name.
    """
    if title is None:
        return groups
    first = [group for group in groups if group.title == title]
    if not first:
        allowed = ", ".join(group.title for group in groups)
        raise ComparisonError(f"reference is {title!r}; allowed: {allowed}")
    return (*first, *(group for group in groups if group is not first[0]))


def _unknown() -> Interval:
    return Interval(value=math.nan, low=math.nan, high=math.nan)


def _method_of(history: RunHistory, config: ExperimentConfig) -> str:
    """Return what runs of one method have in common: all but the seed."""
    started = history.config_at(0)
    return f"{started.digest()} {config.digest()}"


def _check_comparable(
    paths: Sequence[Path], configs: Sequence[ExperimentConfig]
) -> None:
    """Refuse runs whose held-out losses are not of the same tasks in the same unit."""
    if len(paths) < 2:
        raise ComparisonError(f"{len(paths)} run file was given; allowed: two or more")

    def shared(config: ExperimentConfig) -> dict[str, object]:
        content = config.to_mapping()
        return {
            "tasks.family": content["tasks"]["family"],
            "the shots of held-out tasks": config.eval_shots,
            "query_loss.kind": config.loss_of_queries.kind,
            "evaluation.query_inputs": config.evaluation.query_inputs,
            "evaluation.query_targets": config.evaluation.query_targets,
            "run.precision": config.run.precision,
        }

    first = shared(configs[0])
    for path, config in zip(paths, configs, strict=True):
        for name, value in shared(config).items():
            if value != first[name]:
                raise ComparisonError(
                    f"{path} and {paths[0]} differ in {name} ({value} and {first[name]}): "
                    "their losses are not of the same tasks"
                )


def _grouped(measured: Sequence[tuple[str, MeasuredRun]]) -> tuple[Group, ...]:
    by_method: dict[str, list[MeasuredRun]] = {}
    for method, run in measured:
        by_method.setdefault(method, []).append(run)
    for runs in by_method.values():
        seeds = [run.seed for run in runs]
        again = next((run for run in runs if seeds.count(run.seed) > 1), None)
        if again is not None:
            raise ComparisonError(
                f"{again.path} is of the same method and seed ({again.seed}) as another "
                "run; allowed: each seed once"
            )
    titles = _titles([runs[0].history for runs in by_method.values()])
    return tuple(
        Group(title=title, runs=tuple(sorted(runs, key=lambda run: run.seed)))
        for title, runs in zip(titles, by_method.values(), strict=True)
    )


def _titles(histories: Sequence[RunHistory]) -> list[str]:
    """Return a name for each method: what all of them have changed is left out."""
    told = [
        {change.info.path: change for change in told_changes(history.config_at(0))}
        for history in histories
    ]
    shared = {
        path
        for path, change in told[0].items()
        if all(path in other and other[path].ours == change.ours for other in told)
    }
    titles: list[str] = []
    for history, changed in zip(histories, told, strict=True):
        config = history.config_at(0)
        own = [change for path, change in changed.items() if path not in shared]
        title = config.name
        if not has_own_name(config):
            parts = [setting_text(change.info.path, change.ours) for change in own]
            title = ", ".join([reference_of(config).name, *parts])
        if history.name != experiment_name(config):  # edited on the way
            title = history.name
        taken = sum(title == other.split(" #")[0] for other in titles)
        titles.append(f"{title} #{taken + 1}" if taken else title)
    return titles


def _differences(groups: Sequence[Group]) -> tuple[Difference, ...]:
    known = [group for group in groups if group.measured]
    if len(known) < 2:
        return ()
    reference, *others = known
    tests = [_tested(group, reference) for group in others]
    adjusted = holm([test.p for _, test, _ in tests])
    theirs = reference.losses
    return tuple(
        Difference(
            one=group.title,
            reference=reference.title,
            interval=interval,
            paired=paired,
            p=test.p,
            p_holm=p_holm,
            test=test.name,
            share_better=float(
                (group.losses.mean(axis=0) < theirs.mean(axis=0)).mean()
            ),
            relative=interval.value / float(theirs.mean()),
        )
        for group, (interval, test, paired), p_holm in zip(
            others, tests, adjusted, strict=True
        )
    )


def _tested(one: Group, reference: Group) -> tuple[Interval, Test, bool]:
    """Return the difference, its test, and whether seeds were paired."""
    paired = one.seeds == reference.seeds
    losses = one.losses, reference.losses
    return (
        difference_of(*losses, paired=paired),
        test_of_difference(*losses, paired=paired),
        paired,
    )
