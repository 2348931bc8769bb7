"""Does every preset learn, and does it hold? Its beginning or its whole length, in memory."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

import numpy as np
import torch

from metalab.engine.events import Array, Diverged, Evaluation, EvaluationDone
from metalab.engine.statistics import (
    interquartile_mean_interval,
    mean_interval,
    median_interval,
    rising,
)
from metalab.engine.trainer import Trainer
from metalab.experiment.config import ExperimentConfig, preset_config
from metalab.experiment.fields import with_overrides

NUM_STEPS = 300
"""Outer steps of a check that does not go to the end."""


class Verdict(Enum):
    """What came of a check."""

    FALLS = "falls"
    DOES_NOT_FALL = "does not fall"
    DIVERGED = "diverged"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutLoss:
    """A query loss over the held-out tasks of one network.

    Attributes:
        mean: Over tasks.
        low: Lower end of the 95 % interval of the mean, of this network; NaN where none
            is given (see `engine.statistics.mean_interval`).
        high: Upper end.
        median: Over tasks; one task of a heavy tail cannot carry it.
        interquartile_mean: Mean of the middle half of the tasks.
    """

    mean: float
    low: float
    high: float
    median: float
    interquartile_mean: float

    @classmethod
    def of(cls, losses: Array, *, num_rising: int = 0) -> "HeldOutLoss":
        """Summarise the losses of some tasks, [task].

        Args:
            losses: After K inner steps.
            num_rising: Tasks whose support loss has risen on the way.
        """
        mean, low, high = mean_interval(losses, num_rising=num_rising)
        return cls(
            mean=float(mean),
            low=float(low),
            high=float(high),
            median=float(median_interval(losses)[0]),
            interquartile_mean=float(interquartile_mean_interval(losses)[0]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetCheck:
    """What outer steps from one seed did to the held-out query loss of a preset.

    Attributes:
        name: The preset.
        seed: `run.seed`.
        num_steps: Outer steps that were to be made.
        step: Outer steps made: fewer where the run diverged.
        over: What the loss has to fall over: "training", or "adaptation" where phi
            stays.
        before: Over training: after K inner steps, untrained. Over adaptation: after 0
            inner steps, at the last evaluation.
        final: After K inner steps, at the last evaluation; of a run that diverged, the
            last one before that.
        seconds: Wall-clock time, preparation included.
        verdict: Whether it fell.
        diverged: What went wrong, or None.
    """

    name: str
    seed: int
    num_steps: int
    step: int
    over: str
    before: float
    final: HeldOutLoss
    seconds: float
    verdict: Verdict
    diverged: Diverged | None

    @property
    def passed(self) -> bool:
        """Whether the preset does what it is for."""
        return self.verdict is Verdict.FALLS

    @property
    def after(self) -> float:
        """Mean of `final`."""
        return self.final.mean

    @property
    def message(self) -> str:
        """What went wrong, of a run that diverged; else empty."""
        return "" if self.diverged is None else self.diverged.message


def check_preset(
    name: str, *, num_steps: int | None = NUM_STEPS, seed: int = 0
) -> PresetCheck:
    """Run a preset, or its beginning, and compare held-out losses.

    The planned number of outer steps stays, and with it every schedule: what is made is
    the beginning of the very run that the preset describes.

    Args:
        name: The preset.
        num_steps: Outer steps to make; a preset that plans fewer makes those. None makes
            all that it plans.
        seed: `run.seed`.

    Raises:
        UserError: No preset has that name.
    """
    config = preset_config(name)
    planned = config.outer.num_steps
    count = planned if num_steps is None else min(num_steps, planned)
    config = _prepared(config, count, seed)
    torch.set_num_threads(config.run.num_threads)
    began = time.perf_counter()
    losses, diverged = _losses(config, count)
    k = config.num_inner_steps
    first, last = (found.query_loss[:, : k + 1] for found in (losses[0], losses[-1]))
    num_rising = int(rising(losses[-1].support_loss)[:, k].sum())
    moves = config.outer.optimizer.component.moves
    final = HeldOutLoss.of(last[:, -1], num_rising=num_rising)
    before = float((first[:, -1] if moves else last[:, 0]).mean(dtype=np.float64))
    verdict = Verdict.FALLS if final.mean < before else Verdict.DOES_NOT_FALL
    return PresetCheck(
        name=name,
        seed=seed,
        num_steps=count,
        step=count if diverged is None else diverged.last_good_step,
        over="training" if moves else "adaptation",
        before=before,
        final=final,
        seconds=time.perf_counter() - began,
        verdict=verdict if diverged is None else Verdict.DIVERGED,
        diverged=diverged,
    )


def _prepared(config: ExperimentConfig, num_steps: int, seed: int) -> ExperimentConfig:
    """Evaluate as seldom as possible, and no further than K inner steps."""
    return with_overrides(
        config,
        [
            ("run.seed", seed),
            ("evaluation.every", num_steps),
            ("evaluation.num_inner_steps", 1),
        ],
    )


def _losses(
    config: ExperimentConfig, num_steps: int
) -> tuple[list[Evaluation], Diverged | None]:
    """Return the evaluations, in order.

    The first is of the untrained network, the last after `num_steps` outer steps, unless
    the run diverged before.
    """
    trainer = Trainer(config)
    losses: list[Evaluation] = []
    for event in trainer.run():
        if isinstance(event, Diverged):
            return losses, event
        if isinstance(event, EvaluationDone):
            losses.append(event.evaluation)
            if event.evaluation.step >= num_steps:
                break
    return losses, None


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetSummary:
    """The checks of one preset over several seeds.

    Attributes:
        name: The preset.
        num_steps: Outer steps of each.
        checks: One for each seed, in order; at least one.
    """

    name: str
    num_steps: int
    checks: tuple[PresetCheck, ...]

    @property
    def passed(self) -> bool:
        """Whether the preset does what it is for from every seed."""
        return all(check.passed for check in self.checks)

    @property
    def num_diverged(self) -> int:
        """Seeds from which the run diverged."""
        return sum(check.diverged is not None for check in self.checks)

    @property
    def seconds(self) -> float:
        """Wall-clock time of all seeds."""
        return sum(check.seconds for check in self.checks)

    @property
    def mean(self) -> float:
        """Mean over seeds of the final loss."""
        return float(np.mean([check.after for check in self.checks]))

    @property
    def deviation(self) -> float:
        """Standard deviation over seeds of the final loss; NaN for a single seed."""
        means = [check.after for check in self.checks]
        return float(np.std(means, ddof=1)) if len(means) > 1 else float("nan")

    @property
    def median(self) -> float:
        """Median over seeds of the median over tasks."""
        return float(np.median([check.final.median for check in self.checks]))

    @property
    def interquartile_mean(self) -> float:
        """Mean over seeds of the interquartile mean over tasks."""
        return float(np.mean([c.final.interquartile_mean for c in self.checks]))


def summaries(checks: Iterable[PresetCheck]) -> tuple[PresetSummary, ...]:
    """Return the checks grouped by preset, in order of their first one."""
    groups: dict[str, list[PresetCheck]] = {}
    for check in checks:
        groups.setdefault(check.name, []).append(check)
    return tuple(
        PresetSummary(name=name, num_steps=group[0].num_steps, checks=tuple(group))
        for name, group in groups.items()
    )
