"""One immutable view of a run, live or from a file, for every plot and table.

Imports no torch: the window holds these from its first frame.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from metalab.analysis.solves import StepSolves
from metalab.engine.events import (
    Array,
    Curves,
    Diverged,
    Evaluation,
    HeldOutTasks,
    frozen,
)
from metalab.engine.stability import StabilityWarning, first_warning
from metalab.engine.statistics import WhyNot, summarise, why_not
from metalab.experiment.config_history import ConfigHistory
from metalab.runs.record.checkpoints import CheckpointHistory, no_trail
from metalab.runs.record.status import RunStatus
from metalab.runs.system.compiling import Compiling

if TYPE_CHECKING:
    from pathlib import Path

    from metalab.experiment.config import ExperimentConfig
    from metalab.runs.record.bookmarks import Bookmarks


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An error that ended a run.

    Attributes:
        message: One line.
        traceback: For the details.
    """

    message: str
    traceback: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationSeries:
    """Held-out losses over training. Everything is [evaluation, inner step].

    Intervals are over the tasks of this network; they say nothing of other seeds.

    Attributes:
        steps: Outer steps made, [evaluation].
        support_mean: Mean support loss over tasks after 0 ... K' inner steps.
        query_mean: Mean query loss.
        query_low: Lower end of the 95 % interval of `query_mean`; NaN where none is
            given (see `engine.statistics.mean_interval`).
        query_high: Upper end.
        query_p10: 10th percentile over tasks.
        query_p90: 90th percentile over tasks.
        query_median: Median over tasks.
        query_iqm: Interquartile mean over tasks.
        query_exploded: Number of tasks that exploded (see `engine.statistics.exploded`).
        support_rising: Number of tasks whose support loss has risen (see
            `engine.statistics.rising`).
    """

    steps: Array
    support_mean: Array
    query_mean: Array
    query_low: Array
    query_high: Array
    query_p10: Array
    query_p90: Array
    query_median: Array
    query_iqm: Array
    query_exploded: Array
    support_rising: Array

    def __len__(self) -> int:
        """Return the number of evaluations."""
        return len(self.steps)

    @classmethod
    def from_rows(cls, rows: Array) -> "EvaluationSeries":
        """Return the series of some `evaluation_row`s, [evaluation, column]."""
        # Slices of one table, so that a live view costs no copy.
        parts = np.split(rows[:, 1:], len(_PARTS), axis=1)
        return cls(steps=rows[:, 0], **dict(zip(_PARTS, parts, strict=True)))

    def until(self, step: float) -> "EvaluationSeries":
        """Return the evaluations up to an outer step. Copies nothing."""
        count = int(np.searchsorted(self.steps, step, side="right"))
        parts = {name: getattr(self, name)[:count] for name in _PARTS}
        return EvaluationSeries(steps=self.steps[:count], **parts)

    def rows(self) -> Array:
        """Return the series as `evaluation_row`s, [evaluation, column]."""
        parts = [getattr(self, name) for name in _PARTS]
        return np.concatenate([self.steps[:, None], *parts], axis=1)

    def why_no_interval(self, row: int, step: int) -> WhyNot | None:
        """Return why the mean of an evaluation has no interval; None if it has one.

        Args:
            row: Of the evaluation.
            step: Inner steps.
        """
        return why_not(
            self.query_low[row, step],
            num_exploded=self.query_exploded[row, step],
            num_rising=self.support_rising[row, step],
        )


_PARTS = tuple(entry.name for entry in fields(EvaluationSeries))[1:]
"""What an `evaluation_row` holds of each inner step, in order."""


def row_width(num_points: int) -> int:
    """Return the length of an `evaluation_row` of so many inner steps, 0 included."""
    return 1 + len(_PARTS) * num_points


