"""Results of a comparison with baselines, apart from what computes them: no torch here."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metalab.engine.events import Array
from metalab.engine.statistics import mean_interval

if TYPE_CHECKING:
    from metalab.experiment.config import ExperimentConfig

NUM_METHODS = 5
"""The run and its rivals (`analysis.baselines.baselines`)."""

_TRAINING_SHARE = 0.8
"""Of the time that a rival takes, roughly; the rest is measuring."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BaselinesRequest:
    """A moment of a run that is to be compared with baselines.

    Attributes:
        config: The experiment.
        phi: Meta-parameters, [meta].
        step: The outer step that they are from.
    """

    config: "ExperimentConfig"
    phi: Array
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """Stage of a comparison.

    Attributes:
        title: The method.
        step: Outer steps that it has made; 0 outside training.
        num_steps: Of how many.
        draw: The support set that it is measured on, from 1; 0 outside that.
        num_draws: Of how many.
    """

    title: str
    step: int = 0
    num_steps: int = 0
    draw: int = 0
    num_draws: int = 0

    @property
    def share(self) -> float:
        """Share of this method that is done, from 0 to 1, roughly."""
        if self.num_steps:
            return _TRAINING_SHARE * self.step / self.num_steps
        if self.num_draws:
            measuring = 1 - _TRAINING_SHARE
            return _TRAINING_SHARE + measuring * (self.draw - 1) / self.num_draws
        return 0.0

    @property
    def words(self) -> str:
        """Stage as one phrase."""
        if self.num_steps:
            return f"training, outer step {self.step:,} of {self.num_steps:,}"
        if self.num_draws:
            return f"measuring, support set {self.draw} of {self.num_draws} a task"
        return "preparing"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """Losses of one method, and how they differ from the run's, task by task.

    Attributes:
        title: What the method is.
        losses: Mean over the draws of each task's query loss, [task].
        mean: Mean over the tasks.
        mean_low: Lower end of its 95 % interval over tasks; NaN where there is none.
        mean_high: Upper end.
        rmse: Root mean squared error in the target's own unit; None without one.
        difference: Mean difference of the losses to the run's; 0 for the run.
        low: Lower end of its 95 % interval over tasks; NaN for the run.
        high: Upper end.
        share_better: Share of the tasks on which the run is better; NaN for the run.
    """

    title: str
    losses: Array
    mean: float
    mean_low: float
    mean_high: float
    rmse: float | None
    difference: float
    low: float
    high: float
    share_better: float

    @property
    def is_run(self) -> bool:
        """Whether it is the run itself."""
        return math.isnan(self.share_better)


def measured(
    title: str, losses: Array, rmse: float | None, *, mine: Array | None
) -> Measured:
    """Return a method's losses beside the run's.

    Args:
        title: What the method is.
        losses: Of each task, [task].
        rmse: In the target's own unit; None without one.
        mine: The run's losses of the same tasks, [task]; None for the run itself.
    """
    mean, mean_low, mean_high = mean_interval(losses)
    difference, low, high, better = 0.0, math.nan, math.nan, math.nan
    if mine is not None:
        difference, low, high = (float(end) for end in mean_interval(losses - mine))
        better = float((mine < losses).mean())
    return Measured(
        title=title,
        losses=losses,
        mean=float(mean),
        mean_low=float(mean_low),
        mean_high=float(mean_high),
        rmse=rmse,
        difference=difference,
        low=low,
        high=high,
        share_better=better,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A method that does not go with the run's tasks.

    Attributes:
        title: What the method is.
        reason: Why.
    """

    title: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BaselineComparison:
    """Results of a run and its rivals, as far as they are known.

    Attributes:
        request: What was asked for.
        rows: The run, then rivals, as far as they have been measured.
        done: Whether these are all.
    """

    request: BaselinesRequest
    rows: tuple[Measured | LeftOut, ...] = ()
    done: bool = False
