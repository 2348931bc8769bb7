"""`metalab metrics`: what a run has measured, for other tools."""

from pathlib import Path
from typing import Annotated

import typer

from metalab.cli.output import console
from metalab.cli.target import Force
from metalab.cli.wreck import warn_of_wreck


def metrics(
    file: Annotated[Path, typer.Argument(help="Run file.")],
    to: Annotated[
        Path,
        typer.Option(
            help="File to write: .csv or .parquet; or a folder, for TensorBoard."
        ),
    ],
    kind: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="csv, parquet, tensorboard, or trackio: a .csv for its import_csv. "
            "Default: by the name.",
        ),
    ] = None,
    force: Force = False,
) -> int:
    """Write metrics, held-out losses and diagnostics: a row an outer step.

    Columns have the same names in each format; losses are in the unit of the loss, seconds
    are of training. `export FILE losses` writes what its figure draws instead.
    """
    from metalab.figures.metrics_files import (  # noqa: PLC0415 - slow
        checked_format,
        export_metrics,
    )
    from metalab.runs.record.reader import open_run  # noqa: PLC0415

    checked_format(to, kind, force=force)
    run = open_run(file)
    rows = export_metrics(run.history, to, kind, created=run.created, force=force)
    warn_of_wreck(file, run.history)
    console().print(f"Wrote {to}: {rows:,} rows")
    return 0
