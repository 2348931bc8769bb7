"""`metalab export`: a figure, or its data, from a run file."""

from pathlib import Path
from typing import Annotated

import typer

from metalab.cli.moment import OtherTasks, Step, chosen_step, parsed
from metalab.cli.output import console
from metalab.cli.wreck import warn_of_wreck


def export(
    file: Annotated[Path, typer.Argument(help="Run file.")],
    figure: Annotated[
        str,
        typer.Argument(help="Figure: losses, adaptation, inner-loss or diagnostics."),
    ],
    to: Annotated[
        Path,
        typer.Option(
            help="File to write: .png, .svg, .pdf, .csv, or .py with its data in a "
            ".csv beside it."
        ),
    ],
    size: Annotated[
        str, typer.Option(help="Size preset: single, double, slide or square.")
    ] = "single",
    task: Annotated[
        int, typer.Option(min=1, max=16, help="Held-out task of `adaptation`.")
    ] = 1,
    log_y: Annotated[bool, typer.Option(help="Logarithmic loss axis.")] = True,
    dpi: Annotated[
        int, typer.Option(min=30, max=1200, help="Dots per inch of .png.")
    ] = 300,
    step: Step = None,
    assignments: OtherTasks = None,
) -> int:
    """Draw a figure of a run for a paper, or write its data."""
    from metalab.figures.base import FigureChoices  # noqa: PLC0415 - slow
    from metalab.figures.registry import check_shows_tasks  # noqa: PLC0415
    from metalab.figures.render import render  # noqa: PLC0415
    from metalab.runs.replay import load_history  # noqa: PLC0415

    which, changes = chosen_step(step), parsed(assignments)
    if changes:
        check_shows_tasks(figure)
    choices = FigureChoices(task=task - 1, log_y=log_y)
    history = load_history(file, which, changes)
    files = render(figure, history, to, size=size, choices=choices, dpi=dpi)
    warn_of_wreck(file, history)
    console().print(f"Wrote {' and '.join(map(str, files))}")
    return 0
