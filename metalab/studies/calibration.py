"""Estimate of the time that runs take, from a few steps of some of them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from metalab.engine.events import EvaluationDone, Event, StepsDone
from metalab.engine.trainer import Trainer
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.sweep_file import experiment_at, first_values
from metalab.runs.record.live import LiveRun
from metalab.runs.running.control import RunControl
from metalab.runs.running.run import run_experiment
from metalab.studies.sweep import SweepPlan

CALIBRATION_SECONDS = 2.0
"""Of all measurements together, besides the preparation of the runs."""

MOST_MEASURED = 8
_WARM_UP_EVENTS = 2
"""The first steps allocate, and the first batch of them is a single step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What runs would take, one after another.

    Attributes:
        seconds: Of all runs together.
        num_measured: Kinds of experiment that were measured.
        num_kinds: Kinds of experiment: a number that is no whole one changes no kind.
    """

    seconds: float
    num_measured: int
    num_kinds: int

    def words(self, num_processes: int, num_runs: int) -> str:
        """Return the time in words, with as many runs at once as there are processes."""
        at_once = max(1, min(num_processes, num_runs))
        where = "one process" if at_once == 1 else f"{at_once} processes"
        told = f"about {in_words(self.seconds / at_once)} on {where}"
        if self.num_measured < self.num_kinds:
            told += f" (measured: {self.num_measured} of {self.num_kinds} kinds)"
        return told


def in_words(seconds: float) -> str:
    """Return a time as a person would say it: "40 s", "12 min", "3.5 h"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return (
        f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.1f} d"
    )


def estimate(
    configs: Sequence[ExperimentConfig],
    *,
    most_seconds: float = CALIBRATION_SECONDS,
    cancelled: Callable[[], bool] = lambda: False,
) -> Estimate:
    """Measure some steps of each kind of experiment, and add up.

    Args:
        configs: The experiments of the runs.
        most_seconds: Time for all measurements.
        cancelled: Asked whether nobody wants the result any more.

    Raises:
        UserError: An experiment cannot be run here.
    """
    kinds: dict[str, list[ExperimentConfig]] = {}
    for config in configs:
        kinds.setdefault(_kind(config), []).append(config)
    groups = list(kinds.values())
    stride = max(1, -(-len(groups) // MOST_MEASURED))
    measured = groups[::stride]
    seconds, num_runs = 0.0, 0
    for group in measured:
        if cancelled():
            break
        seconds += _seconds(group[0], most_seconds / len(measured)) * len(group)
        num_runs += len(group)
    whole = seconds * len(configs) / max(1, num_runs)
    return Estimate(seconds=whole, num_measured=len(measured), num_kinds=len(groups))


def estimate_of(
    plan: SweepPlan, *, cancelled: Callable[[], bool] = lambda: False
) -> Estimate:
    """Return what the runs of a sweep would take that have no file yet.

    Of a search, what all trials would take if none is pruned and each is as the first
    value along every axis.

    Raises:
        UserError: An experiment cannot be run here.
    """
    search = plan.sweep.search
    if search is None:
        left = [run.config for run in plan.runs() if not run.path.is_file()]
        return estimate(left, cancelled=cancelled)
    example = experiment_at(
        plan.sweep, first_values(plan.sweep), plan.sweep.seed_values[0]
    )
    found = estimate([example], cancelled=cancelled)
    return replace(found, seconds=found.seconds * plan.sweep.num_runs)


def _kind(config: ExperimentConfig) -> str:
    """Return what decides how long a step takes: all but the seed and the real numbers."""
    return str(_without_reals({**config.to_mapping(), "run": None}))


def _without_reals(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_reals(entry) for key, entry in value.items()}
    return "real" if isinstance(value, float) else value


class _Stopwatch:
    """A sink that adds up the time of steps and of evaluations, and ends the run."""

    def __init__(self, control: RunControl, most_seconds: float) -> None:
        self._control = control
        self._most_seconds = most_seconds
        self._began: float | None = None
        self._seconds = 0.0
        self._num_events = 0
        self.steps, self.step_seconds = 0, 0.0
        self.evaluations, self.evaluation_seconds = 0, 0.0

    def on_event(self, event: Event, seconds: float) -> None:
        """Take in what an event took."""
        took, self._seconds = seconds - self._seconds, seconds
        if isinstance(event, EvaluationDone):
            self.evaluations += 1
            self.evaluation_seconds += took
        elif isinstance(event, StepsDone):
            self._num_events += 1
            if self._num_events > _WARM_UP_EVENTS:
                self.steps += len(event.metrics)
                self.step_seconds += took
        now = time.monotonic()
        if self._began is None:
            self._began = now
        enough = self.steps > 0 and now - self._began > self._most_seconds
        if enough or self._control.paused:
            self._control.stop()

    def flush(self, trainer: Trainer, *, force: bool = False) -> None:
        """Do nothing: nothing is kept."""


def _seconds(config: ExperimentConfig, most_seconds: float) -> float:
    """Return the time of one run."""
    control = RunControl()
    watch = _Stopwatch(control, most_seconds)
    began = time.monotonic()
    run_experiment(LiveRun(config), control, sinks=[watch])
    if watch.steps == 0:
        # So few steps that none was left to be measured: this was a whole run.
        return time.monotonic() - began
    num_steps = config.outer.num_steps
    num_evaluations = num_steps / config.evaluation.every
    each = watch.evaluation_seconds / max(1, watch.evaluations)
    return num_steps * watch.step_seconds / watch.steps + num_evaluations * each
