"""A run as it was at an earlier outer step, from what is known of it now."""

from dataclasses import replace

import numpy as np

from metalab.engine.events import Curves
from metalab.runs.record.history import DiagnosticSeries, RunHistory, Sums


def history_at(
    history: RunHistory, step: int, *, curves: Curves | None = None
) -> RunHistory:
    """Return what was known of a run after an outer step.

    Args:
        history: The run.
        step: Outer steps made; beyond the last nothing is cut.
        curves: How the gallery's tasks adapted then (see `engine.gallery`), if wanted.
    """
    step = min(step, history.step)
    rows = slice(0, int(np.searchsorted(history.steps, step, side="right")))
    measured = slice(
        0, int(np.searchsorted(history.diagnostics.steps, step, side="right"))
    )
    return replace(
        history,
        step=step,
        steps=history.steps[rows],
        seconds=history.seconds[rows],
        metrics={name: column[rows] for name, column in history.metrics.items()},
        sums={
            name: Sums(*(column[rows] for column in sums))
            for name, sums in history.sums.items()
        },
        evaluations=history.evaluations.until(step),
        diagnostics=DiagnosticSeries(
            steps=history.diagnostics.steps[measured],
            values={
                name: column[measured]
                for name, column in history.diagnostics.values.items()
            },
        ),
        curves=curves,
        configs=history.configs.until(step),
        diverged=None,
        failure=None,
    )
