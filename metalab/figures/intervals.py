"""Captions of intervals over tasks."""

import numpy as np

from metalab.runs.record.history import EvaluationSeries

INTERVAL = "95 %, this network"
"""In legends: over tasks, not over training seeds."""


def interval_label(
    evaluations: EvaluationSeries, step: int | slice, *, rows: slice = slice(None)
) -> str:
    """Return the name of an interval in a legend; it says where there is none.

    Args:
        evaluations: Of a run.
        step: Inner steps that are drawn.
        rows: Evaluations that are drawn.
    """
    missing = np.argwhere(~np.isfinite(evaluations.query_low))
    all_rows = range(len(evaluations))[rows]
    all_steps = range(evaluations.query_low.shape[1])
    steps = all_steps[step] if isinstance(step, slice) else (all_steps[step],)
    found = [
        evaluations.why_no_interval(row, at)
        for row, at in missing.tolist()
        if row in all_rows and at in steps
    ]
    if not found:
        return INTERVAL
    reasons = ", ".join(sorted({str(reason) for reason in found if reason is not None}))
    return (
        f"{INTERVAL} (none at {len(found)} of {len(all_rows) * len(steps)}: {reasons})"
    )


def over_tasks(
    evaluations: EvaluationSeries,
    step: int | slice,
    *,
    rows: slice = slice(None),
) -> str:
    """Return what an interval of held-out losses is, and how often there is none.

    Args:
        evaluations: Of a run.
        step: Inner steps that are drawn.
        rows: Evaluations that are drawn.
    """
    given = np.isfinite(evaluations.query_low[rows, step])
    text = "95\N{NO-BREAK SPACE}% interval over the tasks of this network"
    missing = int(given.size - given.sum())
    if missing == 0:
        return text
    share = (
        "everywhere"
        if missing == given.size
        else f"at {missing} of {given.size} points"
    )
    return f"{text} (none {share}: tasks exploded, unstable steps, or a heavy tail)"
