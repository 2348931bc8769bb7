"""Losses over the tasks of one network, as text for people and as plain values."""

import math
from typing import Any

from rich import box
from rich.table import Table

from metalab.engine.events import Array
from metalab.engine.statistics import EXPLODED, TaskSummary, WhyNot

WIDTH = 132
_MEANING = {
    WhyNot.FEW: "fewer than 5 tasks say too little.",
    WhyNot.EXPLODED: f"tasks with a loss above {EXPLODED:,.0f}, or none at all, decide "
    "the mean alone.",
    WhyNot.UNSTABLE: "the support loss of some tasks rises along the inner loop (inner lr "
    "times curvature above 2), so a rare task may carry the mean, and no sample of this "
    "size tells.",
    WhyNot.HEAVY_TAIL: "the largest losses outweigh the others, so the mean is theirs.",
}


_OF_WHAT = (
    "In brackets: 95 % interval over tasks, of this network; another training seed gives "
    "another network."
)


def summary_table(
    summary: TaskSummary, *, title: str, rmse: Array | None = None, unit: str = ""
) -> Table:
    """Return the table of means, medians and intervals by inner step.

    Args:
        summary: Of the losses.
        title: Above the table.
        rmse: Root mean squared error in the target's own unit, [inner step]; None for
            no such column.
        unit: What the target is called.
    """
    table = Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    headings = ("Mean", "Interquartile mean", "Median", "Rising", "Exploded")
    for heading in ("Step", *headings):
        table.add_column(heading, justify="right", no_wrap=True)
    if rmse is not None:
        table.add_column(f"RMSE ({unit})", justify="right", no_wrap=True)
    for step in range(len(summary)):
        why_not = summary.why_not(step)
        mean = _number(summary.mean[step])
        ends = _ends(summary.mean_low[step], summary.mean_high[step])
        table.add_row(
            str(step),
            f"{mean} {ends if why_not is None else f'({why_not})'}",
            f"{_number(summary.iqm[step])} "
            f"{_ends(summary.iqm_low[step], summary.iqm_high[step])}",
            f"{_number(summary.median[step])} "
            f"{_ends(summary.median_low[step], summary.median_high[step])}",
            f"{int(summary.num_rising[step]):,}",
            f"{int(summary.num_exploded[step]):,}",
            *([] if rmse is None else [f"{rmse[step]:.4g}"]),
        )
    return table


def _ends(low: float, high: float) -> str:
    if not (math.isfinite(low) and math.isfinite(high)):
        return "(no interval)"
    return f"({_number(low)} to {_number(high)})"


def _number(value: float) -> str:
    return f"{value:.4f}" if abs(value) < EXPLODED else f"{value:.3g}"


def notes_on(summary: TaskSummary) -> str:
    """Return what the intervals are of, and why means have none, a line each."""
    found = {summary.why_not(step) for step in range(len(summary))}
    missing = [
        f"No interval of the mean ({reason}): {meaning} Take the interquartile mean."
        for reason, meaning in _MEANING.items()
        if reason in found
    ]
    return "\n".join([_OF_WHAT, *missing])


def plain_summary(summary: TaskSummary, rmse: Array | None = None) -> dict[str, Any]:
    """Return the summary for JSON.

    `loss` has a row an inner step: the step, the mean, and the ends of its 95 % interval,
    which are null where none is given. `summary` has an object an inner step:

    * `inner_step`;
    * `mean`, `mean_low`, `mean_high`: mean over tasks and its 95 % interval. The ends are
      null where none is given, and the mean where a loss is infinite or not a number;
    * `no_interval`: why the mean has none ("too few tasks", "tasks exploded",
      "unstable steps", "heavy tail"), else null;
    * `iqm`, `iqm_low`, `iqm_high`: mean of the middle half of the tasks, likewise;
    * `median`, `median_low`, `median_high`: likewise;
    * `num_exploded`: tasks with a loss above 1,000 or not finite;
    * `num_rising`: tasks whose support loss rose at an inner step after the first;
    * `rmse`: root mean squared error in the target's own unit, where it has one.
    """
    rows: list[dict[str, Any]] = []
    for step in range(len(summary)):
        reason = summary.why_not(step)
        numbers = {
            name: float(getattr(summary, name)[step])
            for middle in ("mean", "iqm", "median")
            for name in (middle, f"{middle}_low", f"{middle}_high")
        }
        rows.append(
            {
                "inner_step": step,
                **numbers,
                "no_interval": None if reason is None else reason.value,
                "num_exploded": int(summary.num_exploded[step]),
                "num_rising": int(summary.num_rising[step]),
                **({} if rmse is None else {"rmse": float(rmse[step])}),
            }
        )
    keys = ("inner_step", "mean", "mean_low", "mean_high")
    return {"loss": [[row[key] for key in keys] for row in rows], "summary": rows}
