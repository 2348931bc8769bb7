"""Losses of fresh tasks, as a script is given them."""

from collections.abc import Mapping
from dataclasses import fields
from html import escape
from typing import Any

import numpy as np

from metalab.analysis.evaluate import FreshEvaluation, evaluate_draws, num_draws_of
from metalab.analysis.step_size import at_inner_lr
from metalab.api.columns import Columns
from metalab.api.threads import keeping_threads
from metalab.core.errors import UserError
from metalab.core.tasks import QUERY_INPUTS, QUERY_TARGETS, SUBSETS, TRAINING, QueryKind
from metalab.engine.events import Array, Checkpoint
from metalab.engine.other_tasks import on_other_tasks
from metalab.engine.statistics import TaskSummary, WhyNot
from metalab.experiment.config import ExperimentConfig


class Evaluated:
    """Query losses of fresh tasks after 0 ... K' inner steps, all of one network.

    `mean`, `interval`, `median` and `iqm` are those after the last inner step; `table` has
    them for each. Intervals are of 95 % and over the tasks of this network: another
    training seed gives another network.

    Attributes:
        summary: Means, medians and intervals, [inner step] each.
        query_loss: [task, inner step].
        support_loss: Likewise.
        rmse: Root mean squared error in the target's own unit, [inner step]; None where
            the target has no name.
    """

    def __init__(self, found: FreshEvaluation) -> None:
        """Sum up an evaluation; `metalab.Run.evaluate` is how to get here."""
        self.summary: TaskSummary = found.summary()
        self.query_loss: Array = found.query_loss
        self.support_loss: Array = found.support_loss
        self.rmse: Array | None = found.rmse

    @property
    def num_tasks(self) -> int:
        """Number of tasks."""
        return self.summary.num_tasks

    @property
    def num_inner_steps(self) -> int:
        """K'."""
        return len(self.summary) - 1

    @property
    def mean(self) -> float:
        """Mean query loss over the tasks; infinite or NaN where a loss is."""
        return float(self.summary.mean[-1])

    @property
    def interval(self) -> tuple[float, float]:
        """Ends of the mean's 95 % interval; NaN where none is given (`no_interval`)."""
        return float(self.summary.mean_low[-1]), float(self.summary.mean_high[-1])

    @property
    def no_interval(self) -> WhyNot | None:
        """Why the mean has no interval, a text; None if it has one."""
        return self.summary.why_not(-1)

    @property
    def median(self) -> float:
        """Median query loss over the tasks."""
        return float(self.summary.median[-1])

    @property
    def iqm(self) -> float:
        """Interquartile mean: of the middle half of the tasks."""
        return float(self.summary.iqm[-1])

    @property
    def table(self) -> Columns:
        """A row an inner step.

        Columns: `inner_step`; `mean`, `median` and `iqm`, each with `_low` and `_high`, the
        ends of its 95 % interval; `num_exploded` and `num_rising`, numbers of tasks; and
        `rmse` where the target has a unit.
        """
        names = [
            entry.name for entry in fields(TaskSummary) if entry.name != "num_tasks"
        ]
        columns = {name: getattr(self.summary, name) for name in names}
        if self.rmse is not None:
            columns["rmse"] = self.rmse
        steps = np.arange(float(len(self.summary)))
        return Columns({"inner_step": steps, **columns})

    def _told(self) -> str:
        low, high = self.interval
        reason = self.no_interval
        interval = f"no interval: {reason}" if reason else f"{low:.4g} to {high:.4g}"
        return (
            f"query loss of {self.num_tasks:,} tasks after {self.num_inner_steps:,} inner "
            f"steps: mean {self.mean:.4g} ({interval}), median {self.median:.4g}, "
            f"interquartile mean {self.iqm:.4g}"
        )

    def __repr__(self) -> str:
        """Return the losses after the last inner step in one line."""
        return f"<Evaluated: {self._told()}>"

    def _repr_html_(self) -> str:
        """Return the table for a notebook."""
        return f"<p>{escape(self._told())}</p>{self.table.html()}"


def evaluated(  # noqa: PLR0913 - those of one evaluation
    config: ExperimentConfig,
    state: Checkpoint,
    *,
    num_tasks: int,
    num_inner_steps: int,
    inner_lr: float | None,
    num_shots: int | None,
    num_queries: int,
    query_inputs: str,
    query_targets: str,
    subset: str,
    num_draws: int | None,
    seed: int,
    tasks: Mapping[str, Any],
) -> Evaluated:
    """Measure fresh tasks from a state; arguments as for `metalab.Run.evaluate`.

    Raises:
        UserError: See there.
    """
    fresh = tuple(each for each in SUBSETS if each != TRAINING)
    for name, value, known in (
        ("query_inputs", query_inputs, QUERY_INPUTS),
        ("query_targets", query_targets, QUERY_TARGETS),
        ("subset", subset, fresh),
    ):
        if value not in known:
            raise UserError(f"{name} is {value!r}; allowed: {', '.join(known)}")
    other = at_inner_lr(on_other_tasks(config, list(tasks.items())), inner_lr)
    shots = other.eval_shots if num_shots is None else num_shots
    draws = num_draws_of(other) if num_draws is None else num_draws
    for name, value, least in (
        ("num_tasks", num_tasks, 2),
        ("num_inner_steps", num_inner_steps, 0),
        ("num_shots", shots, 1),
        ("num_queries", num_queries, 1),
        ("num_draws", draws, 1),
        ("seed", seed, 0),
    ):
        if value < least:
            raise UserError(f"{name} is {value}; allowed: {least} or more")
    with keeping_threads():
        return Evaluated(
            evaluate_draws(
                other,
                state,
                num_draws=draws,
                num_tasks=num_tasks,
                num_shots=shots,
                num_queries=num_queries,
                num_inner_steps=num_inner_steps,
                seed=seed,
                query=QueryKind(inputs=query_inputs, targets=query_targets),
                subset=subset,
            )
        )
