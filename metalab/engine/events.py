"""Events of a run: frozen, with floats and read-only arrays, never tensors.

This module imports no torch, so that the window can hold its types from the start.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metalab.experiment.edit import Edit
from metalab.experiment.loss_words import Level, LossWords

Array = NDArray[np.floating]

_MOST_WORDS = 4

_MESSAGE = re.compile(
    r"(?P<label>.+) became (?P<value>\S+) at outer step [\d,]+; "
    r"kept the last good state, step (?P<good>[\d,]+)\."
)
"""`Diverged.message`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricInfo:
    """One metric column: the same name in code, axis label, CSV header and docs.

    Attributes:
        name: Column name.
        label: Axis and legend label.
        unit: "1" if dimensionless; "" where it is that of a loss.
        help: One plain sentence.
        level: Whose loss it has the unit of.
    """

    name: str
    label: str
    unit: str
    help: str
    level: Level | None = None

    def unit_in(self, words: LossWords) -> str:
        """Return the unit in an experiment whose losses have some words."""
        return self.unit if self.level is None else words.unit(self.level)


METRICS = (
    MetricInfo(
        name="outer_loss",
        label="Outer loss (query, after adaptation)",
        unit="",
        help="Mean loss on the query sets at the adapted parameters.",
        level="query",
    ),
    MetricInfo(
        name="outer_loss_before",
        label="Query loss before adaptation",
        unit="",
        help="Mean loss on the query sets at the meta-parameters.",
        level="query",
    ),
    MetricInfo(
        name="support_loss_before",
        label="Support loss before adaptation",
        unit="",
        help="Mean loss on the support sets at the meta-parameters.",
        level="support",
    ),
    MetricInfo(
        name="support_loss_after",
        label="Support loss after adaptation",
        unit="",
        help="Mean loss on the support sets at the adapted parameters.",
        level="support",
    ),
    MetricInfo(
        name="hypergradient_norm",
        label="Hypergradient norm",
        unit="1",
        help="Euclidean norm of the mean hypergradient, before clipping.",
    ),
    MetricInfo(
        name="adaptation_distance",
        label="Adaptation distance",
        unit="1",
        help="Mean Euclidean distance between start and adapted parameters.",
    ),
    MetricInfo(
        name="meta_parameter_norm",
        label="Meta-parameter norm",
        unit="1",
        help="Euclidean norm of the meta-parameters after the step.",
    ),
    MetricInfo(
        name="gradient_evaluations",
        label="Gradient evaluations",
        unit="1",
        help="Gradients of an inner or outer loss in the step, a meta-batch at a time.",
    ),
    MetricInfo(
        name="hessian_vector_products",
        label="Hessian-vector products",
        unit="1",
        help="Hessian-vector and mixed products in the step, a meta-batch at a time.",
    ),
    MetricInfo(
        name="not_positive_definite_solves",
        label="Linear solves, not positive definite",
        unit="1",
        help="Tasks of the step at whose adapted parameters the solver met a direction of "
        "no positive curvature: they are no minimum of the inner loss.",
    ),
    MetricInfo(
        name="unconverged_solves",
        label="Linear solves, not converged",
        unit="1",
        help="Tasks of the step whose linear system has a relative residual above the "
        "solver's tolerance, or 1e-6 where it has none.",
    ),
    MetricInfo(
        name="solve_residual",
        label="Linear solves, largest residual",
        unit="1",
        help="Largest norm of the residual, relative to the right-hand side, of the "
        "linear systems of the step; 1 is what no solution at all leaves.",
    ),
)
"""Metric columns: those of `core.learner.METRIC_NAMES`, what a step cost, and those of
`core.linear_solve.QUALITY_NAMES`, which are NaN for estimators without linear solves."""


def frozen(array: NDArray[np.generic]) -> Array:
    """Mark an array read-only and return it."""
    array.flags.writeable = False
    return array  # pyright: ignore[reportReturnType] - floating by construction


