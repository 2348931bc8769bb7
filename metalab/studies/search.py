"""A sweep whose trials are chosen by Optuna, batch by batch.

Nothing of the search is kept besides its run files: a search that was killed asks the same
questions again, finds the runs that answer them, and goes on from there.
"""

import importlib.util
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metalab.core.errors import UserError
from metalab.experiment.fields import fields_of
from metalab.experiment.sweep_file import (
    Axis,
    Search,
    SweepError,
    SweepFile,
    Value,
    ends_of,
    experiment_at,
    first_values,
    plain_number,
)
from metalab.runs.batch.batch import Ending, Outcome, PlannedRun
from metalab.runs.record.reader import open_run
from metalab.studies.sweep import run_path

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.distributions import BaseDistribution
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler

CarryOut = Callable[[Sequence[PlannedRun]], Sequence[Outcome]]
_REDUCTION = 2
"""Of successive halving: the better half of the trials goes on at each rung."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One trial of a search.

    Attributes:
        number: From 0, in the order in which they were chosen.
        values: Its value along each axis.
        objective: Its mean over the seeds; infinite where a run diverged, None where one
            failed.
        step: Outer steps of each of its runs.
        pruned: Whether it was given up at a rung.
        paths: Its run files.
    """

    number: int
    values: Mapping[str, Value]
    objective: float | None
    step: int
    pruned: bool
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """What a search found.

    Attributes:
        trials: Every trial that was told, in order.
        outcomes: What became of each run file, as it was left.
        stopped: Whether a person stopped it.
    """

    trials: tuple[Tried, ...]
    outcomes: Mapping[Path, Outcome]
    stopped: bool

    @property
    def best(self) -> Tried | None:
        """The trial with the lowest objective, of those that made all their steps."""
        whole = [t for t in self.trials if not t.pruned and t.objective is not None]
        finite = [t for t in whole if math.isfinite(t.objective or 0.0)]
        return min(finite, key=lambda t: (t.objective, t.number), default=None)


def need_optuna() -> None:
    """Make sure that Optuna is installed.

    Raises:
        UserError: It is not; says how to install it.
    """
    if importlib.util.find_spec("optuna") is None:
        raise UserError(
            "search needs the package optuna, which is not installed; allowed after: "
            'pip install "metalab[optuna]"'
        )


def search(sweep: SweepFile, folder: Path, carry_out: CarryOut) -> Searched:
    """Choose and carry out the trials of a sweep.

    Args:
        sweep: With a search.
        folder: Where run files are kept.
        carry_out: Carries out runs, in any order and number at once.

    Raises:
        ConfigError: A path or a value is none of an experiment's.
        SweepError: An axis cannot be searched.
        UserError: Optuna is missing.
    """
    need_optuna()
    assert sweep.search is not None, "a sweep with a search"
    return _Searcher(sweep, sweep.search, folder, carry_out).run()


