"""Runs that a study needs, their places, and the commands that make them."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metalab.runs.batch.batch import PlannedRun
from metalab.runs.system.home import RUN_SUFFIX, data_home
from metalab.studies.base import Change, Method, Protocol, Study, StudyError

NUM_SEEDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyPlan:
    """A study as it is to be run.

    Attributes:
        study: Which one.
        folder: Where its run files and results are kept.
        num_seeds: Runs of each method; their seeds are 0, 1, ...
        share: Of each run's outer steps, 1 for the published protocol.
    """

    study: Study
    folder: Path
    num_seeds: int = NUM_SEEDS
    share: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what makes no runs.

        Raises:
            StudyError: A count or share out of range.
        """
        if self.num_seeds < 1:
            raise StudyError(f"seeds is {self.num_seeds}; allowed: at least 1")
        if not 0 < self.share <= 1:
            raise StudyError(f"share is {self.share:g}; allowed: above 0, up to 1")

    @property
    def seeds(self) -> range:
        """The seeds."""
        return range(self.num_seeds)

    def run(self, method: Method, seed: int) -> PlannedRun:
        """Return one run. Its file's name tells experiments of other settings apart."""
        config = method.config(self.study.name, seed=seed, share=self.share)
        name = f"{method.name}-seed{seed}-{config.digest()[:8]}{RUN_SUFFIX}"
        return PlannedRun(config=config, path=self.folder / name)

    def runs(self) -> list[PlannedRun]:
        """Return every run, the first seed of each method first."""
        return [self.run(m, seed) for seed in self.seeds for m in self.study.methods]


def default_folder(study: Study) -> Path:
    """Return where a study is kept unless a person chooses another place."""
    return data_home() / "studies" / study.name


def reproduce_command(plan: StudyPlan) -> str:
    """Return the command that runs the study, or goes on with it."""
    parts = ["metalab", "reproduce", plan.study.name, "--seeds", str(plan.num_seeds)]
    if plan.share < 1:
        parts += ["--share", str(plan.share)]
    return shlex.join([*parts, "--out", str(plan.folder)])


def train_command(plan: StudyPlan, method: Method, seed: int) -> str:
    """Return the command that makes one run by itself."""
    parts = ["metalab", "train", "--preset", method.preset]
    parts += _assignments(method.settings(plan.study.name, share=plan.share))
    parts += ["--seed", str(seed), "--out", str(plan.run(method, seed).path)]
    return shlex.join(parts)


def eval_command(plan: StudyPlan, method: Method, protocol: Protocol, seed: int) -> str:
    """Return the command that evaluates one run by itself."""
    parts = ["metalab", "eval", str(plan.run(method, seed).path)]
    parts += ["--num-tasks", str(protocol.num_tasks)]
    parts += ["--num-shots", str(protocol.num_shots)]
    parts += ["--num-queries", str(protocol.num_queries)]
    parts += ["--num-inner-steps", str(protocol.num_inner_steps)]
    parts += ["--query-inputs", protocol.query_inputs]
    parts += ["--query-targets", protocol.query_targets]
    if protocol.inner_lr is not None:
        parts += ["--inner-lr", str(protocol.inner_lr)]
    return shlex.join([*parts, "--seed", str(seed)])


def _assignments(changes: Sequence[Change]) -> list[str]:
    return [
        part
        for path, value in changes
        for part in ("--set", f"{path}={_written(value)}")
    ]


def _written(value: Any) -> str:
    """Return a value as `parse_assignment` reads it: numbers and lists are JSON, too."""
    return value if isinstance(value, str) else json.dumps(value)
