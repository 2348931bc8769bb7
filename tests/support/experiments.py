"""Small experiments, and records of what they say."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from metalab.engine.events import Diverged, EvaluationDone, Event, StepsDone
from metalab.engine.trainer import Trainer
from metalab.experiment.config import ExperimentConfig, preset_config
from metalab.experiment.fields import with_overrides

PRESETS = (
    "maml-sine",
    "reptile-sine",
    "maml-plus-plus-sine",
    "cavia-sine",
    "imaml-sine",
    "alpaca-sine",
    "oracle-sine",
)
"""One for each thing that a run carries on: schedules, momentum, rates, draws, nothing."""


def small(preset: str = "maml-sine", **overrides: Any) -> ExperimentConfig:
    """Return a preset shrunk to milliseconds a run.

    Args:
        preset: Which one; its method, schedule and task family stay.
        **overrides: Further fields, with "__" for the dots of their paths.
    """
    config = preset_config(preset)
    shrunk: dict[str, Any] = {
        "outer.num_steps": 60,
        "evaluation.num_tasks": 16,
        "evaluation.num_queries": 5,
        "evaluation.num_inner_steps": 2,
        "evaluation.every": 20,
    }
    if "hidden_sizes" in config.model.options():
        shrunk["model.hidden_sizes"] = [6, 5]
    shrunk |= {path.replace("__", "."): value for path, value in overrides.items()}
    return with_overrides(config, list(shrunk.items()))


def constantly(count: int) -> Callable[[], int]:
    """Return a pace of always `count` steps."""
    return lambda: count


@dataclass(frozen=True, kw_only=True)
class Record:
    """What a run said, put together as a run file would.

    Attributes:
        events: In order.
        metrics: One row a step, the last word on each, by step number.
        probes: The last word on each probed step.
    """

    events: tuple[Event, ...]
    metrics: dict[int, np.ndarray]
    probes: dict[int, EvaluationDone]

    def rows(self) -> np.ndarray:
        """Return the metrics in the order of the steps, [step, metric]."""
        return np.stack([self.metrics[step] for step in sorted(self.metrics)])


def record(events: Iterable[Event]) -> Record:
    """Listen to a run until it ends or the events do."""
    heard, metrics, probes = [], {}, {}
    for event in events:
        heard.append(event)
        if isinstance(event, StepsDone):
            numbers = range(event.first_step, event.last_step + 1)
            metrics |= dict(zip(numbers, event.metrics, strict=True))
        elif isinstance(event, EvaluationDone):
            probes[event.evaluation.step] = event
        elif isinstance(event, Diverged):
            kept = event.last_good_step
            metrics = {step: row for step, row in metrics.items() if step <= kept}
            probes = {step: probe for step, probe in probes.items() if step <= kept}
    return Record(events=tuple(heard), metrics=metrics, probes=probes)


def run(config: ExperimentConfig, pace: int = 16) -> Record:
    """Run an experiment from start to end."""
    return record(Trainer(config).run(constantly(pace)))


def same(one: Any, two: Any) -> bool:
    """Return whether two values agree bit for bit, arrays included."""
    if type(one) is not type(two):
        return False
    if is_dataclass(one):
        return all(
            same(getattr(one, entry.name), getattr(two, entry.name))
            for entry in fields(one)
        )
    if isinstance(one, np.ndarray):
        return one.dtype == two.dtype and one.tobytes() == two.tobytes()
    if isinstance(one, tuple):
        return len(one) == len(two) and all(map(same, one, two))
    if isinstance(one, dict):
        return list(one) == list(two) and all(same(one[k], two[k]) for k in one)
    return bool(one == two)
