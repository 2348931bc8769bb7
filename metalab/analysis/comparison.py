"""A comparison of hypergradient estimators: request and result. Imports no torch."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metalab.analysis.solves import Solves
from metalab.core.hypergradient.target import Target
from metalab.engine.events import Array

if TYPE_CHECKING:
    from metalab.experiment.config import ExperimentConfig


NUM_BATCHES = 8
"""Meta-batches of each mean: enough for its standard error to say something."""


CURVE_STEPS = (1, 2, 5, 10, 20, 50)
"""Inner steps at which the error is measured beside the chosen K."""


MOST_STEPS = 50
"""Inner steps that estimators are compared after at most."""


MOST_TASKS = 25
"""Tasks of a meta-batch at most, whatever the experiment has."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ComparisonRequest:
    """What is compared, and where.

    Attributes:
        config: The experiment at the outer step of `phi`.
        phi: Meta-parameters, [meta].
        step: The outer step that they are from.
        num_inner_steps: K of the table.
        inner_lr: Step size of the inner loop; None takes the experiment's.
        damping: Of every estimator that has one; None keeps the run's own.
        num_tasks: Tasks of a meta-batch.
        seed: Fixes the meta-batches, and what estimators draw.
        against: What estimates are compared with; problems without a regulariser have
            no solution and are compared with the derivative of K steps.
    """

    config: "ExperimentConfig"
    phi: Array
    step: int
    num_inner_steps: int
    inner_lr: float | None
    damping: float | None
    num_tasks: int
    seed: int
    against: Target = Target.K_STEP


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One estimator on one problem.

    Attributes:
        name: Of the estimator.
        title: As people call it.
        problem: "own", or "proximal" for the same network with a proximal anchor.
        target: Which derivative it aims at.
        exact: Whether it is the derivative that it is compared with, up to rounding.
    """

    name: str
    title: str
    problem: str
    target: Target
    exact: bool

    @property
    def key(self) -> tuple[str, str]:
        """Tells those of one comparison apart."""
        return self.name, self.problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured(Compared):
    """One estimator at one K, as plain numbers.

    Attributes:
        num_inner_steps: K.
        num_batches: Meta-batches that the means are over.
        cosine: Of the angle to the exact hypergradient, mean over meta-batches.
        cosine_error: Standard error of that mean.
        norm_ratio: Its norm over that of the exact one.
        norm_ratio_error: Standard error of that mean.
        relative_error: Norm of the difference over that of the exact one.
        relative_error_error: Standard error of that mean.
        variance: Trace of the covariance over the squared norm of the mean.
        seconds: Of inner path and estimate.
        peak_bytes: Most memory of theirs at once.
        gradients: Gradients that were asked for.
        products: Hessian-vector and mixed products.
        solves: What became of the linear systems; None where there are none.
    """

    num_inner_steps: int
    num_batches: int
    cosine: float
    cosine_error: float
    norm_ratio: float
    norm_ratio_error: float
    relative_error: float
    relative_error_error: float
    variance: float
    seconds: float
    peak_bytes: int
    gradients: int
    products: int
    solves: Solves | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """What has been measured.

    Attributes:
        request: What was asked.
        planned: What is measured at the chosen K: by problem, the exact ones first.
        rows: By problem and K, in the order in which they were measured.
        left_out: Estimators that do not apply, and why, by title.
        takes_damping: Whether any estimator has a damping.
        solved: Of the inner problems of the run: how many have been solved to a gradient
            that vanishes, and of how many; None where nothing is compared with solutions.
        done: Whether that is all.
    """

    request: ComparisonRequest
    planned: tuple[Compared, ...]
    rows: tuple[Measured, ...]
    left_out: tuple[tuple[str, str], ...]
    takes_damping: bool
    done: bool
    solved: tuple[int, int] | None = None
