"""A task of a person's own, and how networks adapt to it. Imports no torch."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metalab.engine.events import Array

if TYPE_CHECKING:
    from metalab.engine.config import ExperimentConfig


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OwnTask:
    """A support set, and what is known of the curve behind it.

    Attributes:
        x: Places on the x axis of plots, [shot].
        y: Targets, [shot].
        grid: Where curves are drawn, ascending, [point].
        truth: The true curve there, [point]; None where there is none.
        parameters: The task's numbers in its family, [parameter], for methods that are
            told them; None where they are unknown.
    """

    x: Array
    y: Array
    grid: Array
    truth: Array | None
    parameters: Array | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Start:
    """Meta-parameters to adapt from, and the method that adapts.

    Attributes:
        key: Tells starts apart.
        config: The experiment at the outer step of `phi`.
        phi: Meta-parameters, [meta].
        step: The outer step that they are from; only passed on.
    """

    key: str
    config: "ExperimentConfig"
    phi: Array
    step: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Exploration:
    """What is asked: adapt to one task from some starts.

    Attributes:
        task: The task.
        starts: From where, and how.
        num_inner_steps: K'.
        inner_lr: Step size of the inner loop where that is a set number; None takes the
            experiment's.
        num_fan: How many other support sets are drawn from the truth; 0 for none.
        seed: Fixes those.
    """

    task: OwnTask
    starts: tuple[Start, ...]
    num_inner_steps: int
    inner_lr: float | None = None
    num_fan: int = 0
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Explored:
    """How one start adapts, after 0 ... K' inner steps.

    Attributes:
        start: From where.
        asked: What was asked, the task included.
        curves: Predictions on the grid, [inner step, point].
        support_loss: [inner step].
        query_loss: Mean squared distance to the true curve on the grid, [inner step];
            None without one.
        distance: Euclidean distance from the start, [inner step].
        layer_distance: The same, of each adapted layer alone, [inner step, layer].
        layers: Number of each of these layers in the network, from 1.
        fan: The curve after K inner steps on each other support set, [set, point].
        deviation: Predictive standard deviation at `curves`, or None.
    """

    start: Start
    asked: Exploration
    curves: Array
    support_loss: Array
    query_loss: Array | None
    distance: Array
    layer_distance: Array
    layers: tuple[int, ...]
    fan: Array
    deviation: Array | None

    @property
    def key(self) -> str:
        """Key of the start."""
        return self.start.key
