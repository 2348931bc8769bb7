"""Warning of inner steps that are too long for the curvature they meet.

Training lowers the loss towards the edge of stability: most runs come to where inner lr
times curvature is about 2 for some tasks, and go on well. A hypergradient that comes back
through the inner steps sees what overshooting does to the outer loss, and one overshooting
step does not compound. What is left are runs of several inner steps whose hypergradient
sees neither: for them this warns, once losses do rise. And where every task's inner step
overshoots, nothing adapts, whatever the hypergradient sees.

Imports no torch.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from metalab.core.hypergradient.route import Route
from metalab.engine.diagnostics import RISING_SHARE, STEP_CURVATURE, UNSTABLE_SHARE

if TYPE_CHECKING:
    from metalab.engine.events import Array
    from metalab.experiment.config import ExperimentConfig

MOST_UNSTABLE = 0.2
"""Share of tasks with an unstable inner step from which on a run is warned of."""

MOST_RISING = 0.1
"""Share of tasks with a rising support loss from which on a run is warned of.

First-order MAML with K = 5 and inner lr 0.01 on sines passes both about 700 to 5,000
outer steps before its losses explode."""

EVERY = 1.0
"""Share of tasks with an unstable inner step at which every run is warned of: none of our
presets has a third of that while it learns."""

_BLIND = frozenset({Route.STRAIGHT, Route.DIFFERENCE, Route.SOLUTION})
"""Ways back to phi that do not pass the curvature of the inner steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StabilityWarning:
    """That a run may diverge, before it does.

    Attributes:
        step: The outer step from which on the inner steps are too long.
        unstable_share: Share of held-out tasks with an unstable step there.
        rising_share: Share of those whose support loss rises there.
        largest: Inner lr times curvature there, the largest over tasks.
        steady_lr: The inner lr at which no task's step would overshoot there; None where
            rates are learned.
        blind: Whether the hypergradient does not pass through the inner steps.
    """

    step: int
    unstable_share: float
    rising_share: float
    largest: float
    steady_lr: float | None
    blind: bool = True

    @property
    def message(self) -> str:
        """What was measured, and what helps."""
        told = (
            f"At outer step {self.step:,} an inner step overshoots for "
            f"{100 * self.unstable_share:.0f} % of the held-out tasks (inner lr times the largest "
            f"Hessian eigenvalue is above 2, up to {self.largest:.3g}), and the support "
            f"loss of {100 * self.rising_share:.0f} % rises on the way."
        )
        if self.blind:
            told += (
                " The hypergradient does not pass through the inner steps, so that "
                "nothing brings this down."
            )
        if self.steady_lr is None:
            return f"{told} Fewer inner steps would be steadier."
        return f"{told} An inner lr below {self.steady_lr:.2g} would have been steady."


def stability_warning(
    config: "ExperimentConfig", step: int, values: Mapping[str, float]
) -> StabilityWarning | None:
    """Return the warning that measurements at one outer step give, or None.

    Args:
        config: The experiment at that step.
        step: Outer steps made.
        values: Diagnostics by name; those of stability may be missing, or NaN.
    """
    blind = config.hypergradient.component.route in _BLIND
    moves = config.outer.optimizer.component.moves
    unstable = values.get(UNSTABLE_SHARE, np.nan)
    rising = values.get(RISING_SHARE, np.nan)
    compounds = blind and moves and config.num_inner_steps > 1
    over = unstable >= MOST_UNSTABLE and rising >= MOST_RISING
    if not (compounds and over) and not unstable >= EVERY:
        return None
    largest = values[STEP_CURVATURE]
    inner = config.inner.component
    fixed = inner.rate_is_fixed and np.isfinite(largest)
    return StabilityWarning(
        step=step,
        unstable_share=unstable,
        rising_share=rising,
        largest=largest,
        steady_lr=config.inner.options()["inner_lr"] * 2.0 / largest if fixed else None,
        blind=compounds,
    )


def first_warning(
    config_at: Callable[[int], "ExperimentConfig"],
    steps: "Array",
    values: Mapping[str, "Array"],
) -> StabilityWarning | None:
    """Return the first warning of a run, or None.

    Args:
        config_at: The experiment as it was evaluated with at an outer step.
        steps: Outer steps made at each measurement, [measurement].
        values: Diagnostics by name, [measurement].
    """
    if UNSTABLE_SHARE not in values:
        return None
    with np.errstate(invalid="ignore"):
        over = (values[UNSTABLE_SHARE] >= MOST_UNSTABLE) & (
            values[RISING_SHARE] >= MOST_RISING
        )
        every = values[UNSTABLE_SHARE] >= EVERY
    # What makes a run one to be warned of does not change on the way, so that of each
    # kind the first decides.
    rows = sorted({int(kind.argmax()) for kind in (over, every) if kind.any()})
    for row in rows:
        at = {name: float(column[row]) for name, column in values.items()}
        step = int(steps[row])
        warning = stability_warning(config_at(step), step, at)
        if warning is not None:
            return warning
    return None
