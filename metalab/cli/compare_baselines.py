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
    from rich.console import Console

    from metalab.analysis.rivals import Doing, Measured


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

    A pooled curve, least squares on the support set, a mixed model, and a Gaussian
    process with a learned kernel; each on the same held-out tasks and support sets as the
    run, paired, with intervals over tasks.
    """
    from metalab.analysis.baselines import compare_with_baselines  # noqa: PLC0415 - torch
    from metalab.analysis.evaluate import NUM_DRAWS  # noqa: PLC0415
    from metalab.analysis.rivals import LeftOut, Measured  # noqa: PLC0415 - numpy
    from metalab.figures.drawing import number_of  # noqa: PLC0415
    from metalab.runs.record.reader import open_run  # noqa: PLC0415
    from metalab.runs.services.snapshots import state_at  # noqa: PLC0415

    run = open_run(file)
    state = state_at(run, chosen_step(step))
    config = run.history.config_at(state.step)
    steps = num_inner_steps or config.num_shown_steps
    screen = console(json_output=json_output)
    found = list(
        compare_with_baselines(
            config,
            state,
            degree=degree,
            num_tasks=num_tasks,
            num_inner_steps=steps,
            seed=seed,
            tell=_Titles(screen),
        )
    )
    rows = [row for row in found if isinstance(row, Measured)]
    left_out = [row for row in found if isinstance(row, LeftOut)]
    facts = {"name": run.history.name, "step": state.step, "inner_steps": steps}
    if json_output:
        print_json(
            {
                **facts,
                "support_sets_a_task": NUM_DRAWS,
                "methods": [_plain(row) for row in rows],
                "left_out": {row.title: row.reason for row in left_out},
            }
        )
        return delivered()
    count = len(rows[0].losses)
    title = (
        f"{run.history.name} after {number_of(steps, 'inner step')} and its rivals, on "
        f"the same {count:,} tasks, {NUM_DRAWS} support sets each"
    )
    screen.print(_table(rows, title))
    screen.print(
        "Below each mean: its 95 % interval over tasks. Difference: loss minus the run's, "
        "task by task; above 0 the run is better. Last: on how many of the tasks.",
        markup=False,
    )
    for row in left_out:
        screen.print(f"Left out: {row.title}. {row.reason}.", markup=False)
    return delivered()


class _Titles:
    """Prints each method once, when it is begun."""

    def __init__(self, screen: "Console") -> None:
        self._screen = screen
        self._last = ""

    def __call__(self, doing: "Doing") -> None:
        """Take in what is done."""
        if doing.title != self._last:
            self._last = doing.title
            self._screen.print(f"{doing.title} …", style="dim")


def _plain(row: "Measured") -> dict[str, Any]:
    return {
        "title": row.title,
        "loss": row.mean,
        "loss_low": row.mean_low,
        "loss_high": row.mean_high,
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
    headings = ["Loss", *(["RMSE"] if own else []), "Difference", "Run better"]
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            row.title,
            _with_interval(row.mean, row.mean_low, row.mean_high, sign=""),
            *([f"{row.rmse:.4g}"] if row.rmse is not None else []),
            ""
            if row.is_run
            else _with_interval(row.difference, row.low, row.high, sign="+"),
            "" if row.is_run else f"{100 * row.share_better:.0f} %",
        )
    return table


def _with_interval(mean: float, low: float, high: float, *, sign: str) -> str:
    """Return a mean over its interval: two lines of a narrow column."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return f"{mean:{sign}.4f}\nno interval"
    return f"{mean:{sign}.4f}\n{low:{sign}.4f} to {high:{sign}.4f}"
