"""`metalab adapt`: adapt a run's network to points of a person's own."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.table import Table

from metalab.cli.moment import Step, chosen_step
from metalab.cli.output import console, delivered, print_json
from metalab.cli.target import Force, check_csv
from metalab.cli.wreck import warn_of_wreck
from metalab.cli.written import read_written
from metalab.core.errors import UserError

if TYPE_CHECKING:
    from metalab.analysis.adapt_request import AdaptResult, CustomTask
    from metalab.core.written_points import WrittenPoints


def adapt(
    file: Annotated[Path, typer.Argument(help="Run file.")],
    points: Annotated[
        Path,
        typer.Option(
            help="Text or CSV file of the support set: two numbers a line, x and y; the "
            "first line may name them."
        ),
    ],
    to: Annotated[
        Path | None,
        typer.Option(help="Table of the curves to write: .csv. Default: none."),
    ] = None,
    num_inner_steps: Annotated[
        int, typer.Option(min=0, max=1000, help="Inner steps K'.")
    ] = 10,
    inner_lr: Annotated[
        float | None,
        typer.Option(help="Step size of the inner loop; by default that of the run."),
    ] = None,
    step: Step = None,
    force: Force = False,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on stdout.")
    ] = False,
) -> int:
    """Adapt to points of your own, and write the curve after each inner step.

    A file with the columns of the run's table is read by their names, else two numbers a
    line are x and y. Nobody knows a true curve behind them, so only the support loss is
    told. Curves go over the inputs of the tasks, and as far as the points.
    """
    from metalab.analysis.adapt_request import AdaptRequest, Start  # noqa: PLC0415
    from metalab.analysis.adaptation import TaskAdapter  # noqa: PLC0415 - torch
    from metalab.analysis.step_size import at_inner_lr  # noqa: PLC0415
    from metalab.core.paths import replace_file  # noqa: PLC0415
    from metalab.figures.curves import explored_table  # noqa: PLC0415
    from metalab.runs.record.reader import open_run  # noqa: PLC0415
    from metalab.runs.services.snapshots import state_at  # noqa: PLC0415

    which = chosen_step(step)
    if to is not None:
        check_csv(to, force=force)
    run = open_run(file)
    state = state_at(run, which)
    config = at_inner_lr(run.history.config_at(state.step), inner_lr)
    written = _by_name(points, config) or read_written(points)
    task = _task(points, written, config)
    start = Start(key="run", config=config, phi=state.phi, step=state.step)
    asked = AdaptRequest(task=task, starts=(start,), num_inner_steps=num_inner_steps)
    answer = TaskAdapter(config).adapt(start, asked)
    if to is not None:
        replace_file(to, explored_table(task, answer).to_csv().encode())
    warn_of_wreck(file, run.history)
    facts = {
        "name": run.history.name,
        "file": str(file),
        "step": state.step,
        "points": written.words,
        "num_shots": len(task.x),
        "wrote": None if to is None else str(to),
        "support_loss": answer.support_loss.tolist(),
        "distance": answer.distance.tolist(),
    }
    if json_output:
        print_json(facts)
    else:
        _tell(facts, answer)
    return delivered() if to is None else 0


def _by_name(points: Path, config: Any) -> "WrittenPoints | None":
    """Return points whose columns are named as those of the run's table, in any order.

    Returns:
        None for a run without a table, and for a file whose columns have other names.

    Raises:
        UserError: One column is there and the other one is not, or a cell is no number.
    """
    from metalab.core.written_points import WrittenPoints  # noqa: PLC0415
    from metalab.engine.build import build_family  # noqa: PLC0415
    from metalab.tasks.table_reading import TableError, read_table  # noqa: PLC0415

    family = build_family(config)
    roles = (family.input_name, family.target_name)
    if not all(roles) or not points.is_file():
        return None
    try:
        table = read_table(points.read_bytes())
    except (TableError, OSError):
        return None  # told by the reader of plain points
    known = [name for name in roles if name in table.names]
    if not known:
        return None
    try:
        x, y = (
            table.column(name, role).numbers().tolist()
            for name, role in zip(roles, ("x", "y"), strict=True)
        )
    except TableError as error:
        raise UserError(f"{points}: {error}") from error
    words = f"{len(x):,} points, columns {roles[0]!r} and {roles[1]!r}"
    return WrittenPoints(points=tuple(zip(x, y, strict=True)), words=words)


def _task(points: Path, written: "WrittenPoints", config: Any) -> "CustomTask":
    """Return the task of a person's points, with curves as far as they go.

    Raises:
        UserError: A point lies too far from what the network was trained on.
    """
    import numpy as np  # noqa: PLC0415

    from metalab.analysis.adapt_request import CustomTask, reach  # noqa: PLC0415
    from metalab.engine.build import build_family  # noqa: PLC0415
    from metalab.engine.held_out import NUM_GRID_POINTS  # noqa: PLC0415

    low, high = build_family(config).input_range
    x, y = written.arrays
    try:
        grid = reach(np.linspace(low, high, NUM_GRID_POINTS), x)
    except ValueError as error:
        raise UserError(f"{points}: {error}") from error
    return CustomTask(x=x, y=y, grid=grid, truth=None, parameters=None)


def _tell(facts: dict[str, Any], answer: "AdaptResult") -> None:
    screen = console()
    screen.print(f"Understood {facts['points']}")
    table = Table(
        title=f"{facts['name']}, outer step {facts['step']:,}: adapting to "
        f"{facts['num_shots']:,} support points",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
    )
    for heading in ("Step", "Support loss", "Distance"):
        table.add_column(heading, justify="right", no_wrap=True)
    losses = zip(answer.support_loss, answer.distance, strict=True)
    for step, (loss, distance) in enumerate(losses):
        table.add_row(str(step), f"{loss:.4g}", f"{distance:.4g}")
    screen.print(table)
    if facts["wrote"] is not None:
        screen.print(f"Wrote {facts['wrote']}")