NUM_GALLERY = 16
"""Held-out tasks whose curves are drawn: the first ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """Labelled points of held-out tasks, in their own units.

    Attributes:
        x: Inputs, [task, shot, input]; NaN where a task has fewer points than others.
        y: Targets, [task, shot, output]; likewise.
    """

    x: Array
    y: Array

    def __len__(self) -> int:
        """Return the number of tasks."""
        return len(self.x)

    @property
    def num_shots(self) -> int:
        """Number of points of each task."""
        return self.x.shape[1]

    def plotted(self, task: int) -> tuple[Array, Array]:
        """Return x and y of a task in plots, each [shot]: first input, first output."""
        x, y = self.x[task, :, 0], self.y[task, :, 0]
        there = ~np.isnan(y)
        return (x, y) if there.all() else (x[there], y[there])


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutTasks:
    """The held-out tasks of a run; they never change.

    Attributes:
        parameter_names: Names of a task's numbers, for example ("amplitude", "phase").
        parameters: Task values, [task, parameter].
        support: What the tasks are adapted to.
        query: What their losses are measured on.
        grid: Places on the x axis of plots at which curves are drawn, [point].
        true_curves: Noise-free targets of the gallery's tasks there, first output,
            [gallery, point]; None where nobody knows them.
        names: What the tasks are called, [task]; () where their numbers are all there is.
        num_inner_steps: K of training; an evaluation goes on to K' >= K.
        input_name: What the first input is called; "" for x.
        target_name: What the first output is called; "" for y.
    """

    parameter_names: tuple[str, ...]
    parameters: Array
    support: Points
    query: Points
    grid: Array
    true_curves: Array | None
    num_inner_steps: int
    names: tuple[str, ...] = ()
    input_name: str = ""
    target_name: str = ""

    @property
    def axis_labels(self) -> tuple[str, str]:
        """Names of the axes of plots: columns of a table, or x and y."""
        return self.input_name or "Input x", self.target_name or "Output y"

    def mark(self, task: int) -> str:
        """Return the shortest that a task is called by: "Norway", or "3"."""
        return self.names[task] if self.names else str(task + 1)

    def called(self, task: int) -> str:
        """Return what a task is called where it is known to be held out: "task 3"."""
        return self.names[task] if self.names else f"task {task + 1}"

    def title(self, task: int) -> str:
        """Return what a task is called in a title: "Norway", or "Task 3"."""
        return self.names[task] if self.names else f"Task {task + 1}"

    def phrase(self, task: int) -> str:
        """Return what a task is called in a sentence: "Norway", or "held-out task 3"."""
        return self.names[task] if self.names else f"held-out task {task + 1}"

    def other_observations(self, task: int) -> tuple[Array, Array]:
        """Return x and y of a task's query set where no true curve is known, else none."""
        if self.true_curves is not None:
            return self.grid[:0], self.grid[:0]
        return self.query.plotted(task)

    def arrays(self) -> dict[str, Array]:
        """Return the arrays under the names that files give them."""
        truth = self.true_curves
        return {
            "parameters": self.parameters,
            "support_x": self.support.x,
            "support_y": self.support.y,
            "query_x": self.query.x,
            "query_y": self.query.y,
            "grid": self.grid,
            **({} if truth is None else {"true_curves": truth}),
        }

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, Array], **others: Any) -> "HeldOutTasks":
        """Return the tasks of arrays that files hold.

        Args:
            arrays: As `arrays` names them. Until 0.7, points were the first input and the
                first output, without an axis for them.
            **others: The other attributes.
        """
        points = {
            name: array if array.ndim == 3 else array[..., None]
            for name, array in arrays.items()
            if name.endswith(("_x", "_y"))
        }
        return cls(
            parameters=arrays["parameters"],
            support=Points(x=points["support_x"], y=points["support_y"]),
            query=Points(x=points["query_x"], y=points["query_y"]),
            grid=arrays["grid"],
            true_curves=arrays.get("true_curves"),
            **others,
        )

    def same_as(self, other: "HeldOutTasks") -> bool:
        """Return whether others are the same tasks, support sets and grid."""
        if self is other:
            return True
        mine, theirs = self.arrays(), other.arrays()
        return (
            self.parameter_names == other.parameter_names
            and self.names == other.names
            and self.axis_labels == other.axis_labels
            and mine.keys() == theirs.keys()
            and all(
                np.array_equal(array, theirs[name], equal_nan=True)
                for name, array in mine.items()
            )
        )

    def words(self, task: int, number: Callable[[float], str]) -> str:
        """Return a task's name, or its numbers: "amplitude 3.21, phase 0.53".

        Args:
            task: Index of the task.
            number: How a value is written.

        A task of many numbers (the weights of a random function) is told by the first.
        """
        if self.names:
            return self.names[task]
        pairs = zip(self.parameter_names, self.parameters[task].tolist(), strict=True)
        words = [f"{name} {number(value)}" for name, value in pairs]
        if len(words) > _MOST_WORDS:
            rest = len(words) - _MOST_WORDS
            words = [*words[:_MOST_WORDS], f"and {rest} more"]
        return ", ".join(words)

    @property
    def num_gallery(self) -> int:
        """Number of tasks whose curves are drawn: the first ones."""
        return min(NUM_GALLERY, len(self.parameters))

    def true_curve(self, task: int) -> Array | None:
        """Return the true curve of a task of the gallery, [point], or None."""
        return None if self.true_curves is None else self.true_curves[task]

    def plotted_truth(self, task: int) -> tuple[Array, Array]:
        """Return x and y of the true curve in plots; without points if nobody knows it."""
        truth = self.true_curve(task)
        return (self.grid[:0], self.grid[:0]) if truth is None else (self.grid, truth)

    def plotted_range(self) -> tuple[float, float]:
        """Return the least and the largest y that belongs to the gallery's tasks.

        Of the true curves where there are any, else of support and query points.
        """
        shown = self.num_gallery
        values = self.true_curves
        if values is None:
            values = np.concatenate(
                [part.y[:shown, :, 0] for part in (self.support, self.query)], axis=1
            )
        return float(np.nanmin(values)), float(np.nanmax(values))


