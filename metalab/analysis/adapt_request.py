"""A task of a person's own, and how networks adapt to it. Imports no torch."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from metalab.engine.events import Array, frozen

if TYPE_CHECKING:
    from metalab.experiment.config import ExperimentConfig


MOST_WIDTHS = 20
"""Reach of curves beyond the inputs of the tasks, in widths of these."""

MOST_GRID_POINTS = 1000
"""Of a curve: more than a screen has columns to tell apart."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CustomTask:
    """A support set, and what is known of the task beside it.

    Attributes:
        x: Places on the x axis of plots, [shot].
        y: Targets, [shot].
        grid: Where curves are drawn, ascending, [point].
        truth: The true curve there, [point]; None where there is none.
        parameters: The task's numbers in its family, [parameter], for methods that are
            told them; None where they are unknown.
        other_x: Where else the task was observed, [point]; without a true curve these
            observations are what a prediction is measured on.
        other_y: What was observed there, [point].
    """

    x: Array
    y: Array
    grid: Array
    truth: Array | None
    parameters: Array | None
    other_x: Array = field(default_factory=lambda: frozen(np.empty(0)))
    other_y: Array = field(default_factory=lambda: frozen(np.empty(0)))

    @property
    def measured_on(self) -> str:
        """Name of what the query loss is measured on; "" for nothing."""
        if self.truth is not None:
            return "true curve"
        return "other observations" if len(self.other_x) else ""


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
class AdaptRequest:
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

    task: CustomTask
    starts: tuple[Start, ...]
    num_inner_steps: int
    inner_lr: float | None = None
    num_fan: int = 0
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AdaptResult:
    """How one start adapts, after 0 ... K' inner steps.

    Attributes:
        start: From where.
        asked: What was asked, the task included.
        curves: Predictions on the grid, [inner step, point].
        support_loss: [inner step].
        query_loss: Query loss against the true curve on the grid, or on the task's other
            observations, [inner step]; None where there are neither.
        distance: Euclidean distance from the start, [inner step].
        layer_distance: The same, of each adapted layer alone, [inner step, layer].
        layers: Number of each of these layers in the network, from 1.
        fan: The curve after K inner steps on each other support set, [set, point].
        deviation: Predictive standard deviation at `curves`, or None.
    """

    start: Start
    asked: AdaptRequest
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

    @property
    def grid(self) -> Array:
        """Inputs at which curves are drawn, ascending, [point]."""
        return self.asked.task.grid


def reach(grid: Array, x: Array) -> Array:
    """Return a grid that holds points too: the same one where they lie on it.

    Raises:
        ValueError: One lies more than `MOST_WIDTHS` of its widths away.
    """
    low, high = float(grid[0]), float(grid[-1])
    width = high - low
    first, last = low - MOST_WIDTHS * width, high + MOST_WIDTHS * width
    outside = x[(x < first) | (x > last)]
    if len(outside):
        raise ValueError(
            f"x is {outside[0]:g}; allowed: {first:.4g} to {last:.4g}, beside tasks "
            f"whose inputs go from {low:.4g} to {high:.4g}"
        )
    left, right = min(low, float(x.min())), max(high, float(x.max()))
    if (left, right) == (low, high):
        return grid
    spacing = width / (len(grid) - 1)
    count = min(1 + round((right - left) / spacing), MOST_GRID_POINTS)
    return frozen(np.linspace(left, right, count))
