"""`metalab curves`: how held-out tasks adapt, as data."""

from pathlib import Path
from typing import Annotated

import typer

from metalab.cli.moment import OtherTasks, Step, chosen_step, parsed
from metalab.cli.output import console
from metalab.cli.target import Force, check_csv
from metalab.cli.wreck import warn_of_wreck
from metalab.core.errors import UserError


def curves(
    file: Annotated[Path, typer.Argument(help="Run file.")],
    to: Annotated[Path, typer.Option(help="Table to write: .csv.")],
    task: Annotated[
        list[int] | None,
        typer.Option(
            min=1,
            max=16,
            help="Held-out task, of the first sixteen. Repeatable; by default all.",
        ),
    ] = None,
    num_inner_steps: Annotated[
        int | None,
        typer.Option(
            min=0, max=1000, help="Inner steps K'; by default as the run evaluates."
        ),
    ] = None,
    step: Step = None,
    assignments: OtherTasks = None,
    force: Force = False,
) -> int:
    """Write the curves of held-out tasks after 0 ... K' inner steps.

    A row a point: task (and its name, if it has one), part (true curve, support, query or prediction), inner step, x
    and y.
    """
    from metalab.core.paths import replace_file  # noqa: PLC0415
    from metalab.engine.other_tasks import on_other_tasks  # noqa: PLC0415 - torch
    from metalab.experiment.fields import with_overrides  # noqa: PLC0415
    from metalab.figures.curves import curves_table  # noqa: PLC0415
    from metalab.runs.record.reader import open_run  # noqa: PLC0415
    from metalab.runs.services.snapshots import adapted_curves, state_at  # noqa: PLC0415

    which, changes = chosen_step(step), parsed(assignments)
    check_csv(to, force=force)
    run = open_run(file)
    state = state_at(run, which)
    config = on_other_tasks(run.history.config_at(state.step), changes)
    if num_inner_steps is not None:
        most = ("evaluation.num_inner_steps", max(num_inner_steps, 1))
        config = with_overrides(config, [most])
    tasks, found = adapted_curves(config, state)
    last = tasks.num_gallery
    chosen = sorted({number - 1 for number in task or range(1, last + 1)})
    if chosen[-1] >= last:
        raise UserError(
            f"task is {chosen[-1] + 1}; allowed: 1 to {last}, the held-out tasks whose "
            "curves are kept"
        )
    table = curves_table(
        tasks,
        found,
        chosen=chosen,
        num_inner_steps=config.num_shown_steps
        if num_inner_steps is None
        else num_inner_steps,
    )
    replace_file(to, table.to_csv().encode())
    warn_of_wreck(file, run.history)
    console().print(f"Wrote {to}: {len(table):,} rows, of outer step {state.step:,}")
    return 0