def names_of(tasks: HeldOutTasks | None, chosen: Sequence[int]) -> list[str]:
    """Return what some tasks are called in a list: "held-out tasks 1" and "2", or names.

    Args:
        tasks: The held-out tasks; None where they are not known yet.
        chosen: Which of them, at least one, counted from 0.
    """
    if tasks is not None and tasks.names:
        return [tasks.names[task] for task in chosen]
    first, *others = (str(task + 1) for task in chosen)
    return [f"held-out task{'s' if others else ''} {first}", *others]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """How the gallery's tasks adapt at some outer step.

    Attributes:
        step: Outer steps made.
        curves: Predictions on the grid after 0 ... K' inner steps,
            [gallery, inner step, point].
        support_loss: [gallery, inner step].
        query_loss: [gallery, inner step].
        phi: The meta-parameters adapted from, [meta].
        deviation: Predictive standard deviation at `curves`; None for a method that
            predicts numbers, not distributions.
    """

    step: int
    curves: Array
    support_loss: Array
    query_loss: Array
    phi: Array
    deviation: Array | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Losses on every held-out task at some outer step.

    Attributes:
        step: Outer steps made.
        support_loss: After 0 ... K' inner steps, [task, inner step].
        query_loss: After 0 ... K' inner steps, [task, inner step].
    """

    step: int
    support_loss: Array
    query_loss: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A training state as plain arrays; enough to go on bit for bit.

    Attributes:
        step: Outer steps made.
        phi: Meta-parameters, [meta].
        slots: State of the outer optimiser.
        slots_from: The outer step at which `slots` were zero; beyond 0 where a run was
            forked from another with another optimiser.
    """

    step: int
    phi: Array
    slots: tuple[Array, ...]
    slots_from: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """The first event.

    Attributes:
        step: Outer steps made already; 0 for a new run.
        device: The device that "auto" resolved to.
        provider: Which oracle provider computes the run.
        held_out_tasks: The held-out tasks.
    """

    step: int
    device: str
    provider: str
    held_out_tasks: HeldOutTasks


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsDone:
    """Some outer steps were made.

    Attributes:
        first_step: Number of the first of them; step n is the n-th update, from 1.
        metrics: Columns as in `METRICS`, [step, metric].
    """

    first_step: int
    metrics: Array

    @property
    def last_step(self) -> int:
        """Number of the last step."""
        return self.first_step + len(self.metrics) - 1


def _not_measured() -> Mapping[str, float]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationDone:
    """The held-out tasks were evaluated, and the meta-parameters kept.

    Attributes:
        evaluation: Losses on all held-out tasks.
        curves: How the gallery's tasks adapt.
        snapshot: The training state, to come back to.
        stability: Whether the inner steps are short enough, by name as
            `engine.diagnostics.STABILITY` describes it; empty where tasks adapt by no
            gradient steps.
    """

    evaluation: Evaluation
    curves: Curves
    snapshot: Checkpoint
    stability: Mapping[str, float] = field(default_factory=_not_measured)

    @property
    def phi(self) -> Array:
        """Meta-parameters, [meta]."""
        return self.snapshot.phi


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosticsTaken:
    """More was measured about the outer step that comes next.

    Attributes:
        step: Outer steps made.
        values: By name, as `engine.diagnostics` describes them; NaN where a quantity
            has no meaning for the method.
    """

    step: int
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diverged:
    """A loss or norm exploded; training stands at the last good state.

    Attributes:
        step: The outer step that went wrong.
        last_good_step: The step that training was set back to.
        quantity: Metric that blew up first.
        value: Its value at `step`.
    """

    step: int
    last_good_step: int
    quantity: str
    value: float

    @property
    def message(self) -> str:
        """One sentence for people."""
        label = next(info.label for info in METRICS if info.name == self.quantity)
        return (
            f"{label} became {self.value:.3g} at outer step {self.step:,}; "
            f"kept the last good state, step {self.last_good_step:,}."
        )

    @classmethod
    def of_message(cls, step: int, message: str) -> "Diverged | None":
        """Return what a `message` is about; None where it is none.

        Args:
            step: The outer step that went wrong.
            message: The sentence, as files before 0.6 keep it.
        """
        found = _MESSAGE.fullmatch(message)
        names = {info.label: info.name for info in METRICS}
        if found is None or found["label"] not in names:
            return None
        return cls(
            step=step,
            last_good_step=int(found["good"].replace(",", "")),
            quantity=names[found["label"]],
            value=float(found["value"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded:
    """The last event of a run that reached its planned number of steps.

    Attributes:
        step: Outer steps made.
    """

    step: int


Event = (
    RunStarted
    | StepsDone
    | EvaluationDone
    | DiagnosticsTaken
    | Diverged
    | Edit
    | RunEnded
)