class _Searcher:
    def __init__(
        self, sweep: SweepFile, settings: Search, folder: Path, carry_out: CarryOut
    ) -> None:
        import optuna  # noqa: PLC0415 - an extra

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._sweep = sweep
        self._settings = settings
        self._folder = folder
        self._carry_out = carry_out
        self._space = space_of(sweep)
        self._study: Study = optuna.create_study(
            sampler=_sampler(settings), pruner=_pruner(settings)
        )
        self._tried: list[Tried] = []
        self._outcomes: dict[Path, Outcome] = {}

    def run(self) -> Searched:
        stopped = False
        num, batch = self._settings.num, self._settings.batch
        for first in range(0, num, batch):
            # All are asked for before any is told: no trial knows of another of its
            # batch, however many run at once.
            asked = [
                self._study.ask(self._space) for _ in range(min(batch, num - first))
            ]
            if not self._try(asked):
                stopped = True
                break
        return Searched(
            trials=tuple(self._tried), outcomes=self._outcomes, stopped=stopped
        )

    def _try(self, asked: "list[Trial]") -> bool:
        """Carry a batch from rung to rung; return False if a person stopped it."""
        alive = asked
        for number, share in enumerate(self._settings.rungs):
            if not self._carry(alive, share):
                return False
            alive = self._pruned(alive, number, share)
        if not self._carry(alive, None):
            return False
        for trial in alive:
            self._tell(trial, self._objective(trial, None), share=None, pruned=False)
        return True

    def _pruned(self, alive: "list[Trial]", number: int, share: float) -> "list[Trial]":
        """Give up the trials that lag behind at a rung; return the others."""
        values = [self._objective(trial, share) for trial in alive]
        for trial, value in zip(alive, values, strict=True):
            if value is not None:
                trial.report(value, _REDUCTION**number)
        # Decided once all have reported, in the order of the trials.
        lagging = [
            value is not None and trial.should_prune()
            for trial, value in zip(alive, values, strict=True)
        ]
        for trial, value, out in zip(alive, values, lagging, strict=True):
            if out:
                self._tell(trial, value, share=share, pruned=True)
        return [t for t, out in zip(alive, lagging, strict=True) if not out]

    def _carry(self, trials: "list[Trial]", share: float | None) -> bool:
        planned = {
            run.path: run for trial in trials for run in self._runs(trial, share)
        }
        outcomes = self._carry_out(list(planned.values()))
        self._outcomes |= dict(zip(planned, outcomes, strict=True))
        ended = {outcome.ending for outcome in outcomes}
        return not ended & {Ending.STOPPED, Ending.CANCELLED}

    def _runs(self, trial: "Trial", share: float | None) -> list[PlannedRun]:
        values = values_of(self._sweep, trial.params)
        runs: list[PlannedRun] = []
        for seed in self._sweep.seed_values:
            config = experiment_at(self._sweep, values, seed)
            stop_at = None
            if share is not None:
                stop_at = max(1, math.ceil(share * config.outer.num_steps))
            path = run_path(self._folder, config)
            runs.append(PlannedRun(config=config, path=path, stop_at=stop_at))
        return runs

    def _objective(self, trial: "Trial", share: float | None) -> float | None:
        """Return the mean over the seeds; None where a run failed."""
        found: list[float] = []
        for run in self._runs(trial, share):
            outcome = self._outcomes[run.path]
            if outcome.ending is Ending.FAILED:
                return None
            if outcome.ending is Ending.DIVERGED:
                return math.inf
            # The file may hold more: a search that goes on asks what it asked before.
            history = open_run(run.path).history.at(run.num_steps)
            value = history.latest_evaluation
            if self._settings.objective == "best held-out loss":
                best = history.best_evaluation
                value = None if best is None else best[1]
            found.append(math.inf if value is None or math.isnan(value) else value)
        return math.fsum(found) / len(found)

    def _tell(
        self, trial: "Trial", value: float | None, *, share: float | None, pruned: bool
    ) -> None:
        from optuna.trial import TrialState  # noqa: PLC0415 - an extra

        if pruned:
            self._study.tell(trial, state=TrialState.PRUNED)
        elif value is None:
            self._study.tell(trial, state=TrialState.FAIL)
        else:
            self._study.tell(trial, value)
        runs = self._runs(trial, share)
        self._tried.append(
            Tried(
                number=trial.number,
                values=values_of(self._sweep, trial.params),
                objective=value,
                step=runs[0].num_steps,
                pruned=pruned,
                paths=tuple(run.path for run in runs),
            )
        )
        self._tried.sort(key=lambda tried: tried.number)


def space_of(sweep: SweepFile) -> "dict[str, BaseDistribution]":
    """Return what values there are along each axis, for Optuna.

    Raises:
        ConfigError: A path is none of an experiment's.
        SweepError: The ends of a whole number's axis are none.
    """
    first = first_values(sweep)
    example = experiment_at(sweep, first, sweep.seed_values[0])
    types = {field.path: field.value_type for field in fields_of(example)}
    return {
        path: _distribution(path, axis, types.get(path, str))
        for path, axis in sweep.axes.items()
    }


def _distribution(path: str, axis: Axis, kind: type) -> "BaseDistribution":
    from optuna.distributions import (  # noqa: PLC0415 - an extra
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    if isinstance(axis, list):
        # As text: Optuna takes no lists, and 1 is not True.
        return CategoricalDistribution([json.dumps(value) for value in axis])
    low, high = sorted(ends_of(axis))
    is_log = getattr(axis, "log", None) or getattr(axis, "log_uniform", None)
    if kind is not int:
        return FloatDistribution(low, high, log=bool(is_log))
    if not (low.is_integer() and high.is_integer()):
        raise SweepError(
            f"axes.{path} goes from {low:g} to {high:g}; allowed: whole numbers"
        )
    return IntDistribution(int(low), int(high), log=bool(is_log))


def values_of(sweep: SweepFile, chosen: Mapping[str, Any]) -> dict[str, Value]:
    """Return a trial's values along the axes, with the digits that a person would write."""
    return {
        path: json.loads(chosen[path])
        if isinstance(axis, list)
        else plain_number(chosen[path])
        for path, axis in sweep.axes.items()
    }


def _sampler(settings: Search) -> "BaseSampler":
    from optuna import samplers  # noqa: PLC0415 - an extra

    if settings.sampler == "tpe":
        return samplers.TPESampler(seed=settings.seed)
    if settings.sampler == "qmc":
        return samplers.QMCSampler(seed=settings.seed)
    return samplers.RandomSampler(seed=settings.seed)


def _pruner(settings: Search) -> "BasePruner":
    from optuna import pruners  # noqa: PLC0415 - an extra

    if settings.pruner == "median":
        return pruners.MedianPruner()
    if settings.pruner == "successive-halving":
        return pruners.SuccessiveHalvingPruner(
            min_resource=1, reduction_factor=_REDUCTION
        )
    return pruners.NopPruner()
