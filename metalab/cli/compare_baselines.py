"""`metalab compare-baselines`: a run beside simpler methods, on the same tasks."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.table import Table

from metalab.cli.moment import Step, chosen_step
from metalab.cli.output import console, delivered, print_json

if TYPE_CHECKING:
    from metalab.analysis.baselines import Measured


def compare_baselines(
    file: Annotated[Path, typer.Argument(help="Run file.")],
    degree: Annotated[
        int, typer.Option(min=1, max=12, help="Of the mixed model's polynomial.")
    ] = 2,
    num_inner_steps: Annotated[
        int | None,
        typer.Option(
            min=1, max=1000, help="Inner steps of the run; by default as it evaluates."
        ),
    ] = None,
    num_tasks: Annotated[
        int,
        typer.Option(
            min=5, help="Fresh tasks; of a table, its held-out tasks, at most so many."
        ),
    ] = 600,
    seed: Annotated[
        int, typer.Option(min=0, help="Fixes the tasks and their support sets.")
    ] = 0,
    step: Step = None,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on stdout.")
    ] = False,
) -> int:
    """Train simpler methods on the run's training tasks, and measure all on one set.

    A pooled curve, least squares on the support set, and a mixed model; each on the
    same held-out tasks and support sets as the run, paired, with intervals over tasks.
    """
    from metalab.analysis.baselines import (  # noqa: PLC0415 - torch
        NUM_DRAWS,
        compare_with_baselines,
    )
    from metalab.figures.drawing import number_of  # noqa: PLC0415
    from metalab.runs.record.reader import open_run  # noqa: PLC0415
    from metalab.runs.services.snapshots import state_at  # noqa: PLC0415

    run = open_run(file)
    state = state_at(run, chosen_step(step))
    config = run.history.config_at(state.step)
    steps = num_inner_steps or config.num_shown_steps
    screen = console(json_output=json_output)
    found = compare_with_baselines(
        config,
        state,
        degree=degree,
        num_tasks=num_tasks,
        num_inner_steps=steps,
        seed=seed,
        tell=lambda title: screen.print(f"{title} …", style="dim"),
    )
    rows = list(found)
    facts = {"name": run.history.name, "step": state.step, "inner_steps": steps}
    if json_output:
        methods = [_plain(row) for row in rows]
        print_json({**facts, "support_sets_a_task": NUM_DRAWS, "methods": methods})
        return delivered()
    count = len(rows[0].losses)
    title = (
        f"{run.history.name} after {number_of(steps, 'inner step')} and its rivals, on "
        f"the same {count:,} tasks, {NUM_DRAWS} support sets each"
    )
    screen.print(_table(rows, title))
    screen.print(
        "Difference: loss minus the run's, task by task, with its 95 % interval over "
        "tasks; above 0 the run is better.",
        markup=False,
    )
    return delivered()


def _plain(row: "Measured") -> dict[str, Any]:
    return {
        "title": row.title,
        "loss": row.mean,
        "rmse": row.rmse,
        "difference": row.difference,
        "difference_low": row.low,
        "difference_high": row.high,
        "share_of_tasks_on_which_the_run_is_better": row.share_better,
        "num_tasks": len(row.losses),
    }


def _table(rows: "list[Measured]", title: str) -> Table:
    table = Table(
        title=title, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False
    )
    table.add_column("Method", overflow="fold")
    own = rows[0].rmse is not None
    headings = ["Loss", *(["RMSE"] if own else []), "Difference", "Run better on"]
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        ends = "no interval"
        if math.isfinite(row.low) and math.isfinite(row.high):
            ends = f"{row.low:+.4f} to {row.high:+.4f}"
        is_run = math.isnan(row.share_better)
        table.add_row(
            row.title,
            f"{row.mean:.4f}",
            *([f"{row.rmse:.4g}"] if row.rmse is not None else []),
            "" if is_run else f"{row.difference:+.4f} ({ends})",
            "" if is_run else f"{100 * row.share_better:.0f} % of tasks",
        )
    return table
