"""Horizontal axes of what is drawn over training."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from metalab.engine.events import Array
from metalab.runs.record.history import RunHistory

PRODUCT_IN_GRADIENTS = 2
"""Gradients that a Hessian-vector product costs, about (Pearlmutter 1994)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingAxis:
    """How far training has come, in one way to count it.

    Attributes:
        column: Its name in tables.
        label: Of the axis.
        unit: "1" for counts.
    """

    column: str
    label: str
    unit: str = "1"

    @property
    def whole(self) -> bool:
        """Whether it counts."""
        return self.unit == "1"


TRAINING_AXES: Mapping[str, TrainingAxis] = {
    "outer step": TrainingAxis(column="outer_step", label="Outer step"),
    "training time": TrainingAxis(
        column="training_time", label="Training time (s)", unit="s"
    ),
    "tasks seen": TrainingAxis(column="tasks_seen", label="Tasks seen"),
    "gradient evaluations": TrainingAxis(
        column="gradient_evaluations", label="Gradient evaluations"
    ),
}
"""Axes by name: those of `figures.base.X_AXES`, and the one that is fair between methods
of first and of second order."""


def training_x(history: RunHistory, axis: str, steps: Array) -> Array:
    """Return how far training had come after some outer steps, 0 before the first.

    Gradient evaluations are of single tasks: every gradient of an inner or outer loss, and
    every Hessian-vector or mixed product as `PRODUCT_IN_GRADIENTS` of them. NaN where the
    run does not tell. Where older rows of a long run are thinned out, a row's count stands
    for the steps since the row before.

    Args:
        history: The run.
        axis: One of `TRAINING_AXES`.
        steps: Outer steps made, [point].
    """
    if axis == "outer step":
        return steps
    if axis == "tasks seen":
        return steps * history.config_at().outer.num_tasks
    column = history.seconds if axis == "training time" else _gradients(history)
    start = np.concatenate([[0.0], column])
    return start[np.searchsorted(history.steps, steps, side="right")]


def _gradients(history: RunHistory) -> Array:
    """Return the gradients of single tasks up to each row, [row]."""
    products = history.metrics["hessian_vector_products"]
    costs = history.metrics["gradient_evaluations"] + PRODUCT_IN_GRADIENTS * products
    lengths = np.diff(history.steps, prepend=0.0)
    return np.cumsum(costs * lengths) * history.config_at().outer.num_tasks
