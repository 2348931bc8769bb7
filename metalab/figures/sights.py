"""Views of the window's pages at a moment, as values that figures are drawn from.

The page hands over its own; `figures.looking` computes the same from a run file. Imports
neither matplotlib nor torch.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metalab.engine.events import Array
from metalab.runs.record.history import RunHistory

if TYPE_CHECKING:
    from metalab.analysis.adapt_request import AdaptRequest, AdaptResult
    from metalab.analysis.comparison import Comparison
    from metalab.analysis.landscape_request import Landscape
    from metalab.analysis.learned_rates import LearnedRates
    from metalab.figures.structure.model import Numbers, Structure


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AdaptSight:
    """A task of a person's own, and how networks adapt to it.

    Attributes:
        history: The run, as it was at the moment.
        explored: How the run's own meta-parameters adapt, and to what.
        others: How other starts adapt, and what they are called.
        inner_step: The inner step that stands out, 0 ... K'.
        task: What the task is, in words, such as "held-out task 3, points moved".
    """

    history: RunHistory
    explored: "AdaptResult"
    others: "tuple[tuple[str, AdaptResult], ...]" = ()
    inner_step: int
    task: str

    @property
    def asked(self) -> "AdaptRequest":
        """The task, and how far it is adapted to."""
        return self.explored.asked

    @property
    def step(self) -> int:
        """The outer step that is seen."""
        return self.explored.start.step


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LandscapeSight:
    """Losses over a plane, and the paths near it.

    Attributes:
        history: The run, as it was at the moment.
        landscape: The losses.
        inner_step: The inner step that has a dot on each path.
    """

    history: RunHistory
    landscape: "Landscape"
    inner_step: int

    @property
    def step(self) -> int:
        """The outer step that is seen."""
        return self.landscape.asked.step


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EstimatorsSight:
    """Hypergradient estimators compared with the exact ones.

    Attributes:
        history: The run, as it was at the moment.
        comparison: What has been measured.
    """

    history: RunHistory
    comparison: "Comparison"

    @property
    def step(self) -> int:
        """The outer step that is seen."""
        return self.comparison.request.step


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StructureSight:
    """The bilevel problem, with the numbers of one outer step.

    Attributes:
        history: The run, as it was at the moment.
        structure: The problem; that of the form in the window.
        numbers: Of the newest outer step; none where the form has another method.
        title: What the method is called; "" where it has no name.
    """

    history: RunHistory
    structure: "Structure"
    numbers: "Numbers"
    title: str

    @property
    def step(self) -> int:
        """The outer step that is seen."""
        return self.numbers.step


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RatesSight:
    """The learning rates that the outer loop has learned.

    Attributes:
        history: The run, as it was at the moment.
        rates: The rates.
        outer_step: The outer step that they are from.
    """

    history: RunHistory
    rates: "LearnedRates"
    outer_step: int

    @property
    def step(self) -> int:
        """The outer step that is seen."""
        return self.outer_step


Sight = (
    RunHistory
    | AdaptSight
    | LandscapeSight
    | EstimatorsSight
    | StructureSight
    | RatesSight
)
"""Anything that a figure is drawn from."""


def history_of(sight: Sight) -> RunHistory:
    """Return the run that something seen is of."""
    return sight if isinstance(sight, RunHistory) else sight.history


def step_of(sight: Sight) -> int:
    """Return the outer step that is seen."""
    return sight.step


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Standpoint:
    """The place in a run that is looked at.

    Attributes:
        history: The run, as it was at the outer step, with the curves of then.
        phi: Meta-parameters at that step, [meta].
        step: The outer step.
        task: The held-out task that is looked at, counted from 0.
        inner_step: The inner step that stands out; None takes K.
    """

    history: RunHistory
    phi: Array
    step: int
    task: int = 0
    inner_step: int | None = None
