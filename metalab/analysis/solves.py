"""Quality of the linear solves of implicit differentiation, in numbers and words.

Imports no torch: the window shows it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite, nan
from typing import TYPE_CHECKING, Any

import numpy as np

from metalab.engine.events import Array

if TYPE_CHECKING:
    from metalab.experiment.config import ExperimentConfig

NOT_DEFINITE, NOT_CONVERGED, RESIDUAL = (
    "not_positive_definite_solves",
    "unconverged_solves",
    "solve_residual",
)
"""Metrics about the linear solves of a step."""

LARGE_RESIDUAL = 0.1
"""A residual above it needs a word: solvers that are cut short on purpose leave less."""

NO_SOLUTION = 1.0
"""The residual of q = 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Solves:
    """What became of some linear systems, one a task.

    Attributes:
        num_solves: How many there were.
        not_positive_definite: In how many a direction of no positive curvature was met.
        unconverged: How many have a relative residual above the solver's tolerance.
        largest_residual: Norm of the residual relative to the right-hand side.
        smallest_ritz_value: Smallest eigenvalue that the solver found; NaN where it looks
            for none.
    """

    num_solves: int
    not_positive_definite: int
    unconverged: int
    largest_residual: float
    smallest_ritz_value: float = nan

    @property
    def worrying(self) -> bool:
        """Whether the answers stand for something else than what they are taken for."""
        # A residual that is no number is not below the limit either.
        return self.not_positive_definite > 0 or not (
            self.largest_residual <= LARGE_RESIDUAL
        )

    @property
    def words(self) -> str:
        """What went wrong, such as "21 of 25 not positive definite, ..."."""
        count = self.num_solves
        has_ritz = isfinite(self.smallest_ritz_value)
        parts: list[str] = []
        # Solvers that build no Krylov space do not meet a direction of negative curvature:
        # they have seen none, which is not that there is none.
        if self.not_positive_definite or has_ritz:
            part = f"{self.not_positive_definite:,} of {count:,} not positive definite"
            if self.not_positive_definite and has_ritz:
                part += f" (smallest Ritz value {self.smallest_ritz_value:.3g})"
            parts.append(part)
        part = f"{self.unconverged:,} of {count:,} not converged"
        if self.unconverged:
            part += f" (largest relative residual {self.largest_residual:.2g})"
        return ", ".join([*parts, part])

    def plain(self) -> dict[str, Any]:
        """Return the numbers by name, for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSolves:
    """The linear systems of one outer step.

    Attributes:
        step: Number of the step, from 1.
        solves: What became of them.
    """

    step: int
    solves: Solves


def solves_of_steps(
    metrics: Mapping[str, Array], num_tasks: int, rows: slice = slice(None)
) -> Solves | None:
    """Return what became of the systems of some steps; None where there were none.

    Args:
        metrics: Columns by name, [row].
        num_tasks: Tasks of a step.
        rows: Which steps.
    """
    not_definite, not_converged, residual = (
        metrics[name][rows] for name in (NOT_DEFINITE, NOT_CONVERGED, RESIDUAL)
    )
    counted = np.isfinite(not_definite)
    if not counted.any():
        return None
    return Solves(
        num_solves=num_tasks * int(counted.sum()),
        not_positive_definite=int(not_definite[counted].sum()),
        unconverged=int(not_converged[counted].sum()),
        largest_residual=float(residual[counted].max()),
    )


def first_worry(rows: Array, columns: Sequence[int]) -> int | None:
    """Return the first row whose linear systems need a word, or None.

    Args:
        rows: Of the table of metrics, [row, column].
        columns: Where `NOT_DEFINITE`, `NOT_CONVERGED` and `RESIDUAL` are.
    """
    # One look for methods without: their columns are NaN from end to end.
    if len(rows) == 0 or np.isnan(rows[-1, columns[0]]):
        return None
    not_definite, _, residual = (rows[:, column] for column in columns)
    counted = np.isfinite(not_definite)
    worrying = counted & ((not_definite > 0) | ~(residual <= LARGE_RESIDUAL))
    return int(np.argmax(worrying)) if worrying.any() else None


def solve_advice(config: "ExperimentConfig", solves: Solves) -> str:
    """Return what could help, from what went wrong and what the experiment has; or ""."""
    there = config.hypergradient.options()
    parts: list[str] = []
    if solves.not_positive_definite:
        raised = ["a stronger regulariser"] * ("strength" in config.meta.options())
        raised += ["more “Damping”"] * ("damping" in there)
        raised += ["more “CG damping”"] * ("cg_damping" in there)
        if raised:
            text = " or ".join(raised)
            parts.append(f"{text[0].upper()}{text[1:]} makes them definite")
    if not (solves.largest_residual <= LARGE_RESIDUAL):
        if "step_size" in there and not (solves.largest_residual < NO_SOLUTION):
            parts.append("The series diverges where “Neumann step” is above 2 / L")
        else:
            more = {
                "num_iterations": "“CG iterations”",
                "num_terms": "“Neumann terms”",
                "rank": "“Rank”",
            }
            parts += [
                f"More {label} leave less of a residual"
                for name, label in more.items()
                if name in there
            ]
    return ". ".join(parts) + ("." if parts else "")
