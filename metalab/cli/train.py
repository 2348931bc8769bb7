"""`metalab train`: run an experiment from its start."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from metalab.cli.output import console, warn


def train(
    config: Annotated[
        Path | None, typer.Argument(help="TOML file of an experiment.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="Preset to start from; see `metalab presets`.")
    ] = None,
    code: Annotated[
        str | None,
        typer.Option(help="Share code of an experiment, as the window copies it."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Table of observations (CSV, TSV, Parquet): its tasks are trained on.",
        ),
    ] = None,
    task: Annotated[
        str | None, typer.Option(help="Column of the table that names the task.")
    ] = None,
    x: Annotated[
        str | None,
        typer.Option("--x", help="Columns of the inputs, with commas between."),
    ] = None,
    y: Annotated[str | None, typer.Option("--y", help="Column of the target.")] = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="PATH=VALUE",
            help="Change one setting, for example outer.num_steps=500. Repeatable.",
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Replaces run.seed.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Run file to create; by default one in the data folder."),
    ] = None,
    stop_at: Annotated[
        int | None,
        typer.Option(min=1, help="Stop and keep at this outer step; `resume` goes on."),
    ] = None,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on stdout.")
    ] = False,
) -> int:
    """Run an experiment and keep it in a run file."""
    from metalab.cli.config_source import resolve_config  # noqa: PLC0415 - torch
    from metalab.cli.report import run_and_report  # noqa: PLC0415
    from metalab.cli.table_data import table_notes, table_options  # noqa: PLC0415
    from metalab.experiment.fields import readings_of  # noqa: PLC0415
    from metalab.runs.record.live import LiveRun  # noqa: PLC0415
    from metalab.runs.system.home import new_run_path  # noqa: PLC0415

    experiment = resolve_config(
        config,
        preset=preset,
        code=code,
        assignments=assignments or [],
        seed=seed,
        data=table_options(data, task=task, x=x, y=y),
    )
    for line in table_notes(experiment):
        warn(line)
    for path, words in readings_of(experiment).items():
        warn(f"{path} understood as {words}")
    path = out or new_run_path(experiment)
    live = LiveRun(experiment, path=path)
    was_there = os.path.lexists(path)
    try:
        return run_and_report(
            live,
            console=console(json_output=json_output),
            json_output=json_output,
            stop_at=stop_at,
        )
    except BaseException:
        # A run that ended before its first step holds nothing that anybody would miss.
        # Where the path itself cannot be used, there is none: that is what is told.
        if not was_there and live.snapshot().step == 0:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        raise