def evaluation_row(evaluation: Evaluation) -> Array:
    """Return one evaluation as a row of `EvaluationSeries`."""
    query, support = evaluation.query_loss, evaluation.support_loss
    found = summarise(query, support)
    with np.errstate(invalid="ignore"):
        p10, p90 = np.percentile(query, [10, 90], axis=0)
    return np.concatenate(
        [
            [evaluation.step],
            support.mean(axis=0),
            *(found.mean, found.mean_low, found.mean_high, p10, p90),
            *(found.median, found.iqm, found.num_exploded, found.num_rising),
        ]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredSeries:
    """One diagnostic over training.

    Attributes:
        steps: Outer steps made at each measurement, ascending, [measurement].
        values: What was measured, [measurement].
    """

    steps: Array
    values: Array

    def __len__(self) -> int:
        """Return the number of measurements."""
        return len(self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosticSeries:
    """Diagnostics over training.

    Attributes:
        steps: Outer steps made at each measurement, ascending, [measurement].
        values: Column by name (see `engine.diagnostics`), [measurement]; none where
            nothing was measured, NaN where something else was.
    """

    steps: Array
    values: Mapping[str, Array]

    def __len__(self) -> int:
        """Return the number of measurements."""
        return len(self.steps)

    def of(self, name: str) -> "MeasuredSeries":
        """Return one diagnostic where it was measured; empty where it never was."""
        if name not in self.values:
            return MeasuredSeries(steps=frozen(np.empty(0)), values=frozen(np.empty(0)))
        column = self.values[name]
        known = np.isfinite(column) | np.isinf(column)
        return MeasuredSeries(steps=self.steps[known], values=column[known])

    @property
    def known(self) -> list[str]:
        """The diagnostics that were ever a number, in order."""
        return [
            name for name, column in self.values.items() if np.isfinite(column).any()
        ]


def no_diagnostics() -> DiagnosticSeries:
    """Return the series of a run that measures nothing."""
    return DiagnosticSeries(steps=frozen(np.empty(0)), values={})


class Spans(NamedTuple):
    """What each row of a thinned history stands for: the steps since the row before.

    Attributes:
        lengths: Number of outer steps, [row].
        totals: Sum of the values of a loss over them, or of their logarithms, [row].
        counts: Number of these values, [row].
    """

    lengths: Array
    totals: Array
    counts: Array


class Sums(NamedTuple):
    """What a loss adds up to between the row before and each row, that step included.

    Attributes:
        total: Sum of its finite values, [row].
        number: Number of them, [row].
        log_total: Sum of the logarithms of its positive finite values, [row].
        log_number: Number of them, [row].
    """

    total: Array
    number: Array
    log_total: Array
    log_number: Array


def _no_sums() -> Mapping[str, Sums]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a forked run began.

    Attributes:
        parent: Name of the run that it was forked from.
        step: Outer steps that the parent had made.
    """

    parent: str
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHistory:
    """What is known of a run at one moment. Arrays are read-only.

    Attributes:
        configs: The experiment's configuration at each outer step; ask `config_at`.
        path: The run file; None for a run that is not kept.
        status: Where the run stands.
        device: What "auto" resolved to; "" before the run has started.
        step: Outer steps made.
        steps: Outer step of each row of `metrics`, [row].
        seconds: Training time at each row, without pauses, [row].
        metrics: Column by name (see `engine.events.METRICS`), [row].
        evaluations: Held-out losses.
        held_out_tasks: The held-out tasks; None before the run has started.
        curves: How the gallery's tasks adapt, most recently; None at first.
        diverged: Why the run paused by itself, or None.
        failure: What ended the run, or None.
        stored_step: Last outer step that is safe in the run file.
        storage_problem: Why the run file cannot be written just now, or None.
        diagnostics: What else was measured, now and then.
        provider: Who computes the outer steps; "" before the run has started.
        provider_reason: Why that one.
        compiling: How far the kernels are that the run waits for; None if it does not.
        trail: Training states that can be come back to.
        edit_problem: Why the last change was refused, or None.
        origin: Where it was forked from another run, if it was.
        thinned: How often the older rows were thinned out (`runs.record.thinning`); 0 while
            there is a row for every outer step.
        cut_short: Whether the file was read without the word of its writer that the run
            has ended: it still goes on or was killed, or the file is a copy.
        sums: What the losses that are drawn add up to between kept rows; needed where
            `thinned`.
        solves_worry: The first outer step whose linear systems need a word, or None.
        bookmarks: What a person has marked; None where the file does not tell.
        bookmarks_kept: Whether they are in the file like this.
    """

    configs: ConfigHistory
    path: "Path | None"
    status: RunStatus
    device: str
    step: int
    steps: Array
    seconds: Array
    metrics: Mapping[str, Array]
    evaluations: EvaluationSeries
    held_out_tasks: HeldOutTasks | None
    curves: Curves | None
    diverged: Diverged | None
    failure: Failure | None
    stored_step: int
    storage_problem: str | None = None
    diagnostics: DiagnosticSeries = field(default_factory=no_diagnostics)
    provider: str = ""
    provider_reason: str = ""
    compiling: Compiling | None = None
    trail: CheckpointHistory = field(default_factory=no_trail)
    edit_problem: str | None = None
    origin: Origin | None = None
    thinned: int = 0
    cut_short: bool = False
    sums: Mapping[str, Sums] = field(default_factory=_no_sums)
    solves_worry: StepSolves | None = None
    bookmarks: "Bookmarks | None" = None
    bookmarks_kept: bool = True

    def spans(self, name: str, start: int = 0, *, log: bool = False) -> Spans | None:
        """Return what rows stand for, where they do not stand for one outer step each.

        Args:
            name: A loss that is drawn over training.
            start: The first row to tell of.
            log: Whether to sum logarithms of positive values.
        """
        if not self.thinned:
            return None
        if start and self.steps[-1] - self.steps[start - 1] == len(self.steps) - start:
            return None
        sums = self.sums[name]
        lengths = np.diff(self.steps[max(start - 1, 0) :])
        return Spans(
            lengths=lengths if start else np.append(1.0, lengths),
            totals=(sums.log_total if log else sums.total)[start:],
            counts=(sums.log_number if log else sums.number)[start:],
        )

    def config_at(self, step: int | None = None) -> "ExperimentConfig":
        """Return the configuration that an outer step was made and evaluated with.

        The same step gives the same object, whatever moment of the run this is.

        Args:
            step: Outer steps made; None takes the last.
        """
        return self.configs.at(self.step if step is None else step)

    def at(self, step: int, *, curves: Curves | None = None) -> "RunHistory":
        """Return what was known of the run after an outer step.

        Args:
            step: Outer steps made; beyond the last nothing is cut.
            curves: How the gallery's tasks adapted then (see `analysis.gallery`), if
                wanted.
        """
        step = min(step, self.step)
        rows = slice(0, int(np.searchsorted(self.steps, step, side="right")))
        diagnostics = self.diagnostics
        taken = slice(0, int(np.searchsorted(diagnostics.steps, step, side="right")))
        return replace(
            self,
            step=step,
            steps=self.steps[rows],
            seconds=self.seconds[rows],
            metrics={name: column[rows] for name, column in self.metrics.items()},
            sums={
                name: Sums(*(column[rows] for column in sums))
                for name, sums in self.sums.items()
            },
            evaluations=self.evaluations.until(step),
            diagnostics=DiagnosticSeries(
                steps=diagnostics.steps[taken],
                values={
                    name: column[taken] for name, column in diagnostics.values.items()
                },
            ),
            curves=curves,
            configs=self.configs.until(step),
            diverged=None,
            failure=None,
        )

    @property
    def next_config(self) -> "ExperimentConfig":
        """The configuration with which the run goes on from its last step."""
        return self.configs.after(self.step)

    def is_same_run(self, other: "RunHistory | None") -> bool:
        """Return whether `other` is a moment of the same run, opened the same time."""
        return other is not None and self.configs.identity is other.configs.identity

    @property
    def name(self) -> str:
        """What to call the run: it tells what it changes of its preset."""
        # The catalog brings torch along, which is there once there is a run.
        from metalab.experiment.naming import experiment_name  # noqa: PLC0415

        return experiment_name(self.configs.at(0), self.configs.edits_before(self.step))

    @property
    def num_steps(self) -> int:
        """Planned number of outer steps."""
        return self.config_at().outer.num_steps

    @property
    def num_inner_steps(self) -> int:
        """K of training; evaluations and curves may go further."""
        return self.config_at().num_inner_steps

    @property
    def stability_warning(self) -> StabilityWarning | None:
        """What warned first that the run may diverge, or None."""
        measured = self.diagnostics
        return first_warning(self.config_at, measured.steps, measured.values)

    @property
    def latest_evaluation(self) -> float | None:
        """Held-out query loss after K inner steps, most recently."""
        if len(self.evaluations) == 0:
            return None
        return float(self.evaluations.query_mean[-1, self.num_inner_steps])

    @property
    def latest_evaluation_step(self) -> int | None:
        """Outer step of `latest_evaluation`; before `step`, unless one was due there."""
        steps = self.evaluations.steps
        return int(steps[-1]) if len(steps) else None

    @property
    def best_evaluation(self) -> tuple[int, float] | None:
        """Outer step and value of the lowest held-out query loss after K steps."""
        if len(self.evaluations) == 0:
            return None
        column = self.evaluations.query_mean[:, self.num_inner_steps]
        if np.isnan(column).all():
            return None
        index = int(np.nanargmin(column))
        return int(self.evaluations.steps[index]), float(column[index])
